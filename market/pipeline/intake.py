"""The next record in time, applied to its book, as an event for the engine."""

from __future__ import annotations

from typing import Final

from market.book.book import (
    BOOK_WORDS,
    CROSSED,
    GAPS,
    LAST_TRADE,
    OLD_QUOTES,
    STALE,
    TOP_ASK,
    TOP_ASK_QUANTITY,
    TOP_BID,
    TOP_BID_QUANTITY,
    TOP_ID,
)
from market.book.intake import take_record
from market.book.top import SAME
from market.native.kernel import inline, part, shared
from market.native.memory import get, leading_zeros, put
from market.pipeline import layout
from market.wire import records

_LARGEST: Final = (1 << 62) - 1
_SAFE_ZEROS: Final = 66
"""Leading zeros of two factors whose product is below 2**62."""
_TIME_BACKWARDS: Final = int(layout.Irregular.TIME_BACKWARDS)
_STALE_UPDATE: Final = int(layout.Irregular.STALE_UPDATE)
_OLD_QUOTE: Final = int(layout.Irregular.OLD_QUOTE)
_REPEATED_TRADE: Final = int(layout.Irregular.REPEATED_TRADE)
_GAP: Final = int(layout.Irregular.GAP)
_CROSSED: Final = int(layout.Irregular.CROSSED)


@inline
def source_row(sources: int, index: int) -> int:
    """Address of a source's row."""
    return sources + 8 * layout.SOURCE_WORDS * index


@inline
def next_source(sources: int, count: int) -> int:
    """Index of the source whose next record is the earliest; ties go to the first.

    Returns the index of a source that must be refilled before that is known as ``-3 - index``, or DONE.
    """
    chosen = layout.DONE
    earliest = 0
    for index in range(count):
        source = source_row(sources, index)
        position = get(source, layout.POSITION)
        if position == get(source, layout.COUNT):
            if get(source, layout.FINISHED) == 0:
                return -3 - index
        else:
            row = get(source, layout.RECORDS) + 8 * records.WIDTH * position
            time_ns = max(get(row, records.RECEIVE_NS), get(source, layout.CLOCK))
            if chosen < 0 or time_ns < earliest:
                chosen = index
                earliest = time_ns
    return chosen


@inline
def _scaled(value: int, factor: int) -> int:
    """A count of ticks or lots as a mantissa; too large a product stays too large."""
    if leading_zeros(value | 1) + leading_zeros(factor) >= _SAFE_ZEROS:
        return value * factor
    return value * factor if value <= _LARGEST // factor else _LARGEST


@part
def _quote_event(event: int, book: int, route: int) -> None:
    """The book's top as a quote event; a withdrawn top has quantities of 0."""
    sequence = get(route, layout.SEQUENCE) + 1
    if get(route, layout.NUMBERED) != 0:
        stated = get(book, TOP_ID)
        withdrawn = get(book, TOP_BID_QUANTITY) == 0 and get(book, TOP_ASK_QUANTITY) == 0
        sequence = max(stated, sequence) if withdrawn else stated
    put(route, layout.SEQUENCE, max(sequence, get(route, layout.SEQUENCE)))
    put(event, layout.EVENT_TYPE, layout.QUOTE_EVENT)
    put(event, layout.EVENT_SEQUENCE, sequence)
    put(event, layout.EVENT_BID_PRICE, _scaled(get(book, TOP_BID), get(route, layout.PRICE_FACTOR)))
    put(event, layout.EVENT_BID_QUANTITY, _scaled(get(book, TOP_BID_QUANTITY), get(route, layout.QUANTITY_FACTOR)))
    put(event, layout.EVENT_ASK_PRICE, _scaled(get(book, TOP_ASK), get(route, layout.PRICE_FACTOR)))
    put(event, layout.EVENT_ASK_QUANTITY, _scaled(get(book, TOP_ASK_QUANTITY), get(route, layout.QUANTITY_FACTOR)))


@inline
def _trade_event(event: int, row: int, route: int) -> None:
    put(event, layout.EVENT_TYPE, layout.TRADE_EVENT)
    put(event, layout.EVENT_PRICE, _scaled(get(row, records.PRICE), get(route, layout.PRICE_FACTOR)))
    put(event, layout.EVENT_QUANTITY, _scaled(get(row, records.QUANTITY), get(route, layout.QUANTITY_FACTOR)))
    put(event, layout.EVENT_AGGRESSOR, get(row, records.AGGRESSOR))
    put(event, layout.EVENT_TRADE_ID, get(row, records.TRADE_ID))


@shared
def _count_unused(source: int, row: int) -> None:
    """Count a record that no book takes: refused or ignored."""
    if get(row, records.KIND) == records.IGNORED:
        put(source, layout.IGNORED, get(source, layout.IGNORED) + 1)
        return
    reason = get(row, records.REASON)
    if get(source, layout.REJECTS + reason) == 0:
        put(source, layout.FIRST_LINES + reason, get(row, records.LINE))
    put(source, layout.REJECTS + reason, get(source, layout.REJECTS + reason) + 1)


@shared
def _note(source: int, row: int, irregular: int, count: int) -> None:
    """Count what is irregular about a record and remember the line of the first."""
    if get(source, layout.IRREGULAR + irregular) == 0:
        put(source, layout.FIRST_IRREGULAR + irregular, get(row, records.LINE))
    put(source, layout.IRREGULAR + irregular, get(source, layout.IRREGULAR + irregular) + count)


@inline
def repeats_trade(book: int, row: int) -> bool:
    """Whether a trade's id says that it was there before; ids below 0 say nothing. Another id is remembered."""
    trade_id = get(row, records.TRADE_ID)
    if trade_id < 0:
        return False
    if trade_id <= get(book, LAST_TRADE):
        return True
    put(book, LAST_TRADE, trade_id)
    return False


@inline
def _take_book_record(source: int, book: int, row: int) -> int:
    """Apply the record to its book, noting what is irregular about it."""
    kind = get(row, records.KIND)
    stale = get(book, STALE)
    old = get(book, OLD_QUOTES)
    gaps = get(book, GAPS)
    crossed = get(book, CROSSED)
    change = take_record(book, row, get(source, layout.BIDS), get(source, layout.ASKS))
    if kind == records.QUOTE:
        if get(book, OLD_QUOTES) != old:
            _note(source, row, _OLD_QUOTE, 1)
        return change
    if get(book, STALE) != stale:
        _note(source, row, _STALE_UPDATE, get(book, STALE) - stale)
    if get(book, GAPS) != gaps:
        _note(source, row, _GAP, 1)
    if get(book, CROSSED) != crossed:
        _note(source, row, _CROSSED, 1)
    return change


@inline
def _advance(source: int, row: int) -> None:
    """Move the source past the record and its clock up to it."""
    put(source, layout.POSITION, get(source, layout.POSITION) + 1)
    put(source, layout.MESSAGES, get(source, layout.MESSAGES) + 1)
    time_ns = get(row, records.RECEIVE_NS)
    if get(row, records.KIND) == records.REJECTED:
        return
    if get(source, layout.FIRST_NS) == 0:
        put(source, layout.FIRST_NS, time_ns)
    if time_ns < get(source, layout.CLOCK):
        _note(source, row, _TIME_BACKWARDS, 1)
    else:
        put(source, layout.CLOCK, time_ns)
        put(source, layout.LAST_NS, time_ns)


@inline
def take_next(source: int, event: int) -> int:
    """Apply the source's next record; what the engine is to be fed with stands in ``event``.

    Returns the record's address. ``EVENT_TYPE`` is NO_EVENT when the record changes nothing for the engine.
    """
    row = get(source, layout.RECORDS) + 8 * records.WIDTH * get(source, layout.POSITION)
    _advance(source, row)
    put(event, layout.EVENT_TYPE, layout.NO_EVENT)
    put(event, layout.EVENT_TIME, get(row, records.RECEIVE_NS))
    kind = get(row, records.KIND)
    if kind == records.IGNORED or kind == records.REJECTED:
        _count_unused(source, row)
        return row
    market = get(row, records.MARKET)
    book = get(source, layout.BOOKS) + 8 * BOOK_WORDS * market
    route = get(source, layout.ROUTES) + 8 * layout.ROUTE_WORDS * market
    if kind == records.TRADE:
        put(source, layout.TRADES, get(source, layout.TRADES) + 1)
        if repeats_trade(book, row):
            _note(source, row, _REPEATED_TRADE, 1)
        else:
            _trade_event(event, row, route)
    elif _take_book_record(source, book, row) != SAME:
        _quote_event(event, book, route)
    if get(route, layout.INSTRUMENT) < 0:
        put(event, layout.EVENT_TYPE, layout.NO_EVENT)
        put(source, layout.UNROUTED, get(source, layout.UNROUTED) + 1)
    put(event, layout.EVENT_INSTRUMENT, get(route, layout.INSTRUMENT))
    put(event, layout.EVENT_VENUE, get(route, layout.VENUE))
    put(event, layout.EVENT_PRICE_EXPONENT, get(route, layout.PRICE_EXPONENT))
    put(event, layout.EVENT_QUANTITY_EXPONENT, get(route, layout.QUANTITY_EXPONENT))
    return row
