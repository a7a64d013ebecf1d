"""Books read out as arrays, for whoever looks at them from outside the loop: tops, depths and levels."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from market.book.book import (
    BOOK_WORDS,
    LAST_ID,
    SYNCHRONISED,
    ask_side,
    best_of_book,
    bid_side,
)
from market.book.ladder import OVERFLOW_SLOTS, WINDOW, collect, level_count
from market.native.kernel import entry
from market.native.memory import address_of, get
from market.wire.records import Rows, Words


class TopColumn(IntEnum):
    """Columns of ``read_tops``: one row per book."""

    SYNCHRONISED = 0
    LAST_ID = 1
    BID = 2
    """Ticks; that of an empty side says nothing, its quantity is 0."""
    BID_QUANTITY = 3
    ASK = 4
    ASK_QUANTITY = 5


TOP_WIDTH: Final = len(TopColumn)


@dataclass(frozen=True)
class Levels:
    """All levels of a book: int64[n, 2] rows of (tick, lots), best first."""

    bids: Rows
    asks: Rows


@entry("void(int64[::1], int64[:, ::1])")
def _read_tops(books: Words, tops: Rows) -> None:
    for index in range(tops.shape[0]):
        book = address_of(books) + 8 * BOOK_WORDS * index
        bid, bid_quantity, ask, ask_quantity = best_of_book(book)
        tops[index, 0] = get(book, SYNCHRONISED)
        tops[index, 1] = get(book, LAST_ID)
        tops[index, 2] = bid
        tops[index, 3] = bid_quantity
        tops[index, 4] = ask
        tops[index, 5] = ask_quantity


@entry("void(int64[::1], int64[:, ::1])")
def _read_depths(books: Words, depths: Rows) -> None:
    for index in range(depths.shape[0]):
        book = address_of(books) + 8 * BOOK_WORDS * index
        depths[index, 0] = level_count(bid_side(book))
        depths[index, 1] = level_count(ask_side(book))


@entry("void(int64[::1], int64, int64[:, ::1], int64[:, ::1], int64[::1])")
def _list_levels(books: Words, index: int, bids: Rows, asks: Rows, counts: Words) -> None:
    book = address_of(books) + 8 * BOOK_WORDS * index
    counts[0] = collect(bid_side(book), bids)
    counts[1] = collect(ask_side(book), asks)


def read_tops(books: Words, tops: Rows) -> None:
    """Write the best prices of the first ``len(tops)`` books into int64[n, TOP_WIDTH], columns as ``TopColumn``."""
    _read_tops(books, tops)


def read_depths(books: Words, count: int) -> Rows:
    """Levels of each side of the first books: int64[count, 2], bids and asks."""
    depths: Rows = np.zeros((count, 2), dtype=np.int64)
    _read_depths(books, depths)
    return depths


def list_levels(books: Words, index: int) -> Levels:
    """All levels of one of a source's books."""
    room = WINDOW + OVERFLOW_SLOTS
    bids: Rows = np.zeros((room, 2), dtype=np.int64)
    asks: Rows = np.zeros((room, 2), dtype=np.int64)
    counts: Words = np.zeros(2, dtype=np.int64)
    _list_levels(books, index, bids, asks, counts)
    bids, asks = bids[: counts[0]], asks[: counts[1]]
    return Levels(bids[np.argsort(-bids[:, 0], kind="stable")], asks[np.argsort(asks[:, 0], kind="stable")])


def differing_levels(ours: Levels, other: Levels, *, lowest_bid: int, highest_ask: int) -> int:
    """Prices within the bounds at which two books hold different quantities."""
    return _differing(
        ours.bids[ours.bids[:, 0] >= lowest_bid], other.bids[other.bids[:, 0] >= lowest_bid]
    ) + _differing(ours.asks[ours.asks[:, 0] <= highest_ask], other.asks[other.asks[:, 0] <= highest_ask])


def _differing(ours: Rows, other: Rows) -> int:
    if np.array_equal(ours, other):
        return 0
    own, theirs = dict(ours.tolist()), dict(other.tolist())
    return sum(own.get(tick, 0) != theirs.get(tick, 0) for tick in own.keys() | theirs.keys())
