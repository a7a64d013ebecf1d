"""From packets of Deribit Starbase to rows of orders, trades and losses.

A put sets price, quantity and priority of an order; ``sortOrderId`` is the priority. A reduction states the new
quantity. A trade leaves the book alone: puts and deletes of the same transaction change it. Snapshots are a header,
puts and a trailer; their packets do not count in the sequence of the updates.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, part
from market.native.memory import get, put
from market.wire.binary import ROW_FLAGS, ROW_TEMPLATE, ROW_TIME
from market.wire.compiled import deribit_starbase as wire
from market.wire.instruments import find_instrument
from market.wire.order_output import (
    OK,
    add_event,
    add_ignored,
    add_rejected,
    add_row,
    add_snapshot_end,
    hear_snapshot,
    hear_update,
    refuse,
    ticks_of,
    units_of,
)
from market.wire.order_records import (
    COUNT,
    DELETE,
    ORDER,
    PRICE,
    PRIORITY,
    PUT,
    QUANTITY,
    REDUCE,
    SEQUENCE,
    SIDE,
    SNAPSHOT_BEGIN,
    SNAPSHOT_PUT,
    TRADE,
)
from market.wire.records import AGGRESSOR_BUY, AGGRESSOR_SELL

HEADER: Final = 16
_ENDS: Final = 2
_IS_SELL: Final = 1
_ASK_PARITY: Final = 1
"""Templates of asks are odd, those of bids even."""


@part
def _put(row: int, market: int, instruments: int, in_snapshot: bool, ends: bool, hand: int) -> None:
    ticks, reason = ticks_of(instruments, market, get(row, wire.BID_PUT_PRICE))
    units, unit_reason = units_of(instruments, market, get(row, wire.BID_PUT_QUANTITY_MANTISSA))
    reason = reason if reason != OK else unit_reason
    if reason != OK:
        refuse(hand, market, reason, in_snapshot, ends)
        return
    event = add_event(hand, SNAPSHOT_PUT if in_snapshot else PUT, market, get(row, ROW_TIME), ends)
    put(event, SIDE, 1 - (get(row, ROW_TEMPLATE) & _ASK_PARITY))
    put(event, ORDER, get(row, wire.BID_PUT_ORDER_ID))
    put(event, PRICE, ticks)
    put(event, QUANTITY, units)
    put(event, PRIORITY, get(row, wire.BID_PUT_SORT_ORDER_ID))


@part
def _change(row: int, market: int, instruments: int, kind: int, ends: bool, hand: int) -> None:
    """A reduction or a deletion."""
    units, reason = 0, OK
    if kind == REDUCE:
        units, reason = units_of(instruments, market, get(row, wire.BID_QUANTITY_REDUCED_QUANTITY_MANTISSA))
    if reason != OK:
        refuse(hand, market, reason, False, ends)
        return
    event = add_event(hand, kind, market, get(row, ROW_TIME), ends)
    put(event, SIDE, 1 - (get(row, ROW_TEMPLATE) & _ASK_PARITY))
    put(event, ORDER, get(row, wire.BID_DELETE_ORDER_ID))
    put(event, QUANTITY, units)


@part
def _trade(row: int, market: int, instruments: int, ends: bool, hand: int) -> None:
    ticks, reason = ticks_of(instruments, market, get(row, wire.TRADE_FILL_PRICE))
    units, unit_reason = units_of(instruments, market, get(row, wire.TRADE_FILL_QTY_MANTISSA))
    reason = reason if reason != OK else unit_reason
    if reason != OK:
        add_rejected(hand, reason, ends)
        return
    event = add_event(hand, TRADE, market, get(row, ROW_TIME), ends)
    maker_sells = get(row, wire.TRADE_MAKER_FLAGS) & _IS_SELL != 0
    put(event, SIDE, AGGRESSOR_BUY if maker_sells else AGGRESSOR_SELL)
    put(event, PRICE, ticks)
    put(event, QUANTITY, units)


@inline
def _identity(row: int, template: int) -> int:
    """Instrument number of a message that a book needs."""
    if template == wire.SNAPSHOT_HEADER or template == wire.SNAPSHOT_TRAILER:
        return get(row, wire.SNAPSHOT_HEADER_INSTRUMENT_ID)
    return get(row, wire.BID_PUT_INSTRUMENT_ID)


@inline
def _is_needed(template: int, in_snapshot: bool) -> bool:
    if template == wire.BID_PUT or template == wire.ASK_PUT:
        return True
    if in_snapshot:
        return template == wire.SNAPSHOT_HEADER or template == wire.SNAPSHOT_TRAILER
    return wire.BID_QUANTITY_REDUCED <= template <= wire.ASK_DELETE or template == wire.TRADE


@part
def _snapshot_edge(row: int, market: int, markets: int, channels: int, channel: int, hand: int) -> None:
    """Header or trailer of a snapshot."""
    sequence = get(row, wire.SNAPSHOT_HEADER_INCREMENTAL_SEQ_NUM)
    if get(row, ROW_TEMPLATE) == wire.SNAPSHOT_HEADER:
        hear_snapshot(markets, market, channel)
        event = add_row(hand, SNAPSHOT_BEGIN, market)
        put(event, COUNT, -1)
    else:
        event = add_snapshot_end(hand, markets, market, channels)
    put(event, SEQUENCE, sequence)


@part
def take_starbase(
    row: int, in_snapshot: bool, channel: int, markets: int, channels: int, instruments: int, hand: int
) -> None:
    """The rows of one decoded message."""
    template = get(row, ROW_TEMPLATE)
    ends = get(row, ROW_FLAGS) & _ENDS != 0 and not in_snapshot
    market = find_instrument(instruments, _identity(row, template)) if _is_needed(template, in_snapshot) else -1
    if market < 0:
        add_ignored(hand, ends)
        return
    if not in_snapshot:
        hear_update(markets, market, channel)
    if template == wire.BID_PUT or template == wire.ASK_PUT:
        _put(row, market, instruments, in_snapshot, ends, hand)
    elif in_snapshot:
        _snapshot_edge(row, market, markets, channels, channel, hand)
    elif template == wire.TRADE:
        _trade(row, market, instruments, ends, hand)
    else:
        kind = REDUCE if template < wire.BID_DELETE else DELETE
        _change(row, market, instruments, kind, ends, hand)
