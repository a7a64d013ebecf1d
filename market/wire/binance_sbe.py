"""Compiled decoders and encoders of Binance's SBE market-data streams, one message per payload.

A row has, from ``FIRST_FIELD`` on, the message's fields in schema order, then start and count of its groups, then
offset and length of the symbol in the buffer; ``market.wire.compiled.binance_stream`` names the columns. Levels are
rows of (price mantissa, quantity mantissa), trades of (id, price mantissa, quantity mantissa, buyer is maker).
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import BYTES, entry, inline, part
from market.native.memory import address_of, load_u8, load_u16, put, store_8, store_16, store_32
from market.wire.binary import (
    MESSAGE_LENGTH,
    OK,
    ROW_FLAGS,
    ROW_LENGTH,
    ROW_OFFSET,
    ROW_PACKET,
    ROW_TEMPLATE,
    ROW_TIME,
    SCHEMA,
    SINK_WORDS,
    TEMPLATE,
    TOO_LONG,
    TRUNCATED,
    BinaryBatch,
    Bytes,
    Rows,
    Words,
    aim,
    release,
    used,
)
from market.wire.compiled.binance_stream import (
    BEST_BID_ASK,
    BEST_BID_ASK_BLOCK,
    DEPTH_DIFF,
    DEPTH_DIFF_BIDS_WIDTH,
    DEPTH_SNAPSHOT,
    ROW_WIDTH,
    TRADES,
    TRADES_BLOCK,
    TRADES_TRADES_BLOCK,
    TRADES_TRADES_WIDTH,
    decode_best_bid_ask,
    decode_depth_diff,
    decode_depth_snapshot,
    decode_trades,
    write_best_bid_ask,
    write_trades,
    write_trades_trades,
)

HEADER: Final = 8
SCHEMA_ID: Final = 1
BIDS: Final = 0
ASKS: Final = 1
DEALS: Final = 2
"""Slot of the trades of a trade message; bids and asks have slots 0 and 1."""
_BEST_BID_ASK_WORDS: Final = 8
_TRADES_WORDS: Final = 4
_DIMENSION: Final = 6
_MOST_SYMBOL_BYTES: Final = 255


def new_batch(rows: int = 4096, entries: int = 65536) -> BinaryBatch:
    """Room for so many messages, and so many bids, asks and trades."""
    widths = (DEPTH_DIFF_BIDS_WIDTH, DEPTH_DIFF_BIDS_WIDTH, TRADES_TRADES_WIDTH)
    return BinaryBatch(1, rows, entries, row_width=ROW_WIDTH, entry_widths=widths)


def decode_messages(buffer: Bytes, bounds: Words, batch: BinaryBatch) -> int:
    """Decode payloads into a batch, which begins empty; gives how many, fewer than all when the batch is full.

    Parameters
    ----------
    buffer: uint8[n]; payload i is ``buffer[bounds[i]:bounds[i + 1]]``.
    bounds: int64[payloads + 1].
    batch: row i is payload i; its first column is a ``BinaryReject``.

    Bytes of a payload behind its message are not looked at; ``ROW_LENGTH`` is the message's own length.
    """
    bids, asks, trades = batch.entries
    return decode_batch(buffer, bounds, batch.rows, bids, asks, trades, batch.sink)


@inline
def _message(at: int, end: int, origin: int, row: int, sink: int) -> int:
    """One message, to its row; gives the reject reason."""
    if end - at < HEADER:
        return TRUNCATED
    if load_u16(at, 4) != SCHEMA_ID:
        return SCHEMA
    block = load_u16(at, 0)
    template = load_u16(at, 2)
    put(row, ROW_TEMPLATE, template)
    if template == BEST_BID_ASK:
        reason, behind = decode_best_bid_ask(at + HEADER, end, block, row, origin, sink)
    elif template == DEPTH_DIFF:
        reason, behind = decode_depth_diff(at + HEADER, end, block, row, origin, sink)
    elif template == TRADES:
        reason, behind = decode_trades(at + HEADER, end, block, row, origin, sink)
    elif template == DEPTH_SNAPSHOT:
        reason, behind = decode_depth_snapshot(at + HEADER, end, block, row, origin, sink)
    else:
        return TEMPLATE
    put(row, ROW_OFFSET, at - origin)
    put(row, ROW_LENGTH, behind - at)
    return reason


@entry("int64(uint8[::1], int64[::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[::1])")
def decode_batch(buffer: Bytes, bounds: Words, rows: Rows, bids: Rows, asks: Rows, trades: Rows, sink: Words) -> int:
    """The kernel of ``decode_messages``; -1 if an array is narrower than ``new_batch`` makes it."""
    narrow = bids.shape[1] != DEPTH_DIFF_BIDS_WIDTH or asks.shape[1] != DEPTH_DIFF_BIDS_WIDTH
    if narrow or trades.shape[1] != TRADES_TRADES_WIDTH or rows.shape[1] != ROW_WIDTH or sink.size < SINK_WORDS:
        return -1
    origin = address_of(buffer)
    slots = address_of(sink)
    first = address_of(rows)
    aim(slots, BIDS, address_of(bids), bids.shape[0])
    aim(slots, ASKS, address_of(asks), asks.shape[0])
    aim(slots, DEALS, address_of(trades), trades.shape[0])
    for index in range(min(bounds.size - 1, rows.shape[0])):
        row = first + index * ROW_WIDTH * 8
        start, end = bounds[index], bounds[index + 1]
        kept_bids, kept_asks, kept_trades = used(slots, BIDS), used(slots, ASKS), used(slots, DEALS)
        reason = MESSAGE_LENGTH
        if 0 <= start <= end <= buffer.size:
            reason = _message(origin + start, origin + end, origin, row, slots)
        if reason != OK:
            release(slots, BIDS, kept_bids)
            release(slots, ASKS, kept_asks)
            release(slots, DEALS, kept_trades)
            if reason == TOO_LONG and kept_bids + kept_asks + kept_trades > 0:
                return index
        put(row, ROW_PACKET, reason)
        put(row, ROW_FLAGS, 0)
        put(row, ROW_TIME, 0)
    return min(bounds.size - 1, rows.shape[0])


@part
def _header(at: int, block: int, template: int) -> int:
    store_16(at, 0, block)
    store_16(at, 2, template)
    store_16(at, 4, SCHEMA_ID)
    store_16(at, 6, 0)
    return at + HEADER


@part
def _symbol(at: int, symbol: int, length: int) -> int:
    store_8(at, 0, length)
    for index in range(length):
        store_8(at, 1 + index, load_u8(symbol, index))
    return at + 1 + length


@entry(f"int64(int64[::1], {BYTES}, uint8[::1])")
def encode_best_bid_ask(fields: Words, symbol: bytes, out: Bytes) -> int:
    """A BestBidAsk message into ``out``; gives its length, or 0 if ``out`` or the arguments are too short or long.

    ``fields``: event time in us, book update id, price exponent, quantity exponent, then the mantissas of bid price,
    bid quantity, ask price, ask quantity. ``symbol``: at most 255 bytes of UTF-8.
    """
    total = HEADER + BEST_BID_ASK_BLOCK + 1 + len(symbol)
    if fields.size < _BEST_BID_ASK_WORDS or len(symbol) > _MOST_SYMBOL_BYTES or out.size < total:
        return 0
    at = _header(address_of(out), BEST_BID_ASK_BLOCK, BEST_BID_ASK)
    write_best_bid_ask(at, address_of(fields))
    _symbol(at + BEST_BID_ASK_BLOCK, address_of(symbol), len(symbol))
    return total


@entry(f"int64(int64[::1], int64[:, ::1], {BYTES}, uint8[::1])")
def encode_trades(fields: Words, trades: Rows, symbol: bytes, out: Bytes) -> int:
    """A Trades message into ``out``; gives its length, or 0 if ``out`` or the arguments are too short or long.

    ``fields``: event time in us, transaction time in us, price exponent, quantity exponent. ``trades``: int64[n, 4],
    rows of id, price mantissa, quantity mantissa, buyer is maker. ``symbol``: at most 255 bytes of UTF-8.
    """
    count = trades.shape[0]
    total = HEADER + TRADES_BLOCK + _DIMENSION + count * TRADES_TRADES_BLOCK + 1 + len(symbol)
    if fields.size < _TRADES_WORDS or trades.shape[1] != TRADES_TRADES_WIDTH:
        return 0
    if len(symbol) > _MOST_SYMBOL_BYTES or out.size < total:
        return 0
    at = _header(address_of(out), TRADES_BLOCK, TRADES)
    write_trades(at, address_of(fields))
    at += TRADES_BLOCK
    store_16(at, 0, TRADES_TRADES_BLOCK)
    store_32(at, 2, count)
    at += _DIMENSION
    values = address_of(trades)
    for _ in range(count):
        write_trades_trades(at, values)
        at += TRADES_TRADES_BLOCK
        values += TRADES_TRADES_WIDTH * 8
    _symbol(at, address_of(symbol), len(symbol))
    return total
