"""Orders as Binance writes them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from market.fixed_point import Scale
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.pairs import check_pair
from orchestrator.execution.order_text import (
    cancel_request,
    decimal_text,
    oco_request,
    order_request,
    place_request,
)
from orchestrator.execution.requests import ROUTES, Ask, MarketKind
from tests.orchestrator.execution.samples import FUTURES, FUTURES_VENUE, NAME, SPOT, intent

MARKET = {"type": OrderType.MARKET, "time_in_force": TimeInForce.IOC, "limit_price": 0}
STOP = {"type": OrderType.STOP, "limit_price": 0, "stop_price": 5_900_000, "side": Side.SELL}
STOP_LIMIT = {"type": OrderType.STOP_LIMIT, "limit_price": 5_899_000, "stop_price": 5_900_000, "side": Side.SELL}


@given(count=st.integers(0, 1 << 62), exponent=st.integers(-18, 18))
@settings(derandomize=True, deadline=None)
def test_decimal_text_is_that_of_the_scale(count: int, exponent: int) -> None:
    assert decimal_text(count, exponent) == Scale(exponent).text(count)


@pytest.mark.parametrize(
    ("changes", "spot", "futures"),
    [
        ({}, "LIMIT GTC 60000.5 -", "LIMIT GTC 60000.5 -"),
        ({"time_in_force": TimeInForce.IOC}, "LIMIT IOC 60000.5 -", "LIMIT IOC 60000.5 -"),
        ({"time_in_force": TimeInForce.FOK}, "LIMIT FOK 60000.5 -", "LIMIT FOK 60000.5 -"),
        ({"post_only": True}, "LIMIT_MAKER - 60000.5 -", "LIMIT GTX 60000.5 -"),
        (MARKET, "MARKET - - -", "MARKET - - -"),
        (STOP, "STOP_LOSS - - 59000", "STOP_MARKET - - 59000"),
        (STOP_LIMIT, "STOP_LOSS_LIMIT GTC 58990 59000", "STOP GTC 58990 59000"),
    ],
)
def test_each_type_of_order(changes: dict[str, Any], spot: str, futures: str) -> None:
    for listing, kind, expected in ((SPOT, MarketKind.SPOT, spot), (FUTURES, MarketKind.USD_MARGINED, futures)):
        request = place_request(intent(**changes), listing, kind)
        sent = request.parameters
        stop = sent.get("stopPrice") or sent.get("triggerPrice") or "-"
        assert f"{sent['type']} {sent.get('timeInForce', '-')} {sent.get('price', '-')} {stop}" == expected
        assert (sent["symbol"], sent["quantity"]) == ("BTCUSDT", "0.001")
        assert sent["side"] == changes.get("side", Side.BUY).name
        assert NAME in (sent.get("newClientOrderId"), sent.get("clientAlgoId"))
        assert request.ask in ROUTES[kind]


def test_stops_on_futures_go_to_their_own_service() -> None:
    stop = intent(**STOP, reduce_only=True)
    request = place_request(stop, FUTURES, MarketKind.USD_MARGINED)
    assert (request.ask, request.parameters["algoType"]) == (Ask.PLACE_STOP, "CONDITIONAL")
    assert request.parameters["reduceOnly"] == "true"
    assert cancel_request(stop, FUTURES, MarketKind.USD_MARGINED).parameters == {"clientAlgoId": NAME}
    assert order_request(stop, FUTURES, MarketKind.USD_MARGINED).ask is Ask.STOP
    assert order_request(stop, SPOT, MarketKind.SPOT).ask is Ask.ORDER


def test_orders_are_cancelled_and_asked_for_by_our_own_id() -> None:
    expected = {"symbol": "BTCUSDT", "origClientOrderId": NAME}
    assert cancel_request(intent(), SPOT, MarketKind.SPOT).parameters == expected
    assert order_request(intent(), SPOT, MarketKind.SPOT).parameters == expected


def test_reduce_only_is_a_matter_of_positions() -> None:
    request = place_request(intent(reduce_only=True), FUTURES, MarketKind.USD_MARGINED)
    assert request.parameters["reduceOnly"] == "true"
    with pytest.raises(Rejected, match="spot holds balances"):
        place_request(intent(reduce_only=True), SPOT, MarketKind.SPOT)


def test_a_market_order_cannot_be_all_or_nothing() -> None:
    with pytest.raises(Rejected, match="expected IOC"):
        place_request(intent(**{**MARKET, "time_in_force": TimeInForce.FOK}), SPOT, MarketKind.SPOT)


@pytest.mark.parametrize("stop", [STOP, STOP_LIMIT])
def test_a_pair_to_sell_has_its_limit_above(stop: dict[str, Any]) -> None:
    sent = oco_request(intent(1, side=Side.SELL), intent(2, **stop), SPOT).parameters
    assert (sent["aboveType"], sent["abovePrice"], sent["belowStopPrice"]) == ("LIMIT_MAKER", "60000.5", "59000")
    assert (sent["aboveClientOrderId"], sent["belowClientOrderId"]) == ("arb-d1-1-0", "arb-d1-2-0")
    assert ("belowPrice" in sent) == ("belowTimeInForce" in sent) == (stop is STOP_LIMIT)


def test_a_pair_to_buy_has_its_limit_below() -> None:
    stop = intent(2, type=OrderType.STOP, limit_price=0, stop_price=6_100_000)
    sent = oco_request(intent(1), stop, SPOT).parameters
    assert (sent["belowType"], sent["aboveType"], sent["aboveStopPrice"]) == ("LIMIT_MAKER", "STOP_LOSS", "61000")


@pytest.mark.parametrize(
    ("limit", "stop", "says"),
    [
        ({"side": Side.SELL, "time_in_force": TimeInForce.IOC}, STOP, "expected LIMIT GTC"),
        ({"side": Side.SELL}, {"side": Side.SELL}, "expected STOP"),
        ({"side": Side.BUY}, STOP, "side was"),
        ({"side": Side.SELL, "quantity": 7}, STOP, "quantity was 7"),
        ({"side": Side.SELL, "venue": FUTURES_VENUE}, STOP, "venue was"),
        ({"side": Side.SELL, "limit_price": 5_900_000}, STOP, "expected one above the stop price"),
    ],
)
def test_orders_that_are_no_pair_are_refused(limit: dict[str, Any], stop: dict[str, Any], says: str) -> None:
    with pytest.raises(Rejected, match=says):
        check_pair(intent(1, **limit), intent(2, **stop))
