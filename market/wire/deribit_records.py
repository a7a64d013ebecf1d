"""From packets of Deribit's legacy multicast to records: books, stated quotes, trades.

Identifiers of records are ``(change id + 1) x 2^20``, and a ticker's counts up from there: a ticker in front of its
book message has that message's identifier, one without a book message that of the last change plus the number of
tickers since. So book and ticker of one change are comparable, and a ticker that repeats itself is still newer. Tickers
before the first change or snapshot count up from 0.

Tickers of the snapshot channels are not quotes: they repeat what the incremental channels said, later. A snapshot
counts when its last piece is there, a change of several messages likewise. Every message is a record, and every trade
of a message one of its own; a packet that came before is none at all.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, part
from market.native.memory import get, put
from market.wire.binary import FIRST_FIELD, ROW_TEMPLATE
from market.wire.compiled import deribit_multicast as wire
from market.wire.deribit_levels import OK, best_of_side, ticks_and_lots, write_levels
from market.wire.instruments import find_instrument, instrument_row
from market.wire.pieces import (
    begin_pieces,
    copy_pieces,
    find_pieces,
    free_asks,
    free_bids,
    give_up_pieces,
    keep_pieces,
)
from market.wire.record_output import (
    add_ignored,
    add_quote,
    add_record,
    add_rejected,
    ask_rows,
    bid_rows,
    keep_levels,
)
from market.wire.records import (
    AGGRESSOR,
    AGGRESSOR_BUY,
    AGGRESSOR_NONE,
    AGGRESSOR_SELL,
    ASK_PRICE,
    ASK_QUANTITY,
    ASKS,
    ASKS_START,
    BID_PRICE,
    BID_QUANTITY,
    BIDS,
    BIDS_START,
    CURSOR_ASKS,
    CURSOR_BIDS,
    CURSOR_RECORDS,
    DIFF,
    EVENT_NS,
    FIRST_ID,
    LAST_ID,
    PREVIOUS_ID,
    PRICE,
    QUANTITY,
    SNAPSHOT,
    TRADE,
    TRADE_ID,
    Reject,
)

SNAPSHOT_CHANNELS: Final = 100
"""Channels from this number on carry snapshots of the channel that is so much lower."""
REVISION_BITS: Final = 20
STATE_WORDS: Final = 2
"""Per instrument: last change id + 1 or 0, and the number that its next ticker has."""
_CHANGE: Final = 0
_REVISION: Final = 1
_LARGEST_CHANGE: Final = (1 << (62 - REVISION_BITS)) - 2
_LARGEST_REVISION: Final = (1 << REVISION_BITS) - 1
_NS_PER_MS: Final = 1_000_000
_LARGEST_MS: Final = (1 << 62) // _NS_PER_MS

_MALFORMED: Final = int(Reject.MALFORMED)
_MISSING_FIELD: Final = int(Reject.MISSING_FIELD)
_OVERFLOW: Final = int(Reject.OVERFLOW)
_TOO_LONG: Final = int(Reject.TOO_LONG)

# Both messages that carry levels have the same columns from the change id on.
_IS_LAST: Final = wire.BOOK_IS_LAST
_START: Final = wire.BOOK_CHANGES_START
_COUNT: Final = wire.BOOK_CHANGES_COUNT
assert (_IS_LAST, _START, _COUNT) == (
    wire.SNAPSHOT_IS_LAST_IN_BOOK,
    wire.SNAPSHOT_LEVELS_START,
    wire.SNAPSHOT_LEVELS_COUNT,
)


@inline
def _nanoseconds(milliseconds: int) -> int:
    """Unsigned milliseconds since the epoch in ns, 0 if that does not fit."""
    return milliseconds * _NS_PER_MS if 0 <= milliseconds <= _LARGEST_MS else 0


@inline
def row_at(rows: int, index: int) -> int:
    """Address of a message's row."""
    return rows + 8 * wire.ROW_WIDTH * index


@inline
def _identifier(change: int) -> int:
    return (change + 1) << REVISION_BITS


@inline
def _note_change(state: int, change: int) -> None:
    """Remember the instrument's newest change."""
    if change >= get(state, _CHANGE):
        put(state, _CHANGE, change + 1)
        put(state, _REVISION, 0)


@part
def _collect(place: int, row: int, instrument: int, entries: int, is_diff: bool, out: int) -> tuple[int, int, int]:
    """Add a piece to what was collected; the last one writes all of it out. Bids, asks and a reject code."""
    bids, bid_room = free_bids(place)
    asks, ask_room = free_asks(place)
    bid_count, ask_count, reason = write_levels(
        instrument, entries, get(row, _COUNT), is_diff, bids, bid_room, asks, ask_room
    )
    if reason != OK:
        give_up_pieces(place)
        return 0, 0, reason
    keep_pieces(place, bid_count, ask_count)
    if get(row, _IS_LAST) == 0:
        return 0, 0, OK
    give_up_pieces(place)
    bid_count, ask_count = copy_pieces(place, bid_rows(out)[0], ask_rows(out)[0])
    return bid_count, ask_count, OK


@part
def _levels(
    row: int, market: int, channel: int, instrument: int, entries: int, pieces: int, out: int
) -> tuple[int, int, int]:
    """Levels of a book or snapshot message, with the pieces before it, to the output; bids, asks, reject code."""
    template = get(row, ROW_TEMPLATE)
    is_diff = template == wire.BOOK
    change = get(row, wire.BOOK_CHANGE_ID if is_diff else wire.SNAPSHOT_CHANGE_ID)
    place = find_pieces(pieces, market, template, change)
    if place == 0 and get(row, _IS_LAST) != 0:
        bids, bid_room = bid_rows(out)
        asks, ask_room = ask_rows(out)
        return write_levels(instrument, entries, get(row, _COUNT), is_diff, bids, bid_room, asks, ask_room)
    if place == 0:
        place = begin_pieces(pieces, market, channel, template, change)
        if place == 0:
            return 0, 0, _TOO_LONG
    return _collect(place, row, instrument, entries, is_diff, out)


@part
def _take_levels(
    row: int, market: int, channel: int, instruments: int, entries: int, pieces: int, state: int, out: int
) -> int:
    """A book or snapshot message; gives a reject code."""
    is_diff = get(row, ROW_TEMPLATE) == wire.BOOK
    change = get(row, wire.BOOK_CHANGE_ID if is_diff else wire.SNAPSHOT_CHANGE_ID)
    previous = get(row, wire.BOOK_PREV_CHANGE_ID) if is_diff else 0
    if not (0 <= change <= _LARGEST_CHANGE and 0 <= previous <= _LARGEST_CHANGE):
        return _OVERFLOW
    if not is_diff and get(row, wire.SNAPSHOT_IS_BOOK_COMPLETE) == 0:
        return _MISSING_FIELD
    instrument = instrument_row(instruments, market)
    bids, asks, reason = _levels(row, market, channel, instrument, entries, pieces, out)
    if reason != OK:
        return reason
    if get(row, _IS_LAST) == 0:
        add_ignored(out)
        return OK
    _note_change(state, change)
    record = add_record(out, DIFF if is_diff else SNAPSHOT, market)
    put(record, EVENT_NS, _nanoseconds(get(row, wire.BOOK_TIMESTAMP_MS)))
    put(record, FIRST_ID, _identifier(change))
    put(record, LAST_ID, _identifier(change))
    put(record, PREVIOUS_ID, _identifier(previous) if is_diff else -1)
    put(record, BIDS_START, get(out, CURSOR_BIDS))
    put(record, BIDS, bids)
    put(record, ASKS_START, get(out, CURSOR_ASKS))
    put(record, ASKS, asks)
    keep_levels(out, bids, asks)
    return OK


@part
def _ticker_identifier(rows: int, index: int, end: int, identity: int, state: int) -> int:
    """Identifier of the ticker in row ``index`` of a packet whose rows end at ``end``."""
    for other in range(index + 1, end):
        row = row_at(rows, other)
        if get(row, ROW_TEMPLATE) == wire.BOOK and get(row, wire.BOOK_INSTRUMENT_ID) == identity:
            change = get(row, wire.BOOK_CHANGE_ID)
            if 0 <= change <= _LARGEST_CHANGE:
                _note_change(state, change)
            break
    revision = get(state, _REVISION)
    put(state, _REVISION, min(revision + 1, _LARGEST_REVISION))
    return (get(state, _CHANGE) << REVISION_BITS) + revision


@part
def _take_ticker(row: int, market: int, identifier: int, instruments: int, out: int) -> int:
    """A ticker as a stated quote; gives a reject code."""
    instrument = instrument_row(instruments, market)
    bid, bid_lots, reason = best_of_side(
        instrument, get(row, wire.TICKER_BEST_BID_PRICE), get(row, wire.TICKER_BEST_BID_AMOUNT)
    )
    if reason != OK:
        return reason
    ask, ask_lots, reason = best_of_side(
        instrument, get(row, wire.TICKER_BEST_ASK_PRICE), get(row, wire.TICKER_BEST_ASK_AMOUNT)
    )
    if reason != OK:
        return reason
    record = add_quote(out, market)
    put(record, EVENT_NS, _nanoseconds(get(row, wire.TICKER_TIMESTAMP_MS)))
    put(record, FIRST_ID, identifier)
    put(record, LAST_ID, identifier)
    put(record, BID_PRICE, bid)
    put(record, BID_QUANTITY, bid_lots)
    put(record, ASK_PRICE, ask)
    put(record, ASK_QUANTITY, ask_lots)
    return OK


@part
def _take_trades(row: int, market: int, instruments: int, trades: int, out: int) -> int:
    """Every trade of a message as a record, none of them if one is refused; gives a reject code."""
    kept = get(out, CURSOR_RECORDS)
    instrument = instrument_row(instruments, market)
    if get(row, wire.TRADES_TRADES_COUNT) == 0:
        add_ignored(out)
    trade = trades + 8 * wire.TRADES_TRADES_WIDTH * get(row, wire.TRADES_TRADES_START)
    for _ in range(get(row, wire.TRADES_TRADES_COUNT)):
        price, lots, reason = ticks_and_lots(
            instrument, get(trade, wire.TRADES_TRADES_PRICE), get(trade, wire.TRADES_TRADES_AMOUNT)
        )
        direction = get(trade, wire.TRADES_TRADES_DIRECTION)
        if reason == OK and direction > 2:
            reason = _MALFORMED
        if reason != OK:
            put(out, CURSOR_RECORDS, kept)
            return reason
        aggressor = AGGRESSOR_NONE if direction == 2 else AGGRESSOR_SELL if direction == 1 else AGGRESSOR_BUY
        record = add_record(out, TRADE, market)
        put(record, EVENT_NS, _nanoseconds(get(trade, wire.TRADES_TRADES_TIMESTAMP_MS)))
        put(record, PRICE, price)
        put(record, QUANTITY, lots)
        put(record, AGGRESSOR, aggressor)
        put(record, TRADE_ID, get(trade, wire.TRADES_TRADES_TRADE_ID))
        trade += 8 * wire.TRADES_TRADES_WIDTH
    return OK


@part
def take_row(
    rows: int, index: int, end: int, channel: int, instruments: int, states: int, pieces: int, groups: int, out: int
) -> None:
    """The records of one message."""
    row = row_at(rows, index)
    template = get(row, ROW_TEMPLATE)
    identity = get(row, FIRST_FIELD)
    market = find_instrument(instruments, identity)
    if market < 0 or (template == wire.TICKER and channel >= SNAPSHOT_CHANNELS):
        add_ignored(out)
        return
    state = states + 8 * STATE_WORDS * market
    if template == wire.TICKER:
        identifier = _ticker_identifier(rows, index, end, identity, state)
        reason = _take_ticker(row, market, identifier, instruments, out)
    elif template == wire.TRADES:
        reason = _take_trades(row, market, instruments, get(groups, 2), out)
    else:
        is_diff = template == wire.BOOK
        width = wire.BOOK_CHANGES_WIDTH if is_diff else wire.SNAPSHOT_LEVELS_WIDTH
        entries = get(groups, 0 if is_diff else 1) + 8 * width * get(row, _START)
        reason = _take_levels(row, market, channel, instruments, entries, pieces, state, out)
    if reason != OK:
        add_rejected(out, reason)
