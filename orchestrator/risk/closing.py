"""Cancelling every working order and closing every position, through the path that all orders take.

First everything that works is cancelled, again and again until it has ended or patience has; only then are positions
closed, by market orders, reduce-only where the venue knows that. One closing order works per market at a time; what it
leaves is ordered again under a new number.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final, Protocol

from config.risk import ClosingSettings
from market.errors import Rejected
from market.fixed_point import floor_to
from market.orders.cause import Cause, Origin
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from market.protocols import Intent, MarketKey, MarketView, Started, TimerFired, TimerIntent, WakeCause, Wakes
from orchestrator.risk.checks.gate import CLOSING_TAG
from orchestrator.risk.checks.sound_book import SoundBook
from orchestrator.risk.commitments import Marks
from orchestrator.risk.limits import MarketLimits, RiskLimits

_NS_PER_MS: Final = 1_000_000
_TIMER: Final = 1


class Stage(IntEnum):
    """How far closing has come."""

    IDLE = 1
    CANCELLING = 2
    CLOSING = 3
    DONE = 4
    """Nothing works, and nothing that a venue would take is held; after a mere halt: nothing works."""


class Canceller(Protocol):
    """What can cancel any strategy's order: the run."""

    def cancel(self, client_order_id: str) -> None:
        """Ask for an order's cancellation."""


class Closer:
    """The strategy that empties the run; it does nothing until it is told to ``begin``.

    Parameters
    ----------
    interval_ms: how often it looks at what is left.
    """

    def __init__(self, limits: RiskLimits, marks: Marks, sound: SoundBook, interval_ms: int) -> None:
        self.use(limits)
        self._marks = marks
        self._sound = sound
        self._interval_ns = interval_ms * _NS_PER_MS
        self._stage = Stage.IDLE
        self._closes = False
        self._begun_ns = 0
        self._number = 0
        self._asked_ns: dict[str, int] = {}
        self._tried_ns: dict[MarketKey, int] = {}
        self._left: dict[MarketKey, str] = {}

    @property
    def tag(self) -> str:
        """The tag that the gate lets pass."""
        return CLOSING_TAG

    @property
    def wakes(self) -> Wakes:
        """Its own timer and orders alone."""
        return Wakes()

    @property
    def stage(self) -> Stage:
        """How far it has come."""
        return self._stage

    @property
    def left(self) -> dict[MarketKey, str]:
        """Positions that no venue takes an order for, and why."""
        return dict(self._left)

    def use(self, limits: RiskLimits) -> None:
        """Have the patience of these settings from here on."""
        settings: ClosingSettings = limits.settings.closing
        self._limits = limits
        self._cancel_patience_ns = settings.cancel_patience_ms * _NS_PER_MS
        self._book_patience_ns = settings.book_patience_ms * _NS_PER_MS
        self._retry_ns = settings.retry_ms * _NS_PER_MS

    def begin(self, now_ns: int, *, closes: bool) -> None:
        """Cancel everything, and then close everything if so asked; asking again may only add the closing."""
        if self._stage is Stage.IDLE or (closes and not self._closes):
            self._stage, self._begun_ns = Stage.CANCELLING, now_ns
        self._closes = self._closes or closes

    def end(self) -> None:
        """Trading goes on: leave everything alone; orders that work already stay."""
        self._stage, self._closes = Stage.IDLE, False
        self._asked_ns.clear()
        self._tried_ns.clear()
        self._left.clear()

    def cancel(self, run: Canceller, view: MarketView) -> None:
        """Ask for the cancellation of everything that works and is not ours; again after a while."""
        if self._stage is Stage.IDLE:
            return
        now_ns = view.now_ns
        others = [order for order in view.working_orders() if order.intent.cause.strategy != CLOSING_TAG]
        for order in others:
            name = order.client_order_id
            if now_ns - self._asked_ns.get(name, -self._retry_ns) >= self._retry_ns:
                self._asked_ns[name] = now_ns
                run.cancel(name)
        if self._stage is Stage.CANCELLING:
            patient = now_ns - self._begun_ns < self._cancel_patience_ns
            if not (others and patient):
                self._stage = Stage.CLOSING if self._closes else Stage.DONE

    def wake(self, cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        """Closing orders, while there is something to close."""
        if isinstance(cause, Started | TimerFired):
            yield TimerIntent(at_ns=view.now_ns + self._interval_ns, number=_TIMER)
        # Fills that are heard of late can open a position again after all was done.
        if self._closes and self._stage in (Stage.CLOSING, Stage.DONE):
            yield from self._close(view)

    def _close(self, view: MarketView) -> Iterator[OrderIntent]:
        working = {(order.intent.instrument, order.intent.venue) for order in view.working_orders(CLOSING_TAG)}
        open_markets = [key for key in self._limits.markets if view.position(*key).quantity]
        self._left = {}
        for key in open_markets:
            if key not in working:
                yield from self._close_market(key, view)
        is_done = not working and all(key in self._left for key in open_markets)
        self._stage = Stage.DONE if is_done else Stage.CLOSING

    def _close_market(self, key: MarketKey, view: MarketView) -> Iterator[OrderIntent]:
        now_ns = view.now_ns
        market = self._limits.markets[key]
        quantity = self._quantity(market, view)
        if quantity and now_ns - self._tried_ns.get(key, -self._retry_ns) >= self._retry_ns:
            impatient = now_ns - self._begun_ns >= self._book_patience_ns
            if impatient or not self._sound.problem(market, view):
                self._tried_ns[key] = now_ns
                yield self._order(market, quantity, view)

    def _quantity(self, market: MarketLimits, view: MarketView) -> int:
        """How much of a position one order may close; 0, and noted, when no venue would take an order for it."""
        held = abs(view.position(*market.key).quantity)
        quantity = floor_to(min(held, market.listing.maximum_quantity), market.listing.lot)
        try:
            market.listing.check_quantity(quantity)
            mark = self._marks.mark(view, market.key)
            if mark is not None:
                market.listing.check_notional(mark, quantity)
        except Rejected as refusal:
            self._left[market.key] = str(refusal)
            return 0
        return quantity

    def _order(self, market: MarketLimits, quantity: int, view: MarketView) -> OrderIntent:
        self._number += 1
        instrument, venue = market.key
        return OrderIntent(
            cause=Cause(strategy=CLOSING_TAG, origin=Origin.DECISION, epoch=view.epoch, number=self._number),
            decided_ns=view.now_ns,
            instrument=instrument,
            venue=venue,
            side=Side.SELL if view.position(instrument, venue).quantity > 0 else Side.BUY,
            type=OrderType.MARKET,
            time_in_force=TimeInForce.IOC,
            quantity=quantity,
            reduce_only=market.is_margin,
        )
