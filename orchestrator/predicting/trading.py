"""The trades of an active model: one position at a time, taken and left at the best prices of the other side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from market.fixed_point import floor_to
from market.orders.cause import Cause, Origin
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from market.protocols import Intent, MarketKey, MarketView, Quote
from orchestrator.predicting.parameters import TradingParameters
from orchestrator.strategies.sizing import Sizing

PPM: Final = 1_000_000


class ModelTrading:
    """Opens on a prediction, closes at a gain, a loss, or when the prediction's time is over.

    Parameters
    ----------
    hold_ns: time of the prediction.

    Members
    -------
    opened: positions that it asked for.
    """

    def __init__(
        self, market: MarketKey, tag: str, parameters: TradingParameters, hold_ns: int, sizing: Sizing
    ) -> None:
        self._market = market
        self._tag = tag
        self._parameters = parameters
        self._hold_ns = hold_ns
        self._sizing = sizing
        self._decisions = 0
        self._leave_ns = 0
        self.opened = 0

    def open(self, side: Side, time_ns: int, why: str, view: MarketView) -> Sequence[Intent]:
        """An order at the best price of the other side; none over an open position or order, whoever has it."""
        quote = view.quote(*self._market)
        if quote is None or view.position(*self._market).quantity or self._is_working(view, everyone=True):
            return ()
        if side is Side.SELL and not self._parameters.shorts:
            return ()
        listing = view.listing(*self._market)
        quantity = self._sizing.taking(self._market, floor_to(self._parameters.quantity, listing.lot), listing.lot)
        price = quote.ask_price if side is Side.BUY else quote.bid_price
        if quantity < listing.minimum_quantity or quantity * price < listing.minimum_notional or quantity < 1:
            return ()
        self._leave_ns = time_ns + self._hold_ns
        self.opened += 1
        return (self._order(side, quantity, price, why, view),)

    def look(self, time_ns: int, view: MarketView) -> Sequence[Intent]:
        """An order to leave what is held, if it is time."""
        position = view.position(*self._market, self._tag)
        quote = view.quote(*self._market)
        if not position.quantity or quote is None or self._is_working(view, everyone=False):
            return ()
        listing = view.listing(*self._market)
        quantity = floor_to(min(abs(position.quantity), listing.maximum_quantity), listing.lot)
        reason = self._reason(position.quantity, position.cost, quote, time_ns)
        if not reason or quantity < listing.minimum_quantity:
            return ()
        side = Side.SELL if position.quantity > 0 else Side.BUY
        return (self._order(side, quantity, 0, reason, view),)

    def _reason(self, quantity: int, cost: int, quote: Quote, time_ns: int) -> str:
        """Why a position is left; empty while it is not. Both sides in notional counts, so that nothing is rounded."""
        worth = quantity * (quote.bid_price if quantity > 0 else quote.ask_price)
        gain = PPM * (worth - cost)
        if gain >= self._parameters.take_profit_ppm * abs(cost):
            return "take profit"
        if gain <= -self._parameters.stop_ppm * abs(cost):
            return "stop"
        return "time is over" if time_ns >= self._leave_ns else ""

    def _is_working(self, view: MarketView, *, everyone: bool) -> bool:
        orders = view.working_orders(None if everyone else self._tag)
        return any((order.intent.instrument, order.intent.venue) == self._market for order in orders)

    def _order(self, side: Side, quantity: int, price: int, why: str, view: MarketView) -> OrderIntent:
        """Filled at once or not at all; without a limit where the price is 0."""
        self._decisions += 1
        instrument, venue = self._market
        return OrderIntent(
            cause=Cause(strategy=self._tag, origin=Origin.DECISION, epoch=view.epoch, number=self._decisions),
            decided_ns=view.now_ns,
            instrument=instrument,
            venue=venue,
            side=side,
            type=OrderType.LIMIT if price else OrderType.MARKET,
            time_in_force=TimeInForce.IOC,
            quantity=quantity,
            limit_price=price,
            why=why,
        )
