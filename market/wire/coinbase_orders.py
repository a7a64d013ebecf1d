"""From packets of Coinbase Derivatives to rows of orders, trades and losses.

A put adds an order or states it anew; it says nothing of priority, so one of the same price and no larger quantity is
taken to keep its place, any other goes to the end of its queue. A trade leaves the book alone. Quantities are whole
contracts. Implied orders are not part of the book. Snapshots are a head with the number of orders, the orders, and an
end; all of their packets carry the number of the last update in them, and the instrument's number.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, part
from market.native.memory import get, load_i32, load_u16, load_u32, put
from market.wire.binary import ROW_TEMPLATE
from market.wire.compiled import coinbase_derivatives as wire
from market.wire.instruments import find_instrument
from market.wire.order_output import (
    NEXT_OF_INSTRUMENT,
    OK,
    TRADING_DAY,
    add_event,
    add_ignored,
    add_rejected,
    add_row,
    add_snapshot_end,
    hear_snapshot,
    hear_update,
    market_words,
    refuse,
    ticks_of,
    units_of,
)
from market.wire.order_records import (
    CLEAR,
    COUNT,
    DELETE,
    GAP,
    KEEPS_PLACE,
    ORDER,
    PRICE,
    PRIORITY,
    PUT,
    QUANTITY,
    SEQUENCE,
    SIDE,
    SNAPSHOT_BEGIN,
    SNAPSHOT_PUT,
    TRADE,
)
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_NONE, AGGRESSOR_SELL, Reject

HEADER: Final = 10
SNAPSHOT_INSTRUMENT: Final = 20
"""Where the packet header has the instrument's number of a snapshot."""
_INSTRUMENT_HEADER: Final = 22
_ENDS: Final = 2
_CLEAR_BOOK: Final = 128
_HEADS: Final = 110
_OPTION_HEAD: Final = 112
_END: Final = 122
_ORDER_COUNT: Final = 102
_OPTION_ORDER_COUNT: Final = 118
_BUY: Final = 1
_SELL: Final = -1
_MALFORMED: Final = int(Reject.MALFORMED)
_NUMBERS: Final = 1 << 32


@part
def follow_instrument(at: int, block: int, hand: int, channel: int, markets: int, instruments: int) -> None:
    """Check an update's place in its instrument's own sequence; a number that is missing loses the book.

    ``at`` is the address of the message's block. Numbers begin anew on every trading day.
    """
    if block < _INSTRUMENT_HEADER:
        return
    market = find_instrument(instruments, load_i32(at, 2))
    if market < 0:
        return
    hear_update(markets, market, channel)
    words = market_words(markets, market)
    number, day = load_u32(at, 6), load_u16(at, 10)
    expected = get(words, NEXT_OF_INSTRUMENT)
    if expected >= 0 and get(words, TRADING_DAY) == day and expected != number:
        add_row(hand, GAP, market)
    put(words, NEXT_OF_INSTRUMENT, (number + 1) & (_NUMBERS - 1))
    put(words, TRADING_DAY, day)


@part
def _order(row: int, market: int, instruments: int, ends: bool, hand: int) -> None:
    """A put or a deletion."""
    is_put = get(row, ROW_TEMPLATE) == wire.ORDER_PUT
    side = get(row, wire.ORDER_PUT_INSTR_HEADER_SIDE)
    ticks, units, reason = 1, 0, OK
    if side != _BUY and side != _SELL:
        reason = _MALFORMED
    if is_put and reason == OK:
        ticks, reason = ticks_of(instruments, market, get(row, wire.ORDER_PUT_PRICE))
        if reason == OK:
            units, reason = units_of(instruments, market, get(row, wire.ORDER_PUT_QUANTITY))
    if reason != OK:
        refuse(hand, market, reason, False, ends)
        return
    event = add_event(
        hand, PUT if is_put else DELETE, market, get(row, wire.ORDER_PUT_INSTR_HEADER_TRANSACT_TIME), ends
    )
    put(event, SIDE, 1 if side == _BUY else 0)
    put(event, ORDER, get(row, wire.ORDER_PUT_ORDER_ID))
    put(event, PRICE, ticks)
    put(event, QUANTITY, units)
    put(event, PRIORITY, get(event, SEQUENCE))
    put(event, KEEPS_PLACE, 1)


@part
def _trade(row: int, market: int, instruments: int, ends: bool, hand: int) -> None:
    ticks, reason = ticks_of(instruments, market, get(row, wire.TRADE_PRICE))
    units, unit_reason = units_of(instruments, market, get(row, wire.TRADE_QUANTITY))
    reason = reason if reason != OK else unit_reason
    if reason != OK:
        add_rejected(hand, reason, ends)
        return
    side = get(row, wire.TRADE_INSTR_HEADER_SIDE)
    event = add_event(hand, TRADE, market, get(row, wire.TRADE_INSTR_HEADER_TRANSACT_TIME), ends)
    put(event, SIDE, AGGRESSOR_BUY if side == _BUY else AGGRESSOR_SELL if side == _SELL else AGGRESSOR_NONE)
    put(event, PRICE, ticks)
    put(event, QUANTITY, units)


@inline
def _is_update(template: int) -> bool:
    return template == wire.ORDER_PUT or template == wire.ORDER_DELETE or template == wire.TRADE


@part
def take_coinbase(row: int, instruments: int, hand: int) -> None:
    """The rows of one decoded update."""
    template = get(row, ROW_TEMPLATE)
    if template == wire.ORDER_SNAPSHOT:
        add_ignored(hand, False)
        return
    flags = get(row, wire.ORDER_PUT_INSTR_HEADER_FLAGS)
    ends = flags & _ENDS != 0
    market = find_instrument(instruments, get(row, wire.ORDER_PUT_INSTR_HEADER_INSTRUMENT_ID))
    if market >= 0 and flags & _CLEAR_BOOK != 0:
        add_row(hand, CLEAR, market)
    if market < 0 or not _is_update(template):
        add_ignored(hand, ends)
    elif template == wire.TRADE:
        _trade(row, market, instruments, ends, hand)
    else:
        _order(row, market, instruments, ends, hand)


@part
def take_other_coinbase(at: int, block: int, in_snapshot: bool, instruments: int, hand: int) -> None:
    """The rows of an update that is not decoded: it may end a transaction or clear the book."""
    flags = load_u16(at, 0) & 0xFF if block >= _INSTRUMENT_HEADER and not in_snapshot else 0
    if flags & _CLEAR_BOOK != 0:
        market = find_instrument(instruments, load_i32(at, 2))
        if market >= 0:
            add_row(hand, CLEAR, market)
    add_ignored(hand, flags & _ENDS != 0)


@part
def take_snapshot_order(row: int, market: int, instruments: int, hand: int) -> None:
    """An order of a snapshot; the sign of its quantity is its side."""
    quantity = get(row, wire.ORDER_SNAPSHOT_QUANTITY)
    ticks, reason = ticks_of(instruments, market, get(row, wire.ORDER_SNAPSHOT_PRICE))
    units, unit_reason = units_of(instruments, market, abs(quantity))
    reason = reason if reason != OK else unit_reason
    if reason != OK:
        refuse(hand, market, reason, True, False)
        return
    event = add_event(hand, SNAPSHOT_PUT, market, get(row, wire.ORDER_SNAPSHOT_TRANSACT_TIME), False)
    put(event, SIDE, 1 if quantity > 0 else 0)
    put(event, ORDER, get(row, wire.ORDER_SNAPSHOT_ORDER_ID))
    put(event, PRICE, ticks)
    put(event, QUANTITY, units)
    put(event, KEEPS_PLACE, 1)


@part
def take_snapshot_edge(
    at: int, block: int, template: int, market: int, channel: int, markets: int, channels: int, hand: int
) -> None:
    """Head or end of a snapshot, which are not decoded into rows; ``at`` is the address of the message's block."""
    count_at = _OPTION_ORDER_COUNT if template == _OPTION_HEAD else _ORDER_COUNT
    if _HEADS <= template <= _OPTION_HEAD and block >= count_at + 4:
        hear_snapshot(markets, market, channel)
        put(add_row(hand, SNAPSHOT_BEGIN, market), COUNT, load_i32(at, count_at))
    elif template == _END:
        add_snapshot_end(hand, markets, market, channels)
    else:
        add_ignored(hand, False)
