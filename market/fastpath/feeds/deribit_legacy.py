"""Deribit's legacy multicast: tickers and trades in doubles (docs/fastpath.md, rules 57 to 68)."""

from __future__ import annotations

from typing import Final

from market.fastpath import state
from market.fastpath.books.lines import find_book, state_quote
from market.fastpath.feeds.order_messages import BUY, NONE, SELL, take_trade
from market.native.kernel import inline, part
from market.native.memory import get, load_i64, load_u8, load_u16, load_u32, put
from market.wire.doubles import count_of_double
from market.wire.records import Reject
from market.wire.sbe import load_schema, offset_of, stride_of
from market.wire.schemas import DERIBIT_MULTICAST

PACKET_HEADER: Final = 8
CHANNEL: Final = 2
SEQUENCE: Final = 4
BAD: Final = -1

_SCHEMA: Final = load_schema(DERIBIT_MULTICAST)
_SCHEMA_ID: Final = _SCHEMA.id
_HEADER: Final = _SCHEMA.header.size
_DIMENSION: Final = _SCHEMA.message("Book").groups["changes"].dimension.size
_TICKER: Final = _SCHEMA.message("Ticker").template_id
_TICKER_BLOCK: Final = _SCHEMA.message("Ticker").block_length
_BOOK: Final = _SCHEMA.message("Book").template_id
_BOOK_BLOCK: Final = _SCHEMA.message("Book").block_length
_BOOK_STRIDE: Final = stride_of(_SCHEMA, "Book", "changes")
_TRADES: Final = _SCHEMA.message("Trades").template_id
_TRADES_BLOCK: Final = _SCHEMA.message("Trades").block_length
_TRADES_STRIDE: Final = stride_of(_SCHEMA, "Trades", "trades")
_INSTRUMENT: Final = _HEADER
_BID_PRICE: Final = _HEADER + offset_of(_SCHEMA, "Ticker", "bestBidPrice")
_BID_AMOUNT: Final = _HEADER + offset_of(_SCHEMA, "Ticker", "bestBidAmount")
_ASK_PRICE: Final = _HEADER + offset_of(_SCHEMA, "Ticker", "bestAskPrice")
_ASK_AMOUNT: Final = _HEADER + offset_of(_SCHEMA, "Ticker", "bestAskAmount")
_TRADE_DIRECTION: Final = offset_of(_SCHEMA, "Trades", "direction", "trades")
_TRADE_PRICE: Final = offset_of(_SCHEMA, "Trades", "price", "trades")
_TRADE_AMOUNT: Final = offset_of(_SCHEMA, "Trades", "amount", "trades")
_MESSAGES_OF_PACKET: Final = 256
"""More than fit into a packet: a quote's sequence is the packet's position times this, plus the message's index."""
_LOW_32: Final = (1 << 32) - 1
_HALF_32: Final = 1 << 31
_OVERFLOW: Final = int(Reject.OVERFLOW)
_GOOD: Final = int(Reject.NONE)
_NO_NUMBER: Final = -1
_ABOVE_ALL: Final = 1 << 62


@inline
def _groups_at(message: int) -> int:
    return load_u16(message, 8)


@inline
def _texts_at(message: int) -> int:
    return load_u16(message, 10)


@inline
def _has_shape(message: int, at: int, end: int, block: int, stride: int) -> bool:
    """Whether a message has a block and one group with entries of given lengths; ``at`` is behind its block."""
    if load_u16(message, 0) != block or _groups_at(message) != 1 or _texts_at(message) != 0:
        return False
    return end - at >= _DIMENSION and load_u16(at, 0) == stride


@inline
def _is_readable(message: int, at: int, end: int) -> bool:
    """Whether a message of a template that is known has the shape that is known."""
    template = load_u16(message, 2)
    if template == _TICKER:
        return load_u16(message, 0) == _TICKER_BLOCK and _groups_at(message) == 0 and _texts_at(message) == 0
    if template == _BOOK:
        return _has_shape(message, at, end, _BOOK_BLOCK, _BOOK_STRIDE)
    return template != _TRADES or _has_shape(message, at, end, _TRADES_BLOCK, _TRADES_STRIDE)


@part
def _behind(message: int, end: int) -> int:
    """Address behind a message, or ``BAD``."""
    if end - message < _HEADER or load_u16(message, 4) != _SCHEMA_ID:
        return BAD
    at = message + _HEADER + load_u16(message, 0)
    if at > end or not _is_readable(message, at, end):
        return BAD
    for _ in range(_groups_at(message)):
        if end - at < _DIMENSION or load_u16(at, 4) != 0 or load_u16(at, 6) != 0:
            return BAD
        stride, entries = load_u16(at, 0), load_u16(at, 2)
        if stride * entries > end - at - _DIMENSION or (stride == 0 and entries != 0):
            return BAD
        at += _DIMENSION + stride * entries
    for _ in range(_texts_at(message)):
        if end - at < 1 or end - at - 1 < load_u8(at, 0):
            return BAD
        at += 1 + load_u8(at, 0)
    return at


@part
def check(packet: int, length: int) -> bool:
    """Whether the messages of a packet of at least a header are whole and fill it."""
    if load_u16(packet, 0) != length - PACKET_HEADER:
        return False
    at, end = packet + PACKET_HEADER, packet + length
    while at != BAD and at < end:
        at = _behind(at, end)
    return at == end


@part
def position_of(line: int, packet: int) -> int:
    """The packet's place in its line's sequence, counted on where its number begins again from 0."""
    number = load_u32(packet, SEQUENCE)
    if line == 0 or get(line, state.LINE_KNOWN) == 0:
        return number
    expected = get(line, state.LINE_EXPECTED)
    ahead = number - expected & _LOW_32
    return expected + (ahead - (1 << 32) if ahead >= _HALF_32 else ahead)


@part
def place(engine: int, line: int, position: int) -> None:
    """Take a packet into its line's sequence; a gap only counts."""
    if get(line, state.LINE_KNOWN) and position > get(line, state.LINE_EXPECTED):
        state.bump(engine, state.GAPS)
    put(line, state.LINE_KNOWN, 1)
    put(line, state.LINE_EXPECTED, position + 1)


@part
def _mantissa(address: int, offset: int, exponent: int) -> int:
    """A double as a mantissa of an exponent of -9 to 0 (rule 68)."""
    count, reason = count_of_double(load_i64(address, offset), -exponent)
    if reason == _GOOD:
        return count
    return _ABOVE_ALL if reason == _OVERFLOW else _NO_NUMBER


@part
def _take_ticker(engine: int, book: int, venue: int, message: int, sequence: int) -> None:
    row = state.book_row(engine, book)
    price_exponent, quantity_exponent = get(row, state.BOOK_PRICE_EXPONENT), get(row, state.BOOK_QUANTITY_EXPONENT)
    state_quote(
        engine,
        row,
        venue,
        sequence,
        _mantissa(message, _BID_PRICE, price_exponent),
        _mantissa(message, _BID_AMOUNT, quantity_exponent),
        _mantissa(message, _ASK_PRICE, price_exponent),
        _mantissa(message, _ASK_AMOUNT, quantity_exponent),
    )


@part
def _take_trades(engine: int, book: int, venue: int, message: int) -> None:
    row = state.book_row(engine, book)
    group = message + _HEADER + _TRADES_BLOCK
    entry = group + _DIMENSION
    for _ in range(load_u16(group, 2)):
        direction = load_u8(entry, _TRADE_DIRECTION)
        price = _mantissa(entry, _TRADE_PRICE, get(row, state.BOOK_PRICE_EXPONENT))
        amount = _mantissa(entry, _TRADE_AMOUNT, get(row, state.BOOK_QUANTITY_EXPONENT))
        take_trade(engine, book, venue, price, amount, BUY if direction == 0 else SELL if direction == 1 else NONE)
        entry += _TRADES_STRIDE


@part
def _take_message(engine: int, line: int, venue: int, message: int, sequence: int) -> bool:
    """Apply a message of a checked packet; whether it counts as applied."""
    template = load_u16(message, 2)
    if line == 0 or (template != _TICKER and template != _TRADES):
        return False
    book = find_book(engine, line, load_u32(message, _INSTRUMENT))
    if book < 0:
        return False
    if template == _TICKER:
        _take_ticker(engine, book, venue, message, sequence)
    else:
        _take_trades(engine, book, venue, message)
    return True


@part
def apply(engine: int, line: int, venue: int, packet: int, length: int, position: int) -> None:
    """The events of a packet that ``check`` called good, within a step; ``line`` is 0 for none."""
    at, end, index = packet + PACKET_HEADER, packet + length, 0
    while at < end:
        applied = _take_message(engine, line, venue, at, position * _MESSAGES_OF_PACKET + index)
        state.bump(engine, state.MESSAGES if applied else state.SKIPPED_MESSAGES)
        at = _behind(at, end)
        index += 1
