"""What a futures venue trades, and its mark prices and funding."""

from __future__ import annotations

from typing import Final

from sim.exchange.answers import Json
from sim.exchange.calls import Call
from sim.exchange.numbers import decimals_of, eight, ms, rate
from sim.exchange.quota import Quota
from sim.exchange.symbols import Symbols
from sim.exchange.venue.kinds import OrderKind, TimeInForce
from sim.exchange.venue.model import SymbolModel
from sim.exchange.venue.symbol_rules import SymbolRules
from sim.exchange.venue.venue import SimulatedVenue
from sim.exchange.writing import FuturesNumbers

_NEVER_MS: Final = 4_133_404_800_000
"""Delivery date of perpetual contracts."""
_ORDER_TYPES: Final[list[Json]] = [kind.futures_name for kind in OrderKind if kind is not OrderKind.LIMIT_MAKER]
_TIMES: Final[list[Json]] = [time.value for time in TimeInForce]


class FuturesMarket:
    """See the module."""

    def __init__(self, venue: SimulatedVenue, symbols: Symbols, numbers: FuturesNumbers, quota: Quota) -> None:
        self._venue = venue
        self._symbols = symbols
        self._numbers = numbers
        self._quota = quota

    def exchange_info(self, call: Call) -> Json:
        """Limits, assets, symbols and filters."""
        assets = sorted({model.quote_asset for model in self._symbols})
        return {
            "timezone": "UTC",
            "serverTime": ms(call.server_ns),
            "futuresType": "U_MARGINED",
            "rateLimits": self._quota.limits.described(),
            "exchangeFilters": [],
            "assets": [{"asset": asset, "marginAvailable": True, "autoAssetExchange": "0"} for asset in assets],
            "symbols": [self._symbol(model) for model in self._symbols],
        }

    def premium_index(self, call: Call) -> Json:
        """Mark price and funding, of one symbol or all."""
        name = self._symbols.optional(call.parameters)
        listed = [self._premium(model.symbol, call) for model in self._symbols if name in ("", model.symbol)]
        return listed[0] if name else listed

    def _premium(self, symbol: str, call: Call) -> Json:
        funding = self._venue.funding(symbol)
        price = self._numbers.price(symbol, funding.mark_ticks)
        return {
            "symbol": symbol,
            "markPrice": price,
            "indexPrice": price,
            "estimatedSettlePrice": price,
            "lastFundingRate": rate(funding.rate_ppb),
            "interestRate": rate(0),
            "nextFundingTime": ms(funding.next_ns),
            "time": ms(call.server_ns),
        }

    def _symbol(self, model: SymbolModel) -> Json:
        rules = self._venue.rules(model.symbol)
        return {
            "symbol": model.symbol,
            "pair": model.symbol,
            "contractType": "PERPETUAL",
            "deliveryDate": _NEVER_MS,
            "onboardDate": ms(self._venue.model.start_ns),
            "status": rules.status,
            "maintMarginPercent": rate(model.maintenance_ppb * 100),
            "requiredMarginPercent": rate(100 * 10**9 // model.leverage),
            "baseAsset": model.base_asset,
            "quoteAsset": model.quote_asset,
            "marginAsset": model.quote_asset,
            "pricePrecision": decimals_of(model.tick_units),
            "quantityPrecision": decimals_of(model.lot_units),
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "underlyingType": "COIN",
            "underlyingSubType": [],
            "triggerProtect": "0.0500",
            "liquidationFee": "0.000000",
            "marketTakeBound": "0.05",
            "maxMoveOrderLimit": 10_000,
            "filters": self._filters(rules.applied(model), rules),
            "orderTypes": _ORDER_TYPES,
            "timeInForce": _TIMES,
        }

    def _filters(self, model: SymbolModel, rules: SymbolRules) -> list[Json]:
        numbers, symbol = self._numbers, model.symbol
        quantities: dict[str, Json] = {
            "minQty": numbers.quantity(symbol, model.minimum_lots),
            "stepSize": numbers.quantity(symbol, rules.lot_factor),
        }
        return [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": numbers.price(symbol, model.minimum_ticks),
                "maxPrice": numbers.price(symbol, model.maximum_ticks),
                "tickSize": numbers.price(symbol, rules.tick_factor),
            },
            {
                "filterType": "LOT_SIZE",
                **quantities,
                "maxQty": numbers.quantity(symbol, model.maximum_lots),
            },
            {
                "filterType": "MARKET_LOT_SIZE",
                **quantities,
                "maxQty": numbers.quantity(symbol, model.market_maximum_lots),
            },
            {"filterType": "MAX_NUM_ORDERS", "limit": model.maximum_orders},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": model.maximum_stops},
            {"filterType": "MIN_NOTIONAL", "notional": eight(model.minimum_notional_units)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": f"{model.up_percent / 100:.4f}",
                "multiplierDown": f"{model.down_percent / 100:.4f}",
                "multiplierDecimal": "4",
            },
        ]
