"""Latency arbitrage between venues: the fast loop finds a stale quote, two orders at once trade it."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from market.errors import Fatal, Rejected
from market.fastpath.specification import Kind
from market.fixed_point import floor_to
from market.instruments import UNLIMITED
from market.orders.kinds import Side
from market.orders.order import Order
from market.protocols import (
    Intent,
    MarketKey,
    MarketView,
    OrderChanged,
    Started,
    TimerFired,
    TimerIntent,
    Trigger,
    Triggered,
    WakeCause,
    Wakes,
)
from orchestrator.strategies.arbitrage_metrics import ArbitrageMetrics, ShadowAttempt, Skip
from orchestrator.strategies.leftover import FIRST_NUMBER, Leftover
from orchestrator.strategies.leg_closing import ClosingSettings
from orchestrator.strategies.sizing import FullSize, Sizing
from orchestrator.strategies.stock import PPM, Stock, Transfer, affordable, rebalancing, stock_now
from orchestrator.strategies.two_leg_plan import Outcome, TwoLegPlan, plan_number

MOST_ENDED = 1_000
"""Ended plans that are kept, for fills that come late."""


@dataclass(frozen=True, kw_only=True)
class ArbitrageParameters:
    """How stale quotes are traded.

    Parameters
    ----------
    safety_margin: least gain after both taker fees that is traded, in price counts by instrument; 0 where it is not
        named. The fast loop has taken the fees off already.
    maximum_quantity: of one leg, in quantity counts by instrument; else the fast loop's own limit holds.
    maximum_age_ns: a trigger whose quote arrived longer ago is left alone.
    concurrent_plans: that may run at once in one instrument.
    markets: in which an earlier run may have left a leg open.
    stocks: what may be used of each market's venue; no limit where none is named, as on futures.
    taker_fee_ppb: by venue, what a purchase must be able to pay.
    least_share_ppm: a venue that has less than this part of its fair share calls for rebalancing.
    shadow_ns: above 0: nothing is sent; after this time is looked whether the quotes are still there.
    """

    safety_margin: Mapping[int, int] = field(default_factory=dict)
    maximum_quantity: Mapping[int, int] = field(default_factory=dict)
    maximum_age_ns: int = 50_000_000
    concurrent_plans: int = 1
    markets: tuple[MarketKey, ...] = ()
    stocks: Mapping[MarketKey, Stock] = field(default_factory=dict)
    taker_fee_ppb: Mapping[int, int] = field(default_factory=dict)
    least_share_ppm: int = 250_000
    shadow_ns: int = 0
    closing: ClosingSettings = field(default_factory=ClosingSettings)

    def __post_init__(self) -> None:
        if self.concurrent_plans < 1 or self.maximum_age_ns < 0 or not 0 <= self.least_share_ppm <= PPM:
            raise Fatal(f"{self}: expected at least one plan, an age of at least 0 and a share of 0 to {PPM} ppm")


class Arbitrage:
    """Answers ARB triggers with two immediate-or-cancel legs; see ``two_leg_plan`` for what follows.

    Members
    -------
    metrics: of this run. transfers: what should be moved between venues, as of the last plan that ended.
    """

    def __init__(self, parameters: ArbitrageParameters, tag: str = "arb", sizing: Sizing | None = None) -> None:
        self._sizing: Sizing = FullSize() if sizing is None else sizing
        self.metrics = ArbitrageMetrics()
        self.transfers: tuple[Transfer, ...] = ()
        self._parameters = parameters
        self._tag = tag
        self._running: dict[int, TwoLegPlan] = {}
        self._ended: OrderedDict[int, tuple[TwoLegPlan, Outcome, int]] = OrderedDict()
        self._shadows: dict[int, tuple[Trigger, int, int]] = {}
        self._leftovers: dict[int, Leftover] = {}

    @property
    def tag(self) -> str:
        """The strategy's tag."""
        return self._tag

    @property
    def wakes(self) -> Wakes:
        """Triggers alone; what the venues quote is compared by the fast loop."""
        return Wakes(triggers=True)

    @property
    def running(self) -> Sequence[TwoLegPlan]:
        """Plans that have not ended, oldest first."""
        return tuple(self._running.values())

    def wake(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
        """Both legs for a trigger, closing orders for legs that stayed open."""
        if isinstance(cause, Triggered):
            return self._answer(cause.trigger, view) if cause.trigger.kind is Kind.ARB else ()
        if isinstance(cause, Started):
            return self._take_over(view)
        if isinstance(cause, OrderChanged):
            if cause.order.intent.cause.number >= FIRST_NUMBER:
                leftover = self._leftovers.get(cause.order.intent.cause.number)
                return () if leftover is None else leftover.hear(cause.order, view)
            number = plan_number(cause.order.intent.cause.epoch, cause.order.intent.cause.number)
            plan = self._plan(number)
            return () if plan is None else self._follow(number, plan, plan.hear(cause.order, view), view)
        if isinstance(cause, TimerFired):
            if cause.number in self._shadows:
                self._judge_shadow(cause.number, view)
            elif cause.number in self._running:
                plan = self._running[cause.number]
                return self._follow(cause.number, plan, plan.check(view), view)
            elif cause.number in self._leftovers:
                return self._leftovers[cause.number].check(view)
        return ()

    def stocks(self, view: MarketView) -> Mapping[MarketKey, Stock]:
        """What is there now of what may be used."""
        parameters = self._parameters
        return {
            key: stock_now(start, key, self._tag, view, parameters.taker_fee_ppb.get(key[1], 0))
            for key, start in parameters.stocks.items()
        }

    def _take_over(self, view: MarketView) -> Sequence[Intent]:
        """Close what an earlier run left open."""
        by_instrument: dict[int, list[int]] = {}
        for instrument, venue in self._parameters.markets:
            by_instrument.setdefault(instrument, []).append(venue)
        intents: list[Intent] = []
        if not self._parameters.shadow_ns:
            for instrument, venues in by_instrument.items():
                leftover = Leftover(self._tag, instrument, venues, view.epoch, self._parameters.closing)
                self._leftovers[leftover.number] = leftover
                intents += leftover.check(view)
        return intents

    def _answer(self, trigger: Trigger, view: MarketView) -> Sequence[Intent]:
        parameters = self._parameters
        if trigger.edge < parameters.safety_margin.get(trigger.instrument, 0):
            return self._skip(Skip.THIN)
        if view.now_ns - trigger.cause_ns > parameters.maximum_age_ns:
            return self._skip(Skip.LATE)
        busy = sum(plan.trigger.instrument == trigger.instrument for plan in self._running.values())
        leftover = self._leftovers.get(FIRST_NUMBER + trigger.instrument)
        if busy >= parameters.concurrent_plans or (leftover is not None and not leftover.is_closed):
            return self._skip(Skip.BUSY)
        if any(_meets(order, trigger) for order in view.working_orders()):
            return self._skip(Skip.OWN)
        quantity = self._quantity(trigger, view)
        if not quantity:
            return self._skip(Skip.STOCK)
        self.metrics.attempts += 1
        if parameters.shadow_ns:
            number = plan_number(trigger.epoch, trigger.id)
            self._shadows[number] = (trigger, quantity, view.now_ns)
            return [TimerIntent(at_ns=view.now_ns + parameters.shadow_ns, number=number)]
        plan = TwoLegPlan(self._tag, trigger, quantity, parameters.closing)
        self._running[plan.number] = plan
        return plan.open(view)

    def _skip(self, reason: Skip) -> Sequence[Intent]:
        self.metrics.skipped[reason] += 1
        return ()

    def _quantity(self, trigger: Trigger, view: MarketView) -> int:
        """Of both legs; 0 when the balances or what the venues take leave nothing."""
        parameters = self._parameters
        listings = [view.listing(trigger.instrument, leg.venue) for leg in trigger.legs]
        most = parameters.maximum_quantity.get(trigger.instrument, UNLIMITED)
        for leg in trigger.legs:
            key = (trigger.instrument, leg.venue)
            most = min(most, leg.quantity)
            if key in parameters.stocks:
                fee_ppb = parameters.taker_fee_ppb.get(leg.venue, 0)
                stock = stock_now(parameters.stocks[key], key, self._tag, view, fee_ppb)
                allowed = affordable(stock, leg.price, fee_ppb) if leg.side is Side.BUY else max(stock.base, 0)
                most = min(most, allowed)
        # What is smaller for one leg is so for both.
        most = min(self._sizing.taking((trigger.instrument, leg.venue), most, 1) for leg in trigger.legs)
        quantity = floor_to(most, math.lcm(*(listing.lot for listing in listings)))
        for leg, listing in zip(trigger.legs, listings, strict=True):
            try:
                listing.check(leg.price, quantity)
            except Rejected:
                return 0
        return quantity

    def _plan(self, number: int) -> TwoLegPlan | None:
        """The plan of an order; one that had ended runs again until it is looked at."""
        if number in self._ended:
            plan, outcome, profit = self._ended.pop(number)
            self.metrics.reopened(outcome, plan, profit)
            self._running[number] = plan
        return self._running.get(number)

    def _follow(self, number: int, plan: TwoLegPlan, intents: Sequence[Intent], view: MarketView) -> Sequence[Intent]:
        if plan.outcome is not None:
            self.metrics.ended(plan)
            del self._running[number]
            self._ended[number] = (plan, plan.outcome, plan.profit)
            if len(self._ended) > MOST_ENDED:
                self._ended.popitem(last=False)
            self.transfers = rebalancing(self.stocks(view), self._parameters.least_share_ppm)
        return intents

    def _judge_shadow(self, number: int, view: MarketView) -> None:
        trigger, quantity, decided_ns = self._shadows.pop(number)
        is_hit = all(_is_there(trigger.instrument, leg.venue, leg.side, leg.price, quantity, view)
                     for leg in trigger.legs)  # fmt: skip
        self.metrics.shadow(ShadowAttempt(trigger, quantity, decided_ns, is_hit))


def _is_there(instrument: int, venue: int, side: Side, price: int, quantity: int, view: MarketView) -> bool:
    """Whether the best quote would fill an order whole."""
    quote = view.quote(instrument, venue)
    if quote is None:
        return False
    if side is Side.BUY:
        return quote.ask_price <= price and quote.ask_quantity >= quantity
    return quote.bid_price >= price and quote.bid_quantity >= quantity


def _meets(order: Order, trigger: Trigger) -> bool:
    """Whether one of the legs would trade with an order of ours."""
    intent = order.intent
    return intent.instrument == trigger.instrument and any(
        leg.venue == intent.venue
        and leg.side is not intent.side
        and (leg.price - intent.limit_price) * leg.side.sign >= 0
        for leg in trigger.legs
    )
