"""Enumerations of a venue, with the names that Binance writes."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class MarketKind(StrEnum):
    """What a venue trades."""

    SPOT = "SPOT"
    USD_MARGINED = "USD_MARGINED"
    """Perpetual futures, margined in the quote asset."""


class OrderKind(StrEnum):
    """How an order is priced and when it becomes active; the names are those of spot."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"
    """Refused if it would trade at once. On futures the same is a LIMIT order with GTX."""
    STOP_LOSS = "STOP_LOSS"
    """A market order once the price has moved against the side's holder to the stop price."""
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    """A market order once the price has moved in favour of the side's holder to the stop price."""
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"

    @property
    def has_stop(self) -> bool:
        """Whether the order waits for a stop price."""
        return self in _STOPS

    @property
    def has_price(self) -> bool:
        """Whether the order has a limit price."""
        return self in _PRICED

    @property
    def is_loss(self) -> bool:
        """Whether the stop is a stop loss: a sale triggers at or below it, a purchase at or above it."""
        return self in (OrderKind.STOP_LOSS, OrderKind.STOP_LOSS_LIMIT)

    @property
    def futures_name(self) -> str:
        """The type's name on USD-M futures."""
        return _FUTURES_NAMES[self]

    @classmethod
    def from_futures_name(cls, name: str) -> OrderKind:
        """The kind of a futures type; raises KeyError for one that this venue does not have."""
        return _FROM_FUTURES[name]


_STOPS: Final = frozenset(
    (OrderKind.STOP_LOSS, OrderKind.STOP_LOSS_LIMIT, OrderKind.TAKE_PROFIT, OrderKind.TAKE_PROFIT_LIMIT)
)
_PRICED: Final = frozenset(
    (OrderKind.LIMIT, OrderKind.LIMIT_MAKER, OrderKind.STOP_LOSS_LIMIT, OrderKind.TAKE_PROFIT_LIMIT)
)
_FUTURES_NAMES: Final = {
    OrderKind.MARKET: "MARKET",
    OrderKind.LIMIT: "LIMIT",
    OrderKind.LIMIT_MAKER: "LIMIT",
    OrderKind.STOP_LOSS: "STOP_MARKET",
    OrderKind.STOP_LOSS_LIMIT: "STOP",
    OrderKind.TAKE_PROFIT: "TAKE_PROFIT_MARKET",
    OrderKind.TAKE_PROFIT_LIMIT: "TAKE_PROFIT",
}
_FROM_FUTURES: Final = {name: kind for kind, name in _FUTURES_NAMES.items() if kind is not OrderKind.LIMIT_MAKER}


class TimeInForce(StrEnum):
    """How long an order works."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTX = "GTX"
    """Post-only, on futures."""


class SelfTradePrevention(StrEnum):
    """What happens when an order meets one of the same account."""

    NONE = "NONE"
    EXPIRE_TAKER = "EXPIRE_TAKER"
    EXPIRE_MAKER = "EXPIRE_MAKER"
    EXPIRE_BOTH = "EXPIRE_BOTH"


class OrderStatus(StrEnum):
    """Where an order stands."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"
    """Ended by self-trade prevention."""

    @property
    def is_open(self) -> bool:
        """Whether the order may still trade."""
        return self in (OrderStatus.NEW, OrderStatus.PARTIALLY_FILLED)


class ExecutionKind(StrEnum):
    """What an order update tells."""

    NEW = "NEW"
    """The order was taken in; also told of a stop order when it is placed."""
    TRIGGERED = "TRIGGERED"
    """A stop order's price was reached: it works now (spot tells this as another NEW)."""
    AMENDED = "AMENDED"
    TRADE = "TRADE"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    TRADE_PREVENTION = "TRADE_PREVENTION"


class ListStatus(StrEnum):
    """Where an order list stands."""

    EXECUTING = "EXECUTING"
    ALL_DONE = "ALL_DONE"


class LedgerReason(StrEnum):
    """Why money moved."""

    DEPOSIT = "DEPOSIT"
    WITHDRAW = "WITHDRAW"
    TRADE = "TRADE"
    """Base against quote, spot."""
    COMMISSION = "COMMISSION"
    REALIZED_PNL = "REALIZED_PNL"
    FUNDING_FEE = "FUNDING_FEE"
    INSURANCE_CLEAR = "INSURANCE_CLEAR"
    """A liquidated account's debt, paid by the house."""


class CommissionAsset(StrEnum):
    """What a spot commission is paid in."""

    RECEIVED = "RECEIVED"
    """The asset received: base by the buyer, quote by the seller. Binance's default."""
    QUOTE = "QUOTE"
