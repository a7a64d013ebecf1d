"""What is asked of Binance: the request, where it goes and what it costs there."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

import msgspec

from orchestrator.execution.rate_limit import Cost


class MarketKind(IntEnum):
    """Which of Binance's markets a gateway trades on."""

    SPOT = 1
    USD_MARGINED = 2
    """Perpetual futures, margined in the quote asset."""


class Ask(IntEnum):
    """What is asked."""

    PLACE = 1
    PLACE_STOP = 2
    """A stop order on futures, which another service takes."""
    PLACE_OCO = 3
    CANCEL = 4
    CANCEL_STOP = 5
    CANCEL_ALL = 6
    """All orders of one symbol."""
    CANCEL_ALL_STOPS = 7
    ORDER = 8
    STOP = 9
    TRADES = 10
    OPEN_ORDERS = 11
    OPEN_STOPS = 12
    ACCOUNT = 13
    TIME = 14
    RULES = 15
    COUNTDOWN = 16
    """Cancel all orders of a symbol unless asked again in time; futures only."""
    POSITIONS = 17
    """Futures only."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request; ``parameters`` are what the venue is sent, without time, signature and key."""

    ask: Ask
    parameters: Mapping[str, str]

    @property
    def is_signed(self) -> bool:
        """Whether the venue wants key and signature."""
        return self.ask not in (Ask.TIME, Ask.RULES)


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request goes.

    Parameters
    ----------
    rest: the name of CCXT's call of the REST endpoint. websocket: the method of the WebSocket API, empty for none.
    cost: as the venue counts it.
    """

    rest: str
    websocket: str = ""
    cost: Cost


SPOT: Final[Mapping[Ask, Route]] = {
    Ask.PLACE: Route(rest="private_post_order", websocket="order.place", cost=Cost(weight=1, orders=1)),
    Ask.PLACE_OCO: Route(
        rest="private_post_orderlist_oco", websocket="orderList.place.oco", cost=Cost(weight=1, orders=2)
    ),
    Ask.CANCEL: Route(rest="private_delete_order", websocket="order.cancel", cost=Cost(weight=1)),
    Ask.CANCEL_ALL: Route(rest="private_delete_openorders", websocket="openOrders.cancelAll", cost=Cost(weight=1)),
    Ask.ORDER: Route(rest="private_get_order", websocket="order.status", cost=Cost(weight=4)),
    Ask.TRADES: Route(rest="private_get_mytrades", websocket="myTrades", cost=Cost(weight=20)),
    Ask.OPEN_ORDERS: Route(rest="private_get_openorders", websocket="openOrders.status", cost=Cost(weight=80)),
    Ask.ACCOUNT: Route(rest="private_get_account", websocket="account.status", cost=Cost(weight=20)),
    Ask.TIME: Route(rest="public_get_time", websocket="time", cost=Cost(weight=1)),
    Ask.RULES: Route(rest="public_get_exchangeinfo", websocket="exchangeInfo", cost=Cost(weight=20)),
}

USD_MARGINED: Final[Mapping[Ask, Route]] = {
    Ask.PLACE: Route(rest="fapiprivate_post_order", websocket="order.place", cost=Cost(weight=0, orders=1)),
    Ask.PLACE_STOP: Route(
        rest="fapiprivate_post_algoorder", websocket="algoOrder.place", cost=Cost(weight=0, orders=1)
    ),
    Ask.CANCEL: Route(rest="fapiprivate_delete_order", websocket="order.cancel", cost=Cost(weight=1)),
    Ask.CANCEL_STOP: Route(rest="fapiprivate_delete_algoorder", websocket="algoOrder.cancel", cost=Cost(weight=1)),
    Ask.CANCEL_ALL: Route(rest="fapiprivate_delete_allopenorders", cost=Cost(weight=1)),
    Ask.CANCEL_ALL_STOPS: Route(rest="fapiprivate_delete_algoopenorders", cost=Cost(weight=1)),
    Ask.ORDER: Route(rest="fapiprivate_get_order", websocket="order.status", cost=Cost(weight=1)),
    Ask.STOP: Route(rest="fapiprivate_get_algoorder", cost=Cost(weight=1)),
    Ask.TRADES: Route(rest="fapiprivate_get_usertrades", cost=Cost(weight=5)),
    Ask.OPEN_ORDERS: Route(rest="fapiprivate_get_openorders", cost=Cost(weight=40)),
    Ask.OPEN_STOPS: Route(rest="fapiprivate_get_openalgoorders", cost=Cost(weight=40)),
    Ask.ACCOUNT: Route(rest="fapiprivatev3_get_account", websocket="v2/account.status", cost=Cost(weight=5)),
    Ask.POSITIONS: Route(rest="fapiprivatev3_get_positionrisk", websocket="v2/account.position", cost=Cost(weight=5)),
    Ask.COUNTDOWN: Route(rest="fapiprivate_post_countdowncancelall", cost=Cost(weight=10)),
    Ask.TIME: Route(rest="fapipublic_get_time", cost=Cost(weight=1)),
    Ask.RULES: Route(rest="fapipublic_get_exchangeinfo", cost=Cost(weight=1)),
}

ROUTES: Final[Mapping[MarketKind, Mapping[Ask, Route]]] = {
    MarketKind.SPOT: SPOT,
    MarketKind.USD_MARGINED: USD_MARGINED,
}
