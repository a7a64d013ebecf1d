"""Orders of nobody on request: liquidity for tests and demonstrations."""

from __future__ import annotations

from collections.abc import Sequence

from market.errors import Fatal
from market.orders.kinds import Side
from sim.exchange.venue.kinds import OrderKind, OrderStatus, SelfTradePrevention, TimeInForce
from sim.exchange.venue.market import SymbolMarket, book_side
from sim.exchange.venue.model import BACKGROUND
from sim.exchange.venue.orders import NO_LIST
from sim.exchange.venue.records import VenueOrder
from sim.exchange.venue.trading import Trading
from sim.matching.layout import Term

SideLevel = tuple[Side, int, int]
"""Side, ticks and lots of a price."""


class Nobody:
    """See the module."""

    def __init__(self, trading: Trading) -> None:
        self._trading = trading

    def inject(self, market: SymbolMarket, side: Side, price_ticks: int, lots: int) -> VenueOrder:
        """Place a limit order; raises Fatal for a price or quantity that is not positive, and when the book is full."""
        if price_ticks < 1 or lots < 1:
            raise Fatal(f"an injected order was {lots} lots at {price_ticks} ticks; expected at least 1 of both")
        placed = self._trading.place_nobodys(market, side, price_ticks, lots)
        rests = placed.order_id in market.nobodys.get((book_side(side), price_ticks), {})
        if placed.traded_lots < lots and not rests:
            raise Fatal(
                f"an injected order found the book of {market.model.symbol} full: {market.book.orders} orders rest; "
                "expected room, set levels instead or take orders back"
            )
        now_ns = self._trading.now_ns
        status = OrderStatus.PARTIALLY_FILLED if placed.traded_lots else OrderStatus.NEW
        if placed.traded_lots == lots:
            status = OrderStatus.FILLED
        return VenueOrder(
            order_id=placed.order_id,
            client_order_id="",
            account=BACKGROUND,
            symbol=market.model.symbol,
            side=side,
            kind=OrderKind.LIMIT,
            time_in_force=TimeInForce.GTC,
            status=status,
            quantity_lots=lots,
            executed_lots=placed.traded_lots,
            executed_units=placed.traded_money * market.model.unit_notional,
            price_ticks=price_ticks,
            stop_ticks=0,
            quote_units=0,
            reduce_only=False,
            close_position=False,
            working=True,
            self_trade_prevention=SelfTradePrevention.NONE,
            list_id=NO_LIST,
            created_ns=now_ns,
            updated_ns=now_ns,
            working_ns=now_ns,
        )

    def withdraw(self, market: SymbolMarket) -> None:
        """Cancel everything."""
        for orders in list(market.nobodys.values()):
            for order_id in list(orders):
                self._trading.cancel_nobodys(market, order_id)

    def dislocate(self, market: SymbolMarket, price_ticks: int, lots: int) -> None:
        """Leave one bid and one ask around a price."""
        self.withdraw(market)
        background = market.model.background
        half_spread = background.half_spread_ticks if background else 1
        self._trading.place_nobodys(market, Side.BUY, max(1, price_ticks - half_spread), lots)
        self._trading.place_nobodys(market, Side.SELL, price_ticks + half_spread, lots)

    def set_levels(self, market: SymbolMarket, levels: Sequence[SideLevel]) -> None:
        """Have nobody's orders hold quantities at prices, fewer lots first, so that no old level is in the way.

        What a level loses it loses at the end of its queue, what it gains comes behind everybody.
        """
        changes = [(side, price, lots, lots - self._held(market, side, price)) for side, price, lots in levels]
        for side, price, _, more in changes:
            if more < 0:
                self._lose(market, side, price, -more)
        for side, price, _, more in changes:
            if more > 0:
                self._trading.place_nobodys(market, side, price, more)

    def take(self, market: SymbolMarket, side: Side, price_ticks: int, lots: int) -> int:
        """Trade at once at a price or better; gives how many lots."""
        return self._trading.place_nobodys(market, side, price_ticks, lots, Term.IOC).traded_lots

    def _held(self, market: SymbolMarket, side: Side, price_ticks: int) -> int:
        return sum(market.nobodys.get((book_side(side), price_ticks), {}).values())

    def _lose(self, market: SymbolMarket, side: Side, price_ticks: int, lots: int) -> None:
        for order_id, held in reversed(list(market.nobodys[book_side(side), price_ticks].items())):
            if lots >= held:
                self._trading.cancel_nobodys(market, order_id)
            elif lots:
                self._trading.reduce_nobodys(market, side, price_ticks, order_id, held - lots)
            lots -= min(lots, held)
