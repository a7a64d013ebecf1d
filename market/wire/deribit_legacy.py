"""Compiled decoder of Deribit's legacy multicast: books, trades, tickers and book snapshots of each packet.

A row has, from ``FIRST_FIELD`` on, the message's fields in schema order, then start and count of its group;
``market.wire.compiled.deribit_multicast`` names the columns. Doubles are there as their bits, an absent one as -1:
``rows[:, column].view(np.float64)`` gives the numbers. Messages of other templates are skipped and counted.
"""

from __future__ import annotations

from typing import Final

from market.native.kernel import entry, inline, part
from market.native.memory import address_of, load_u8, load_u16, load_u32, put
from market.wire.binary import (
    BLOCK_LENGTH,
    COUNT,
    MESSAGE_LENGTH,
    OK,
    PACKET_CHANNEL,
    PACKET_LENGTH,
    PACKET_REASON,
    PACKET_ROWS,
    PACKET_SEQUENCE,
    PACKET_SKIPPED,
    PACKET_WIDTH,
    ROW_FLAGS,
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
    begin_row,
    clear,
    release,
    used,
)
from market.wire.compiled.deribit_multicast import (
    BOOK,
    BOOK_CHANGES_WIDTH,
    ROW_WIDTH,
    SNAPSHOT,
    SNAPSHOT_LEVELS_WIDTH,
    TICKER,
    TRADES,
    TRADES_TRADES_WIDTH,
    decode_book,
    decode_snapshot,
    decode_ticker,
    decode_trades,
)

PACKET_HEADER: Final = 8
HEADER: Final = 12
DIMENSION: Final = 8
SCHEMA_ID: Final = 1
CHANGES: Final = 0
LEVELS: Final = 1
DEALS: Final = 2
"""Slot of the trades of a trade message; changes of a book and levels of a snapshot have slots 0 and 1."""


def new_batch(packets: int = 4096, rows: int = 16384, entries: int = 65536) -> BinaryBatch:
    """Room for so many packets, messages, and book changes, snapshot levels and trades."""
    widths = (BOOK_CHANGES_WIDTH, SNAPSHOT_LEVELS_WIDTH, TRADES_TRADES_WIDTH)
    return BinaryBatch(packets, rows, entries, row_width=ROW_WIDTH, entry_widths=widths)


def decode_packets(buffer: Bytes, bounds: Words, batch: BinaryBatch) -> int:
    """Decode payloads into a batch, which begins empty; gives how many, fewer than all when the batch is full.

    Parameters
    ----------
    buffer: uint8[n]; payload i is ``buffer[bounds[i]:bounds[i + 1]]``.
    bounds: int64[payloads + 1].
    batch: row i of ``packets`` is payload i; one damaged message refuses its whole packet.
    """
    changes, levels, trades = batch.entries
    return decode_batch(buffer, bounds, batch.packets, batch.rows, changes, levels, trades, batch.sink)


@part
def _skip(at: int, end: int, block: int, groups: int, data: int) -> tuple[int, int]:
    """Walk over a message of any template; gives the reject reason and where it ends."""
    if block > end - at:
        return BLOCK_LENGTH, at
    at += block
    for _ in range(groups):
        if end - at < DIMENSION:
            return TRUNCATED, at
        if load_u16(at, 4) or load_u16(at, 6):
            return TEMPLATE, at
        size = load_u16(at, 0) * load_u16(at, 2)
        if size > end - at - DIMENSION:
            return COUNT, at
        at += DIMENSION + size
    for _ in range(data):
        if end - at < 1 or end - at - 1 < load_u8(at, 0):
            return TRUNCATED, at
        at += 1 + load_u8(at, 0)
    return OK, at


@inline
def _is_decoded(template: int) -> bool:
    return template == TICKER or template == BOOK or template == TRADES or template == SNAPSHOT


@inline
def _message(template: int, at: int, end: int, block: int, row: int, origin: int, sink: int) -> tuple[int, int]:
    """The body of a message of a decoded template; gives the reject reason and where it ends."""
    if template == TICKER:
        return decode_ticker(at, end, block, row, origin, sink)
    if template == BOOK:
        return decode_book(at, end, block, row, origin, sink)
    if template == TRADES:
        return decode_trades(at, end, block, row, origin, sink)
    return decode_snapshot(at, end, block, row, origin, sink)


@part
def _packet(
    at: int, end: int, origin: int, packet: int, index: int, row: int, room: int, sink: int
) -> tuple[int, int, int]:
    """One packet; gives the reject reason, rows written and messages skipped."""
    if end - at < PACKET_HEADER:
        return TRUNCATED, 0, 0
    put(packet, PACKET_CHANNEL, load_u16(at, 2))
    put(packet, PACKET_SEQUENCE, load_u32(at, 4))
    if load_u16(at, 0) != end - at - PACKET_HEADER:
        return PACKET_LENGTH, 0, 0
    at += PACKET_HEADER
    count, skipped = 0, 0
    while at < end:
        if end - at < HEADER:
            return TRUNCATED, 0, 0
        block, template = load_u16(at, 0), load_u16(at, 2)
        if load_u16(at, 4) != SCHEMA_ID:
            return SCHEMA, 0, 0
        if _is_decoded(template):
            if count == room:
                return TOO_LONG, 0, 0
            reason, behind = _message(template, at + HEADER, end, block, row, origin, sink)
            begin_row(row, index, template, at - origin, behind - at)
            put(row, ROW_FLAGS, 0)
            put(row, ROW_TIME, 0)
            row += ROW_WIDTH * 8
            count += 1
        else:
            reason, behind = _skip(at + HEADER, end, block, load_u16(at, 8), load_u16(at, 10))
            skipped += 1
        if reason != OK:
            return reason, 0, 0
        at = behind
    return OK, count, skipped


@entry(
    "int64(uint8[::1], int64[::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], "
    "int64[::1])"
)
def decode_batch(
    buffer: Bytes, bounds: Words, packets: Rows, rows: Rows, changes: Rows, levels: Rows, trades: Rows, sink: Words
) -> int:
    """The kernel of ``decode_packets``; -1 if an array is narrower than ``new_batch`` makes it."""
    if changes.shape[1] != BOOK_CHANGES_WIDTH or levels.shape[1] != SNAPSHOT_LEVELS_WIDTH:
        return -1
    if trades.shape[1] != TRADES_TRADES_WIDTH or sink.size < SINK_WORDS:
        return -1
    if packets.shape[1] != PACKET_WIDTH or rows.shape[1] != ROW_WIDTH:
        return -1
    origin = address_of(buffer)
    slots = address_of(sink)
    aim(slots, CHANGES, address_of(changes), changes.shape[0])
    aim(slots, LEVELS, address_of(levels), levels.shape[0])
    aim(slots, DEALS, address_of(trades), trades.shape[0])
    rows_used = 0
    payloads = min(bounds.size - 1, packets.shape[0])
    for index in range(payloads):
        packet = address_of(packets) + index * PACKET_WIDTH * 8
        start, end = bounds[index], bounds[index + 1]
        clear(packet, rows_used)
        kept_changes, kept_levels, kept_trades = used(slots, CHANGES), used(slots, LEVELS), used(slots, DEALS)
        reason, count, skipped = MESSAGE_LENGTH, 0, 0
        if 0 <= start <= end <= buffer.size:
            row = address_of(rows) + rows_used * ROW_WIDTH * 8
            room = rows.shape[0] - rows_used
            reason, count, skipped = _packet(origin + start, origin + end, origin, packet, index, row, room, slots)
        if reason != OK:
            release(slots, CHANGES, kept_changes)
            release(slots, LEVELS, kept_levels)
            release(slots, DEALS, kept_trades)
            if reason == TOO_LONG and rows_used > 0:
                return index
        put(packet, PACKET_REASON, reason)
        put(packet, PACKET_ROWS, count)
        put(packet, PACKET_SKIPPED, skipped)
        rows_used += count
    return payloads
