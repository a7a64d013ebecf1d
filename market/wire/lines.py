"""Recorded lines, ``<receive time in ns> <message>``, and the rows that a decoder writes for them.

Whoever receives a connection may write that it broke between the messages, as a message of its own: a gap mark,
``{"tickwire":"gap"}`` for all markets of the source or ``{"tickwire":"gap","symbol":"BTCUSDT"}`` for one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from market.native.kernel import BYTES, inline, shared
from market.native.memory import address_of, cycle_counter, get, load_i64, load_u8, put, trailing_zeros
from market.native.vectors import BLOCK, newlines
from market.wire.markets import MAXIMUM_SYMBOL, SEQUENCE, find_market, market_count, note_hole
from market.wire.records import (
    CHECKSUM,
    CURSOR_LINE,
    CURSOR_POSITION,
    CURSOR_RECORDS,
    CYCLES,
    EVENT_NS,
    FIRST_ID,
    GAP,
    KIND,
    LAST_ID,
    LINE,
    MARKET,
    PREVIOUS_ID,
    REASON,
    RECEIVE_NS,
    REJECTED,
    SHAPE,
    WIDTH,
    Reject,
    Rows,
    Words,
)
from market.wire.text import OK, SPACE, packed, read_integer

NEWLINE: Final = 10
CARRIAGE_RETURN: Final = 13
BAD_TIME: Final = int(Reject.BAD_TIME)
FUTURE_TIME: Final = int(Reject.FUTURE_TIME)
_SHORTEST_TIME: Final = 1_000_000_000

_MARK: Final = '{"tickwire":"gap"'
_MARK_LOW, _MARK_HIGH = packed(_MARK[:16])
_MARK_LENGTH: Final = len(_MARK) + 1
_SYMBOL: Final = len(_MARK) + len(',"symbol":"')
_BEHIND_SYMBOL: Final = len('"}')
MALFORMED: Final = int(Reject.MALFORMED)
UNKNOWN_SYMBOL: Final = int(Reject.UNKNOWN_SYMBOL)
TOO_LONG: Final = int(Reject.TOO_LONG)

DECODE_LINES: Final = (
    f"int64({BYTES}, int64, int64[::1], int64[:, ::1], int64[:, ::1], int64[:, ::1], int64[::1], int64)"
)
"""Signature of every venue's ``decode_lines`` entry."""
DecodeLines = Callable[[bytes, int, Words, Rows, Rows, Rows, Words, int], int]
"""How Python calls one."""


class Decoder(Protocol):
    """A venue's kernel for one message.

    Reads the text from ``at`` to ``end``, where a byte below 32 must stand, and writes its records: at least one.
    Returns False, and writes nothing, when they or their levels need a batch that is emptied first. ``records``,
    ``bids``, ``asks`` and ``cursor`` are addresses of a ``Batch``'s arrays, ``room`` is the length of bids and of asks.
    """

    def __call__(
        self, at: int, end: int, receive_ns: int, table: int, records: int, bids: int, asks: int, room: int, cursor: int
    ) -> bool: ...


@inline
def end_of_line(at: int, end: int) -> int:
    """Address of the newline that ends the line, or ``end`` when there is none."""
    while at + BLOCK <= end:
        found = newlines(at)
        if found != 0:
            return at + trailing_zeros(found)
        at += BLOCK
    while at < end and load_u8(at, 0) != NEWLINE:
        at += 1
    return at


@inline
def read_receive_time(at: int) -> tuple[int, int, int]:
    """The receive time of a line: (ns, address of the message, reject code)."""
    time_ns, at, reason = read_integer(at)
    if reason != OK or time_ns < _SHORTEST_TIME or load_u8(at, 0) != SPACE:
        return 0, at, BAD_TIME
    return time_ns, at + 1, OK


@inline
def lies_in_the_future(time_ns: int, next_line: int, end: int, maximum_jump_ns: int) -> bool:
    """Whether the line after this one is stamped earlier by more than the jump: this stamp is then wrong."""
    if next_line >= end:
        return False
    next_ns, _, reason = read_receive_time(next_line)
    return reason == OK and time_ns - next_ns > maximum_jump_ns


@inline
def open_record(records: int, cursor: int, receive_ns: int) -> int:
    """Address of the next free record, with its common columns reset."""
    row = records + 8 * WIDTH * get(cursor, CURSOR_RECORDS)
    put(row, KIND, REJECTED)
    put(row, RECEIVE_NS, receive_ns)
    put(row, EVENT_NS, 0)
    put(row, MARKET, -1)
    put(row, FIRST_ID, -1)
    put(row, LAST_ID, -1)
    put(row, PREVIOUS_ID, -1)
    put(row, REASON, OK)
    put(row, LINE, get(cursor, CURSOR_LINE))
    put(row, CYCLES, 0)
    put(row, CHECKSUM, -1)
    put(row, SHAPE, 0)
    return row


@inline
def close_record(cursor: int, row: int, kind: int, reason: int) -> None:
    """Count the record in, as what it is or as refused."""
    put(row, KIND, kind if reason == OK else REJECTED)
    put(row, REASON, reason)
    put(cursor, CURSOR_RECORDS, get(cursor, CURSOR_RECORDS) + 1)


def gap_mark(symbol: str = "") -> bytes:
    """The message that says that a connection broke: for one market of the source, or for all."""
    return f'{_MARK},"symbol":"{symbol}"}}'.encode() if symbol else f"{_MARK}}}".encode()


@inline
def is_mark(at: int, end: int) -> bool:
    """Whether a message is a gap mark."""
    return end - at >= _MARK_LENGTH and load_i64(at, 0) == _MARK_LOW and load_i64(at, 8) == _MARK_HIGH


@inline
def _add_gap(records: int, cursor: int, receive_ns: int, market: int) -> None:
    row = open_record(records, cursor, receive_ns)
    put(row, MARKET, market)
    close_record(cursor, row, GAP, OK)


@shared
def take_mark(at: int, end: int, receive_ns: int, table: int, records: int, capacity: int, cursor: int) -> bool:
    """Write the GAP records of a mark; as ``Decoder``. A mark that is none, or of an unknown market, is refused."""
    room = capacity - get(cursor, CURSOR_RECORDS)
    if end - at == _MARK_LENGTH:
        if market_count(table) > room:
            if get(cursor, CURSOR_RECORDS) > 0:
                return False
            close_record(cursor, open_record(records, cursor, receive_ns), REJECTED, TOO_LONG)
            return True
        put(table, SEQUENCE, -1)
        for market in range(market_count(table)):
            _add_gap(records, cursor, receive_ns, market)
        return True
    length = end - at - _SYMBOL - _BEHIND_SYMBOL
    if length < 1:
        close_record(cursor, open_record(records, cursor, receive_ns), REJECTED, MALFORMED)
        return True
    market = find_market(table, at + _SYMBOL, length) if length <= MAXIMUM_SYMBOL else -1
    if market < 0:
        close_record(cursor, open_record(records, cursor, receive_ns), REJECTED, UNKNOWN_SYMBOL)
    else:
        _add_gap(records, cursor, receive_ns, market)
    return True


@inline
def decode_each_line(
    decode_message: Decoder,
    block: bytes,
    maximum_jump_ns: int,
    markets: Words,
    records: Rows,
    bids: Rows,
    asks: Rows,
    cursor: Words,
    lag_ns: int,
) -> int:
    """Decode recorded lines from the cursor's position on, until the block ends or the batch is full.

    Parameters
    ----------
    decode_message: the venue's ``Decoder``.
    block: whole lines ``<receive ns> <message>``, each ending in a newline.
    maximum_jump_ns: a stamp that far ahead of the next line's is refused as FUTURE_TIME.
    markets: of ``market_table``.
    records, bids, asks, cursor: arrays of a ``Batch``; bids and asks have equal length.
    lag_ns: added to every receive time.

    Returns the number of records in the batch.
    """
    base = address_of(block)
    end = base + len(block)
    at = base + cursor[CURSOR_POSITION]
    state = address_of(cursor)
    rows = address_of(records)
    room = len(bids)
    start = cycle_counter()
    while at < end and get(state, CURSOR_RECORDS) < len(records):
        line_end = end_of_line(at, end)
        text_end = line_end - 1 if line_end > at and load_u8(line_end, -1) == CARRIAGE_RETURN else line_end
        receive_ns, message, reason = read_receive_time(at)
        if reason == OK and lies_in_the_future(receive_ns, line_end + 1, end, maximum_jump_ns):
            reason = FUTURE_TIME
        first = get(state, CURSOR_RECORDS)
        if reason != OK:
            note_hole(address_of(markets))
            close_record(state, open_record(rows, state, receive_ns), REJECTED, reason)
        elif is_mark(message, text_end):
            stamp_ns = receive_ns + lag_ns
            if not take_mark(message, text_end, stamp_ns, address_of(markets), rows, len(records), state):
                break
        elif not decode_message(
            message,
            text_end,
            receive_ns + lag_ns,
            address_of(markets),
            rows,
            address_of(bids),
            address_of(asks),
            room,
            state,
        ):
            break
        put(state, CURSOR_LINE, get(state, CURSOR_LINE) + 1)
        at = line_end + 1
        now = cycle_counter()
        put(rows + 8 * WIDTH * first, CYCLES, now - start)
        start = now
    put(state, CURSOR_POSITION, at - base)
    return get(state, CURSOR_RECORDS)
