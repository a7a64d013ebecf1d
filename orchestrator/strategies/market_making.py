"""Market making on one market: a bid and an offer around the mid, moved when the book moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from market.errors import Fatal
from market.fixed_point import floor_to
from market.instruments import Listing
from market.orders.cause import Cause, Origin
from market.orders.events import CancelRefused, Filled, Refused
from market.orders.kinds import OrderState, OrderType, Side, TimeInForce
from market.orders.order import Order, OrderIntent
from market.protocols import (
    CancelIntent,
    Intent,
    MarketKey,
    MarketView,
    OrderChanged,
    Quote,
    QuoteChanged,
    Started,
    TimerFired,
    TimerIntent,
    Traded,
    WakeCause,
    Wakes,
)
from market.risk.notional import PPB
from market.risk.position import Position
from orchestrator.strategies.maker_metrics import MakerMetrics, MakerMetricsParameters
from orchestrator.strategies.protection import Protection, ProtectionParameters, Stance
from orchestrator.strategies.quoting import NO_QUOTES, QuotingParameters, Target, Targets, is_leaning, targets
from orchestrator.strategies.sizing import FullSize, Sizing
from orchestrator.strategies.stock import Stock, affordable, stock_now

_WAITING = (OrderState.CANCEL_REQUESTED, OrderState.UNKNOWN)
_WATCH = 0
"""Number of the timer that looks for quotes that have grown old."""
_AGAIN = 1
"""Number of the timers after which something refused is tried again, and news begin and end."""


@dataclass(frozen=True, kw_only=True)
class MarketMakingParameters:
    """How one market is made.

    Parameters
    ----------
    market: instrument and venue.
    repost_ppb: a quote is moved when its target lies this far away, of the price.
    maximum_quote_age_ns: quotes are withdrawn when the book has not moved for so long; looked for four times as often.
    refusal_pause_ns: how long a side rests after the venue refused something.
    stock: what may be used of the venue's balances; None on futures.
    maker_fee_ppb: kept back for purchases.
    """

    market: MarketKey
    quoting: QuotingParameters
    protection: ProtectionParameters
    repost_ppb: int = 100_000
    maximum_quote_age_ns: int = 2_000_000_000
    refusal_pause_ns: int = 500_000_000
    stock: Stock | None = None
    maker_fee_ppb: int = 0

    def __post_init__(self) -> None:
        if min(self.maximum_quote_age_ns // 4, self.refusal_pause_ns) < 1 or self.repost_ppb < 0:
            raise Fatal(f"{self}: expected times of at least 1 ns, quote age of at least 4 ns, repost_ppb not below 0")


class MarketMaking:
    """Quotes one market with at most one order per side; a new one is sent once the last has ended.

    Members
    -------
    stance: as of the last look. metrics: of this run, None before the first quote.
    """

    def __init__(self, parameters: MarketMakingParameters, tag: str = "maker", sizing: Sizing | None = None) -> None:
        self._sizing: Sizing = FullSize() if sizing is None else sizing
        self.stance = Stance.NORMAL
        self.metrics: MakerMetrics | None = None
        self._parameters = parameters
        self._tag = tag
        self._protection = Protection(parameters.protection)
        self._orders: dict[Side, str] = {}
        self._resting_until_ns = {Side.BUY: 0, Side.SELL: 0}
        self._decisions = 0
        self._leans = False
        self._held = Position()

    @property
    def tag(self) -> str:
        """The strategy's tag."""
        return self._tag

    @property
    def wakes(self) -> Wakes:
        """Quotes and trades of its market."""
        market = frozenset({self._parameters.market})
        return Wakes(quotes=market, trades=market)

    def wake(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
        """Orders and cancellations that bring the quotes to where they should be."""
        listing = view.listing(*self._parameters.market)
        if isinstance(cause, Started):
            self._held = view.position(*self._parameters.market, self._tag)
            return self._start(view)
        if isinstance(cause, QuoteChanged):
            return self._take_quote(view, listing)
        if isinstance(cause, Traded):
            self._protection.take_trade(cause.trade, listing)
            before = self.stance
            return () if self._look(view) is before else self._quote_market(view, listing)
        if isinstance(cause, OrderChanged):
            return self._take_change(cause, view, listing)
        if isinstance(cause, TimerFired):
            self._look(view)
            again = [self._watch(view)] if cause.number == _WATCH else []
            return [*again, *self._quote_market(view, listing)]
        return ()

    def _start(self, view: MarketView) -> Sequence[Intent]:
        """Timers, and an end to orders that an earlier run left."""
        moments = [moment for window in self._parameters.protection.news for moment in window if moment > view.now_ns]
        left = view.working_orders(self._tag)
        return [
            *(CancelIntent(client_order_id=order.client_order_id) for order in left),
            self._watch(view),
            *(TimerIntent(at_ns=moment, number=_AGAIN) for moment in moments),
        ]

    def _watch(self, view: MarketView) -> TimerIntent:
        return TimerIntent(at_ns=view.now_ns + self._parameters.maximum_quote_age_ns // 4, number=_WATCH)

    def _take_quote(self, view: MarketView, listing: Listing) -> Sequence[Intent]:
        quote = view.quote(*self._parameters.market)
        if quote is not None:
            self._protection.take_quote(quote, listing)
            if self.metrics is None:
                self.metrics = MakerMetrics(MakerMetricsParameters(tick=listing.tick))
            self.metrics.take_mid(quote.bid_price + quote.ask_price, self._position(view), quote.time_ns)
        self._look(view)
        return self._quote_market(view, listing)

    def _take_change(self, change: OrderChanged, view: MarketView, listing: Listing) -> Sequence[Intent]:
        side = change.order.intent.side
        if isinstance(change.event, Filled):
            self._take_fill(change.order, change.event, view)
        again: list[Intent] = []
        if isinstance(change.event, Refused | CancelRefused):
            self._resting_until_ns[side] = view.now_ns + self._parameters.refusal_pause_ns
            again.append(TimerIntent(at_ns=self._resting_until_ns[side], number=_AGAIN))
        return [*again, *self._quote_market(view, listing)]

    def _take_fill(self, order: Order, event: Filled, view: MarketView) -> None:
        """Measure a fill; what a batch of fills closed is told with its first."""
        position = self._position(view)
        has_closed = position.realised != self._held.realised
        gain = position.realised - self._held.realised - (position.fees - self._held.fees) if has_closed else None
        self._held = position
        if self.metrics is not None:
            fill = event.fill
            self.metrics.take_fill(order.intent.side, fill.price, fill.quantity, gain, position, view.now_ns)

    def _look(self, view: MarketView) -> Stance:
        self.stance = self._protection.stance(view.now_ns)
        return self.stance

    def _quote_market(self, view: MarketView, listing: Listing) -> Sequence[Intent]:
        """What brings the quotes to where they should be."""
        wanted = self._targets(view, listing)
        return [intent for side in Side for intent in self._move(side, wanted.of(side), view, listing)]

    def _targets(self, view: MarketView, listing: Listing) -> Targets:
        quote = view.quote(*self._parameters.market)
        if quote is None or self._is_old(quote, view) or self.stance is Stance.PAUSED:
            return NO_QUOTES
        quoting = self._parameters.quoting
        inventory = self._position(view).quantity
        self._leans = is_leaning(self._leans, inventory, quoting)
        return targets(
            quote, listing, inventory, quoting, leans=self._leans, is_protective=self.stance is Stance.PROTECTIVE
        )

    def _move(self, side: Side, target: Target | None, view: MarketView, listing: Listing) -> Sequence[Intent]:
        """Cancel a side's order that stands wrong, send one where none works."""
        if view.now_ns < self._resting_until_ns[side]:
            return ()
        order = view.order(self._orders.get(side, ""))
        if order is not None and order.is_working:
            if order.state in _WAITING or (target is not None and self._is_right(order, target)):
                return ()
            return [CancelIntent(client_order_id=order.client_order_id)]
        if target is None or any(other.intent.side is side for other in view.working_orders(self._tag)):
            return ()
        payable = self._payable(side, target, view, listing)
        if payable < 1:
            return ()
        quantity = self._sizing.resting(self._parameters.market, side, target.price, payable, listing.lot, view)
        if quantity < listing.minimum_quantity or quantity * target.price < listing.minimum_notional:
            return ()
        return [self._order(side, Target(target.price, quantity), view)]

    def _order(self, side: Side, target: Target, view: MarketView) -> OrderIntent:
        instrument, venue = self._parameters.market
        self._decisions += 1
        intent = OrderIntent(
            cause=Cause(strategy=self._tag, origin=Origin.DECISION, epoch=view.epoch, number=self._decisions),
            decided_ns=view.now_ns,
            instrument=instrument,
            venue=venue,
            side=side,
            type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            quantity=target.quantity,
            limit_price=target.price,
            post_only=True,
        )
        self._orders[side] = intent.client_order_id
        if self.metrics is not None:
            self.metrics.placed(target.quantity)
        return intent

    def _payable(self, side: Side, target: Target, view: MarketView, listing: Listing) -> int:
        start = self._parameters.stock
        if start is None:
            return target.quantity
        fee_ppb = self._parameters.maker_fee_ppb
        stock = stock_now(start, self._parameters.market, self._tag, view, fee_ppb)
        most = affordable(stock, target.price, fee_ppb) if side is Side.BUY else max(stock.base, 0)
        return floor_to(min(target.quantity, most), listing.lot)

    def _is_right(self, order: Order, target: Target) -> bool:
        """Whether an order may stay: near enough, and untouched."""
        distance = abs(order.intent.limit_price - target.price)
        is_near = distance * PPB <= order.intent.limit_price * self._parameters.repost_ppb
        return is_near and not order.filled and order.intent.quantity <= target.quantity

    def _is_old(self, quote: Quote, view: MarketView) -> bool:
        return view.now_ns - quote.time_ns > self._parameters.maximum_quote_age_ns

    def _position(self, view: MarketView) -> Position:
        return view.position(*self._parameters.market, self._tag)
