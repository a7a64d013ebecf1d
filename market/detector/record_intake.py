"""From decoded records to a book and its detector in one pass, or to rows of events that are kept."""

from __future__ import annotations

from market.book.book import BOOK_WORDS
from market.book.intake import take_record
from market.detector.events import take_event
from market.detector.layout import EVENT, EVENT_WIDTH, NONE, SIDE_SIZES, SIZES, STATE, WALL_MULTIPLE, Words
from market.detector.readings import permissions
from market.detector.record_events import put_event
from market.detector.walls import count_walls
from market.native.float_memory import get_float
from market.native.kernel import entry, inline, part
from market.native.memory import address_of, get, put
from market.wire.records import IGNORED, KIND, MARKET, REJECTED, TRADE, WIDTH, Rows


@part
def see_record(detector: int, book: int, row: int, change: int) -> bool:
    """Take a record that its book has taken already; whether state or permissions are others than before.

    For a loop that keeps the books itself: ``change`` is what the record changed about the top, SAME for a trade.
    """
    event = detector + 8 * EVENT
    if not put_event(detector, event, book, row, change):
        return False
    state, allowed = get(detector, STATE), permissions(detector)
    take_event(detector, event)
    return state != get(detector, STATE) or allowed != permissions(detector)


@part
def take_detector_record(detector: int, book: int, row: int, bids: int, asks: int) -> int:
    """Take one record into its book and that market's detector; returns SAME, CHANGED or WITHDRAWN for the top.

    ``bids`` and ``asks`` are the addresses of the batch's level rows.
    """
    change = take_record(book, row, bids, asks) if get(row, KIND) != TRADE else 0
    see_record(detector, book, row, change)
    return change


@inline
def concerns(row: int, market: int) -> bool:
    """Whether a record is one of a market that can change anything."""
    kind = get(row, KIND)
    return get(row, MARKET) == market and kind != IGNORED and kind != REJECTED


@entry("int64(int64[::1], int64[::1], int64, int64[:, ::1], int64, int64[:, ::1], int64[:, ::1], int64[::1])")
def take_detector_records(
    detector: Words,
    books: Words,
    market: int,
    records: Rows,
    count: int,
    bids: Rows,
    asks: Rows,
    states: Words,
) -> int:
    """Take one market's records of a batch into its book and detector, in order; returns how many.

    Parameters
    ----------
    detector, books: state of one market's detector, and the books of ``new_books`` that it is number ``market`` of.
    records, count, bids, asks: the batch.
    states: int64[n], ``State`` after each of the market's records that is neither ignored nor rejected, while there
        is room.
    """
    base = address_of(detector)
    book = address_of(books) + 8 * BOOK_WORDS * market
    taken = 0
    for index in range(count):
        row = address_of(records) + 8 * WIDTH * index
        if concerns(row, market):
            take_detector_record(base, book, row, address_of(bids), address_of(asks))
            if taken < len(states):
                states[taken] = get(base, STATE)
            taken += 1
    return taken


@inline
def _count_walls(detector: int, event: int) -> None:
    for side in range(2):
        if get(event, 11 + side) == NONE:
            sizes = detector + 8 * (SIZES + SIDE_SIZES * side)
            put(event, 11 + side, count_walls(sizes, get_float(detector, WALL_MULTIPLE)))


@entry("int64(int64[::1], int64[::1], int64, int64[:, ::1], int64, int64[:, ::1], int64[:, ::1], int64[:, ::1])")
def event_rows(
    detector: Words,
    books: Words,
    market: int,
    records: Rows,
    count: int,
    bids: Rows,
    asks: Rows,
    events: Rows,
) -> int:
    """Take one market's records of a batch into its book, and keep what they are for a detector; returns how many.

    Parameters
    ----------
    detector: a state whose settings say how deep to look; it takes no event. events: int64[n, 13], zeros, n at least
        ``count``. The rest as in ``take_detector_records``, which these rows are equal to in effect.
    """
    base = address_of(detector)
    book = address_of(books) + 8 * BOOK_WORDS * market
    made = 0
    for index in range(count):
        row = address_of(records) + 8 * WIDTH * index
        if concerns(row, market):
            event = address_of(events) + 8 * EVENT_WIDTH * made
            change = take_record(book, row, address_of(bids), address_of(asks)) if get(row, KIND) != TRADE else 0
            if put_event(base, event, book, row, change):
                _count_walls(base, event)
                made += 1
    return made
