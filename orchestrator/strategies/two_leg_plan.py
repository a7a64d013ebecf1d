"""Two orders at once on two venues, and what is done about it when one of them fails.

The life of one plan: both legs are sent in one answer. Once both have ended, or one has kept silent for too long, what
was bought more than sold, or sold more than bought, is closed at market on the venue where it was traded, at any price.
A silent leg that turns out to have been filled is an open leg again, and is closed too. A closing order that fails is
sent again, after pauses that double, under a new number; there is never more than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from market.errors import Rejected
from market.orders.cause import Cause, Origin
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import Order, OrderIntent
from market.protocols import Intent, Leg, MarketKey, MarketView, TimerIntent, Trigger
from orchestrator.strategies.leg_closing import ClosingSettings, LegClosing


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
    trigger: with a selling and a buying leg. quantity: of both, at most the legs'; whole lots of both venues.

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
        self.number = plan_number(trigger.epoch, trigger.id)
        self._tag = tag
        self._patience_ns = settings.patience_ns
        self._impatient_ns = 0
        self._closing = LegClosing(
            tag=tag,
            epoch=trigger.epoch,
            number=trigger.id,
            timer=self.number,
            reason=f"open leg of trigger {trigger.epoch}/{trigger.id}",
            settings=settings,
        )

    def open(self, view: MarketView) -> Sequence[Intent]:
        """Both legs, and a timer for a leg that keeps silent."""
        self._impatient_ns = view.now_ns + self._patience_ns
        legs = [self._leg(number, leg, view) for number, leg in enumerate(self.trigger.legs)]
        return [*legs, TimerIntent(at_ns=self._impatient_ns, number=self.number)]

    def hear(self, order: Order, view: MarketView) -> Sequence[Intent]:
        """Something became of one of its orders."""
        if order.intent.cause.origin is Origin.TRIGGER:
            self.legs[order.intent.cause.leg] = order
        else:
            self._closing.hear(order, view)
        return self.check(view)

    def check(self, view: MarketView) -> Sequence[Intent]:
        """What is to be done now; called for its timers too."""
        if self._closing.is_working:
            return ()
        has_ended = all(leg is not None and leg.state.is_terminal for leg in self.legs)
        if not has_ended and view.now_ns < self._impatient_ns:
            return ()
        held = Side.BUY if self.imbalance > 0 else Side.SELL
        market, price = self._market(held), self.trigger.legs[held is Side.BUY].price
        quantity = self._closing.closable(market, self._rest(), price, view)
        if quantity:
            self.outcome = None
            return self._closing.close(market, held, quantity, view)
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
        return [*(leg for leg in self.legs if leg is not None), *self._closing.orders.values()]

    def _leg(self, number: int, leg: Leg, view: MarketView) -> OrderIntent:
        trigger = self.trigger
        return OrderIntent(
            cause=Cause(strategy=self._tag, origin=Origin.TRIGGER, epoch=trigger.epoch, number=trigger.id, leg=number),
            decided_ns=view.now_ns,
            instrument=trigger.instrument,
            venue=leg.venue,
            side=leg.side,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.IOC,
            quantity=self.quantity,
            limit_price=leg.price,
            why=f"edge of {trigger.edge}",
        )

    def _rest(self) -> int:
        """What is open and could be closed: a commission taken in base has left the venue and cannot be sold."""
        return min(self.imbalance, self._received()) if self.imbalance > 0 else -self.imbalance

    def _received(self) -> int:
        """What the buying venue holds of the plan's purchases there."""
        venue = self.trigger.legs[True].venue
        orders = [order for order in self.orders if order.intent.venue == venue]
        return sum(
            order.intent.side.sign * order.filled - sum(fill.fee_base for fill in order.fills) for order in orders
        )

    def _market(self, held: Side) -> MarketKey:
        return self.trigger.instrument, self.trigger.legs[held is Side.BUY].venue

    def _ended(self) -> Outcome:
        if self._rest():
            return Outcome.LEFT_OPEN
        if self._closing.orders:
            return Outcome.CLOSED
        filled = self.legs[0].filled if self.legs[0] is not None else 0
        if filled == self.quantity:
            return Outcome.COMPLETE
        return Outcome.PARTIAL if filled else Outcome.MISSED


def plan_number(epoch: int, trigger: int) -> int:
    """The number of the plan for a trigger; no two triggers of any run share one."""
    return epoch << 64 | trigger
