"""What is no number, no price or no book never reaches an indicator, and is counted by its reason."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.detector.columns import BookColumns, TopColumns, TradeColumns, counts_of, merge_columns
from market.detector.detector import Detector
from market.detector.events import EventKind
from market.detector.layout import Words
from market.detector.settings import SECOND_NS
from market.detector.states import Counter, Reading
from market.errors import Rejected
from tests.market.detector.streams import SELL, SMALL, START, array, at, book, clean_streams, row, top, trade

NAN, INFINITY = float("nan"), float("inf")
REASONS = [
    (NAN, Counter.NOT_A_NUMBER),
    (INFINITY, Counter.INFINITE),
    (-INFINITY, Counter.INFINITE),
    (-1.5, Counter.NEGATIVE),
    (-1e300, Counter.NEGATIVE),
    (0.0, Counter.ZERO),
    (1e300, Counter.TOO_LARGE),
    (2.0**47, Counter.TOO_LARGE),
]


def refused(detector: Detector) -> dict[Counter, int]:
    reasons = {reason for _, reason in REASONS} | {Counter.CROSSED, Counter.BAD_AGGRESSOR}
    return {counter: number for counter, number in detector.counters().items() if counter in reasons and number}


@pytest.mark.parametrize(("value", "reason"), REASONS)
@pytest.mark.parametrize("place", range(4))
def test_a_top_with_a_bad_number_is_refused(value: float, reason: Counter, place: int) -> None:
    numbers = [100.0, 1.0, 102.0, 1.0]
    numbers[place] = value
    detector = Detector(SMALL)
    detector.update(array([at(START), top(START, 100, 102)]))
    before = detector.read()
    detector.update(array([row(EventKind.TOP, START, *counts_of(np.array(numbers), 0).tolist())]))
    assert refused(detector) == {reason: 1}
    assert repr(detector.read()) == repr(before)


@pytest.mark.parametrize(("value", "reason"), REASONS)
@pytest.mark.parametrize("place", range(2))
def test_a_trade_with_a_bad_number_is_refused(value: float, reason: Counter, place: int) -> None:
    numbers = [100.0, 1.0]
    numbers[place] = value
    detector = Detector(SMALL)
    price, quantity = counts_of(np.array(numbers), 0).tolist()
    detector.update(array([at(START), trade(START, price, quantity)]))
    assert refused(detector) == {reason: 1}
    assert detector.counters()[Counter.TRADES] == 0
    assert detector.read()[Reading.VOLUME_DELTA] == 0


def test_crossed_and_locked_books_and_unknown_sides_are_refused() -> None:
    detector = Detector(SMALL)
    detector.update(array([at(START), top(START, 101, 100), book(START, 100, 100), trade(START, 5, 5, 3)]))
    assert refused(detector) == {Counter.CROSSED: 2, Counter.BAD_AGGRESSOR: 1}
    assert detector.counters()[Counter.MESSAGES] == 0


@pytest.mark.parametrize(("value", "reason"), [(-1, Counter.NEGATIVE), (1 << 62, Counter.TOO_LARGE)])
@pytest.mark.parametrize("place", range(7, 11))
def test_depth_sums_out_of_range_are_refused(value: int, reason: Counter, place: int) -> None:
    bad = book(START, 100, 102)
    bad[place] = value
    detector = Detector(SMALL)
    detector.update(array([at(START), bad]))
    assert refused(detector) == {reason: 1}


def test_a_top_that_was_refused_and_not_stated_well_since_is_forgotten_at_the_close() -> None:
    detector = Detector(SMALL)
    bad = top(START + 900_000_000, 102, 100)
    detector.update(array([at(START), top(START, 100, 102), bad]))
    assert detector.read()[Reading.PRICE] == 101
    detector.update(array([trade(START + SECOND_NS, 100, 1, SELL)]))
    assert np.isnan(detector.read()[Reading.PRICE])
    assert np.isnan(detector.read()[Reading.SPREAD])


def test_a_price_that_triples_in_a_second_is_no_return() -> None:
    detector = Detector(SMALL)
    rows = [at(START)]
    rows += [top(START + step * SECOND_NS, 100 if step < 8 else 301, 302) for step in range(10)]
    rows[1:9] = [top(START + step * SECOND_NS, 99, 101) for step in range(8)]
    detector.update(array(rows))
    assert detector.counters()[Counter.BAD_RETURN] == 1
    assert np.isnan(detector.read()[Reading.VOLATILITY])


@given(clean_streams(60), st.data())
@settings(derandomize=True, deadline=None, max_examples=40)
def test_refused_input_between_the_others_changes_nothing_but_counts(
    rows: list[list[int]], data: st.DataObject
) -> None:
    mixed = []
    for one in rows:
        mixed.append(one)
        if one[0] == EventKind.TRADE and data.draw(st.booleans()):
            mixed.append(trade(one[1], data.draw(st.sampled_from([0, -5, -(1 << 63), (1 << 63) - 1])), 1))
    clean, dirty = Detector(SMALL), Detector(SMALL)
    clean.update(array(rows))
    dirty.update(array(mixed))
    assert repr(dirty.read()) == repr(clean.read())
    assert sum(refused(dirty).values()) == len(mixed) - len(rows)


def test_float_columns_become_counts_or_marks() -> None:
    counts = counts_of(np.array([1.005, 2.344, NAN, INFINITY, -3.0]), 2)
    assert counts.tolist() == [100, 234, -(1 << 63), (1 << 63) - 1, -300]


def test_columns_are_merged_in_order_of_time() -> None:
    def column(*values: int) -> Words:
        return np.array(values, dtype=np.int64)

    tops = TopColumns(column(1, 5), column(9, 9), column(1, 1), column(11, 11), column(1, 1))
    sums = [column(7, 7)] * 6
    books = BookColumns(TopColumns(column(2, 5), column(9, 9), column(1, 1), column(11, 11), column(1, 1)), *sums)
    trades = TradeColumns(column(0, 5), column(9, 9), column(3, 4), column(1, 2), column(70, 71))
    rows = merge_columns(trades, tops, books)
    kinds = [EventKind.TRADE, EventKind.TOP, EventKind.BOOK, EventKind.BOOK, EventKind.TOP, EventKind.TRADE]
    assert rows[:, 0].tolist() == kinds
    assert rows[-1].tolist() == trade(5, 9, 4, 2, number=71)
    assert rows[1].tolist() == top(1, 9, 11)
    assert merge_columns().shape == (0, 13)


def test_columns_that_do_not_fit_are_refused() -> None:
    ones = np.ones(2, dtype=np.int64)
    with pytest.raises(Rejected, match="counts_of"):
        merge_columns(TradeColumns(ones, ones * 0.5, ones, ones))  # type: ignore[arg-type]
    with pytest.raises(Rejected, match="2 integers each"):
        merge_columns(TradeColumns(ones, ones[:1], ones, ones))
    with pytest.raises(Rejected, match="run back"):
        merge_columns(TradeColumns(np.array([2, 1]), ones, ones, ones))


def test_an_unknown_kind_is_refused_after_what_came_before() -> None:
    detector = Detector(SMALL)
    with pytest.raises(Rejected, match="event 2 has kind 8"):
        detector.update(array([at(START), top(START, 1, 2), [8, *[0] * 12]]))
    assert detector.counters()[Counter.MESSAGES] == 1
    with pytest.raises(Rejected, match="shape"):
        detector.update(np.zeros((2, 5), dtype=np.int64))
