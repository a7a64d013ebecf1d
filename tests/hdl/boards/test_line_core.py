"""The core on its lines, as far as it goes without a board: control messages answered in frames."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator

from hdl.boards.colorlight import SMALL_FEEDS, SMALL_SIZES
from hdl.boards.geared_core import COMPACT_HERTZ, LINE, GearedCore
from hdl.boards.line_core import LineCore
from hdl.boards.network import BoardNetwork
from hdl.control.seal import BoardSeal, seal
from hdl.control.stuffing import stuffed
from market.fastpath.conformance.frame_builder import Wrapping, frame
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Result
from market.wire.sbe import Decoded, decode, encode
from sim.rtl.addresses import Datagram, datagram_of
from tests.hdl.boards.test_rgmii import HEAD, Cycle, carrier, carriers
from tests.hdl.control.test_uart import wave
from tests.hdl.ethernet.test_arp import BROADCAST, arp_frame, packet

NETWORK = BoardNetwork(address=IPv4Address("10.1.2.3"), host=IPv4Address("10.1.2.4"))
SERIAL_DIVISOR = 4
LINE_NS = 8
SEAL = BoardSeal(bytes(range(200, 216)), floor=1_000)


def incoming(message: bytes) -> list[Cycle]:
    """A control datagram on the line, with time behind it for an answer."""
    wrapping = Wrapping(address=int(NETWORK.address), port=NETWORK.control_port)
    return [*carrier(HEAD + frame(message, wrapping)), *[Cycle()] * 250]


def answers(core: LineCore | GearedCore, cycles: list[Cycle], serial: bytes, cycle_ns: int = LINE_NS) -> list[bytes]:
    """Frames that a board sends while the line brings this, and the serial line those bytes behind it.

    ``cycle_ns``: of the core's clock.
    """
    outgoing = []
    is_geared = isinstance(core, GearedCore)
    levels = wave(serial, SERIAL_DIVISOR * cycle_ns // LINE_NS)
    domain = LINE if is_geared else "sync"

    async def bench(ctx: Any) -> None:
        for cycle, level in [*((cycle, 1) for cycle in cycles), *((Cycle(), level) for level in levels + [1] * 2_000)]:
            ctx.set(core.serial, level)
            ctx.set(core.received.low, cycle.octet & 15)
            ctx.set(core.received.high, cycle.octet >> 4)
            ctx.set(core.received.valid, cycle.valid)
            ctx.set(core.received.error, cycle.valid ^ cycle.error)
            line = core.sent
            octet = ctx.get(line.low) | ctx.get(line.high) << 4
            outgoing.append(Cycle(octet, bool(ctx.get(line.valid)), ctx.get(line.valid) != ctx.get(line.error)))
            await ctx.tick(domain)

    simulator = Simulator(core)
    simulator.add_clock(LINE_NS * 1e-9, domain=domain)
    if is_geared:
        simulator.add_clock(cycle_ns * 1.00005e-9, phase=3e-9)
    simulator.add_testbench(bench)
    simulator.run()
    sent = []
    for carried in carriers(outgoing)[0]:
        assert not any(cycle.error for cycle in carried)
        octets = bytes(cycle.octet for cycle in carried)
        assert octets.startswith(HEAD)
        sent.append(octets[len(HEAD) :])
    return sent


@pytest.mark.parametrize(("form", "cycle_ns"), [(LineCore, LINE_NS), (GearedCore, 10)])
def test_the_board_is_found_and_a_sealed_hello_is_acknowledged_in_a_datagram_to_the_host(
    form: type[LineCore] | type[GearedCore], cycle_ns: int
) -> None:
    hello = encode(SCHEMA, "Hello", {"sequence": 1, "epoch": 7})
    unsealed, forged, old = hello, seal(bytes(16), SEAL.floor, hello), seal(SEAL.key, SEAL.floor - 1, hello)
    dropped = [cycle for message in (unsealed, forged, old) for cycle in incoming(message)]
    host = 0x02_00_00_00_00_99, int(NETWORK.host)
    who_has = packet(1, host, (0, int(NETWORK.address)))
    asked = [*carrier(HEAD + arp_frame(BROADCAST, host[0], who_has)), *[Cycle()] * 100]
    sealed = incoming(seal(SEAL.key, SEAL.floor, hello))
    kill = stuffed(seal(SEAL.key, SEAL.floor + 1, encode(SCHEMA, "Kill", {"sequence": 2})))
    core = form(NETWORK, SEAL, serial_divisor=SERIAL_DIVISOR)
    found, *datagrams = answers(core, [*asked, *dropped, *sealed], kill, cycle_ns)
    assert found == arp_frame(host[0], NETWORK.link, packet(2, (NETWORK.link, int(NETWORK.address)), host))
    answer, *rest = map(datagram_of, datagrams)
    assert (answer.address, answer.source_port, answer.port) == (
        NETWORK.host,
        NETWORK.control_port,
        NETWORK.message_port,
    )
    fields = decode(SCHEMA, answer.payload).fields
    assert (fields["sequence"], fields["result"]) == (1, Result.APPLIED)
    (killed,) = (each.fields for each in map(_decoded, rest) if each.name == "Acknowledge")
    assert (killed["sequence"], killed["result"]) == (2, Result.APPLIED)
    named = {decoded.name: decoded.fields for decoded in map(_decoded, rest)}
    assert set(named) == {"Acknowledge", "Status", "FrameCounters", "LatencyCounters", "BoardCounters", "LogStep"}
    counted = named["BoardCounters"]
    assert (counted["forged"], counted["replayed"], counted["sealCounter"]) == (2, 1, SEAL.floor)
    assert named["FrameCounters"]["notOurs"] == 5, "to the core, control frames are somebody else's"
    assert (named["LatencyCounters"]["cyclePs"], named["LatencyCounters"]["measured"]) == (1_000 * cycle_ns, 0)


@pytest.mark.long
def test_a_small_board_answers_a_sealed_hello_but_neither_arp_nor_a_serial_line() -> None:
    usual = (NETWORK, SEAL, SMALL_SIZES, SERIAL_DIVISOR, SMALL_FEEDS)
    core = GearedCore(*usual, hertz=COMPACT_HERTZ, compact=True, has_serial=False)
    hello = encode(SCHEMA, "Hello", {"sequence": 1, "epoch": 7})
    who_has = packet(1, (0x02_00_00_00_00_99, int(NETWORK.host)), (0, int(NETWORK.address)))
    asked = [*carrier(HEAD + arp_frame(BROADCAST, 0x02_00_00_00_00_99, who_has)), *[Cycle()] * 100]
    sealed = incoming(seal(SEAL.key, SEAL.floor, hello))
    kill = stuffed(seal(SEAL.key, SEAL.floor + 1, encode(SCHEMA, "Kill", {"sequence": 2})))
    decoded = [_decoded(datagram_of(each)) for each in answers(core, [*asked, *sealed], kill, cycle_ns=16)]
    (answer,) = (each.fields for each in decoded if each.name == "Acknowledge")
    assert (answer["sequence"], answer["result"]) == (1, Result.APPLIED)
    named = {each.name: each.fields for each in decoded}
    assert set(named) == {"Acknowledge", "Status", "FrameCounters", "LatencyCounters", "BoardCounters", "LogStep"}
    assert named["LatencyCounters"]["measured"] == 0
    assert named["BoardCounters"]["sealCounter"] == SEAL.floor


def _decoded(datagram: Datagram) -> Decoded:
    return decode(SCHEMA, datagram.payload)
