"""Two orders at once on two venues, and what is done about it when one of them fails.

The life of one plan: both legs are sent in one answer. Once both have ended, or one has kept silent for too long, what
was bought more than sold, or sold more than bought, is closed at market on the venue where it was traded, at any price.
A silent leg that turns out to have been filled is an open leg again, and is closed too. A closing order that fails is
sent again, after pauses that double, under a new number; there is never more than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from market.errors import Fatal, Rejected
from market.fixed_point import floor_to
from market.orders.cause import LARGEST_LEG, Cause, Origin
from market.orders.kinds import OrderState, OrderType, Side, TimeInForce
from market.orders.order import Order, OrderIntent
from market.protocols import Intent, Leg, MarketView, TimerIntent, Trigger


@dataclass(frozen=True, kw_only=True)
class ClosingSettings:
    """When an open leg is closed.

    Parameters
    ----------
    patience_ns: how long a leg may keep silent before the other is closed as if nothing had come of it.
    retry_ns, longest_retry_ns: pause after the first closing order that failed, and the longest that it doubles to.
    maximum_quote_age_ns: no closing order is sent while the venue's book is unknown or its quote older than this.
    """

    patience_ns: int = 2_000_000_000
    retry_ns: int = 100_000_000
    longest_retry_ns: int = 5_000_000_000
    maximum_quote_age_ns: int = 1_000_000_000

    def __post_init__(self) -> None:
        if min(self.patience_ns, self.retry_ns, self.maximum_quote_age_ns) < 1 or self.longest_retry_ns < self.retry_ns:
            raise Fatal(f"{self}: expected times of at least 1 ns, and longest_retry_ns of at least retry_ns")


class Outcome(Enum):
    """How a plan ended."""

    COMPLETE = "complete"
    """Both legs were filled whole."""
    PARTIAL = "partial"
    """Both were filled alike, but not whole."""
    MISSED = "missed"
    """Neither was filled."""
    CLOSED = "closed"
    """They were filled unequally, and the open leg was closed."""
    LEFT_OPEN = "left open"
    """As CLOSED, but a rest is smaller than the venue takes, or the numbers of closing orders were used up."""


class TwoLegPlan:
    """One trigger's two legs; it follows its own orders and no others.

    Parameters
    ----------
    tag: of the strategy.
    trigger: with two legs on one side each. quantity: of both, at most the legs'; whole lots of both venues.

    Raises Rejected for a trigger with other legs.

    Members
    -------
    legs: orders of the legs by number, as they stand, None before anything became of them.
    number: of its timers. outcome: None while it runs.
    """

    def __init__(self, tag: str, trigger: Trigger, quantity: int, settings: ClosingSettings) -> None:
        if [leg.side for leg in trigger.legs] != [Side.SELL, Side.BUY]:
            sides = [leg.side.name for leg in trigger.legs]
            raise Rejected(f"trigger {trigger.epoch}/{trigger.id} had legs {sides}; expected SELL and BUY")
        self.trigger = trigger
        self.quantity = quantity
        self.outcome: Outcome | None = None
        self.legs: list[Order | None] = [None, None]
        self.closings: dict[str, Order] = {}
        self.number = plan_number(trigger.epoch, trigger.id)
        self._tag = tag
        self._settings = settings
        self._closing = ""
        self._attempts = 0
        self._pause_ns = settings.retry_ns
        self._next_try_ns = 0
        self._impatient_ns = 0

    def open(self, view: MarketView) -> Sequence[Intent]:
        """Both legs, and a timer for a leg that keeps silent."""
        self._impatient_ns = view.now_ns + self._settings.patience_ns
        legs = [self._leg(number, leg, view) for number, leg in enumerate(self.trigger.legs)]
        return [*legs, TimerIntent(at_ns=self._impatient_ns, number=self.number)]

    def hear(self, order: Order, view: MarketView) -> Sequence[Intent]:
        """Something became of one of its orders."""
        if order.intent.cause.origin is Origin.TRIGGER:
            self.legs[order.intent.cause.leg] = order
        else:
            self.closings[order.client_order_id] = order
            if order.client_order_id == self._closing and order.state.is_terminal:
                self._end_closing(order, view)
        return self.check(view)

    def check(self, view: MarketView) -> Sequence[Intent]:
        """What is to be done now; called for its timers too."""
        if self._closing:
            return ()
        has_ended = all(leg is not None and leg.state.is_terminal for leg in self.legs)
        if not has_ended and view.now_ns < self._impatient_ns:
            return ()
        side, quantity = self._open_leg(view)
        if quantity:
            self.outcome = None
            return self._close(side, quantity, view)
        self.outcome = self._ended() if has_ended else None
        return ()

    @property
    def profit(self) -> int:
        """What its fills brought less fees, in notional counts; the worth of what is open not counted."""
        return sum(-order.intent.side.sign * order.notional - order.fee for order in self.orders)

    @property
    def imbalance(self) -> int:
        """What was bought more than sold, in quantity counts."""
        return sum(order.intent.side.sign * order.filled for order in self.orders)

    @property
    def orders(self) -> Sequence[Order]:
        """All of its orders that something became of."""
        return [*(leg for leg in self.legs if leg is not None), *self.closings.values()]

    def _leg(self, number: int, leg: Leg, view: MarketView) -> OrderIntent:
        return OrderIntent(
            cause=self._cause(Origin.TRIGGER, number),
            decided_ns=view.now_ns,
            instrument=self.trigger.instrument,
            venue=leg.venue,
            side=leg.side,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.IOC,
            quantity=self.quantity,
            limit_price=leg.price,
        )

    def _cause(self, origin: Origin, number: int) -> Cause:
        return Cause(strategy=self._tag, origin=origin, epoch=self.trigger.epoch, number=self.trigger.id, leg=number)

    def _open_leg(self, view: MarketView) -> tuple[Side, int]:
        """Side of the leg that was filled more, and how much of it can be closed."""
        side = Side.BUY if self.imbalance > 0 else Side.SELL
        listing = view.listing(self.trigger.instrument, self._venue(side))
        quantity = min(floor_to(self._rest(), listing.lot), listing.maximum_quantity)
        price = self.trigger.legs[side is Side.BUY].price
        is_enough = quantity >= listing.minimum_quantity and quantity * price >= listing.minimum_notional
        return side, quantity if is_enough and self._attempts <= LARGEST_LEG else 0

    def _rest(self) -> int:
        """What is open and could be closed: a commission taken in base has left the venue and cannot be sold."""
        return min(self.imbalance, self._received()) if self.imbalance > 0 else -self.imbalance

    def _received(self) -> int:
        """What the buying venue holds of the plan's purchases there."""
        venue = self._venue(Side.BUY)
        orders = [order for order in self.orders if order.intent.venue == venue]
        return sum(
            order.intent.side.sign * order.filled - sum(fill.fee_base for fill in order.fills) for order in orders
        )

    def _venue(self, side: Side) -> int:
        return self.trigger.legs[side is Side.BUY].venue

    def _close(self, side: Side, quantity: int, view: MarketView) -> Sequence[Intent]:
        venue = self._venue(side)
        if view.now_ns >= self._next_try_ns:
            quote = view.quote(self.trigger.instrument, venue)
            if quote is not None and view.now_ns - quote.time_ns <= self._settings.maximum_quote_age_ns:
                return [self._closing_order(side, venue, quantity, view)]
            self._next_try_ns = view.now_ns + self._settings.retry_ns
        return [TimerIntent(at_ns=self._next_try_ns, number=self.number)]

    def _closing_order(self, side: Side, venue: int, quantity: int, view: MarketView) -> OrderIntent:
        intent = OrderIntent(
            cause=self._cause(Origin.DECISION, self._attempts),
            decided_ns=view.now_ns,
            instrument=self.trigger.instrument,
            venue=venue,
            side=side.opposite,
            type=OrderType.MARKET,
            time_in_force=TimeInForce.IOC,
            quantity=quantity,
        )
        self._attempts += 1
        self._closing = intent.client_order_id
        return intent

    def _end_closing(self, order: Order, view: MarketView) -> None:
        self._closing = ""
        if order.state is OrderState.FILLED:
            self._pause_ns = self._settings.retry_ns
            return
        self._next_try_ns = view.now_ns + self._pause_ns
        self._pause_ns = min(2 * self._pause_ns, self._settings.longest_retry_ns)

    def _ended(self) -> Outcome:
        if self._rest():
            return Outcome.LEFT_OPEN
        if self.closings:
            return Outcome.CLOSED
        filled = self.legs[0].filled if self.legs[0] is not None else 0
        if filled == self.quantity:
            return Outcome.COMPLETE
        return Outcome.PARTIAL if filled else Outcome.MISSED


def plan_number(epoch: int, trigger: int) -> int:
    """The number of the plan for a trigger; no two triggers of any run share one."""
    return epoch << 64 | trigger
