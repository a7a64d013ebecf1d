"""Kraken's JSON streams: WebSocket v2, and v1 as older recordings hold it.

Book and trade channels; the book carries a CRC-32 in place of numbers. Numbers may be quoted or bare; the digits that
they are written with belong to the checksum and go into the SHAPE column. v1 states the depth subscribed to in the
channel's name; in v2 the snapshot shows it, as the least depth on offer that holds the snapshot's levels. v1 trades
have no identifier (-1). Source: Kraken API center, "Book" and "Trades" of WebSocket v2 and v1.
"""

from __future__ import annotations

from market.native.kernel import entry, inline, shared
from market.native.memory import load_u8
from market.wire.kraken_arrays import read_array
from market.wire.kraken_objects import read_frame
from market.wire.lines import DECODE_LINES, decode_each_line
from market.wire.records import Rows, Words
from market.wire.staging import decode_whole
from market.wire.text import OPEN_BRACKET


@shared
def _read_message(at: int, end: int, cursor: int) -> int:
    if load_u8(at, 0) == OPEN_BRACKET:
        return read_array(at, end, cursor)
    return read_frame(at, end, cursor)


@inline
def decode_message(
    at: int, end: int, receive_ns: int, table: int, records: int, bids: int, asks: int, room: int, cursor: int
) -> bool:
    """Decode one message; see ``lines.Decoder``."""
    return decode_whole(_read_message, at, end, receive_ns, table, records, bids, asks, room, cursor)


@entry(DECODE_LINES)
def decode_lines(
    block: bytes,
    maximum_jump_ns: int,
    markets: Words,
    records: Rows,
    bids: Rows,
    asks: Rows,
    cursor: Words,
    lag_ns: int,
) -> int:
    """Decode recorded lines of Kraken JSON; parameters and result as ``lines.decode_each_line``."""
    return decode_each_line(decode_message, block, maximum_jump_ns, markets, records, bids, asks, cursor, lag_ns)
