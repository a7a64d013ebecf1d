"""The state of one engine: one flat int64 array that every kernel reads from its base address.

The array begins with a header of single words; the header holds the byte offsets of the tables
behind it, so that a copy of the array is a copy of the engine. Slots are in 8-byte words and are
relative to what they belong to: the header, a venue row, an instrument, a quote, a basis, a channel.
An address is the address of such a thing in memory. All words are zero at reset but the sizes, the
offsets and the CRC table.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from market.errors import Fatal
from market.fastpath.parity import CRC_TABLE_WORDS, crc_table
from market.fastpath.specification import SCALING_SHIFT_LIMIT, SET_ORDERS, EngineSizes
from market.native.kernel import inline
from market.native.memory import get, put

WORD: Final = 8
CACHE_LINE_WORDS: Final = 8

# Header: sizes and places, never changed
VENUES: Final = 0
INSTRUMENTS: Final = 1
CHANNELS: Final = 2
TOP: Final = 3
"""The largest price or quantity; then divided by 10, by 100 and by 1,000."""
VENUE_ROWS: Final = 8
INSTRUMENT_ROWS: Final = 9
INSTRUMENT_STRIDE: Final = 10
"""Bytes from one instrument to the next."""
BASIS_PAIRS: Final = 11
"""Byte offset of the basis table in an instrument."""
CHANNEL_ROWS: Final = 12
CRC_TABLE: Final = 13
OUTPUT: Final = 14
OUTPUT_CAPACITY: Final = 15
EVENT_LOG: Final = 16
EVENT_LOG_CAPACITY: Final = 17
"""Bytes for the event log; 0: no log is kept."""

# Header: what changes with every step
TIME: Final = 24
STEP: Final = 25
NEXT_STATUS: Final = 26
STATUS_COUNT: Final = 27
STATUS_REQUESTED: Final = 28
OUTPUT_USED: Final = 29
EVENT_LOG_USED: Final = 30

# Header: what the gate and the control messages change
ARMED: Final = 32
"""0 while killed."""
LEASE_UNTIL: Final = 33
RATE_AT: Final = 34
RATE_INTERVAL: Final = 35
RATE_TOLERANCE: Final = 36
LEASE: Final = 37
LAST_ID: Final = 38
EPOCH: Final = 39
PARITY: Final = 40
CONTROL_LAST: Final = 41
"""Sequence number of the last control message that was applied or refused."""
CHANNELS_IN_USE: Final = 42
"""Highest channel row that was ever written, plus one."""

COUNTERS: Final = 48
FRAME_COUNTERS: Final = 80
INPUT: Final = 96
"""A place for the words of one event, filled before the call."""

# Header: sizes and places of lines and books, never changed, then how many rows were ever written
LINES: Final = 106
LINE_ROWS: Final = 107
BOOKS: Final = 108
BOOK_ROWS: Final = 109
ORDER_BOOKS: Final = 110
BOOK_MEMORY: Final = 111
BOOK_STRIDE: Final = 112
"""Bytes from the memory of one order book to the next."""
BOOK_TICKS: Final = 113
BOOK_BITS: Final = 114
"""Byte offset of the occupancy bits in a book's memory; then of the orders."""
BOOK_ORDERS: Final = 115
ORDER_SETS: Final = 116
"""Sets of orders in each of the two tables of a book."""
LINES_IN_USE: Final = 117
BOOKS_IN_USE: Final = 118
HEADER_WORDS: Final = 120


class Counter(IntEnum):
    """The counters of a status message, in its order."""

    QUOTE_EVENTS = 0
    TRADE_EVENTS = 1
    TIME_BACKWARDS = 2
    QUANTITY_CUT = 3
    REJECT_UNKNOWN = 4
    REJECT_OLD_SEQUENCE = 5
    REJECT_EXPONENT = 6
    REJECT_EMPTY = 7
    REJECT_RANGE = 8
    REJECT_CROSSED = 9
    CANDIDATE_ARB = 10
    CANDIDATE_BASIS = 11
    CANDIDATE_IMBALANCE = 12
    GATE_KILL = 13
    GATE_LEASE = 14
    GATE_INSTRUMENT = 15
    GATE_COOLDOWN = 16
    GATE_COLLAR = 17
    GATE_POSITION = 18
    GATE_RATE = 19
    TRIGGER_ARB = 20
    TRIGGER_BASIS = 21
    TRIGGER_IMBALANCE = 22
    CONTROL_APPLIED = 23
    CONTROL_REFUSED = 24


class FrameCounter(IntEnum):
    """The counters of a frame counters message, in its order."""

    FRAMES = 0
    BAD_FCS = 1
    NOT_OURS = 2
    BAD_IP = 3
    BAD_UDP = 4
    DUPLICATE = 5
    BAD_MESSAGE = 6
    MESSAGES = 7
    SKIPPED_MESSAGES = 8
    GAPS = 9
    HEARTBEATS = 10


COUNTER_COUNT: Final = len(Counter)
FRAME_COUNTER_COUNT: Final = len(FrameCounter)
QUOTE_EVENTS: Final = COUNTERS + int(Counter.QUOTE_EVENTS)
TRADE_EVENTS: Final = COUNTERS + int(Counter.TRADE_EVENTS)
TIME_BACKWARDS: Final = COUNTERS + int(Counter.TIME_BACKWARDS)
QUANTITY_CUT: Final = COUNTERS + int(Counter.QUANTITY_CUT)
REJECTS: Final = COUNTERS + int(Counter.REJECT_UNKNOWN)
"""First of the counters by ``RejectReason``."""
CANDIDATES: Final = COUNTERS + int(Counter.CANDIDATE_ARB) - 1
"""Plus ``Kind``: candidates of that kind."""
GATES: Final = COUNTERS + int(Counter.GATE_KILL)
"""First of the counters by ``GateReason``."""
TRIGGERS: Final = COUNTERS + int(Counter.TRIGGER_ARB) - 1
"""Plus ``Kind``: triggers of that kind."""
CONTROL_APPLIED: Final = COUNTERS + int(Counter.CONTROL_APPLIED)
CONTROL_REFUSED: Final = COUNTERS + int(Counter.CONTROL_REFUSED)
FRAMES: Final = FRAME_COUNTERS + int(FrameCounter.FRAMES)
DROPS: Final = FRAME_COUNTERS + int(FrameCounter.BAD_FCS)
"""First of the counters by ``DropReason``."""
MESSAGES: Final = FRAME_COUNTERS + int(FrameCounter.MESSAGES)
SKIPPED_MESSAGES: Final = FRAME_COUNTERS + int(FrameCounter.SKIPPED_MESSAGES)
GAPS: Final = FRAME_COUNTERS + int(FrameCounter.GAPS)
HEARTBEATS: Final = FRAME_COUNTERS + int(FrameCounter.HEARTBEATS)

# Venue row
VENUE_WORDS: Final = 8
VENUE_ENABLED: Final = 0
FEE: Final = 1
MAXIMUM_AGE: Final = 2
MAXIMUM_SILENCE: Final = 3
SEEN: Final = 4

# Instrument: its row, cooldown and volumes; behind them one quote per venue, then the basis table
INSTRUMENT_WORDS: Final = 24
INSTRUMENT_ENABLED: Final = 0
KINDS: Final = 1
MINIMUM_EDGE: Final = 2
BASIS_THRESHOLD: Final = 3
BASIS_SHIFT: Final = 4
BASIS_INTERVAL: Final = 5
BASIS_WARM_UP: Final = 6
IMBALANCE_THRESHOLD: Final = 7
MAXIMUM_SPREAD: Final = 8
MINIMUM_QUANTITY: Final = 9
MAXIMUM_QUANTITY: Final = 10
PRICE_LOW: Final = 11
PRICE_HIGH: Final = 12
COOLDOWN: Final = 13
POSITION_LIMIT: Final = 14
COOLDOWN_UNTIL: Final = 15
BUY_VOLUME: Final = 16
SELL_VOLUME: Final = 17
TRADE_COUNT: Final = 18
QUOTES: Final = INSTRUMENT_WORDS * WORD
"""Byte offset of the quotes in an instrument."""

# Quote of a venue: what it shows, its bits, its scaling, its position
QUOTE_WORDS: Final = 32
QUOTE_STRIDE: Final = QUOTE_WORDS * WORD
BID: Final = 0
ASK: Final = 1
BID_QUANTITY: Final = 2
ASK_QUANTITY: Final = 3
QUOTE_TIME: Final = 4
VALID: Final = 5
SEQUENCE: Final = 6
SEQUENCE_KNOWN: Final = 7
ARB_SELL: Final = 8
"""Venues w whose ARB bit (seller this venue, buyer w) is on."""
ARB_BUY: Final = 9
"""Venues w whose ARB bit (seller w, buyer this venue) is on."""
BASIS_SELL: Final = 10
BASIS_BUY: Final = 11
IMBALANCE_ON: Final = 12
"""Bit 0: the buy bit; bit 1: the sell bit."""
LEADS: Final = 13
"""Venues w with lead[this][w]."""
LED_BY: Final = 14
"""Venues w with lead[w][this]."""
POSITION: Final = 15
PENDING_BUY: Final = 16
PENDING_SELL: Final = 17
SCALED: Final = 18
"""1 when the pair has a scaling row."""
PRICE_EXPONENT: Final = 19
QUANTITY_EXPONENT: Final = 20
PRICE_FACTOR: Final = 21
PRICE_TOP: Final = 22
QUANTITY_FACTOR: Final = 23
QUANTITY_TOP: Final = 24

# Basis of a pair of venues (a, b), a < b, at a * venues + b
BASIS_WORDS: Final = 4
BASIS: Final = 0
SAMPLES: Final = 1
SAMPLE_TIME: Final = 2

# Channel row
CHANNEL_WORDS: Final = 8
CHANNEL_KEY: Final = 0
"""Destination address << 16 | port, or ``NO_KEY`` while the row is disabled; unset in rows never in use."""
CHANNEL_VENUE: Final = 1
CHANNEL_INSTRUMENT: Final = 2
CHANNEL_FEED: Final = 3
NO_KEY: Final = -1

# Line: a channel of a feed, and where its sequence stands
LINE_WORDS: Final = 8
LINE_ENABLED: Final = 0
LINE_VENUE: Final = 1
LINE_FEED: Final = 2
LINE_CHANNEL: Final = 3
LINE_KNOWN: Final = 4
"""1 when there is an expected number."""
LINE_EXPECTED: Final = 5
LINE_PENDING: Final = 6
"""Book rows that may have another top than their last event said."""

# Book row: which instrument a wire instrument is, and where its book stands
BOOK_WORDS: Final = 24
BOOK_ENABLED: Final = 0
BOOK_LINE: Final = 1
BOOK_WIRE: Final = 2
BOOK_INSTRUMENT: Final = 3
BOOK_TICK: Final = 4
BOOK_PRICE_EXPONENT: Final = 5
BOOK_QUANTITY_EXPONENT: Final = 6
BOOK_STATE: Final = 7
BOOK_PASSED: Final = 8
"""Of a loading book: the last message that may concern it and that it did not take."""
BOOK_BASE: Final = 9
BOOK_SPAN: Final = 10
"""Height of the window: ticks times tick."""
BOOK_SENT: Final = 11
"""1 when an event was made since the book became ready; then what it said: price and quantity of bid and ask."""
SENT_BID: Final = 12
SENT_BID_QUANTITY: Final = 13
SENT_ASK: Final = 14
SENT_ASK_QUANTITY: Final = 15
UNLOADED: Final = 0
LOADING: Final = 1
LIVE: Final = 2

# Memory of an order book: totals by level (side x ticks + index), bits of levels in use, orders
BITS_PER_WORD: Final = 64
SUMMARY_WORDS: Final = 2
"""Per side one word whose bits say which words of occupancy bits are not 0; before those words."""
ORDER_WORDS: Final = 4
ORDER_ID: Final = 0
ORDER_LEVEL: Final = 1
"""Level + 1; 0 where there is no order."""
ORDER_QUANTITY: Final = 2


@inline
def bump(base: int, slot: int) -> None:
    """Add one to a counter word; wraps at 2^64."""
    put(base, slot, get(base, slot) + 1)


@inline
def venue_row(engine: int, venue: int) -> int:
    """Address of a venue's row."""
    return engine + get(engine, VENUE_ROWS) + venue * (VENUE_WORDS * WORD)


@inline
def instrument_row(engine: int, instrument: int) -> int:
    """Address of an instrument."""
    return engine + get(engine, INSTRUMENT_ROWS) + instrument * get(engine, INSTRUMENT_STRIDE)


@inline
def quote_of(row: int, venue: int) -> int:
    """Address of a venue's quote in the instrument at ``row``."""
    return row + QUOTES + venue * QUOTE_STRIDE


@inline
def basis_of(engine: int, row: int, first: int, second: int) -> int:
    """Address of the basis of two venues, given in any order, in the instrument at ``row``."""
    low, high = (first, second) if first < second else (second, first)
    return row + get(engine, BASIS_PAIRS) + (low * get(engine, VENUES) + high) * (BASIS_WORDS * WORD)


@inline
def channel_row(engine: int, channel: int) -> int:
    """Address of a channel's row."""
    return engine + get(engine, CHANNEL_ROWS) + channel * (CHANNEL_WORDS * WORD)


@inline
def line_row(engine: int, line: int) -> int:
    """Address of a line."""
    return engine + get(engine, LINE_ROWS) + line * (LINE_WORDS * WORD)


@inline
def book_row(engine: int, book: int) -> int:
    """Address of a book row."""
    return engine + get(engine, BOOK_ROWS) + book * (BOOK_WORDS * WORD)


@inline
def book_memory(engine: int, book: int) -> int:
    """Address of the memory of an order book."""
    return engine + get(engine, BOOK_MEMORY) + book * get(engine, BOOK_STRIDE)


def new_state(sizes: EngineSizes, output_bytes: int, event_log_bytes: int) -> NDArray[np.int64]:
    """A reset engine: ``int64[words]``, contiguous.

    Parameters
    ----------
    sizes: sizes of the build.
    output_bytes: room for outputs between two drains; a multiple of 8.
    event_log_bytes: room for the event log between two drains; a multiple of 8, 0 for none.

    Raises ``Fatal`` when an area's size is not a multiple of 8.
    """
    if output_bytes % WORD or event_log_bytes % WORD:
        raise Fatal(f"area sizes are {output_bytes} and {event_log_bytes} bytes; expected multiples of {WORD}")
    basis_pairs = INSTRUMENT_WORDS + sizes.venues * QUOTE_WORDS
    stride = _whole_lines(basis_pairs + sizes.venues**2 * BASIS_WORDS)
    bits = 2 * sizes.book_ticks
    orders = bits + SUMMARY_WORDS + 2 * (sizes.book_ticks // BITS_PER_WORD)
    book_words = _whole_lines(orders + sizes.book_orders * ORDER_WORDS)
    parts = (
        (VENUE_ROWS, sizes.venues * VENUE_WORDS),
        (INSTRUMENT_ROWS, sizes.instruments * stride),
        (CHANNEL_ROWS, sizes.channels * CHANNEL_WORDS),
        (CRC_TABLE, CRC_TABLE_WORDS),
        (OUTPUT, output_bytes // WORD),
        (EVENT_LOG, event_log_bytes // WORD),
        (LINE_ROWS, sizes.lines * LINE_WORDS),
        (BOOK_ROWS, sizes.books * BOOK_WORDS),
        (BOOK_MEMORY, sizes.order_books * book_words),
    )
    words = HEADER_WORDS + sum(_whole_lines(size) for _, size in parts)
    state = np.zeros(words, dtype=np.int64)
    at = HEADER_WORDS
    for slot, size in parts:
        state[slot] = at * WORD
        at += _whole_lines(size)
    state[[VENUES, INSTRUMENTS, CHANNELS]] = sizes.venues, sizes.instruments, sizes.channels
    state[TOP : TOP + SCALING_SHIFT_LIMIT + 1] = [sizes.top // 10**k for k in range(SCALING_SHIFT_LIMIT + 1)]
    state[[INSTRUMENT_STRIDE, BASIS_PAIRS]] = stride * WORD, basis_pairs * WORD
    state[[OUTPUT_CAPACITY, EVENT_LOG_CAPACITY]] = output_bytes, event_log_bytes
    state[[LINES, BOOKS, ORDER_BOOKS]] = sizes.lines, sizes.books, sizes.order_books
    state[[BOOK_STRIDE, BOOK_TICKS]] = book_words * WORD, sizes.book_ticks
    state[[BOOK_BITS, BOOK_ORDERS]] = bits * WORD, orders * WORD
    state[ORDER_SETS] = sizes.book_orders // (2 * SET_ORDERS)
    table = state[CRC_TABLE] // WORD
    state[table : table + CRC_TABLE_WORDS] = crc_table()
    return state


def _whole_lines(words: int) -> int:
    return -(-words // CACHE_LINE_WORDS) * CACHE_LINE_WORDS
