"""Orders and fills for the tests beside it."""

from __future__ import annotations

from typing import Any

from market.orders.cause import Cause, Origin
from market.orders.events import Filled
from market.orders.kinds import Liquidity, OrderType, Side, TimeInForce
from market.orders.order import Fill, Order, OrderIntent, new_order

CAUSE = Cause(strategy="arb", origin=Origin.TRIGGER, epoch=1, number=100, leg=0)


def intent(**changes: Any) -> OrderIntent:
    values: dict[str, Any] = {
        "cause": CAUSE,
        "decided_ns": 1,
        "instrument": 0,
        "venue": 0,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "time_in_force": TimeInForce.GTC,
        "quantity": 10,
        "limit_price": 100,
    }
    return OrderIntent(**{**values, **changes})


def order(quantity: int = 10) -> Order:
    return new_order(intent(quantity=quantity))


def filled(fill_id: str, quantity: int, *, price: int = 100, time_ns: int = 5, fee: int = 1) -> Filled:
    return Filled(
        fill=Fill(
            fill_id=fill_id,
            price=price,
            quantity=quantity,
            fee=fee,
            liquidity=Liquidity.TAKER,
            venue_ns=time_ns - 1,
            receive_ns=time_ns,
        )
    )
