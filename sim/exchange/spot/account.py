"""Accounts on spot, and what the venue trades."""

from __future__ import annotations

import zlib
from typing import Final

import msgspec

from sim.exchange import answers
from sim.exchange.answers import Json
from sim.exchange.calls import Call
from sim.exchange.numbers import eight, ms, rate
from sim.exchange.quota import Quota
from sim.exchange.symbols import Symbols
from sim.exchange.venue.kinds import OrderKind, SelfTradePrevention
from sim.exchange.venue.model import SymbolModel
from sim.exchange.venue.symbol_rules import SymbolRules
from sim.exchange.venue.venue import SimulatedVenue

_PPB_PER_HUNDREDTH_PERCENT: Final = 100_000
_ORDER_TYPES: Final[list[Json]] = [kind.value for kind in OrderKind]
_PREVENTIONS: Final[list[Json]] = [mode.value for mode in SelfTradePrevention]


class SpotAccounts:
    """See the module."""

    def __init__(self, venue: SimulatedVenue, symbols: Symbols, quota: Quota) -> None:
        self._venue = venue
        self._symbols = symbols
        self._quota = quota

    def account(self, call: Call) -> Json:
        """Commission rates and balances."""
        state = self._venue.account(call.account)
        without_zero = call.parameters.flag("omitZeroBalances")
        maker, taker = (ppb // _PPB_PER_HUNDREDTH_PERCENT for ppb in (state.maker_ppb, state.taker_ppb))
        balances: list[Json] = [
            {"asset": balance.asset, "free": eight(balance.free_units), "locked": eight(balance.locked_units)}
            for balance in state.balances
            if balance.total_units or not without_zero
        ]
        return {
            "makerCommission": maker,
            "takerCommission": taker,
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {
                "maker": rate(state.maker_ppb),
                "taker": rate(state.taker_ppb),
                "buyer": eight(0),
                "seller": eight(0),
            },
            "canTrade": bool(call.key and call.key.may_trade),
            "canWithdraw": bool(call.key and call.key.may_withdraw),
            "canDeposit": True,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": ms(state.updated_ns),
            "accountType": "SPOT",
            "balances": balances,
            "permissions": ["SPOT"],
            "uid": zlib.crc32(call.account.encode()),
        }

    def restrictions(self, call: Call) -> Json:
        """What the key permits."""
        trade, withdraw = bool(call.key and call.key.may_trade), bool(call.key and call.key.may_withdraw)
        return {
            "ipRestrict": False,
            "createTime": ms(self._venue.model.start_ns),
            "enableReading": True,
            "enableWithdrawals": withdraw,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": False,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enableSpotAndMarginTrading": trade,
        }

    def order_counts(self, call: Call) -> Json:
        """How many orders were placed in each interval."""
        return self._quota.listed("", call.account, call.server_ns, orders=True)[:-1]

    def commission(self, call: Call) -> Json:
        """Commission rates of a symbol."""
        symbol = self._symbols.named(call.parameters).symbol
        state = self._venue.account(call.account)
        standard: dict[str, Json] = {
            "maker": rate(state.maker_ppb),
            "taker": rate(state.taker_ppb),
            "buyer": eight(0),
            "seller": eight(0),
        }
        nothing: dict[str, Json] = dict.fromkeys(standard, eight(0))
        return {
            "symbol": symbol,
            "standardCommission": standard,
            "specialCommission": nothing,
            "taxCommission": nothing,
            "discount": {
                "enabledForAccount": False,
                "enabledForSymbol": False,
                "discountAsset": "BNB",
                "discount": eight(0),
            },
        }

    def exchange_info(self, call: Call) -> Json:
        """Limits, symbols and filters."""
        parameters = call.parameters
        wanted = None
        if parameters.has("symbol"):
            wanted = {self._symbols.named(parameters).symbol}
        elif parameters.has("symbols"):
            wanted = {self._symbols.model(name).symbol for name in _names(parameters.text("symbols"))}
        listed: list[Json] = [
            self._symbol(model) for model in self._symbols if wanted is None or model.symbol in wanted
        ]
        return {
            "timezone": "UTC",
            "serverTime": ms(call.server_ns),
            "rateLimits": self._quota.limits.described(),
            "exchangeFilters": [],
            "symbols": listed,
        }

    def _symbol(self, model: SymbolModel) -> Json:
        rules = self._venue.rules(model.symbol)
        return {
            "symbol": model.symbol,
            "status": rules.status,
            "baseAsset": model.base_asset,
            "baseAssetPrecision": 8,
            "quoteAsset": model.quote_asset,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "baseCommissionPrecision": 8,
            "quoteCommissionPrecision": 8,
            "orderTypes": _ORDER_TYPES,
            "icebergAllowed": False,
            "ocoAllowed": True,
            "otoAllowed": False,
            "quoteOrderQtyMarketAllowed": True,
            "allowTrailingStop": False,
            "cancelReplaceAllowed": True,
            "amendAllowed": True,
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "filters": _filters(rules.applied(model), rules),
            "permissions": [],
            "permissionSets": [["SPOT"]],
            "defaultSelfTradePreventionMode": self._venue.model.self_trade_prevention.value,
            "allowedSelfTradePreventionModes": _PREVENTIONS,
        }


def _filters(model: SymbolModel, rules: SymbolRules) -> list[Json]:
    def price(ticks: int) -> str:
        return eight(ticks * model.tick_units)

    def quantity(lots: int) -> str:
        return eight(lots * model.lot_units)

    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": price(model.minimum_ticks),
            "maxPrice": price(model.maximum_ticks),
            "tickSize": price(rules.tick_factor),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": quantity(model.minimum_lots),
            "maxQty": quantity(model.maximum_lots),
            "stepSize": quantity(rules.lot_factor),
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": eight(0),
            "maxQty": quantity(model.market_maximum_lots),
            "stepSize": eight(0),
        },
        {
            "filterType": "PERCENT_PRICE",
            "multiplierUp": f"{model.up_percent / 100:g}",
            "multiplierDown": f"{model.down_percent / 100:g}",
            "avgPriceMins": 0,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": eight(model.minimum_notional_units),
            "applyMinToMarket": True,
            "maxNotional": eight(10**18),
            "applyMaxToMarket": False,
            "avgPriceMins": 0,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": model.maximum_orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": model.maximum_stops},
    ]


def _names(text: str) -> list[str]:
    """Symbols of a JSON list."""
    try:
        return msgspec.json.decode(text, type=list[str])
    except msgspec.MsgspecError as error:
        raise answers.invalid("symbols") from error
