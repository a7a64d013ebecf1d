"""One trade from the order to buy until everything is sold."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from market.fixed_point import floor_to
from market.orders.kinds import Side
from market.orders.order import Fill
from orchestrator.strategies.flash_crash.seconds import SECOND_NS


class ExitReason(IntEnum):
    """Why a position is left."""

    EVENT_OVER = 1
    """The detector is no longer ACTIVE."""
    STOP = 2
    NEGATIVE_GAP = 3
    REVERSAL = 4
    BEARISH = 5
    TRAILING = 6
    TIME = 7
    TARGET = 8
    LEFT_OVER = 9
    """An earlier run left it, and how it came about is not known."""


class Holding(msgspec.Struct, kw_only=True, eq=False):
    """A trade as it stands; prices, quantities and money in counts.

    Parameters
    ----------
    entry_order: id of the order to buy, empty once it has ended. sent_ns: when it was sent.
    exit_order: id of the order to sell that works, empty when none does. retry_ns: no other before.
    target: price to sell at, before it sinks.
    opened_ns: time of the first fill, 0 before.
    bought, paid, sold, received, fees: of all fills so far, as ``market.risk.position`` books them.
    highest_bid: the local maximum since the entry.
    second, second_high: highest trade since the entry within the running second.
    leaving: why all of it is being sold at market; None while it is not.
    orders: ids of all its orders. reason: why the last order to sell was sent.
    """

    entry_order: str
    sent_ns: int
    target: int
    exit_order: str = ""
    retry_ns: int = 0
    opened_ns: int = 0
    bought: int = 0
    paid: int = 0
    sold: int = 0
    received: int = 0
    fees: int = 0
    highest_bid: int = 0
    second: int = -1
    second_high: int = 0
    leaving: ExitReason | None = None
    orders: list[str] = msgspec.field(default_factory=list)
    reason: ExitReason = ExitReason.LEFT_OVER

    @property
    def held(self) -> int:
        """What is held, parts of lots included."""
        return self.bought - self.sold

    def sellable(self, lot: int) -> int:
        """What is held in whole lots."""
        return floor_to(max(self.held, 0), lot)

    @property
    def gain(self) -> int:
        """What all fills brought, fees taken off."""
        return self.received - self.paid - self.fees

    def book(self, side: Side, fill: Fill) -> None:
        """Take a fill of one of its orders."""
        quantity = fill.quantity - side.sign * fill.fee_base
        self.fees += fill.fee
        if side is Side.BUY:
            self.bought += quantity
            self.paid += quantity * fill.price
            self.opened_ns = self.opened_ns or fill.receive_ns
        else:
            self.sold += quantity
            self.received += quantity * fill.price

    def take_trade(self, price: int, now_ns: int) -> None:
        """A trade of the market after the entry: the highest one of its second is remembered."""
        second = now_ns // SECOND_NS
        self.second_high = price if second != self.second else max(self.second_high, price)
        self.second = second


class ClosedTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A trade that is over."""

    opened_ns: int
    closed_ns: int
    reason: ExitReason
    bought: int
    paid: int
    received: int
    fees: int
    gain: int
