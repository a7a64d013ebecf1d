"""Recordings as tapes: snapshots joined, gaps found, both orders of time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from market.book import book as header
from market.book.intake import take_records
from market.errors import Fatal, MissingInput
from market.wire import records
from market.wire.markets import Market
from market.wire.records import Kind
from market.wire.venues import VENUES
from sim.backtest import layout
from sim.backtest.core import BacktestCore, MatchModel
from sim.backtest.layout import TapeKind
from sim.backtest.tape import RecordedColumns, Tape, TapeClock, make_tape, read_columns, read_tape
from sim.replay.source import SourceSettings

MS = 10**6
FUTURES = SourceSettings("binance-usdm", Path("none"), VENUES["binance-usdm"], (Market("AB", 0, 0),), (None,))
EXACT = TapeClock(ahead_ns=0, least_ns=1)
FILES = {
    "binance-spot": ("spot_btcusdt_20240808.gz", Market("BTCUSDT", 2, 8)),
    "binance-usdm": ("usdm_btcusdt_20240808.gz", Market("BTCUSDT", 1, 3)),
}


def record(kind: Kind, receive_ns: int, event_ns: int, first: int = 0, last: int = 0, previous: int = -1) -> list[int]:
    """A record without levels; of a trade ``last`` is the id."""
    row = [0] * records.WIDTH
    row[: records.PREVIOUS_ID + 1] = [int(kind), receive_ns, event_ns, 0, first, last, previous]
    if kind is Kind.TRADE:
        row[records.PRICE], row[records.QUANTITY], row[records.TRADE_ID] = 100, 1, last
    return row


def tape_of(rows: list[list[int]], clock: TapeClock = EXACT, *, quotes: bool = False) -> Tape:
    empty = np.zeros((0, 2), dtype=np.int64)
    columns = RecordedColumns(np.array(rows, dtype=np.int64), empty, empty)
    return make_tape([(FUTURES, columns)], clock, quotes=quotes)


def kinds(tape: Tape) -> list[tuple[TapeKind, int, int]]:
    """Kind, exchange time and receive time in the order of the exchange."""
    columns = [layout.TAPE_KIND, layout.EXCHANGE_NS, layout.RECEIVE_NS]
    return [(TapeKind(kind), at, heard) for kind, at, heard in tape.rows[:, columns].tolist()]


def test_updates_before_a_snapshot_are_joined_and_known_from_it_on() -> None:
    tape = tape_of(
        [
            record(Kind.DIFF, 10, 5, 1, 4, 0),
            record(Kind.DIFF, 20, 15, 5, 9, 4),
            record(Kind.SNAPSHOT, 30, 12, last=7),
            record(Kind.DIFF, 40, 35, 10, 12, 9),
        ]
    )
    assert kinds(tape) == [(TapeKind.SNAPSHOT, 12, 30), (TapeKind.DIFF, 15, 30), (TapeKind.DIFF, 35, 40)]


def test_what_does_not_continue_the_book_is_a_gap_until_the_next_snapshot() -> None:
    tape = tape_of(
        [
            record(Kind.SNAPSHOT, 30, 12, last=7),
            record(Kind.DIFF, 40, 35, 7, 12, 6),
            record(Kind.DIFF, 50, 45, 20, 22, 19),
            record(Kind.DIFF, 60, 55, 23, 24, 22),
            record(Kind.SNAPSHOT, 70, 66, last=23),
        ]
    )
    assert [kind for kind, _, _ in kinds(tape)] == [
        TapeKind.SNAPSHOT,
        TapeKind.DIFF,
        TapeKind.GAP,
        TapeKind.SNAPSHOT,
        TapeKind.DIFF,
    ]


def test_a_trade_that_was_there_before_is_left_out() -> None:
    rows = [record(Kind.SNAPSHOT, 30, 12), *(record(Kind.TRADE, 40 + number, 33, last=5) for number in range(3))]
    assert [kind for kind, _, _ in kinds(tape_of(rows))] == [TapeKind.SNAPSHOT, TapeKind.TRADE]


def test_the_exchanges_order_is_that_of_its_clock_and_the_receipt_keeps_its_own() -> None:
    tape = tape_of([record(Kind.SNAPSHOT, 30, 12), record(Kind.DIFF, 40, 35, 0, 1), record(Kind.TRADE, 41, 20, last=1)])
    assert kinds(tape) == [(TapeKind.SNAPSHOT, 12, 30), (TapeKind.TRADE, 20, 41), (TapeKind.DIFF, 35, 40)]
    assert tape.received.tolist() == [0, 2, 1]


def test_nothing_is_received_sooner_than_the_least_latency_after_it_happened() -> None:
    rows = [record(Kind.SNAPSHOT, 30, 0), record(Kind.TRADE, 40, 90, last=1), record(Kind.TRADE, 50, 75, last=2)]
    tape = tape_of(rows, TapeClock(least_ns=10))
    assert tape.ahead_ns == (("binance-usdm", 60),)
    assert kinds(tape) == [(TapeKind.TRADE, 15, 50), (TapeKind.SNAPSHOT, 20, 30), (TapeKind.TRADE, 30, 40)]


def test_quotes_hold_until_the_book_has_caught_up() -> None:
    rows = [
        record(Kind.SNAPSHOT, 30, 12, last=7),
        record(Kind.QUOTE, 31, 29, last=6),
        record(Kind.QUOTE, 32, 30, last=9),
        record(Kind.DIFF, 40, 35, 7, 8, 6),
        record(Kind.QUOTE, 44, 36, last=11),
        record(Kind.DIFF, 50, 45, 9, 11, 8),
        record(Kind.QUOTE, 52, 46, last=11),
    ]
    assert [kind for kind, _, _ in kinds(tape_of(rows))] == [TapeKind.SNAPSHOT, TapeKind.DIFF, TapeKind.DIFF]
    assert [(kind, at) for kind, at, _ in kinds(tape_of(rows, quotes=True))] == [
        (TapeKind.SNAPSHOT, 12),
        (TapeKind.QUOTE, 30),
        (TapeKind.OLDER_DIFF, 35),
        (TapeKind.QUOTE, 36),
        (TapeKind.DIFF, 45),
    ]


def test_a_recording_without_a_book_is_refused() -> None:
    with pytest.raises(MissingInput, match="no snapshot"):
        tape_of([record(Kind.TRADE, 40, 33, last=5)])
    with pytest.raises(Fatal, match="least latency"):
        tape_of([record(Kind.SNAPSHOT, 30, 12)], TapeClock(least_ns=-1))


@pytest.mark.parametrize("venue", FILES)
def test_a_recording_ends_with_the_book_that_the_synchroniser_has(data: Path, venue: str) -> None:
    name, market = FILES[venue]
    source = SourceSettings(venue, data / "binance-20240808" / name, VENUES[venue], (market,), (None,))
    columns = read_columns(source)
    book = source.new_books()
    take_records(book, columns.rows, len(columns.rows), columns.bids, columns.asks)
    tape = read_tape([source])
    core = BacktestCore(tape, [MatchModel()])
    core.advance()
    updated = columns.rows[columns.rows[:, records.KIND] == Kind.DIFF]
    assert core.events == tape.events
    bids, asks = header.BIDS_SIDE, header.ASKS_SIDE
    assert core.top(0).bid == int(book[bids + 5] + (1 << 16) - 1 - book[bids])
    assert core.top(0).ask == int(book[asks + 5] + book[asks])
    assert (tape.rows[:, layout.RECEIVE_NS] - tape.rows[:, layout.EXCHANGE_NS]).min() >= 100_000
    assert len(updated) - 5 <= (tape.rows[:, layout.TAPE_KIND] == TapeKind.DIFF).sum() <= len(updated)
    assert not (tape.rows[:, layout.TAPE_KIND] == TapeKind.GAP).any()
