"""Packets of order-by-order formats in the order of their channels, as rows of orders, trades and losses."""

from __future__ import annotations

from typing import Final

from market.native.kernel import entry, inline, part
from market.native.memory import address_of, cycle_counter, get, load_i32, load_u16, put
from market.wire.binary import (
    PACKET_CHANNEL,
    PACKET_FIRST_ROW,
    PACKET_FLAGS,
    PACKET_REASON,
    PACKET_ROWS,
    PACKET_SEQUENCE,
    PACKET_SKIPPED,
    PACKET_WIDTH,
    ROW_OFFSET,
    Bytes,
    Rows,
    Words,
)
from market.wire.channels import (
    CROWDED,
    DUPLICATE,
    GAP,
    take_sequence,
    take_snapshot_sequence,
)
from market.wire.coinbase_orders import (
    HEADER,
    SNAPSHOT_INSTRUMENT,
    follow_instrument,
    take_coinbase,
    take_other_coinbase,
    take_snapshot_edge,
    take_snapshot_order,
)
from market.wire.compiled.coinbase_derivatives import ORDER_SNAPSHOT
from market.wire.instruments import find_instrument, instrument_count
from market.wire.order_output import (
    add_ignored,
    add_rejected,
    aim_rows,
    begin_message,
    begin_packet,
    has_rows,
    lose_channel,
    lose_snapshots,
    rows_used,
)
from market.wire.order_records import CYCLES, ORDER_WIDTH
from market.wire.records import Reject
from market.wire.starbase_orders import take_starbase

STARBASE: Final = 0
COINBASE: Final = 1
PACKET_HEADER: Final = 24
ROWS_PER_MESSAGE: Final = 4
_SNAPSHOT: Final = 2
_ENDS: Final = 2
_OK: Final = 0
_MALFORMED: Final = int(Reject.MALFORMED)
_TOO_LONG: Final = int(Reject.TOO_LONG)


@inline
def _take_coinbase_message(
    at: int, row: int, in_snapshot: bool, snapshot_market: int, channel: int, state: int, instruments: int, hand: int
) -> None:
    """``row`` is the address of the decoded message, 0 if it has none; ``state`` that of markets and channels."""
    block, template, body = load_u16(at, 2), load_u16(at, 4), at + HEADER
    if in_snapshot:
        if snapshot_market < 0:
            add_ignored(hand, False)
        elif row != 0 and template == ORDER_SNAPSHOT:
            take_snapshot_order(row, snapshot_market, instruments, hand)
        else:
            take_snapshot_edge(body, block, template, snapshot_market, channel, get(state, 0), get(state, 1), hand)
        return
    follow_instrument(body, block, hand, channel, get(state, 0), instruments)
    if row != 0:
        take_coinbase(row, instruments, hand)
    else:
        take_other_coinbase(body, block, in_snapshot, instruments, hand)


@part
def _take_messages(
    form: int,
    already: int,
    start: int,
    origin: int,
    packet: int,
    rows: int,
    width: int,
    state: int,
    instruments: int,
    hand: int,
) -> None:
    """The messages of a packet but the first ``already``, none if that is -1.

    ``start`` is the packet's address, ``origin`` that of the buffer.
    """
    if already < 0:
        return
    in_snapshot = get(packet, PACKET_FLAGS) & _SNAPSHOT != 0
    channel, sequence = get(packet, PACKET_CHANNEL), get(packet, PACKET_SEQUENCE)
    index = get(packet, PACKET_FIRST_ROW)
    end = index + get(packet, PACKET_ROWS)
    market = -1
    if form == COINBASE and in_snapshot:
        market = find_instrument(instruments, load_i32(start, SNAPSHOT_INSTRUMENT))
    at = start + PACKET_HEADER
    for number in range(get(packet, PACKET_ROWS) + get(packet, PACKET_SKIPPED)):
        row = rows + 8 * width * index if index < end else 0
        if row != 0 and get(row, ROW_OFFSET) != at - origin:
            row = 0
        begin_message(hand, sequence if in_snapshot else sequence + number)
        if number < already:
            add_ignored(hand, False)
        elif form == COINBASE:
            _take_coinbase_message(at, row, in_snapshot, market, channel, state, instruments, hand)
        elif row != 0:
            take_starbase(row, in_snapshot, channel, get(state, 0), get(state, 1), instruments, hand)
        else:
            add_ignored(hand, load_u16(at, 6) & _ENDS != 0 and not in_snapshot)
        index += 1 if row != 0 else 0
        at += load_u16(at, 0)


@part
def _place(packet: int, channels: int, markets: int, instruments: int, hand: int) -> int:
    """Place a packet in its channel's sequence, telling the books what is missing.

    Gives how many of its first messages are to be passed over, -1 if it is not to be read at all.
    """
    already = 0
    channel, sequence = get(packet, PACKET_CHANNEL), get(packet, PACKET_SEQUENCE)
    count = get(packet, PACKET_ROWS) + get(packet, PACKET_SKIPPED)
    if sequence < 0:
        add_rejected(hand, _MALFORMED, False)
        return -1
    if get(packet, PACKET_FLAGS) & _SNAPSHOT != 0:
        order = take_snapshot_sequence(channels, channel, sequence, count)
        if order == GAP:
            lose_snapshots(hand, markets, instruments, channel)
    else:
        order, already = take_sequence(channels, channel, sequence, count, 0, count == 0)
        if order == GAP:
            begin_message(hand, sequence)
            lose_channel(hand, markets, instruments, channel)
    if order == CROWDED:
        add_rejected(hand, _TOO_LONG, False)
    return -1 if order == CROWDED or order == DUPLICATE else already


@entry(
    "int64(int64, uint8[::1], int64[::1], int64[::1], int64[:, ::1], int64[:, ::1], int64[::1], int64[::1], "
    "int64[::1], int64[::1], int64[::1], int64[:, ::1], int64, int64, int64, int64)"
)
def take_order_packets(
    form: int,
    buffer: Bytes,
    bounds: Words,
    times: Words,
    packets: Rows,
    rows: Rows,
    instruments: Words,
    markets: Words,
    channels: Words,
    state: Words,
    hand: Words,
    order_rows: Rows,
    first: int,
    count: int,
    first_line: int,
    decode_cycles: int,
) -> int:
    """Turn decoded packets into rows until the batch is full; gives the index of the first packet that is left.

    Parameters
    ----------
    form: STARBASE or COINBASE.
    buffer, bounds, times: the payloads and their receive times. packets, rows: as the format's decoder filled them.
    instruments: of ``instrument_table``. markets: of ``new_market_words``. channels: of ``new_channels``.
    state: int64[2], scratch. hand: int64[HAND_WORDS], scratch; ``hand[1]`` is the number of rows written.
    order_rows: an ``OrderBatch``'s rows, written from the first on.
    first, count: packets to take. first_line: the number in the capture of packet 0.
    decode_cycles: what decoding took per packet, charged to its first row.
    """
    at_hand = aim_rows(hand, order_rows)
    state[0], state[1] = address_of(markets), address_of(channels)
    table, origin = address_of(instruments), address_of(buffer)
    for index in range(first, count):
        begin = cycle_counter()
        packet = address_of(packets) + 8 * PACKET_WIDTH * index
        messages = get(packet, PACKET_ROWS) + get(packet, PACKET_SKIPPED)
        used = rows_used(at_hand)
        begin_packet(at_hand, times[index], first_line + index, get(packet, PACKET_CHANNEL))
        begin_message(at_hand, get(packet, PACKET_SEQUENCE))
        if not has_rows(at_hand, ROWS_PER_MESSAGE * messages + instrument_count(table) + 1):
            if used > 0:
                return index
            add_rejected(at_hand, _TOO_LONG, False)
        elif get(packet, PACKET_REASON) != _OK:
            add_rejected(at_hand, _MALFORMED, False)
        else:
            already = _place(packet, address_of(channels), address_of(markets), table, at_hand)
            _take_messages(
                form,
                already,
                origin + bounds[index],
                origin,
                packet,
                address_of(rows),
                rows.shape[1],
                address_of(state),
                table,
                at_hand,
            )
        if rows_used(at_hand) > used:
            put(address_of(order_rows) + 8 * ORDER_WIDTH * used, CYCLES, decode_cycles + cycle_counter() - begin)
    return count
