"""Closing an open leg at market, at any price, until it is closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from market.errors import Fatal
from market.fixed_point import floor_to
from market.orders.cause import LARGEST_LEG, Cause, Origin
from market.orders.kinds import OrderState, OrderType, Side, TimeInForce
from market.orders.order import Order, OrderIntent
from market.protocols import Intent, MarketKey, MarketView, TimerIntent


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


class LegClosing:
    """Market orders one after the other, never two at once; each has a number of its own.

    Parameters
    ----------
    tag: of the strategy. epoch, number: of the decision whose orders these are, leg by leg.
    timer: number of the timers that it asks for. reason: why, for whoever reads the order.

    Members
    -------
    orders: closing orders by client order id, as they stand, oldest first.
    """

    def __init__(
        self, *, tag: str, epoch: int, number: int, timer: int, reason: str, settings: ClosingSettings
    ) -> None:
        self.orders: dict[str, Order] = {}
        self._tag = tag
        self._epoch = epoch
        self._number = number
        self._timer = timer
        self._reason = reason
        self._settings = settings
        self._working = ""
        self._attempts = 0
        self._pause_ns = settings.retry_ns
        self._next_try_ns = 0

    @property
    def is_working(self) -> bool:
        """Whether a closing order has not ended."""
        return bool(self._working)

    def hear(self, order: Order, view: MarketView) -> None:
        """Something became of a closing order."""
        self.orders[order.client_order_id] = order
        if order.client_order_id != self._working or not order.state.is_terminal:
            return
        self._working = ""
        if order.state is OrderState.FILLED:
            self._pause_ns = self._settings.retry_ns
            return
        self._next_try_ns = view.now_ns + self._pause_ns
        self._pause_ns = min(2 * self._pause_ns, self._settings.longest_retry_ns)

    def closable(self, market: MarketKey, quantity: int, price: int, view: MarketView) -> int:
        """How much of an open quantity one order can close: whole lots that the venue takes, by an assumed price."""
        listing = view.listing(*market)
        quantity = min(floor_to(quantity, listing.lot), listing.maximum_quantity)
        is_enough = quantity >= listing.minimum_quantity and quantity * price >= listing.minimum_notional
        return quantity if is_enough and self._attempts <= LARGEST_LEG else 0

    def close(self, market: MarketKey, held: Side, quantity: int, view: MarketView) -> Sequence[Intent]:
        """The next order for a leg that was traded on a side, or a timer for it; nothing while one works."""
        if self._working:
            return ()
        if view.now_ns >= self._next_try_ns:
            quote = view.quote(*market)
            if quote is not None and view.now_ns - quote.time_ns <= self._settings.maximum_quote_age_ns:
                return [self._order(market, held.opposite, quantity, view)]
            self._next_try_ns = view.now_ns + self._settings.retry_ns
        return [TimerIntent(at_ns=self._next_try_ns, number=self._timer)]

    def _order(self, market: MarketKey, side: Side, quantity: int, view: MarketView) -> OrderIntent:
        cause = Cause(
            strategy=self._tag, origin=Origin.DECISION, epoch=self._epoch, number=self._number, leg=self._attempts
        )
        intent = OrderIntent(
            cause=cause,
            decided_ns=view.now_ns,
            instrument=market[0],
            venue=market[1],
            side=side,
            type=OrderType.MARKET,
            time_in_force=TimeInForce.IOC,
            quantity=quantity,
            why=self._reason,
        )
        self._attempts += 1
        self._working = intent.client_order_id
        return intent
