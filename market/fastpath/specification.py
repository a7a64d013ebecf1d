"""Numbers that every build of the fast loop shares: enums, limits and the sizes of a build."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from market.errors import Fatal

FEE_FRACTION_BITS: Final = 20
"""Fees are signed counts of 2^-20."""
FEE_LIMIT: Final = 1 << 16
"""A fee lies strictly between -2^16 and 2^16 (6.25 %)."""
IMBALANCE_FRACTION_BITS: Final = 15
"""Imbalance is a signed count of 2^-15."""
IMBALANCE_ONE: Final = 1 << IMBALANCE_FRACTION_BITS
BASIS_FRACTION_BITS: Final = 12
"""A basis is a signed count of 2^-12 of the doubled mid price's unit."""
TIME_LIMIT_NS: Final = 1 << 62
"""Times lie in 0..2^62 - 1 ns."""
DURATION_LIMIT_NS: Final = 1 << 56
"""Durations lie in 0..2^56 - 1 ns."""
STATUS_INTERVAL_NS: Final = 10_000_000
RATE_INTERVAL_LEAST_NS: Final = 2_048
RATE_TOLERANCE_INTERVALS: Final = 62
"""The rate tolerance is at most this many rate intervals."""
BASIS_SHIFT_LIMIT: Final = 16
SAMPLES_LIMIT: Final = 65_535
SCALING_SHIFT_LIMIT: Final = 3
"""A mantissa is multiplied by at most 10^3."""
PRICE_BITS_LIMIT: Final = 48
LEAST_PRICE_BITS: Final = 10
VENUE_LIMIT: Final = 62
LINE_LIMIT: Final = 64
BOOK_LIMIT: Final = 256
ORDER_BOOK_LIMIT: Final = 16
BOOK_ORDERS_LIMIT: Final = 1 << 16
BOOK_TICKS_LEAST: Final = 64
BOOK_TICKS_LIMIT: Final = 4_096
SET_ORDERS: Final = 8
"""An order of a book has a place in one of two sets of so many."""
BOOK_EXPONENT_LEAST: Final = -9
"""Exponents of a book row lie between this and 0."""
NUMBER_LIMIT: Final = 1 << 62
"""Numbers of L3 messages lie in 0..2^62 - 1."""
NO_VENUE: Final = 255
"""Venue number of an absent leg, and of all venues in a reset."""
NO_INSTRUMENT: Final = 65_535
"""Instrument number of a channel whose messages name their instrument."""


class Kind(IntEnum):
    """Why a trigger fired; in order of preference."""

    ARB = 1
    BASIS = 2
    IMBALANCE = 3

    @property
    def mask(self) -> int:
        """The kind's bit in an instrument row's ``kinds``."""
        return 1 << (self - 1)


class Side(IntEnum):
    """Side of a leg, or of a trade's aggressor."""

    NONE = 0
    BUY = 1
    SELL = 2


class Feed(IntEnum):
    """What a channel's datagrams contain."""

    BINANCE_SBE = 1
    STARBASE = 2
    COINBASE_DERIVATIVES = 3
    DERIBIT_LEGACY = 4


class Result(IntEnum):
    """What an acknowledgement says about a control message."""

    APPLIED = 0
    REPEATED = 1
    OUT_OF_ORDER = 2
    REFUSED = 3


class Refusal(IntEnum):
    """Why a control message was refused; the first in this order that applies."""

    NONE = 0
    UNKNOWN_ROW = 1
    BAD_VALUE = 2
    QUANTITY_ORDER = 3
    NOTIONAL = 4
    WRONG_STATUS = 5
    WRONG_ID = 6
    NOT_KILLED = 7
    SETTLEMENT = 8
    BAD_MESSAGE = 9
    BOOK_STATE = 10
    WRONG_NUMBER = 11
    BOOK_ORDER = 12


class StepKind(IntEnum):
    """What a step of the event log was made of."""

    DATAGRAM = 1
    CONTROL = 2
    QUOTE = 3
    TRADE = 4


class RejectReason(IntEnum):
    """Why an event was not admitted; the first in this order that applies."""

    UNKNOWN = 0
    OLD_SEQUENCE = 1
    EXPONENT = 2
    EMPTY = 3
    RANGE = 4
    CROSSED = 5


class GateReason(IntEnum):
    """Why a candidate was suppressed; the first in this order that applies."""

    KILL = 0
    LEASE = 1
    INSTRUMENT = 2
    COOLDOWN = 3
    COLLAR = 4
    POSITION = 5
    RATE = 6


class DropReason(IntEnum):
    """Why a frame was dropped; the first in this order that applies."""

    BAD_FCS = 0
    NOT_OURS = 1
    BAD_IP = 2
    BAD_UDP = 3
    DUPLICATE = 4
    BAD_MESSAGE = 5


@dataclass(frozen=True, slots=True)
class EngineSizes:
    """Sizes that are fixed when an engine is built.

    Parameters
    ----------
    venues: 1 to 62; venue numbers are 0 to ``venues - 1``.
    instruments: 1 to 65,535.
    price_bits: width P of prices and quantities, 10 to 48: a mantissa of 1 must fit at every shift.
    channels: rows of the channel table, 1 to 65,536.
    lines: numbered channels of venues that can be followed, 1 to 64.
    books: rows of wire instruments, 1 to 256.
    order_books: how many of those rows, from the first on, have memory for orders, 1 to 16 and at most ``books``.
    book_orders: orders that each of them holds, a power of two, 16 to 65,536.
    book_ticks: prices in the window of each of them, a power of two, 64 to 4,096.

    Raises ``Fatal`` for a size outside its range.
    """

    venues: int = 4
    instruments: int = 16
    price_bits: int = 48
    channels: int = 64
    lines: int = 16
    books: int = 16
    order_books: int = 4
    book_orders: int = 2_048
    book_ticks: int = 1_024

    def __post_init__(self) -> None:
        _check("venues", self.venues, VENUE_LIMIT)
        _check("instruments", self.instruments, NO_INSTRUMENT)
        _check("price_bits", self.price_bits, PRICE_BITS_LIMIT, LEAST_PRICE_BITS)
        _check("channels", self.channels, 1 << 16)
        _check("lines", self.lines, LINE_LIMIT)
        _check("books", self.books, BOOK_LIMIT)
        _check("order_books", self.order_books, min(ORDER_BOOK_LIMIT, self.books))
        _check_power("book_orders", self.book_orders, 2 * SET_ORDERS, BOOK_ORDERS_LIMIT)
        _check_power("book_ticks", self.book_ticks, BOOK_TICKS_LEAST, BOOK_TICKS_LIMIT)

    @property
    def top(self) -> int:
        """The largest price or quantity, 2^P - 1."""
        return (1 << self.price_bits) - 1


def _check(name: str, value: int, limit: int, least: int = 1) -> None:
    if not least <= value <= limit:
        raise Fatal(f"engine size {name} is {value}; expected {least} to {limit}")


def _check_power(name: str, value: int, least: int, limit: int) -> None:
    _check(name, value, limit, least)
    if value & (value - 1):
        raise Fatal(f"engine size {name} is {value}; expected a power of two")


DEFAULT_SIZES: Final = EngineSizes()
