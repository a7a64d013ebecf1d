"""What Binance says about orders, in exact counts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from market.errors import Rejected
from market.orders.events import Acknowledged, Cancelled, Expired, Filled, Refused
from market.orders.kinds import Liquidity, OrderState, OrderType, Side
from market.orders.reports import Balance
from orchestrator.execution.reading import Reader
from orchestrator.execution.requests import MarketKind
from tests.orchestrator.execution.samples import (
    FUTURES,
    NAME,
    NOW_NS,
    SPOT,
    after,
    algo_update,
    execution_report,
    full_answer,
    order,
    order_trade_update,
    spot_trade,
)


def spot() -> Reader:
    return Reader([SPOT], MarketKind.SPOT)


def futures() -> Reader:
    return Reader([FUTURES], MarketKind.USD_MARGINED)


def test_a_fill_of_the_user_data_stream() -> None:
    (update,) = spot().events(execution_report(), NOW_NS)
    assert update.client_order_id == NAME
    assert isinstance(update.event, Filled)
    fill = update.event.fill
    assert (fill.fill_id, fill.price, fill.quantity, fill.liquidity) == ("77", 6_000_010, 40_000, Liquidity.MAKER)
    assert (fill.fee_base, fill.fee) == (40, 40 * 6_000_010)
    assert (fill.venue_ns, fill.receive_ns) == (1_700_000_000_122_000_000, NOW_NS)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"x": "NEW", "X": "NEW", "z": "0"}, Acknowledged(time_ns=NOW_NS, venue_order_id="4293153")),
        ({"x": "CANCELED", "X": "CANCELED", "c": "theirs", "C": NAME}, Cancelled(time_ns=NOW_NS, executed=0)),
        ({"x": "EXPIRED", "X": "EXPIRED"}, Expired(time_ns=NOW_NS, reason="EXPIRED")),
        ({"x": "TRADE_PREVENTION", "X": "EXPIRED_IN_MATCH"}, Expired(time_ns=NOW_NS, reason="EXPIRED_IN_MATCH")),
        ({"x": "REJECTED", "X": "REJECTED", "r": "STOP"}, Refused(time_ns=NOW_NS, reason="STOP")),
    ],
)
def test_what_else_becomes_of_an_order_on_spot(changes: dict[str, Any], expected: object) -> None:
    (update,) = spot().events(execution_report(**{"z": "0", **changes}), NOW_NS)
    assert (update.client_order_id, update.event) == (NAME, expected)


def test_an_order_of_which_a_fill_was_not_told_is_asked_for() -> None:
    second = execution_report(t=78, l="0.0003", z="0.0007")
    done = after(order(), spot().events(second, NOW_NS))
    assert (done.state, done.filled) == (OrderState.UNKNOWN, 30_000)
    ended = execution_report(x="CANCELED", X="CANCELED", C=NAME)
    assert after(order(), spot().events(ended, NOW_NS)).state is OrderState.UNKNOWN


def test_what_comes_twice_or_was_told_by_an_answer_is_not_missed() -> None:
    reader, start = spot(), order()
    second = execution_report(t=78, l="0.0003", z="0.0007", L="60000.2", n="0.0000003", m=False)
    heard = reader.placed(full_answer(), 1)
    for message in (execution_report(), second, second, execution_report()):
        heard += reader.events(message, 2)
    assert OrderState.EXPIRED is after(start, heard).state


def test_the_same_fill_by_stream_answer_and_question_counts_once() -> None:
    reader, start = spot(), order()
    expired = execution_report(x="EXPIRED", X="EXPIRED", z="0.0007")
    second = execution_report(t=78, l="0.0003", z="0.0007", L="60000.2", n="0.0000003", m=False)
    trades = [spot_trade(77, "0.0004"), spot_trade(78, "0.0003", "60000.20")]
    heard = [
        [update for message in (execution_report(), second, expired) for update in reader.events(message, 1)],
        reader.placed(full_answer(), 2),
        reader.state(full_answer(), trades, 3),
    ]
    for first in heard:
        done = after(start, first)
        assert (done.state, done.filled, len(done.fills)) == (OrderState.EXPIRED, 70_000, 2)
        for again in heard:
            assert after(done, again).filled == 70_000


def test_an_answer_whose_fills_are_not_listed_says_nothing_of_the_end() -> None:
    done = after(order(), spot().placed(full_answer(fills=[]), NOW_NS))
    assert (done.state, done.venue_order_id) == (OrderState.OPEN, "28")


def test_a_question_whose_trades_are_not_all_listed_is_to_be_asked_again() -> None:
    with pytest.raises(Rejected, match=r"expected trades of 0\.00070000"):
        spot().state(full_answer(), [spot_trade(77, "0.0004")], NOW_NS)


def test_a_fill_on_futures() -> None:
    (update,) = futures().events(order_trade_update(), NOW_NS)
    assert isinstance(update.event, Filled)
    fill = update.event.fill
    assert (fill.price, fill.quantity, fill.fee, fill.fee_base) == (6_000_010, 100_000, 240_000_400, 0)
    assert after(order(), [update]).state is OrderState.FILLED


def test_a_fill_without_a_commission() -> None:
    message = order_trade_update()
    del message["o"]["n"], message["o"]["N"]
    (update,) = futures().events(message, NOW_NS)
    assert isinstance(update.event, Filled)
    assert (update.event.fill.fee, update.event.fill.fee_unpriced) == (0, "")


def test_the_answer_of_futures_leaves_fills_to_the_stream() -> None:
    body = {"clientOrderId": NAME, "orderId": 8886774, "symbol": "BTCUSDT", "executedQty": "0.001", "status": "FILLED"}
    (update,) = futures().placed(body, NOW_NS)
    assert isinstance(update.event, Acknowledged)
    *_, end = futures().placed({**body, "executedQty": "0", "status": "EXPIRED"}, NOW_NS)
    assert isinstance(end.event, Expired)


def test_a_stop_on_futures_keeps_its_name_when_it_becomes_an_order() -> None:
    reader = futures()
    stop = order(type=OrderType.STOP, side=Side.SELL, limit_price=0, stop_price=5_900_000)
    placed = {"algoId": 2148719, "clientAlgoId": NAME, "algoStatus": "NEW", "symbol": "BTCUSDT"}
    heard = reader.placed(placed, 1) + reader.events(algo_update(), 2)
    heard += reader.events(algo_update(X="TRIGGERED", ai="8886774"), 3)
    heard += reader.events(order_trade_update(c="another", x="NEW", X="NEW", z="0"), 4)
    heard += reader.events(order_trade_update(c="another"), 5)
    heard += reader.events(algo_update(X="FINISHED", ai="8886774"), 6)
    done = after(stop, heard)
    assert (done.state, done.filled) == (OrderState.FILLED, 100_000)


@pytest.mark.parametrize(
    ("status", "state"),
    [("CANCELED", OrderState.CANCELLED), ("EXPIRED", OrderState.EXPIRED), ("REJECTED", OrderState.REJECTED)],
)
def test_a_stop_on_futures_that_ends_before_it_is_an_order(status: str, state: OrderState) -> None:
    assert after(order(), futures().events(algo_update(X=status), NOW_NS)).state is state
    asked = {"clientAlgoId": NAME, "algoStatus": status}
    assert after(order(), futures().stop_state(asked, NOW_NS)).state is state


def test_events_about_something_else_say_nothing() -> None:
    assert spot().events({"e": "outboundAccountPosition", "B": []}, NOW_NS) == []


def test_another_symbol_is_another_programs_matter() -> None:
    assert spot().events(execution_report(s="ETHUSDT"), NOW_NS) == []
    with pytest.raises(Rejected, match="expected one of"):
        spot().placed(full_answer(symbol="ETHUSDT"), NOW_NS)


def test_open_orders_of_all_programs() -> None:
    body = {"symbol": "BTCUSDT", "orderId": 5, "clientOrderId": "theirs", "price": "60000.10", "origQty": "0.5",
            "executedQty": "0.1", "side": "SELL"}  # fmt: skip
    stop = {"symbol": "BTCUSDT", "algoId": 6, "clientAlgoId": NAME, "price": "0", "quantity": "0.001", "side": "BUY"}
    first, second = futures().open_orders([body, stop, {**body, "symbol": "ETHUSDT"}])
    assert (first.client_order_id, first.venue_order_id, first.side) == ("theirs", "5", Side.SELL)
    assert (first.limit_price, first.quantity, first.filled) == (6_000_010, 50_000_000, 10_000_000)
    assert (second.client_order_id, second.quantity, second.filled) == (NAME, 100_000, 0)


def test_balances_are_what_the_venue_writes() -> None:
    held = {"balances": [{"asset": "BTC", "free": "1.5", "locked": "0.25"}, {"asset": "X", "free": "0", "locked": "0"}]}
    assert list(spot().balances(held)) == [Balance(asset="BTC", free=Decimal("1.5"), locked=Decimal("0.25"))]
    margin = {"assets": [{"asset": "USDT", "walletBalance": "100.5", "availableBalance": "80.25"}]}
    assert list(futures().balances(margin)) == [Balance(asset="USDT", free=Decimal("80.25"), locked=Decimal("20.25"))]
