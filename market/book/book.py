"""One venue's L2 book of one market: a header, two ladders, and what the synchroniser keeps beside them."""

from __future__ import annotations

from typing import Final

import numpy as np

from market.book.continuity import Rule
from market.book.ladder import (
    ASK,
    BID,
    LOST,
    NO_PRICE,
    SIDE_WORDS,
    WINDOW,
    best_tick,
    centre_windows,
    clear_side,
    level_count,
    quantity_at,
    set_level,
)
from market.native.kernel import entry, inline, part, shared
from market.native.memory import address_of, get, put
from market.wire.records import Words

# Words of the header.
RULE: Final = 0
SYNCHRONISED: Final = 1
LAST_ID: Final = 2
FRESH: Final = 3
"""Whether the last id came from a snapshot."""
DEPTH_LIMIT: Final = 4
"""Levels kept per side, 0 for all: some venues send no delete for levels beyond the subscribed depth."""
STARTED: Final = 5
"""Whether a snapshot was ever applied: a later one is a resynchronisation."""
IN_BAND: Final = 6
"""Whether snapshots come in the stream of updates itself: each replaces the book, and what came before is in it."""
CHECKSUM_STYLE: Final = 7
"""A ``checksum.Checksum``: what the venue's checksum is made of."""

DIFFS: Final = 8
SNAPSHOTS: Final = 9
STALE: Final = 10
GAPS: Final = 11
RESYNCS: Final = 12
BUFFER_OVERFLOWS: Final = 13
CROSSED: Final = 14
PRUNED: Final = 15
WINDOW_MOVES: Final = 16
QUOTES: Final = 17
OLD_QUOTES: Final = 18
CHECKS: Final = 19
"""Updates that were compared with a stated quote of the same id that had arrived before."""
EQUAL: Final = 20
STALE_SNAPSHOTS: Final = 21
WITHDRAWALS: Final = 22
LATE_CHECKS: Final = 23
"""As CHECKS, where the stated quote arrived after the update."""
LATE_EQUAL: Final = 24
SNAPSHOT_CHECKS: Final = 25
"""Snapshots of the update that the book had just taken, which were compared with it."""
SNAPSHOT_EQUAL: Final = 26
CHECKSUMS: Final = 27
"""Updates whose checksum was compared with the book's."""
MISMATCHES: Final = 28
"""Those that differed; each is a gap too."""
TRUNCATED: Final = 29
"""Levels dropped for lying beyond the depth subscribed to."""
UNJOINED: Final = 30
"""Diffs of an in-band stream that came without a snapshot before them."""

TOP_ID: Final = 32
TOP_BID: Final = 33
TOP_BID_QUANTITY: Final = 34
TOP_ASK: Final = 35
TOP_ASK_QUANTITY: Final = 36
QUOTED: Final = 37
"""Whether the top of book counts: false until synchronised and after a gap."""
STATED_ID: Final = 38
"""Id of the newest best bid and offer that the venue itself stated; -1 for none."""
STATED_BID: Final = 39
STATED_ASK: Final = 40
NEEDS_BOOK: Final = 41
"""Whether stated quotes count only while the book is synchronised."""
PRICE_DECIMALS: Final = 42
"""Decimals of ticks, for the checksum."""
QUANTITY_DECIMALS: Final = 43
"""Decimals in which quantities arrive, for the checksum; 0 for inverse contracts."""
CONTRACT_FACTOR: Final = 44
"""``markets.Market.contract_factor``, for the checksum."""
SHAPE: Final = 45
"""Widest ``levels.pack_shape`` since the snapshot."""
BIDS_AT_MOST: Final = 46
"""At least as many bids as the book holds, where a depth is kept; ASKS_AT_MOST likewise."""
ASKS_AT_MOST: Final = 47

BUFFERED: Final = 48
BUFFER_USED: Final = 49
RING_NEXT: Final = 50
PENDING_ID: Final = 51
PENDING_TOP: Final = 52
LAST_TRADE: Final = 56
"""Id of the newest trade, -1 before the first."""

RING_ENTRIES: Final = 1024
RING_ROW: Final = 5
BUFFER_WORDS: Final = 1 << 17

HEADER_WORDS: Final = 64
RING: Final = HEADER_WORDS
BUFFER: Final = RING + RING_ENTRIES * RING_ROW
BIDS_SIDE: Final = BUFFER + BUFFER_WORDS
ASKS_SIDE: Final = BIDS_SIDE + SIDE_WORDS
BOOK_WORDS: Final = ASKS_SIDE + SIDE_WORDS


@inline
def bid_side(book: int) -> int:
    """Address of the bid ladder."""
    return book + 8 * BIDS_SIDE


@inline
def ask_side(book: int) -> int:
    """Address of the ask ladder."""
    return book + 8 * ASKS_SIDE


@inline
def count(book: int, counter: int) -> None:
    """Add one to a counter of the header."""
    put(book, counter, get(book, counter) + 1)


@shared
def clear_levels(book: int, middle_tick: int) -> None:
    """Empty both ladders and centre their windows."""
    base = middle_tick - WINDOW // 2
    clear_side(bid_side(book), BID, base)
    clear_side(ask_side(book), ASK, base)


@part
def apply_levels(book: int, bids: int, bid_count: int, asks: int, ask_count: int) -> None:
    """Set the levels of one update; rows of (tick, lots), quantity 0 removes."""
    side = bid_side(book)
    for level in range(bid_count):
        set_level(side, get(bids, 2 * level), get(bids, 2 * level + 1))
    side = ask_side(book)
    for level in range(ask_count):
        set_level(side, get(asks, 2 * level), get(asks, 2 * level + 1))


@shared
def _side_equals(side: int, rows: int, count: int) -> bool:
    """Whether a side holds exactly the levels of the rows (tick, lots), all of them different."""
    for level in range(count):
        if quantity_at(side, get(rows, 2 * level)) != get(rows, 2 * level + 1):
            return False
    return level_count(side) == count


@inline
def equals_levels(book: int, bids: int, bid_count: int, asks: int, ask_count: int) -> bool:
    """Whether the book holds exactly the levels of a snapshot."""
    return _side_equals(bid_side(book), bids, bid_count) and _side_equals(ask_side(book), asks, ask_count)


@inline
def lost_levels(book: int) -> int:
    """Levels that found no room: above 0 the book is incomplete."""
    return get(bid_side(book), LOST) + get(ask_side(book), LOST)


@inline
def keep_centred(book: int) -> None:
    """Keep the best prices in both windows.

    Called once per update, after all of its levels and after a crossed book was mended, so the rate of
    moves is bounded by the rate of updates.
    """
    if centre_windows(bid_side(book), ask_side(book)):
        count(book, WINDOW_MOVES)


@inline
def best_of_book(book: int) -> tuple[int, int, int, int]:
    """Best bid and ask with their quantities; an empty side is (NO_PRICE, 0)."""
    bid = best_tick(bid_side(book))
    ask = best_tick(ask_side(book))
    bid_quantity = quantity_at(bid_side(book), bid) if bid != NO_PRICE else 0
    ask_quantity = quantity_at(ask_side(book), ask) if ask != NO_PRICE else 0
    return bid, bid_quantity, ask, ask_quantity


@shared
def forget_numbers(book: int) -> None:
    """Begin a new numbering: no id that was seen compares with the next ones."""
    for slot in (TOP_ID, STATED_ID, PENDING_ID):
        put(book, slot, -1)
    for entry_index in range(RING_ENTRIES):
        put(book, RING + RING_ROW * entry_index, -1)


@shared
def reset_book(book: int) -> None:
    """Forget levels and position in the sequence; counters and settings stay."""
    clear_levels(book, WINDOW)
    for slot in (SYNCHRONISED, FRESH, QUOTED, BUFFERED, BUFFER_USED, RING_NEXT):
        put(book, slot, 0)
    for slot in (LAST_ID, LAST_TRADE):
        put(book, slot, -1)
    forget_numbers(book)


@entry("void(int64[::1], int64, int64)")
def _reset_books(books: Words, first: int, last: int) -> None:
    for index in range(first, last):
        reset_book(address_of(books) + 8 * BOOK_WORDS * index)


def new_books(rules: list[Rule], *, needs_book: bool = True, depth_limits: list[int] | None = None) -> Words:
    """Fresh books, one per rule, as one int64 array of BOOK_WORDS words each.

    Parameters
    ----------
    needs_book: stated quotes count only while the book is synchronised; false for sources without depth.
    depth_limits: levels kept per side of each book, 0 for all.
    """
    books = np.zeros(BOOK_WORDS * len(rules), dtype=np.int64)
    _reset_books(books, 0, len(rules))
    for index, rule in enumerate(rules):
        header = books[BOOK_WORDS * index :]
        header[RULE] = int(rule)
        header[NEEDS_BOOK] = needs_book
        header[DEPTH_LIMIT] = depth_limits[index] if depth_limits else 0
    return books
