"""Venues for tests: one symbol with round numbers, and two accounts.

A tick is 0.01 USDT and a lot 0.0001 BTC: one lot at one tick is worth 0.000001 USDT, 100 money units.
"""

from __future__ import annotations

from typing import Any

from market.orders.kinds import Side
from sim.exchange.venue.kinds import CommissionAsset, MarketKind, OrderKind, SelfTradePrevention
from sim.exchange.venue.model import UNIT, AccountModel, BackgroundModel, SymbolModel, VenueModel
from sim.exchange.venue.records import VenueOrder
from sim.exchange.venue.requests import PlaceRequest
from sim.exchange.venue.venue import SimulatedVenue

SYMBOL = "BTCUSDT"
BUY, SELL = Side.BUY, Side.SELL
START_NS = 1_700_000_000 * 10**9
MAKER_PPB, TAKER_PPB = 200_000, 500_000


def symbol_model(background: BackgroundModel | None = None, **changed: Any) -> SymbolModel:
    """10,000 ticks are a price of 100."""
    fields: dict[str, Any] = {
        "symbol": SYMBOL,
        "base_asset": "BTC",
        "quote_asset": "USDT",
        "tick_units": UNIT // 100,
        "lot_units": UNIT // 10_000,
        "reference_ticks": 10_000,
        "minimum_notional_units": 0,
        "background": background,
    }
    return SymbolModel(**(fields | changed))


def venue_model(kind: MarketKind, symbol: SymbolModel, **changed: Any) -> VenueModel:
    balances = {"USDT": 1_000 * UNIT, "BTC": 10 * UNIT} if kind is MarketKind.SPOT else {"USDT": 1_000 * UNIT}
    fields: dict[str, Any] = {
        "name": "test",
        "kind": kind,
        "symbols": (symbol,),
        "accounts": tuple(AccountModel(account=name, balances=balances) for name in ("alice", "bob")),
        "start_ns": START_NS,
        "maker_ppb": MAKER_PPB,
        "taker_ppb": TAKER_PPB,
        "self_trade_prevention": SelfTradePrevention.NONE,
    }
    return VenueModel(**(fields | changed))


def spot(commission: CommissionAsset = CommissionAsset.RECEIVED, **changed: Any) -> SimulatedVenue:
    model = venue_model(MarketKind.SPOT, symbol_model(**changed), commission_asset=commission)
    return SimulatedVenue(model)


def futures(**changed: Any) -> SimulatedVenue:
    return SimulatedVenue(venue_model(MarketKind.USD_MARGINED, symbol_model(**changed)))


def request(account: str, side: Side, kind: OrderKind, lots: int = 0, price: int = 0, **more: Any) -> PlaceRequest:
    return PlaceRequest(
        account=account, symbol=SYMBOL, side=side, kind=kind, quantity_lots=lots, price_ticks=price, **more
    )


def limit(
    venue: SimulatedVenue, account: str, side: Side, price: int, lots: int, at_ns: int = START_NS, **more: Any
) -> VenueOrder:
    return venue.place(request(account, side, OrderKind.LIMIT, lots, price, **more), at_ns)


def market(
    venue: SimulatedVenue, account: str, side: Side, lots: int, at_ns: int = START_NS, **more: Any
) -> VenueOrder:
    return venue.place(request(account, side, OrderKind.MARKET, lots, **more), at_ns)


def now(venue: SimulatedVenue, order: VenueOrder) -> VenueOrder:
    """An order as it is now."""
    return venue.order(order.account, order.symbol, order_id=order.order_id)


def balance(venue: SimulatedVenue, account: str, asset: str) -> tuple[int, int]:
    """Free and locked units."""
    found = {each.asset: (each.free_units, each.locked_units) for each in venue.account(account).balances}
    return found.get(asset, (0, 0))
