"""Packets of Deribit's legacy multicast in the order of their channels, as records."""

from __future__ import annotations

from typing import Final

from market.native.kernel import entry, part
from market.native.memory import address_of, cycle_counter, get
from market.wire.binary import (
    FIRST_FIELD,
    PACKET_CHANNEL,
    PACKET_FIRST_ROW,
    PACKET_REASON,
    PACKET_ROWS,
    PACKET_SEQUENCE,
    PACKET_SKIPPED,
    PACKET_WIDTH,
    ROW_TEMPLATE,
    Rows,
    Words,
)
from market.wire.channels import CROWDED, DUPLICATE, GAP, take_sequence
from market.wire.compiled import deribit_multicast as wire
from market.wire.deribit_levels import OK
from market.wire.deribit_records import row_at, take_row
from market.wire.instruments import find_instrument
from market.wire.pieces import collected_levels, find_pieces, give_up_channel
from market.wire.record_output import (
    add_ignored,
    add_rejected,
    aim_output,
    begin_packet,
    charge,
    has_room,
    is_empty,
    records_used,
)
from market.wire.records import Reject

_SEQUENCES: Final = 1 << 32
_MALFORMED: Final = int(Reject.MALFORMED)
_TOO_LONG: Final = int(Reject.TOO_LONG)


@part
def _room(rows: int, first: int, count: int, pieces: int, instruments: int) -> tuple[int, int]:
    """Records and levels per side that the rows of a packet may need."""
    records, levels = count, 0
    for index in range(first, first + count):
        row = row_at(rows, index)
        template = get(row, ROW_TEMPLATE)
        if template == wire.TRADES:
            records += get(row, wire.TRADES_TRADES_COUNT)
        elif template != wire.TICKER:
            levels += get(row, wire.BOOK_CHANGES_COUNT)
            market = find_instrument(instruments, get(row, FIRST_FIELD))
            change = get(row, wire.BOOK_CHANGE_ID if template == wire.BOOK else wire.SNAPSHOT_CHANGE_ID)
            place = find_pieces(pieces, market, template, change) if market >= 0 else 0
            levels += collected_levels(place) if place else 0
    return records, levels


@part
def _take_packet(
    packet: int, rows: int, channels: int, instruments: int, states: int, pieces: int, groups: int, out: int
) -> None:
    """The records of one packet, for which there is room."""
    if get(packet, PACKET_REASON) != OK:
        add_rejected(out, _MALFORMED)
        return
    channel, count, skipped = get(packet, PACKET_CHANNEL), get(packet, PACKET_ROWS), get(packet, PACKET_SKIPPED)
    order, _ = take_sequence(channels, channel, get(packet, PACKET_SEQUENCE), 1, _SEQUENCES, count + skipped == 0)
    if order == DUPLICATE:
        return
    if order == CROWDED:
        add_rejected(out, _TOO_LONG)
        return
    if order == GAP:
        give_up_channel(pieces, channel)
    for _ in range(skipped):
        add_ignored(out)
    first = get(packet, PACKET_FIRST_ROW)
    for index in range(first, first + count):
        take_row(rows, index, first + count, channel, instruments, states, pieces, groups, out)


@entry(
    "int64(int64[::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[::1], "
    "int64[::1], int64[::1], int64[::1], int64[::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[::1], "
    "int64, int64, int64, int64)"
)
def take_packets(
    times: Words,
    packets: Rows,
    rows: Rows,
    changes: Rows,
    levels: Rows,
    trades: Rows,
    instruments: Words,
    states: Words,
    channels: Words,
    pieces: Words,
    groups: Words,
    records: Rows,
    bids: Rows,
    asks: Rows,
    cursor: Words,
    first: int,
    count: int,
    first_line: int,
    decode_cycles: int,
) -> int:
    """Turn decoded packets into records until the batch is full; gives the index of the first packet that is left.

    Parameters
    ----------
    times: receive times in ns. packets ... trades: as ``market.wire.deribit_legacy.decode_packets`` filled them.
    instruments: of ``instrument_table``. states: int64[STATE_WORDS x instruments]. channels: of ``new_channels``.
    pieces: of ``new_pieces``. groups: int64[3], scratch.
    records ... cursor: of a ``Batch``.
    first, count: packets to take. first_line: the number in the capture of packet 0.
    decode_cycles: what decoding took per packet, charged to its first record.
    """
    out = aim_output(records, bids, asks, cursor)
    groups[0], groups[1], groups[2] = address_of(changes), address_of(levels), address_of(trades)
    table, row_base, pool = address_of(instruments), address_of(rows), address_of(pieces)
    for index in range(first, count):
        start = cycle_counter()
        first_record = records_used(out)
        packet = address_of(packets) + 8 * PACKET_WIDTH * index
        begin_packet(out, times[index], first_line + index)
        needed, levels_needed = 1, 0
        if get(packet, PACKET_REASON) == OK:
            needed, levels_needed = _room(
                row_base, get(packet, PACKET_FIRST_ROW), get(packet, PACKET_ROWS), pool, table
            )
            needed += 1 + get(packet, PACKET_SKIPPED)
        if has_room(out, needed, levels_needed):
            _take_packet(
                packet, row_base, address_of(channels), table, address_of(states), pool, address_of(groups), out
            )
        elif is_empty(out):
            add_rejected(out, _TOO_LONG)
        else:
            return index
        charge(out, first_record, decode_cycles + cycle_counter() - start)
    return count
