"""Books read out: tops, depths, levels, and where two books differ."""

from __future__ import annotations

import numpy as np

from market.book.book import new_books
from market.book.continuity import Rule
from market.book.intake import take_records
from market.book.ladder import WINDOW
from market.book.listing import TOP_WIDTH, TopColumn, differing_levels, list_levels, read_depths, read_tops
from market.wire.records import ASKS, BIDS, CHECKSUM, KIND, LAST_ID, MARKET, SNAPSHOT, WIDTH, Rows, Words

Side = list[tuple[int, int]]


def books_of(*sides: tuple[Side, Side]) -> Words:
    """One book per pair of bids and asks, in (tick, lots)."""
    books = new_books([Rule.OVERLAPPING] * len(sides))
    for market, (bids, asks) in enumerate(sides):
        records: Rows = np.zeros((1, WIDTH), dtype=np.int64)
        records[0, [KIND, MARKET, LAST_ID, BIDS, ASKS, CHECKSUM]] = (SNAPSHOT, market, 7, len(bids), len(asks), -1)
        rows = [np.array(side or [(0, 0)], dtype=np.int64).reshape(-1, 2) for side in (bids, asks)]
        take_records(books, records, 1, *rows)
    return books


def test_tops_and_depths() -> None:
    books = books_of(([(99, 1), (98, 2)], [(101, 3)]), ([], [(50, 4), (51, 5)]))
    tops: Rows = np.zeros((2, TOP_WIDTH), dtype=np.int64)
    read_tops(books, tops)
    assert tops[0].tolist() == [1, 7, 99, 1, 101, 3]
    assert tops[1, TopColumn.BID_QUANTITY] == 0
    assert tops[1, [TopColumn.ASK, TopColumn.ASK_QUANTITY]].tolist() == [50, 4]
    assert read_depths(books, 2).tolist() == [[2, 1], [0, 2]]


def test_levels_are_listed_best_first_wherever_they_are_kept() -> None:
    far = WINDOW * 3
    books = books_of(([(far, 2), (far - 1, 1), (1, 9)], [(far + 1, 4), (5 * WINDOW, 8)]))
    levels = list_levels(books, 0)
    assert levels.bids.tolist() == [[far, 2], [far - 1, 1], [1, 9]]
    assert levels.asks.tolist() == [[far + 1, 4], [5 * WINDOW, 8]]


def test_differences_within_bounds() -> None:
    ours = list_levels(books_of(([(99, 1), (98, 2), (90, 5)], [(101, 3)])), 0)
    other = list_levels(books_of(([(99, 1), (97, 2)], [(101, 4), (110, 1)])), 0)
    assert differing_levels(ours, ours, lowest_bid=0, highest_ask=10**9) == 0
    assert differing_levels(ours, other, lowest_bid=0, highest_ask=10**9) == 5
    assert differing_levels(ours, other, lowest_bid=98, highest_ask=101) == 2
    assert differing_levels(ours, other, lowest_bid=99, highest_ask=100) == 0
