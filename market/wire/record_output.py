"""Writing records of a packet: addresses and room of a batch's arrays, kept in its cursor while a kernel runs."""

from __future__ import annotations

from typing import Final

from market.native.kernel import inline, part
from market.native.memory import address_of, get, put
from market.wire.records import (
    CHECKSUM,
    CURSOR_ASKS,
    CURSOR_BIDS,
    CURSOR_LINE,
    CURSOR_RECORDS,
    CURSOR_SCRATCH,
    CYCLES,
    IGNORED,
    KIND,
    LINE,
    MARKET,
    PREVIOUS_ID,
    QUOTE,
    REASON,
    RECEIVE_NS,
    REJECTED,
    WIDTH,
    Rows,
    Words,
)

_RECORDS_ADDRESS: Final = CURSOR_SCRATCH
_BIDS_ADDRESS: Final = CURSOR_SCRATCH + 1
_ASKS_ADDRESS: Final = CURSOR_SCRATCH + 2
_RECORD_ROOM: Final = CURSOR_SCRATCH + 3
_LEVEL_ROOM: Final = CURSOR_SCRATCH + 4
_TIME: Final = CURSOR_SCRATCH + 5


@inline
def aim_output(records: Rows, bids: Rows, asks: Rows, cursor: Words) -> int:
    """Prepare a batch for writing; gives the address that the other functions take as ``out``."""
    out = address_of(cursor)
    put(out, _RECORDS_ADDRESS, address_of(records))
    put(out, _BIDS_ADDRESS, address_of(bids))
    put(out, _ASKS_ADDRESS, address_of(asks))
    put(out, _RECORD_ROOM, records.shape[0])
    put(out, _LEVEL_ROOM, min(bids.shape[0], asks.shape[0]))
    return out


@inline
def begin_packet(out: int, time_ns: int, line: int) -> None:
    """Receive time and number in the capture of the packet whose records follow."""
    put(out, _TIME, time_ns)
    put(out, CURSOR_LINE, line)


@inline
def records_used(out: int) -> int:
    """Records in the batch."""
    return get(out, CURSOR_RECORDS)


@inline
def charge(out: int, record: int, cycles: int) -> None:
    """Say what the records from one on took, in that one; without such a record nothing is said."""
    if record < get(out, CURSOR_RECORDS):
        put(get(out, _RECORDS_ADDRESS) + 8 * WIDTH * record, CYCLES, cycles)


@inline
def has_room(out: int, records: int, levels: int) -> bool:
    """Whether so many more records, and levels on each side, fit."""
    used = max(get(out, CURSOR_BIDS), get(out, CURSOR_ASKS))
    return get(out, CURSOR_RECORDS) + records <= get(out, _RECORD_ROOM) and used + levels <= get(out, _LEVEL_ROOM)


@inline
def is_empty(out: int) -> bool:
    """Whether nothing was written since the batch was cleared."""
    return get(out, CURSOR_RECORDS) == 0


@inline
def bid_rows(out: int) -> tuple[int, int]:
    """Address of the next free bid row, and rows free."""
    used = get(out, CURSOR_BIDS)
    return get(out, _BIDS_ADDRESS) + 16 * used, get(out, _LEVEL_ROOM) - used


@inline
def ask_rows(out: int) -> tuple[int, int]:
    """Address of the next free ask row, and rows free."""
    used = get(out, CURSOR_ASKS)
    return get(out, _ASKS_ADDRESS) + 16 * used, get(out, _LEVEL_ROOM) - used


@inline
def keep_levels(out: int, bids: int, asks: int) -> None:
    """Count levels that were written to the free rows as used."""
    put(out, CURSOR_BIDS, get(out, CURSOR_BIDS) + bids)
    put(out, CURSOR_ASKS, get(out, CURSOR_ASKS) + asks)


@part
def add_record(out: int, kind: int, market: int) -> int:
    """The next record, of the current packet, with every other column empty; there must be room."""
    used = get(out, CURSOR_RECORDS)
    row = get(out, _RECORDS_ADDRESS) + 8 * WIDTH * used
    put(out, CURSOR_RECORDS, used + 1)
    for column in range(WIDTH):
        put(row, column, 0)
    put(row, KIND, kind)
    put(row, MARKET, market)
    put(row, RECEIVE_NS, get(out, _TIME))
    put(row, LINE, get(out, CURSOR_LINE))
    put(row, PREVIOUS_ID, -1)
    put(row, CHECKSUM, -1)
    return row


@inline
def add_ignored(out: int) -> None:
    """A record for a message that neither book nor trades need."""
    add_record(out, IGNORED, -1)


@inline
def add_rejected(out: int, reason: int) -> None:
    """A record for a message that was refused."""
    put(add_record(out, REJECTED, -1), REASON, reason)


@inline
def add_quote(out: int, market: int) -> int:
    """A record for a best bid and offer."""
    return add_record(out, QUOTE, market)
