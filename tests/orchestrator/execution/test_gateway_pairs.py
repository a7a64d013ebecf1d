"""Pairs of orders of which one may fill: native where the venue has them, kept by the gateway elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from market.orders.events import Acknowledged, OrderEvent, OutcomeUnknown, Refused
from market.orders.kinds import OrderType, Side
from orchestrator.execution.answers import Answer, Lost, Refusal, Reply
from orchestrator.execution.requests import MarketKind
from tests.orchestrator.execution.gateway_answers import always, heard, kinds, limited, nothing
from tests.orchestrator.execution.samples import FUTURES, FUTURES_VENUE, full_answer, order, order_trade_update
from tests.orchestrator.execution.scripted_channel import world


def test_a_native_pair_is_one_request_with_two_answers() -> None:
    stop = order(2, type=OrderType.STOP, limit_price=0, stop_price=5_900_000, side=Side.SELL)
    limit = order(1, side=Side.SELL)
    working = {"executedQty": "0", "status": "NEW", "fills": []}
    bodies = [full_answer(**working, clientOrderId=o.client_order_id, orderId=n) for n, o in ((1, limit), (2, stop))]
    with world(always(Reply({"orderListId": 3, "orderReports": bodies}))) as small:
        small.gateway.submit_oco(limit, stop)
        updates = small.updates(2)
        assert [update.client_order_id for update in updates] == [limit.client_order_id, stop.client_order_id]
        assert kinds([update.event for update in updates]) == [Acknowledged, Acknowledged]
        assert small.channel.names() == ["PLACE_OCO"]


@pytest.mark.parametrize(("answer", "event"), [(Refusal(-1013, "?"), Refused), (Lost("?"), OutcomeUnknown)])
def test_a_native_pair_shares_its_fate(answer: Answer, event: type[OrderEvent]) -> None:
    stop = order(2, type=OrderType.STOP, limit_price=0, stop_price=5_900_000, side=Side.SELL)
    with world(always(answer)) as small:
        small.gateway.submit_oco(order(1, side=Side.SELL), stop)
        assert kinds(heard(small, 2)) == [event, event]


def futures_pair() -> Any:
    values = {"venue": FUTURES_VENUE, "side": Side.SELL}
    stop = order(2, **values, type=OrderType.STOP, limit_price=0, stop_price=5_900_000)
    return order(1, **values), stop


def test_elsewhere_the_fill_of_one_cancels_the_other() -> None:
    limit, stop = futures_pair()
    with world(always(None), listing=FUTURES, kind=MarketKind.USD_MARGINED) as small:
        small.gateway.submit_oco(limit, stop)
        first = order_trade_update(X="PARTIALLY_FILLED", l="0.0001", z="0.0001")
        small.tell(first, order_trade_update(t=92, l="0.0009"))
        heard(small, 2)
        small.network.call(nothing(), 5)
        assert small.channel.names() == ["PLACE", "PLACE_STOP", "CANCEL_STOP"]
        assert small.channel.asked[-1][0].parameters == {"clientAlgoId": stop.client_order_id}


def test_elsewhere_a_pair_whose_second_cannot_be_sent_is_ended() -> None:
    limit, stop = futures_pair()
    with world(always(None), listing=FUTURES, kind=MarketKind.USD_MARGINED, limits=limited(orders=2)) as small:
        small.gateway.submit_oco(limit, stop)
        (update,) = small.updates(1)
        assert (update.client_order_id, type(update.event)) == (stop.client_order_id, Refused)
        small.network.call(nothing(), 5)
        assert small.channel.names() == ["PLACE", "CANCEL"]
