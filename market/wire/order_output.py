"""What the bridges of order-by-order formats share: writing rows, exact numbers, and which channel a market hears."""

from __future__ import annotations

from typing import Final

import numpy as np

from market.native.kernel import inline, part
from market.native.memory import address_of, get, put
from market.wire.channels import complete_since
from market.wire.instruments import WIRE_EXPONENT, instrument_count, instrument_row
from market.wire.markets import PRICE_DECIMALS, QUANTITY_DECIMALS
from market.wire.order_records import (
    CHANNEL,
    ENDS,
    EVENT_NS,
    GAP,
    IGNORED,
    KIND,
    LINE,
    MARKET,
    ORDER_WIDTH,
    REASON,
    RECEIVE_NS,
    REJECTED,
    SEQUENCE,
    SINCE,
    SNAPSHOT_END,
    SNAPSHOT_LOST,
)
from market.wire.records import Reject, Rows, Words

OK: Final = int(Reject.NONE)
_NEGATIVE: Final = int(Reject.NEGATIVE)
_PRECISION: Final = int(Reject.PRECISION)
_OVERFLOW: Final = int(Reject.OVERFLOW)
_LARGEST: Final = 10**18 - 1
_LARGEST_DIGITS: Final = 18
PRICE_DIGITS: Final = 9
"""Prices on the wire are mantissas x 1e-9."""

# Words of a packet in hand, which every row is written from.
_ROWS_ADDRESS: Final = 0
_USED: Final = 1
_ROOM: Final = 2
_TIME: Final = 3
_LINE: Final = 4
_CHANNEL: Final = 5
_SEQUENCE: Final = 6
HAND_WORDS: Final = 8

# Words of a market: what its bridge remembers of it.
_INCREMENTAL: Final = 0
"""Channel of its updates + 1, 0 before the first."""
_SNAPSHOTS: Final = 1
"""Channel of its snapshots + 1, 0 before the first."""
NEXT_OF_INSTRUMENT: Final = 2
"""Number in its instrument's own sequence that comes next, -1 before the first."""
TRADING_DAY: Final = 3
MARKET_WORDS: Final = 4


def new_market_words(count: int) -> Words:
    """What a bridge remembers of its markets, at the start."""
    words = np.zeros((max(1, count), MARKET_WORDS), dtype=np.int64)
    words[:, NEXT_OF_INSTRUMENT] = -1
    return words.reshape(-1)


@inline
def aim_rows(hand: Words, rows: Rows) -> int:
    """Prepare an empty batch of rows; gives the address that the other functions take as ``hand``."""
    address = address_of(hand)
    put(address, _ROWS_ADDRESS, address_of(rows))
    put(address, _USED, 0)
    put(address, _ROOM, rows.shape[0])
    return address


@inline
def begin_packet(hand: int, time_ns: int, line: int, channel: int) -> None:
    """What all rows of a packet have in common."""
    put(hand, _TIME, time_ns)
    put(hand, _LINE, line)
    put(hand, _CHANNEL, channel)


@inline
def begin_message(hand: int, sequence: int) -> None:
    """The number that the next rows carry."""
    put(hand, _SEQUENCE, sequence)


@inline
def has_rows(hand: int, rows: int) -> bool:
    """Whether so many more rows fit."""
    return get(hand, _USED) + rows <= get(hand, _ROOM)


@inline
def rows_used(hand: int) -> int:
    """Rows in the batch."""
    return get(hand, _USED)


@part
def add_row(hand: int, kind: int, market: int) -> int:
    """The next row, of the current message, with every other column 0; there must be room."""
    used = get(hand, _USED)
    row = get(hand, _ROWS_ADDRESS) + 8 * ORDER_WIDTH * used
    put(hand, _USED, used + 1)
    for column in range(ORDER_WIDTH):
        put(row, column, 0)
    put(row, KIND, kind)
    put(row, MARKET, market)
    put(row, RECEIVE_NS, get(hand, _TIME))
    put(row, LINE, get(hand, _LINE))
    put(row, CHANNEL, get(hand, _CHANNEL))
    put(row, SEQUENCE, get(hand, _SEQUENCE))
    return row


@inline
def add_event(hand: int, kind: int, market: int, event_ns: int, ends: bool) -> int:
    """As ``add_row``, of a message with a time and a place in its transaction."""
    row = add_row(hand, kind, market)
    put(row, EVENT_NS, event_ns)
    put(row, ENDS, 1 if ends else 0)
    return row


@inline
def add_ignored(hand: int, ends: bool) -> None:
    """A row for a message that changes no book."""
    put(add_row(hand, IGNORED, -1), ENDS, 1 if ends else 0)


@inline
def add_rejected(hand: int, reason: int, ends: bool) -> None:
    """A row for what was refused."""
    row = add_row(hand, REJECTED, -1)
    put(row, REASON, reason)
    put(row, ENDS, 1 if ends else 0)


@part
def refuse(hand: int, market: int, reason: int, in_snapshot: bool, ends: bool) -> None:
    """A message of a book was refused: the book, or its snapshot, is not known any more."""
    add_row(hand, SNAPSHOT_LOST if in_snapshot else GAP, market)
    add_rejected(hand, reason, ends)


@inline
def market_words(markets: int, market: int) -> int:
    """Address of what is remembered of a market."""
    return markets + 8 * MARKET_WORDS * market


@inline
def hear_update(markets: int, market: int, channel: int) -> None:
    """A market's updates come on this channel."""
    put(market_words(markets, market), _INCREMENTAL, channel + 1)


@inline
def hear_snapshot(markets: int, market: int, channel: int) -> None:
    """A market's snapshots come on this channel."""
    put(market_words(markets, market), _SNAPSHOTS, channel + 1)


@inline
def add_snapshot_end(hand: int, markets: int, market: int, channels: int) -> int:
    """The end of a market's snapshot, and since when the channel of its updates has been complete."""
    words = market_words(markets, market)
    heard = get(words, _INCREMENTAL) if get(words, _INCREMENTAL) != 0 else get(words, _SNAPSHOTS)
    row = add_row(hand, SNAPSHOT_END, market)
    put(row, SINCE, complete_since(channels, heard - 1) if heard != 0 else -1)
    return row


@part
def lose_channel(hand: int, markets: int, instruments: int, channel: int) -> None:
    """Messages of a channel are missing in front of the current one: its markets' books are not known any more."""
    for market in range(instrument_count(instruments)):
        words = market_words(markets, market)
        heard = get(words, _INCREMENTAL) if get(words, _INCREMENTAL) != 0 else get(words, _SNAPSHOTS)
        if heard == channel + 1:
            row = add_row(hand, GAP, market)
            put(row, SEQUENCE, get(hand, _SEQUENCE) - 1)
            put(words, NEXT_OF_INSTRUMENT, -1)


@part
def lose_snapshots(hand: int, markets: int, instruments: int, channel: int) -> None:
    """Packets of a channel's snapshots may be missing."""
    for market in range(instrument_count(instruments)):
        if get(market_words(markets, market), _SNAPSHOTS) == channel + 1:
            add_row(hand, SNAPSHOT_LOST, market)


@part
def _rescaled(mantissa: int, digits: int) -> tuple[int, int]:
    """``mantissa x 10^digits`` exactly, and a reject code."""
    if mantissa < 0:
        return 0, _NEGATIVE
    power = 1
    for _ in range(min(abs(digits), _LARGEST_DIGITS)):
        power *= 10
    if digits >= 0:
        if mantissa > _LARGEST // power:
            return 0, _OVERFLOW
        return mantissa * power, OK
    if mantissa % power != 0:
        return 0, _PRECISION
    return mantissa // power, OK


@inline
def ticks_of(instruments: int, market: int, mantissa: int) -> tuple[int, int]:
    """A price mantissa in ticks, and a reject code; a price of 0 is refused as NEGATIVE."""
    ticks, reason = _rescaled(mantissa, get(instrument_row(instruments, market), PRICE_DECIMALS) - PRICE_DIGITS)
    if reason == OK and ticks == 0:
        return 0, _NEGATIVE
    return ticks, reason


@inline
def units_of(instruments: int, market: int, mantissa: int) -> tuple[int, int]:
    """A quantity mantissa in the venue's unit as the book counts it, and a reject code."""
    row = instrument_row(instruments, market)
    return _rescaled(mantissa, get(row, QUANTITY_DECIMALS) + get(row, WIRE_EXPONENT))
