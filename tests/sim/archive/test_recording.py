"""The synthetic book: its rule, and that it does not know what comes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.venues import VenueName
from sim.archive.book_rule import BookRule, SyntheticBook
from sim.archive.dialect import Dialect
from sim.archive.recording import SyntheticRecording
from sim.archive.rows import Integers
from tests.sim.archive.archived import trades
from tests.sim.archive.test_reader import expected


def recorded(rows: Integers, rule: BookRule | None = None) -> tuple[list[str], list[str]]:
    """Lines of the trades, and those that their end adds."""
    dialect = Dialect(VenueName.BINANCE_SPOT, "BTCUSDT", 2, 8)
    recording = SyntheticRecording(dialect, rule or BookRule(), 5_000_000)
    return list(recording.add(rows)), list(recording.finish())


def test_the_book_follows_trades_widens_and_thins_with_the_range_of_bars() -> None:
    book = SyntheticBook(BookRule(levels=3, spread_percent=10))
    book.trade(1_000, False)
    assert not book.is_there
    book.bar(50, 400)
    assert (book.is_there, book.top(), book.lots) == (True, (995, 1_000), 400)
    assert book.sides() == ({995: 400, 990: 600, 985: 800}, {1_000: 400, 1_005: 600, 1_010: 800})
    book.trade(990, True)
    assert book.top() == (990, 995)
    for _ in range(100):
        book.bar(50, 400)
    assert (book.spread, book.lots) == (5, 400)
    for _ in range(5):
        book.bar(1_000, 400)
    assert book.spread > 20
    assert book.lots < 100


def test_a_book_at_the_lowest_price_has_prices_above_nothing() -> None:
    book = SyntheticBook(BookRule(levels=4))
    book.trade(1, False)
    book.bar(0, 1)
    bids, asks = book.sides()
    assert (list(bids), min(asks)) == ([1], 2)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 1_000), st.integers(1, 300))
def test_what_was_said_before_does_not_depend_on_what_comes(seed: int, cut: int) -> None:
    rows = expected(trades(300, seed))
    whole, _ = recorded(rows)
    early, _ = recorded(rows[:cut])
    assert whole[: len(early)] == early


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.integers(0, 1_000), st.sampled_from((10, 100, 1_000)))
def test_lines_are_in_order_and_books_are_never_crossed(seed: int, interval_ms: int) -> None:
    lines, end = recorded(expected(trades(300, seed)), BookRule(interval_ns=interval_ms * 1_000_000))
    times = [int(line.partition(" ")[0]) for line in lines + end]
    assert times == sorted(times)
    last_id = 0
    for line in lines + end:
        data = json.loads(line.partition(" ")[2])["data"]
        if "B" in data:
            assert 0 < float(data["b"]) < float(data["a"])
            assert data["u"] == last_id + 1
            last_id = data["u"]


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_parts_make_no_difference(parts: int) -> None:
    rows = expected(trades(400))
    recording = SyntheticRecording(Dialect(VenueName.BINANCE_SPOT, "BTCUSDT", 2, 8), BookRule(), 5_000_000)
    lines = [line for part in np.array_split(rows, parts) for line in recording.add(part)]
    assert (lines, list(recording.finish())) == recorded(rows)
