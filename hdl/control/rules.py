"""What each control message is checked for before anything is changed: docs/fastpath.md, rules 22, 23 and 31 to 33.

Only what needs no state beyond the build's sizes. Checks are listed under the refusal that they lead to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from market.fastpath.specification import (
    BASIS_SHIFT_LIMIT,
    BOOK_EXPONENT_LEAST,
    RATE_INTERVAL_LEAST_NS,
    RATE_TOLERANCE_INTERVALS,
    SCALING_SHIFT_LIMIT,
    Feed,
    Kind,
    Refusal,
    Side,
)


class Limit(IntEnum):
    """What a number must be below: one of the sizes, or what comes after the largest value of an enumeration."""

    INSTRUMENTS = 0
    VENUES = 1
    CHANNELS = 2
    LINES = 3
    BOOKS = 4
    ORDER_BOOKS = 5
    FLAG = 6
    SCALING_SHIFT = 7
    KINDS = 8
    BASIS_SHIFT = 9
    FEED = 10
    SIDE = 11
    EXPONENT = 12


LIMITS: Final[Mapping[Limit, int]] = {
    Limit.FLAG: 2,
    Limit.SCALING_SHIFT: SCALING_SHIFT_LIMIT + 1,
    Limit.KINDS: sum(kind.mask for kind in Kind) + 1,
    Limit.BASIS_SHIFT: BASIS_SHIFT_LIMIT + 1,
    Limit.FEED: max(Feed) + 1,
    Limit.SIDE: max(Side) + 1,
    Limit.EXPONENT: 1 - BOOK_EXPONENT_LEAST,
}
"""Those that are no sizes."""


class Span(IntEnum):
    """How far from zero a number may be, as a number of bits: |value| < 2^bits."""

    COUNT = 0
    """A price or a quantity: the build's P."""
    EDGE = 1
    """P + 2."""
    BASIS = 2
    """P + 13."""
    DURATION = 3
    TIME = 4
    FEE = 5
    IMBALANCE = 6


class Condition(IntEnum):
    """What is said about more than one field."""

    VENUES_ASCEND = 0
    LEAD_PER_VENUE = 1


@dataclass(frozen=True)
class Below:
    """A field is at least ``least`` and below a limit.

    ``absent``: all bits set is as good. ``negated``: its negative is what is compared.
    """

    field: str
    limit: Limit
    least: int = 0
    absent: bool = False
    negated: bool = False


@dataclass(frozen=True)
class Within:
    """A field is within a span, at least ``least``, and not negative unless ``signed``."""

    field: str
    span: Span
    least: int = 0
    signed: bool = False


@dataclass(frozen=True)
class Holds:
    """A condition holds."""

    condition: Condition


@dataclass(frozen=True)
class Product:
    """A field times another, or times a number, is at most a bound (``reaches``: at least).

    The bound is a field, and perhaps a second one with the bits from 64 on. No factor has more than 56 bits.
    """

    multiplicand: str
    multiplier: str | int
    bound: str
    bound_high: str | None = None
    reaches: bool = False


Check = Below | Within | Holds | Product

_INSTRUMENT: Final = Below("instrument", Limit.INSTRUMENTS)
_VENUE: Final = Below("venue", Limit.VENUES)
_ENABLED: Final = Below("enabled", Limit.FLAG)
_UNKNOWN_PAIR: Final = {Refusal.UNKNOWN_ROW: (_INSTRUMENT, _VENUE)}
_ORDER_BOOK: Final = Below("book", Limit.ORDER_BOOKS)

CHECKS: Final[Mapping[str, Mapping[Refusal, tuple[Check, ...]]]] = {
    "Hello": {},
    "EngineRow": {
        Refusal.BAD_VALUE: (
            Within("rateInterval", Span.DURATION, least=RATE_INTERVAL_LEAST_NS),
            Within("rateTolerance", Span.DURATION),
            Within("lease", Span.DURATION),
            Product("rateInterval", RATE_TOLERANCE_INTERVALS, "rateTolerance", reaches=True),
        )
    },
    "VenueRow": {
        Refusal.UNKNOWN_ROW: (_VENUE,),
        Refusal.BAD_VALUE: (
            _ENABLED,
            Within("fee", Span.FEE, signed=True),
            Within("maximumAge", Span.DURATION),
            Within("maximumSilence", Span.DURATION),
        ),
    },
    "ScalingRow": _UNKNOWN_PAIR
    | {
        Refusal.BAD_VALUE: (
            Below("priceShift", Limit.SCALING_SHIFT),
            Below("quantityShift", Limit.SCALING_SHIFT),
        )
    },
    "ChannelRow": {
        Refusal.UNKNOWN_ROW: (
            Below("channel", Limit.CHANNELS),
            _VENUE,
            Below("instrument", Limit.INSTRUMENTS, absent=True),
        ),
        Refusal.BAD_VALUE: (_ENABLED, Below("feed", Limit.FEED, least=int(min(Feed)))),
    },
    "InstrumentRow": {
        Refusal.UNKNOWN_ROW: (_INSTRUMENT,),
        Refusal.BAD_VALUE: (
            Holds(Condition.LEAD_PER_VENUE),
            _ENABLED,
            Below("kinds", Limit.KINDS),
            Below("basisShift", Limit.BASIS_SHIFT),
            Within("imbalanceThreshold", Span.IMBALANCE, least=1),
            Within("minimumEdge", Span.EDGE, signed=True),
            Within("basisThreshold", Span.EDGE, least=1),
            Within("basisInterval", Span.DURATION),
            Within("maximumSpread", Span.COUNT),
            Within("minimumQuantity", Span.COUNT),
            Within("maximumQuantity", Span.COUNT),
            Within("priceLow", Span.COUNT),
            Within("priceHigh", Span.COUNT),
            Within("cooldown", Span.DURATION),
            Within("positionLimit", Span.COUNT),
        ),
        Refusal.QUANTITY_ORDER: (
            Within("minimumQuantity", Span.COUNT, least=1),
            Product("minimumQuantity", 1, "maximumQuantity"),
        ),
        Refusal.NOTIONAL: (Product("priceHigh", "maximumQuantity", "maximumNotionalLow", "maximumNotionalHigh"),),
    },
    "Heartbeat": {},
    "Kill": {},
    "Rearm": {},
    "Settle": _UNKNOWN_PAIR | {Refusal.BAD_VALUE: (Below("side", Limit.SIDE, least=int(Side.BUY)),)},
    "SetPosition": _UNKNOWN_PAIR
    | {
        Refusal.BAD_VALUE: (
            Within("position", Span.COUNT, signed=True),
            Within("pendingBuy", Span.COUNT),
            Within("pendingSell", Span.COUNT),
        )
    },
    "Reset": {Refusal.UNKNOWN_ROW: (Below("venue", Limit.VENUES, absent=True),)},
    "LoadBasis": {
        Refusal.UNKNOWN_ROW: (_INSTRUMENT, Below("firstVenue", Limit.VENUES), Below("secondVenue", Limit.VENUES)),
        Refusal.BAD_VALUE: (
            Holds(Condition.VENUES_ASCEND),
            Within("basis", Span.BASIS, signed=True),
            Within("sampleTime", Span.TIME),
        ),
    },
    "LoadIdentity": {},
    "StatusRequest": {},
    "LineRow": {
        Refusal.UNKNOWN_ROW: (Below("line", Limit.LINES), _VENUE),
        Refusal.BAD_VALUE: (_ENABLED, Below("feed", Limit.FEED, least=int(Feed.STARBASE))),
    },
    "BookRow": {
        Refusal.UNKNOWN_ROW: (Below("book", Limit.BOOKS), Below("line", Limit.LINES), _INSTRUMENT),
        Refusal.BAD_VALUE: (
            _ENABLED,
            Within("tick", Span.COUNT, least=1),
            Below("priceExponent", Limit.EXPONENT, negated=True),
            Below("quantityExponent", Limit.EXPONENT, negated=True),
        ),
    },
    "BookClear": {Refusal.UNKNOWN_ROW: (_ORDER_BOOK,), Refusal.BAD_VALUE: (Within("base", Span.COUNT),)},
    "BookOrder": {
        Refusal.UNKNOWN_ROW: (_ORDER_BOOK,),
        Refusal.BAD_VALUE: (Below("side", Limit.SIDE, least=int(Side.BUY)), Within("quantity", Span.COUNT)),
    },
    "BookReady": {Refusal.UNKNOWN_ROW: (_ORDER_BOOK,)},
}
"""Every control message, and its checks in the order of their refusals."""
