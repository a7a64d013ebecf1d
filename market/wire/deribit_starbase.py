"""Compiled decoder of Deribit Starbase: the order-by-order, trade and status messages of each packet.

A row has, from ``FIRST_FIELD`` on, the message's fields in schema order; ``market.wire.compiled.deribit_starbase``
names the columns. Prices are mantissas x 1e-9. ``ROW_TIME`` is the transaction time in ns, ``ROW_FLAGS`` has bit 0
for the start and bit 1 for the end of a transaction. Messages of other templates are skipped and counted.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import entry, inline, part
from market.native.memory import address_of, load_i32, load_i64, load_u16, put
from market.wire.binary import (
    MESSAGE_COUNT,
    MESSAGE_LENGTH,
    OK,
    PACKET_CHANNEL,
    PACKET_FLAGS,
    PACKET_REASON,
    PACKET_ROWS,
    PACKET_SEQUENCE,
    PACKET_SKIPPED,
    PACKET_TIME,
    PACKET_WIDTH,
    ROW_FLAGS,
    ROW_TIME,
    TEMPLATE,
    TOO_LONG,
    TRUNCATED,
    BinaryBatch,
    Bytes,
    Rows,
    Words,
    begin_row,
    clear,
)
from market.wire.compiled.deribit_starbase import (
    ASK_DELETE,
    ASK_PUT,
    ASK_QUANTITY_REDUCED,
    BID_DELETE,
    BID_PUT,
    BID_QUANTITY_REDUCED,
    INSTRUMENT_INFO,
    INSTRUMENT_STATUS,
    ROW_WIDTH,
    SNAPSHOT_HEADER,
    SNAPSHOT_TRAILER,
    TRADE,
    TRADE_SUMMARY,
    decode_ask_delete,
    decode_ask_put,
    decode_ask_quantity_reduced,
    decode_bid_delete,
    decode_bid_put,
    decode_bid_quantity_reduced,
    decode_instrument_info,
    decode_instrument_status,
    decode_snapshot_header,
    decode_snapshot_trailer,
    decode_trade,
    decode_trade_summary,
)

PACKET_HEADER: Final = 24
HEADER: Final = 16
ALIGNMENT: Final = 8


def new_batch(packets: int = 4096, rows: int = 16384) -> BinaryBatch:
    """Room for so many packets and messages."""
    return BinaryBatch(packets, rows, 1, row_width=ROW_WIDTH, entry_widths=())


def decode_packets(buffer: Bytes, bounds: Words, batch: BinaryBatch) -> int:
    """Decode payloads into a batch, which begins empty; gives how many, fewer than all when the batch is full.

    Parameters
    ----------
    buffer: uint8[n]; payload i is ``buffer[bounds[i]:bounds[i + 1]]``.
    bounds: int64[payloads + 1].
    batch: row i of ``packets`` is payload i; one damaged message refuses its whole packet. A heartbeat is a packet
        without messages.
    """
    return decode_batch(buffer, bounds, batch.packets, batch.rows)


@inline
def _order(template: int, at: int, end: int, block: int, row: int) -> tuple[int, int]:
    if template == BID_PUT:
        return decode_bid_put(at, end, block, row, 0, 0)
    if template == ASK_PUT:
        return decode_ask_put(at, end, block, row, 0, 0)
    if template == BID_DELETE:
        return decode_bid_delete(at, end, block, row, 0, 0)
    if template == ASK_DELETE:
        return decode_ask_delete(at, end, block, row, 0, 0)
    if template == BID_QUANTITY_REDUCED:
        return decode_bid_quantity_reduced(at, end, block, row, 0, 0)
    if template == ASK_QUANTITY_REDUCED:
        return decode_ask_quantity_reduced(at, end, block, row, 0, 0)
    return TEMPLATE, at


@inline
def _other(template: int, at: int, end: int, block: int, row: int) -> tuple[int, int]:
    if template == TRADE:
        return decode_trade(at, end, block, row, 0, 0)
    if template == TRADE_SUMMARY:
        return decode_trade_summary(at, end, block, row, 0, 0)
    if template == INSTRUMENT_INFO:
        return decode_instrument_info(at, end, block, row, 0, 0)
    if template == INSTRUMENT_STATUS:
        return decode_instrument_status(at, end, block, row, 0, 0)
    if template == SNAPSHOT_HEADER:
        return decode_snapshot_header(at, end, block, row, 0, 0)
    if template == SNAPSHOT_TRAILER:
        return decode_snapshot_trailer(at, end, block, row, 0, 0)
    return TEMPLATE, at


@part
def _packet(at: int, end: int, origin: int, packet: int, index: int, row: int, room: int) -> tuple[int, int, int]:
    """One packet; gives the reject reason, rows written and messages skipped."""
    if end - at < PACKET_HEADER:
        return TRUNCATED, 0, 0
    put(packet, PACKET_TIME, load_i64(at, 0))
    put(packet, PACKET_SEQUENCE, load_i64(at, 8))
    put(packet, PACKET_CHANNEL, load_i32(at, 16))
    put(packet, PACKET_FLAGS, load_u16(at, 20))
    expected = load_u16(at, 22)
    at += PACKET_HEADER
    count, skipped = 0, 0
    while at < end:
        if end - at < HEADER:
            return TRUNCATED, 0, 0
        length, template = load_u16(at, 0), load_u16(at, 2)
        if length < HEADER or length % ALIGNMENT or length > end - at:
            return MESSAGE_LENGTH, 0, 0
        if count == room:
            return TOO_LONG, 0, 0
        body, block = at + HEADER, length - HEADER
        reason, _ = _order(template, body, at + length, block, row)
        if reason == TEMPLATE:
            reason, _ = _other(template, body, at + length, block, row)
        if reason == OK:
            begin_row(row, index, template, at - origin, length)
            put(row, ROW_FLAGS, load_u16(at, 6))
            put(row, ROW_TIME, load_i64(at, 8))
            row += ROW_WIDTH * 8
            count += 1
        elif reason == TEMPLATE:
            skipped += 1
        else:
            return reason, 0, 0
        at += length
    if count + skipped != expected:
        return MESSAGE_COUNT, 0, 0
    return OK, count, skipped


@entry("int64(uint8[::1], int64[::1], int64[:, ::1], int64[:, ::1])")
def decode_batch(buffer: Bytes, bounds: Words, packets: Rows, rows: Rows) -> int:
    """The kernel of ``decode_packets``; -1 if an array is narrower than ``new_batch`` makes it."""
    if packets.shape[1] != PACKET_WIDTH or rows.shape[1] != ROW_WIDTH:
        return -1
    origin = address_of(buffer)
    rows_used = 0
    payloads = min(bounds.size - 1, packets.shape[0])
    for index in range(payloads):
        packet = address_of(packets) + index * PACKET_WIDTH * 8
        start, end = bounds[index], bounds[index + 1]
        clear(packet, rows_used)
        reason, count, skipped = MESSAGE_LENGTH, 0, 0
        if 0 <= start <= end <= buffer.size:
            row = address_of(rows) + rows_used * ROW_WIDTH * 8
            room = rows.shape[0] - rows_used
            reason, count, skipped = _packet(origin + start, origin + end, origin, packet, index, row, room)
        if reason == TOO_LONG and rows_used > 0:
            return index
        put(packet, PACKET_REASON, reason)
        put(packet, PACKET_ROWS, count)
        put(packet, PACKET_SKIPPED, skipped)
        rows_used += count
    return payloads
