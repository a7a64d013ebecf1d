"""A spot market and a perpetual future, orders on them, and messages of the shapes that Binance documents."""

from __future__ import annotations

from typing import Any, Final

from market.fixed_point import Scale
from market.instruments import Instrument, Listing
from market.orders.cause import Cause, Origin
from market.orders.events import Sent
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.machine import advance, replay
from market.orders.order import Order, OrderIntent, new_order
from market.orders.reports import OrderUpdate

BTC: Final = Instrument(0, "BTC", Scale(-2), Scale(-8))
SPOT_VENUE: Final = 0
FUTURES_VENUE: Final = 1
SPOT: Final = Listing(
    BTC, SPOT_VENUE, "binance-spot", "BTCUSDT", 1, 1_000, base_asset="BTC", quote_asset="USDT", minimum_notional=5
)
FUTURES: Final = Listing(
    BTC, FUTURES_VENUE, "binance-usdm", "BTCUSDT", 10, 100_000, base_asset="BTC", quote_asset="USDT"
)
NAME: Final = "arb-d1-1-0"
NOW_NS: Final = 1_700_000_000_000_000_000


def intent(number: int = 1, **changes: Any) -> OrderIntent:
    """A limit order to buy 0.001 at 60,000.5 on spot, with changes."""
    values: dict[str, Any] = {
        "cause": Cause(strategy="arb", origin=Origin.DECISION, epoch=1, number=number),
        "decided_ns": 1,
        "instrument": 0,
        "venue": SPOT_VENUE,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "quantity": 100_000,
        "limit_price": 6_000_050,
    }
    return OrderIntent(**{**values, **changes})


def order(number: int = 1, **changes: Any) -> Order:
    """Such an order, sent."""
    return sent(intent(number, **changes))


def sent(wanted: OrderIntent) -> Order:
    """An order that was sent, and nothing heard of it."""
    return advance(new_order(wanted), Sent(time_ns=2))


def after(start: Order, updates: list[OrderUpdate]) -> Order:
    """An order after updates that concern it."""
    assert {update.client_order_id for update in updates} <= {start.client_order_id}
    return replay(start, [update.event for update in updates])


def execution_report(**changes: Any) -> dict[str, Any]:
    """A fill of 0.0004 at 60,000.1 as maker, on spot."""
    return {
        "e": "executionReport", "E": 1_700_000_000_123, "s": "BTCUSDT", "c": NAME, "S": "BUY", "o": "LIMIT",
        "f": "GTC", "q": "0.00100000", "p": "60000.50000000", "P": "0.00000000", "F": "0.00000000", "g": -1, "C": "",
        "x": "TRADE", "X": "PARTIALLY_FILLED", "r": "NONE", "i": 4293153, "l": "0.00040000", "z": "0.00040000",
        "L": "60000.10000000", "n": "0.00000040", "N": "BTC", "T": 1_700_000_000_122, "t": 77, "w": True, "m": True,
        "O": 1_700_000_000_100, "Z": "24.00004000", "Y": "24.00004000", "Q": "0.00000000", "V": "NONE",
        **changes,
    }  # fmt: skip


def order_trade_update(**changes: Any) -> dict[str, Any]:
    """A fill of 0.001 at 60,000.1 as taker, on futures."""
    return {
        "e": "ORDER_TRADE_UPDATE", "E": 1_700_000_000_124, "T": 1_700_000_000_122,
        "o": {
            "s": "BTCUSDT", "c": NAME, "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.001", "p": "60000.5",
            "ap": "60000.1", "sp": "0", "x": "TRADE", "X": "FILLED", "i": 8886774, "l": "0.001", "z": "0.001",
            "L": "60000.1", "N": "USDT", "n": "0.02400004", "T": 1_700_000_000_122, "t": 91, "b": "0", "a": "0",
            "m": False, "R": False, "wt": "CONTRACT_PRICE", "ot": "LIMIT", "ps": "BOTH", "cp": False, "rp": "0",
            **changes,
        },
    }  # fmt: skip


def algo_update(**changes: Any) -> dict[str, Any]:
    """A stop order on futures that waits."""
    return {
        "e": "ALGO_UPDATE", "T": 1_700_000_000_297, "E": 1_700_000_000_303,
        "o": {
            "caid": NAME, "aid": 2148719, "at": "CONDITIONAL", "o": "STOP_MARKET", "s": "BTCUSDT", "S": "SELL",
            "ps": "BOTH", "f": "GTC", "q": "0.001", "X": "NEW", "ai": "", "ap": "0.00000", "aq": "0.00000",
            "act": "0", "tp": "59000", "p": "0", "wt": "CONTRACT_PRICE", "R": False, "rm": "",
            **changes,
        },
    }  # fmt: skip


def full_answer(**changes: Any) -> dict[str, Any]:
    """The answer to an immediate-or-cancel order on spot that was filled in two parts and then expired."""
    return {
        "symbol": "BTCUSDT", "orderId": 28, "orderListId": -1, "clientOrderId": NAME,
        "transactTime": 1_700_000_000_321, "price": "60000.50000000", "origQty": "0.00100000",
        "executedQty": "0.00070000", "origQuoteOrderQty": "0.000000", "cummulativeQuoteQty": "42.00010000",
        "status": "EXPIRED", "timeInForce": "IOC", "type": "LIMIT", "side": "BUY",
        "workingTime": 1_700_000_000_321, "selfTradePreventionMode": "NONE",
        "fills": [
            {"price": "60000.10", "qty": "0.00040000", "commission": "0.00000040", "commissionAsset": "BTC",
             "tradeId": 77},
            {"price": "60000.20", "qty": "0.00030000", "commission": "0.00000030", "commissionAsset": "BTC",
             "tradeId": 78},
        ],
        **changes,
    }  # fmt: skip


def spot_trade(number: int, quantity: str, price: str = "60000.10000000", **changes: Any) -> dict[str, Any]:
    """One of the account's trades on spot."""
    return {
        "symbol": "BTCUSDT", "id": number, "orderId": 28, "orderListId": -1, "price": price, "qty": quantity,
        "quoteQty": "0", "commission": "0", "commissionAsset": "BTC", "time": 1_700_000_000_321, "isBuyer": True,
        "isMaker": False, "isBestMatch": True,
        **changes,
    }  # fmt: skip
