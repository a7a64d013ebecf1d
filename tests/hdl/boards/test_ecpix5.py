"""The board's top, as far as it goes without a board: its constraints, and a control message answered over the line."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest

pytest.importorskip("amaranth_boards", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator
from amaranth_boards.ecpix5 import ECPIX585Platform

from hdl.boards.ecpix5 import Ecpix5
from hdl.boards.line_core import LineCore
from hdl.boards.network import BoardNetwork
from market.fastpath.conformance.frame_builder import Wrapping, frame
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Result
from market.wire.sbe import decode, encode
from sim.rtl.addresses import datagram_of
from tests.hdl.boards.test_rgmii import HEAD, Cycle, carrier, carriers

NETWORK = BoardNetwork(address=IPv4Address("10.1.2.3"), host=IPv4Address("10.1.2.4"))


def test_both_clocks_are_constrained_and_the_line_has_its_pins() -> None:
    plan = ECPIX585Platform().prepare(Ecpix5(NETWORK), "top", emit_src=False)
    constraints = plan.files["top.lpf"]
    constraints = constraints if isinstance(constraints, str) else constraints.decode()
    assert 'FREQUENCY NET "lines.line_clock" 125000000.0 HZ;' in constraints
    assert 'FREQUENCY PORT "clk100_0__io" 100000000.0 HZ;' in constraints
    assert all(
        f'LOCATE COMP "eth_rgmii_0__{name}' in constraints for name in ("rx_clk", "rx_data", "tx_clk", "tx_data")
    )


def test_a_hello_in_a_datagram_is_acknowledged_in_a_datagram_to_the_host() -> None:
    hello = encode(SCHEMA, "Hello", {"sequence": 1, "epoch": 7})
    wrapping = Wrapping(address=int(NETWORK.address), port=NETWORK.control_port)
    incoming = [*carrier(HEAD + frame(hello, wrapping)), *[Cycle()] * 400]
    core, outgoing = LineCore(NETWORK), []

    async def bench(ctx: Any) -> None:
        for cycle in incoming:
            ctx.set(core.received.low, cycle.octet & 15)
            ctx.set(core.received.high, cycle.octet >> 4)
            ctx.set(core.received.valid, cycle.valid)
            ctx.set(core.received.error, cycle.valid ^ cycle.error)
            line = core.sent
            octet = ctx.get(line.low) | ctx.get(line.high) << 4
            outgoing.append(Cycle(octet, bool(ctx.get(line.valid)), ctx.get(line.valid) != ctx.get(line.error)))
            await ctx.tick()

    simulator = Simulator(core)
    simulator.add_clock(8e-9)
    simulator.add_testbench(bench)
    simulator.run()
    first = carriers(outgoing)[0][0]
    assert not any(cycle.error for cycle in first)
    octets = bytes(cycle.octet for cycle in first)
    assert octets.startswith(HEAD)
    answer = datagram_of(octets[len(HEAD) :])
    assert (answer.address, answer.source_port, answer.port) == (
        NETWORK.host,
        NETWORK.control_port,
        NETWORK.message_port,
    )
    fields = decode(SCHEMA, answer.payload).fields
    assert (fields["sequence"], fields["result"]) == (1, Result.APPLIED)
