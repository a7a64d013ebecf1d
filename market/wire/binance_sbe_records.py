"""Binance's SBE market-data messages as records: best prices, trades and book updates, in ticks and lots.

Mantissas become counts exactly or the message is refused. Update ids and trade ids are those of the JSON streams, so a
book that is fetched as JSON continues here.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import entry, inline, shared
from market.native.memory import address_of, get, put
from market.wire import record_output as output
from market.wire.binary import OK, ROW_PACKET, ROW_TEMPLATE, Bytes, Rows, Words
from market.wire.compiled import binance_stream as wire
from market.wire.markets import PRICE_DECIMALS, QUANTITY_DECIMALS, find_market, market_row
from market.wire.records import (
    AGGRESSOR,
    AGGRESSOR_BUY,
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
    DIFF,
    EVENT_NS,
    FIRST_ID,
    LAST_ID,
    PRICE,
    QUANTITY,
    QUOTE,
    TRADE,
    TRADE_ID,
    Reject,
)
from market.wire.text import power_of_ten

_MALFORMED: Final = int(Reject.MALFORMED)
_UNKNOWN_SYMBOL: Final = int(Reject.UNKNOWN_SYMBOL)
_NEGATIVE: Final = int(Reject.NEGATIVE)
_PRECISION: Final = int(Reject.PRECISION)
_OVERFLOW: Final = int(Reject.OVERFLOW)
_TOO_LONG: Final = int(Reject.TOO_LONG)
_NS_PER_US: Final = 1_000
_LARGEST_US: Final = (1 << 62) // _NS_PER_US
_LARGEST: Final = 10**18 - 1
_DIGITS: Final = 18


@inline
def _nanoseconds(microseconds: int) -> int:
    return microseconds * _NS_PER_US if 0 <= microseconds <= _LARGEST_US else 0


@inline
def _count(mantissa: int, shift: int, least: int) -> tuple[int, int]:
    """``mantissa * 10**shift`` exactly, and a reject code; below ``least`` it is refused."""
    if mantissa < least:
        return 0, _NEGATIVE
    if mantissa == 0:
        return 0, OK
    if shift > _DIGITS or shift < -_DIGITS:
        return 0, _OVERFLOW if shift > 0 else _PRECISION
    scale = power_of_ten(shift if shift >= 0 else -shift)
    if shift >= 0:
        return (mantissa * scale, OK) if mantissa <= _LARGEST // scale else (0, _OVERFLOW)
    count = mantissa // scale
    if count * scale != mantissa:
        return 0, _PRECISION
    return (count, OK) if count <= _LARGEST else (0, _OVERFLOW)


@shared
def _levels(entries: int, count: int, price_shift: int, quantity_shift: int, rows: int) -> int:
    """Write levels as rows of (tick, lots); a reject code."""
    for index in range(count):
        price, reason = _count(get(entries, 2 * index), price_shift, 1)
        if reason != OK:
            return reason
        quantity, reason = _count(get(entries, 2 * index + 1), quantity_shift, 0)
        if reason != OK:
            return reason
        put(rows, 2 * index, price)
        put(rows, 2 * index + 1, quantity)
    return OK


@shared
def _quote(row: int, market: int, price_shift: int, quantity_shift: int, out: int) -> int:
    bid, bid_reason = _count(get(row, wire.BEST_BID_ASK_BID_PRICE), price_shift, 1)
    bids, bids_reason = _count(get(row, wire.BEST_BID_ASK_BID_QTY), quantity_shift, 0)
    ask, ask_reason = _count(get(row, wire.BEST_BID_ASK_ASK_PRICE), price_shift, 1)
    asks, asks_reason = _count(get(row, wire.BEST_BID_ASK_ASK_QTY), quantity_shift, 0)
    for reason in (bid_reason, bids_reason, ask_reason, asks_reason):
        if reason != OK:
            return reason
    record = output.add_record(out, QUOTE, market)
    put(record, EVENT_NS, _nanoseconds(get(row, wire.BEST_BID_ASK_EVENT_TIME)))
    put(record, LAST_ID, get(row, wire.BEST_BID_ASK_BOOK_UPDATE_ID))
    put(record, BID_PRICE, bid)
    put(record, BID_QUANTITY, bids)
    put(record, ASK_PRICE, ask)
    put(record, ASK_QUANTITY, asks)
    return OK


@shared
def _check_trades(row: int, trades: int, price_shift: int, quantity_shift: int) -> int:
    """A reject code of a message's trades."""
    for index in range(get(row, wire.TRADES_TRADES_COUNT)):
        trade = trades + 8 * wire.TRADES_TRADES_WIDTH * (get(row, wire.TRADES_TRADES_START) + index)
        _, reason = _count(get(trade, wire.TRADES_TRADES_PRICE), price_shift, 1)
        if reason == OK:
            _, reason = _count(get(trade, wire.TRADES_TRADES_QTY), quantity_shift, 0)
        if reason != OK:
            return reason
    return OK


@shared
def _trades(row: int, market: int, trades: int, price_shift: int, quantity_shift: int, out: int) -> int:
    reason = _check_trades(row, trades, price_shift, quantity_shift)
    if reason != OK:
        return reason
    for index in range(get(row, wire.TRADES_TRADES_COUNT)):
        trade = trades + 8 * wire.TRADES_TRADES_WIDTH * (get(row, wire.TRADES_TRADES_START) + index)
        record = output.add_record(out, TRADE, market)
        put(record, EVENT_NS, _nanoseconds(get(row, wire.TRADES_EVENT_TIME)))
        put(record, LAST_ID, get(trade, wire.TRADES_TRADES_ID))
        put(record, TRADE_ID, get(trade, wire.TRADES_TRADES_ID))
        put(record, PRICE, _count(get(trade, wire.TRADES_TRADES_PRICE), price_shift, 1)[0])
        put(record, QUANTITY, _count(get(trade, wire.TRADES_TRADES_QTY), quantity_shift, 0)[0])
        is_maker = get(trade, wire.TRADES_TRADES_IS_BUYER_MAKER) != 0
        put(record, AGGRESSOR, AGGRESSOR_SELL if is_maker else AGGRESSOR_BUY)
    return OK


@shared
def _diff(row: int, market: int, bids: int, asks: int, price_shift: int, quantity_shift: int, out: int) -> int:
    bid_count, ask_count = get(row, wire.DEPTH_DIFF_BIDS_COUNT), get(row, wire.DEPTH_DIFF_ASKS_COUNT)
    entries = bids + 8 * wire.DEPTH_DIFF_BIDS_WIDTH * get(row, wire.DEPTH_DIFF_BIDS_START)
    reason = _levels(entries, bid_count, price_shift, quantity_shift, output.bid_rows(out)[0])
    if reason != OK:
        return reason
    entries = asks + 8 * wire.DEPTH_DIFF_BIDS_WIDTH * get(row, wire.DEPTH_DIFF_ASKS_START)
    reason = _levels(entries, ask_count, price_shift, quantity_shift, output.ask_rows(out)[0])
    if reason != OK:
        return reason
    record = output.add_record(out, DIFF, market)
    put(record, EVENT_NS, _nanoseconds(get(row, wire.DEPTH_DIFF_EVENT_TIME)))
    put(record, FIRST_ID, get(row, wire.DEPTH_DIFF_FIRST_BOOK_UPDATE_ID))
    put(record, LAST_ID, get(row, wire.DEPTH_DIFF_LAST_BOOK_UPDATE_ID))
    put(record, BIDS_START, get(out, CURSOR_BIDS))
    put(record, BIDS, bid_count)
    put(record, ASKS_START, get(out, CURSOR_ASKS))
    put(record, ASKS, ask_count)
    output.keep_levels(out, bid_count, ask_count)
    return OK


@inline
def _columns(row: int) -> tuple[int, int, int]:
    """Columns of the exponents (the second follows the first) and of the symbol, and the records that are needed."""
    template = get(row, ROW_TEMPLATE)
    if template == wire.BEST_BID_ASK:
        return wire.BEST_BID_ASK_PRICE_EXPONENT, wire.BEST_BID_ASK_SYMBOL_OFFSET, 1
    if template == wire.TRADES:
        return wire.TRADES_PRICE_EXPONENT, wire.TRADES_SYMBOL_OFFSET, max(get(row, wire.TRADES_TRADES_COUNT), 1)
    if template == wire.DEPTH_DIFF:
        return wire.DEPTH_DIFF_PRICE_EXPONENT, wire.DEPTH_DIFF_SYMBOL_OFFSET, 1
    return 0, 0, 1


@inline
def _level_room(row: int) -> int:
    if get(row, ROW_TEMPLATE) != wire.DEPTH_DIFF:
        return 0
    return max(get(row, wire.DEPTH_DIFF_BIDS_COUNT), get(row, wire.DEPTH_DIFF_ASKS_COUNT))


@shared
def _message(row: int, buffer: int, bids: int, asks: int, trades: int, table: int, out: int) -> int:
    """Records of one message; a reject code."""
    exponents, symbol, _ = _columns(row)
    market = find_market(table, buffer + get(row, symbol), get(row, symbol + 1))
    if market < 0:
        return _UNKNOWN_SYMBOL
    place = market_row(table, market)
    price_shift = get(row, exponents) + get(place, PRICE_DECIMALS)
    quantity_shift = get(row, exponents + 1) + get(place, QUANTITY_DECIMALS)
    template = get(row, ROW_TEMPLATE)
    if template == wire.BEST_BID_ASK:
        return _quote(row, market, price_shift, quantity_shift, out)
    if template == wire.TRADES:
        if get(row, wire.TRADES_TRADES_COUNT) == 0:
            output.add_ignored(out)
        return _trades(row, market, trades, price_shift, quantity_shift, out)
    return _diff(row, market, bids, asks, price_shift, quantity_shift, out)


@entry(
    "int64(uint8[::1], int64[::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[::1], "
    "int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[::1], int64, int64, int64)"
)
def take_messages(
    buffer: Bytes,
    times: Words,
    rows: Rows,
    bids: Rows,
    asks: Rows,
    trades: Rows,
    markets: Words,
    records: Rows,
    out_bids: Rows,
    out_asks: Rows,
    cursor: Words,
    first: int,
    count: int,
    first_line: int,
) -> int:
    """Write records of decoded messages behind those of a batch; gives the number of the message that found no room.

    Parameters
    ----------
    buffer, rows, bids, asks, trades: of ``binance_sbe.decode_messages``. times: receive time of each message.
    markets: of ``market_table``. records, out_bids, out_asks, cursor: arrays of a ``Batch``.
    first, count: the messages to take. first_line: number of message 0.

    A message that is no book update, trade or best price leaves an IGNORED record, a refused one a REJECTED record.
    """
    out = output.aim_output(records, out_bids, out_asks, cursor)
    for index in range(first, count):
        row = address_of(rows) + 8 * wire.ROW_WIDTH * index
        output.begin_packet(out, times[index], first_line + index)
        reason = _MALFORMED if get(row, ROW_PACKET) != OK else OK
        is_known = reason == OK and _columns(row)[1] != 0
        if is_known and not output.has_room(out, _columns(row)[2], _level_room(row)):
            if not output.is_empty(out):
                return index
            reason = _TOO_LONG
        if reason == OK and is_known:
            reason = _message(
                row, address_of(buffer), address_of(bids), address_of(asks), address_of(trades),
                address_of(markets), out
            )  # fmt: skip
        elif reason == OK:
            if not output.has_room(out, 1, 0):
                return index
            output.add_ignored(out)
        if reason != OK:
            if not output.has_room(out, 1, 0):
                return index
            output.add_rejected(out, reason)
    return count
