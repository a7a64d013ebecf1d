"""A book is joined from snapshot and diffs by its venue's rule, or says that it is not synchronised."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from market.book import book as header
from market.book.book import new_books
from market.book.continuity import Rule
from market.book.intake import take_record
from market.book.top import CHANGED, SAME, WITHDRAWN
from market.native.kernel import entry
from market.native.memory import address_of
from market.wire import records
from market.wire.records import Column, Kind

Words = NDArray[np.int64]
Levels = list[tuple[int, int]]


@entry("int64(int64[::1], int64[::1], int64[:, ::1], int64[:, ::1])")
def _take(book: Words, row: Words, bids: Words, asks: Words) -> int:
    return take_record(address_of(book), address_of(row), address_of(bids), address_of(asks))


def rows(levels: Levels) -> Words:
    return np.array(levels, dtype=np.int64).reshape(-1, 2)


@dataclass
class Venue:
    """One book, fed by hand."""

    rule: Rule
    needs_book: bool = True
    words: Words = field(init=False)

    def __post_init__(self) -> None:
        self.words = new_books([self.rule], needs_book=self.needs_book)

    def _send(self, values: dict[int, int], bids: Levels, asks: Levels) -> int:
        row = np.zeros(records.WIDTH, dtype=np.int64)
        for column, value in values.items():
            row[column] = value
        return _take(self.words, row, rows(bids), rows(asks))

    def diff(self, first: int, last: int, bids: Levels, asks: Levels, previous: int = -1) -> int:
        values = {
            Column.KIND: Kind.DIFF,
            Column.FIRST_ID: first,
            Column.LAST_ID: last,
            Column.PREVIOUS_ID: previous,
            Column.BIDS: len(bids),
            Column.ASKS: len(asks),
        }
        return self._send({int(k): int(v) for k, v in values.items()}, bids, asks)

    def snapshot(self, last: int, bids: Levels, asks: Levels) -> int:
        values = {
            Column.KIND: Kind.SNAPSHOT,
            Column.LAST_ID: last,
            Column.BIDS: len(bids),
            Column.ASKS: len(asks),
        }
        return self._send({int(k): int(v) for k, v in values.items()}, bids, asks)

    def quote(self, last: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> int:
        values = {
            int(Column.KIND): int(Kind.QUOTE),
            int(Column.LAST_ID): last,
            records.BID_PRICE: bid,
            records.BID_QUANTITY: bid_quantity,
            records.ASK_PRICE: ask,
            records.ASK_QUANTITY: ask_quantity,
        }
        return self._send(values, [], [])

    def __getitem__(self, word: int) -> int:
        return int(self.words[word])

    @property
    def top(self) -> tuple[int, int, int, int]:
        return (
            self[header.TOP_BID],
            self[header.TOP_BID_QUANTITY],
            self[header.TOP_ASK],
            self[header.TOP_ASK_QUANTITY],
        )


BIDS: Levels = [(100, 5), (99, 7)]
ASKS: Levels = [(102, 4), (103, 9)]


@pytest.fixture
def spot() -> Venue:
    return Venue(Rule.OVERLAPPING)


@pytest.fixture
def futures() -> Venue:
    return Venue(Rule.CHAINED_OVERLAP)


def test_nothing_is_quoted_before_a_snapshot(spot: Venue) -> None:
    assert spot.diff(1, 5, [(100, 1)], []) == SAME
    assert spot.quote(6, 100, 1, 101, 1) == SAME
    assert spot[header.SYNCHRONISED] == 0


def test_diffs_before_the_snapshot_are_applied_after_it(spot: Venue) -> None:
    spot.diff(1, 5, [(100, 99)], [])
    spot.diff(6, 12, [(101, 3)], [])
    assert spot.snapshot(10, BIDS, ASKS) == CHANGED
    assert spot.top == (101, 3, 102, 4)
    assert spot[header.LAST_ID] == 12
    assert (spot[header.STALE], spot[header.GAPS]) == (1, 0)


def test_a_snapshot_older_than_the_kept_diffs_does_not_join(spot: Venue) -> None:
    spot.diff(20, 25, [(101, 3)], [])
    assert spot.snapshot(10, BIDS, ASKS) == SAME
    assert spot[header.SYNCHRONISED] == 0
    assert spot.snapshot(22, BIDS, ASKS) == CHANGED
    assert spot.top == (101, 3, 102, 4)


def test_spot_updates_may_overlap_but_not_leave_a_hole(spot: Venue) -> None:
    spot.snapshot(10, BIDS, ASKS)
    assert spot.diff(8, 11, [(100, 6)], []) == CHANGED
    assert spot.diff(12, 14, [], []) == SAME
    assert spot.diff(13, 14, [(100, 1)], []) == SAME
    assert spot[header.STALE] == 1
    assert spot.diff(16, 20, [(100, 9)], []) == WITHDRAWN
    assert (spot[header.GAPS], spot[header.SYNCHRONISED]) == (1, 0)
    assert spot.top[1] == spot.top[3] == 0


def test_a_futures_update_may_follow_the_very_update_of_the_snapshot(futures: Venue) -> None:
    assert futures.diff(6, 10, [(100, 5)], [], previous=5) == SAME
    assert futures.snapshot(10, BIDS, ASKS) == CHANGED
    assert futures.diff(13, 15, [(101, 1)], [], previous=10) == CHANGED
    assert (futures[header.LAST_ID], futures[header.GAPS]) == (15, 0)


def test_a_futures_update_that_follows_another_is_a_gap(futures: Venue) -> None:
    assert futures.snapshot(10, BIDS, ASKS) == CHANGED
    assert futures.diff(13, 15, [(101, 1)], [], previous=11) == WITHDRAWN
    assert futures[header.GAPS] == 1


def test_after_a_gap_only_a_newer_snapshot_quotes_again(spot: Venue) -> None:
    spot.snapshot(10, BIDS, ASKS)
    spot.diff(16, 20, [(100, 9)], [])
    assert spot.diff(21, 22, [(99, 0)], []) == SAME
    assert spot.quote(23, 100, 9, 102, 4) == SAME
    assert spot.snapshot(12, BIDS, ASKS) == SAME
    assert spot.snapshot(19, BIDS, ASKS) == CHANGED
    assert spot[header.RESYNCS] == 1
    assert spot[header.LAST_ID] == 22
    assert spot.top == (100, 9, 102, 4)


def test_futures_start_astride_the_snapshot_and_then_follow_the_chain(futures: Venue) -> None:
    futures.diff(5, 9, [(100, 1)], [], previous=4)
    futures.diff(12, 30, [(100, 2)], [], previous=9)
    assert futures.snapshot(20, BIDS, ASKS) == CHANGED
    assert futures.top == (100, 2, 102, 4)
    assert futures.diff(45, 50, [(100, 3)], [], previous=30) == CHANGED
    assert futures.diff(40, 50, [(100, 3)], [], previous=30) == SAME
    assert futures.diff(60, 70, [(100, 4)], [], previous=55) == WITHDRAWN
    assert futures[header.GAPS] == 1


def test_futures_do_not_join_without_straddling(futures: Venue) -> None:
    futures.snapshot(20, BIDS, ASKS)
    assert futures.diff(21, 30, [], [], previous=19) == WITHDRAWN


@pytest.mark.parametrize(
    ("rule", "steps", "gap"),
    [
        (Rule.CHAINED, [(0, 11, 10), (0, 11, 11), (0, 15, 11)], (0, 20, 16)),
        (Rule.CONSECUTIVE, [(0, 11, -1), (0, 12, -1)], (0, 14, -1)),
    ],
)
def test_other_venues_rules(rule: Rule, steps: list[tuple[int, int, int]], gap: tuple[int, int, int]) -> None:
    venue = Venue(rule)
    venue.snapshot(10, BIDS, ASKS)
    for number, (first, last, previous) in enumerate(steps):
        assert venue.diff(first, last, [(100, 10 + number)], [], previous) == CHANGED
    assert venue.diff(steps[-1][0], steps[0][1] - 1, [(100, 1)], [], 1) == SAME
    assert venue.diff(gap[0], gap[1], [(100, 1)], [], gap[2]) == WITHDRAWN


def test_the_newer_of_depth_and_stated_quote_is_the_top(spot: Venue) -> None:
    spot.snapshot(10, BIDS, ASKS)
    assert spot.quote(15, 100, 8, 102, 4) == CHANGED
    assert spot.diff(11, 13, [(100, 6)], []) == SAME, "the stated quote is newer"
    assert spot.top == (100, 8, 102, 4)
    assert spot.diff(14, 16, [(100, 7)], []) == CHANGED
    assert spot.quote(15, 100, 8, 102, 4) == SAME, "older than the book by now"
    assert spot.top == (100, 7, 102, 4)
    assert spot.quote(17, 100, 7, 102, 4) == CHANGED, "an unchanged quote is an event too"


def test_book_and_stated_quote_of_one_id_are_compared_whichever_comes_first(spot: Venue) -> None:
    spot.snapshot(10, BIDS, ASKS)
    spot.quote(12, 100, 6, 102, 4)
    spot.diff(11, 12, [(100, 6)], [])
    assert (spot[header.CHECKS], spot[header.EQUAL]) == (1, 1)
    spot.diff(13, 14, [(100, 8)], [])
    spot.quote(14, 100, 9, 102, 4)
    assert (spot[header.LATE_CHECKS], spot[header.LATE_EQUAL]) == (1, 0)


def test_without_a_depth_stream_the_stated_quote_is_enough() -> None:
    venue = Venue(Rule.OVERLAPPING, needs_book=False)
    assert venue.quote(15, 100, 8, 102, 4) == CHANGED


def test_a_crossed_book_is_mended_from_the_stated_quote(spot: Venue) -> None:
    spot.snapshot(10, [*BIDS, (101, 1)], ASKS)
    spot.quote(11, 100, 5, 102, 4)
    spot.diff(11, 12, [], [(101, 2)])
    assert (spot[header.CROSSED], spot[header.PRUNED]) == (1, 2)
    assert spot[header.SYNCHRONISED] == 1
    assert spot.top == (100, 5, 102, 4)


def test_a_crossed_book_that_nothing_mends_is_given_up(spot: Venue) -> None:
    spot.snapshot(10, BIDS, ASKS)
    assert spot.diff(11, 12, [], [(100, 2)]) == WITHDRAWN
    assert (spot[header.CROSSED], spot[header.GAPS], spot[header.SYNCHRONISED]) == (1, 1, 0)


def test_an_absurd_price_does_not_move_the_window_again_and_again(spot: Venue) -> None:
    spot.snapshot(10, BIDS, ASKS)
    spot.quote(11, 100, 5, 102, 4)
    for update in range(11, 31):
        spot.diff(update, update, [(10**12, 1)], [])
    assert spot[header.SYNCHRONISED] == 1
    assert spot.top == (100, 5, 102, 4)
    assert spot[header.WINDOW_MOVES] <= 1


def test_an_empty_side_is_a_quote_of_zero(spot: Venue) -> None:
    spot.snapshot(10, BIDS, ASKS)
    assert spot.diff(11, 12, [(100, 0), (99, 0)], []) == CHANGED
    assert spot.top[1] == 0


def test_a_full_buffer_gives_up_the_older_diffs(spot: Venue) -> None:
    many: Levels = [(tick, 1) for tick in range(1, 20_001)]
    for update in range(5):
        spot.diff(update * 2 + 1, update * 2 + 2, many, [])
    assert spot[header.BUFFER_OVERFLOWS] == 1
    assert spot.snapshot(2, BIDS, [(30_000, 1)]) == SAME, "the diffs after it are gone"
    assert spot.snapshot(10, BIDS, [(30_000, 1)]) == CHANGED
