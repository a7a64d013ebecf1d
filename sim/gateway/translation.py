"""Orders in a simulated venue's own counts, and what it says of them in those of the instrument."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from market.errors import Rejected
from market.instruments import Listing
from market.orders.kinds import Liquidity, OrderType, TimeInForce
from market.orders.order import Fill, Order
from market.orders.reports import Balance, VenueOrder
from sim.exchange.venue import records
from sim.exchange.venue.kinds import MarketKind, OrderKind
from sim.exchange.venue.kinds import TimeInForce as VenueTimeInForce
from sim.exchange.venue.model import UNITS, SymbolModel
from sim.exchange.venue.requests import PlaceRequest

_TIMES = {
    TimeInForce.GTC: VenueTimeInForce.GTC,
    TimeInForce.IOC: VenueTimeInForce.IOC,
    TimeInForce.FOK: VenueTimeInForce.FOK,
}
_KINDS = {
    OrderType.MARKET: OrderKind.MARKET,
    OrderType.LIMIT: OrderKind.LIMIT,
    OrderType.STOP: OrderKind.STOP_LOSS,
    OrderType.STOP_LIMIT: OrderKind.STOP_LOSS_LIMIT,
}


@dataclass(frozen=True)
class TradedSymbol:
    """A listing and the venue's own model of it."""

    listing: Listing
    model: SymbolModel

    def place_request(self, order: Order, account: str, kind: MarketKind) -> PlaceRequest:
        """The request for an order; raises Rejected for what the venue cannot express."""
        intent, listing = order.intent, self.listing
        if intent.limit_price % listing.tick or intent.stop_price % listing.tick or intent.quantity % listing.lot:
            raise Rejected(f"{listing}: order {order.client_order_id} is not in whole ticks and lots")
        order_kind, time_in_force = _KINDS[intent.type], VenueTimeInForce.GTC
        if order_kind.has_price:
            time_in_force = _TIMES[intent.time_in_force]
        if intent.post_only and kind is MarketKind.SPOT:
            order_kind = OrderKind.LIMIT_MAKER
        elif intent.post_only:
            time_in_force = VenueTimeInForce.GTX
        return PlaceRequest(
            account=account,
            symbol=self.model.symbol,
            side=intent.side,
            kind=order_kind,
            time_in_force=time_in_force,
            quantity_lots=intent.quantity // listing.lot,
            price_ticks=intent.limit_price // listing.tick,
            stop_ticks=intent.stop_price // listing.tick,
            client_order_id=order.client_order_id,
            reduce_only=intent.reduce_only,
        )

    def fill(self, trade: records.VenueTrade, venue_ns: int, receive_ns: int) -> Fill:
        """One side of a trade as a fill; commission in base is in ``fee_base`` and, at the fill's price, in ``fee``."""
        listing = self.listing
        price = trade.price_ticks * listing.tick
        fee_base = 0
        if trade.commission_asset == self.model.base_asset:
            fee_base = trade.commission_units * int(10 ** (UNITS.exponent - listing.instrument.quantity_scale.exponent))
            fee = fee_base * price
        else:
            fee = trade.commission_units * int(10 ** (UNITS.exponent - listing.instrument.notional_exponent))
        return Fill(
            fill_id=str(trade.trade_id),
            price=price,
            quantity=trade.quantity_lots * listing.lot,
            fee=fee,
            fee_base=fee_base,
            liquidity=Liquidity.MAKER if trade.is_maker else Liquidity.TAKER,
            venue_ns=venue_ns,
            receive_ns=receive_ns,
        )

    def listed(self, order: records.VenueOrder) -> VenueOrder:
        """A working order as the venue lists it."""
        return VenueOrder(
            client_order_id=order.client_order_id,
            venue_order_id=str(order.order_id),
            instrument=self.listing.instrument.number,
            side=order.side,
            limit_price=order.price_ticks * self.listing.tick,
            quantity=order.quantity_lots * self.listing.lot,
            filled=order.executed_lots * self.listing.lot,
        )


def balances_of(state: records.AccountState) -> tuple[Balance, ...]:
    """An account's balances by name of asset."""
    return tuple(
        Balance(asset=held.asset, free=_amount(held.free_units), locked=_amount(held.locked_units))
        for held in sorted(state.balances, key=lambda held: held.asset)
    )


def positions_of(found: Iterable[records.Position], symbols: Iterable[TradedSymbol]) -> dict[int, int]:
    """An account's positions by number of the instrument, in quantity counts; those in other symbols left out."""
    by_symbol = {symbol.model.symbol: symbol for symbol in symbols}
    return {
        by_symbol[position.symbol].listing.instrument.number: position.quantity_lots
        * by_symbol[position.symbol].listing.lot
        for position in found
        if position.symbol in by_symbol and position.quantity_lots
    }


def traded_symbols(listings: Mapping[int, Listing], symbols: Mapping[str, SymbolModel]) -> dict[int, TradedSymbol]:
    """Symbols by number of the instrument."""
    return {number: TradedSymbol(listing, symbols[listing.symbol]) for number, listing in listings.items()}


def _amount(units: int) -> Decimal:
    return UNITS.decimal(units)
