"""Enumerations of orders."""

from __future__ import annotations

from enum import IntEnum


class Side(IntEnum):
    """Which way an order trades; the numbers are those of the fast loop."""

    BUY = 1
    SELL = 2

    @property
    def sign(self) -> int:
        """What one bought (1) or sold (-1) unit adds to a position."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(IntEnum):
    """How an order is priced and when it becomes active."""

    MARKET = 1
    LIMIT = 2
    STOP = 3
    """A market order once the stop price has traded."""
    STOP_LIMIT = 4
    """A limit order once the stop price has traded."""


class TimeInForce(IntEnum):
    """How long an order works."""

    GTC = 1
    """Until it is filled or cancelled."""
    IOC = 2
    """What is not filled at once is cancelled."""
    FOK = 3
    """It is filled at once and whole, or not at all."""


class Liquidity(IntEnum):
    """Whether a fill provided or took liquidity."""

    MAKER = 1
    TAKER = 2


class OrderState(IntEnum):
    """Where an order stands, as far as we know."""

    INTENDED = 1
    """Written down, not yet sent."""
    SENT = 2
    """Handed to the venue; no word of it."""
    OPEN = 3
    PARTIALLY_FILLED = 4
    CANCEL_REQUESTED = 5
    UNKNOWN = 6
    """Sent, and what became of it has to be asked for."""
    FILLED = 7
    CANCELLED = 8
    EXPIRED = 9
    """Ended by its own terms: immediate-or-cancel, a date."""
    REJECTED = 10
    """Refused by the venue, or by us before it was sent."""

    @property
    def is_terminal(self) -> bool:
        """Whether the order has ended."""
        return self >= OrderState.FILLED
