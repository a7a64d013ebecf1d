"""The gateway: what it sends, what it reports, and what it never does twice."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from market.errors import DataGap, Rejected, Retry
from market.orders.events import Acknowledged, Cancelled, CancelRefused, Filled, OrderEvent, OutcomeUnknown, Refused
from market.orders.kinds import OrderState
from market.orders.reports import Balances, OpenOrders
from orchestrator.execution.answers import Answer, Limited, Lost, NotSent, Refusal, Reply
from orchestrator.execution.channel import ChannelListener
from orchestrator.execution.circuit_breaker import BreakerLimits, BreakerState
from orchestrator.execution.guard import GuardLimits
from orchestrator.execution.rate_limit import Counted
from orchestrator.execution.requests import Ask, MarketKind
from tests.orchestrator.execution.gateway_answers import always, asked_about, heard, kinds, limited, nothing
from tests.orchestrator.execution.samples import (
    FUTURES,
    FUTURES_VENUE,
    NAME,
    SPOT,
    SPOT_VENUE,
    after,
    execution_report,
    full_answer,
    order,
)
from tests.orchestrator.execution.scripted_channel import SECOND_NS, ScriptedChannel, world


def test_an_order_goes_out_with_the_venues_time_and_its_answer_comes_back() -> None:
    with world(always(Reply(full_answer()))) as small:
        small.gateway.submit(order())
        done = after(order(), small.updates(4))
        assert (done.state, done.filled, done.venue_order_id) == (OrderState.EXPIRED, 70_000, "28")
        request, timestamp_ms = small.channel.asked[-1]
        assert request.parameters["newClientOrderId"] == NAME
        assert abs(timestamp_ms - small.channel.venue_ms) < 10_000
        assert abs(small.gateway.venue_ahead_ns) > SECOND_NS


@pytest.mark.parametrize(
    ("answer", "event"),
    [
        (Refusal(-2010, "Account has insufficient balance for requested action."), Refused),
        (Limited("429 -1003: too much", 1), Refused),
        (NotSent("no connection"), Refused),
        (Lost("no answer within 5 s"), OutcomeUnknown),
        (Refusal(-2010, "Duplicate order sent."), OutcomeUnknown),
        (Reply({"clientOrderId": NAME, "orderId": 1, "symbol": "XYZ"}), OutcomeUnknown),
        (Reply({}), OutcomeUnknown),
    ],
)
def test_what_an_answer_to_a_new_order_means(answer: Answer, event: type[OrderEvent]) -> None:
    with world(always(answer)) as small:
        small.gateway.submit(order())
        assert kinds(heard(small, 1)) == [event]


def test_events_of_the_stream_are_reported_in_order() -> None:
    with world(always(None)) as small:
        first = execution_report(x="NEW", X="NEW", z="0")
        small.tell(first, execution_report(), execution_report(x="CANCELED", X="CANCELED"))
        assert kinds(heard(small, 3)) == [Acknowledged, Filled, Cancelled]


def test_keeping_warm_makes_the_last_order_ready_and_sends_nothing() -> None:
    with world(always(Reply(full_answer()))) as small:
        prepared: list[Any] = []
        prepare = small.channel.prepare_order

        def noting(*about: Any) -> Any:
            prepared.append(about)
            return prepare(*about)

        small.channel.prepare_order = noting  # type: ignore[assignment, method-assign]
        small.gateway.keep_warm()
        assert prepared == []
        small.gateway.submit(order())
        heard(small, 4)
        small.gateway.keep_warm()
        assert [about[:2] for about in prepared] == [(order(), SPOT)] * 2
        assert len(small.channel.names()) == 1


def test_what_the_venue_does_not_have_is_refused_before_anything_is_sent() -> None:
    with world(always(None)) as small:
        for wrong in ({"reduce_only": True}, {"venue": FUTURES_VENUE}, {"instrument": 7}):
            with pytest.raises(Rejected):
                small.gateway.submit(order(**wrong))
        assert small.channel.names() == []


def test_a_break_of_the_stream_is_one_gap_and_stops_orders_and_questions() -> None:
    with world(always(Reply(full_answer()))) as small:
        assert small.channel.listener is not None
        small.tell(execution_report(x="NEW", X="NEW", z="0"))
        small.network.post(partial(small.channel.listener.on_down, "closed by the other side"))
        assert kinds(heard(small, 1)) == [Acknowledged]
        with pytest.raises(DataGap, match="closed by the other side"):
            small.reports(1)
        for call in (small.gateway.submit, small.gateway.query):
            with pytest.raises(Retry, match="not connected"):
                call(order())
        assert not small.gateway.is_connected
        small.gateway.cancel(order())
        small.network.post(small.channel.listener.on_up)
        small.tell(execution_report())
        assert kinds(heard(small, 1)) == [Filled]
        small.gateway.submit(order())


def test_an_event_that_cannot_be_read_counts_as_lost() -> None:
    with world(always(None)) as small:
        small.tell(execution_report(L="abc"))
        with pytest.raises(DataGap, match="not understood"):
            small.reports(1)


@pytest.mark.parametrize(
    ("answer", "events"),
    [
        (Reply({"executedQty": "0.00000000", "status": "CANCELED"}), [Cancelled]),
        (Refusal(-1100, "?"), [CancelRefused]),
        (NotSent("?"), [CancelRefused]),
        (Lost("?"), [OutcomeUnknown]),
        (Refusal(-2011, "Unknown order sent."), [CancelRefused, OutcomeUnknown]),
    ],
)
def test_what_an_answer_to_a_cancellation_means(answer: Answer, events: list[type[OrderEvent]]) -> None:
    with world(always(answer)) as small:
        small.gateway.cancel(order())
        assert kinds(heard(small, len(events))) == events


def test_a_cancellation_after_fills_that_were_not_heard_of_waits_for_the_stream() -> None:
    with world(always(Reply({"executedQty": "0.0004", "status": "CANCELED"}))) as small:
        small.gateway.cancel(order())
        small.tell(execution_report(), execution_report(x="CANCELED", X="CANCELED"))
        assert kinds(heard(small, 2)) == [Filled, Cancelled]


def test_orders_beyond_the_limit_are_not_sent_but_cancellations_are() -> None:
    with world(always(None), limits=limited()) as small:
        for number in range(4):
            small.gateway.submit(order(number))
        with pytest.raises(Retry, match="the rate limit allows the next"):
            small.gateway.submit(order(9))
        small.gateway.cancel(order(0))
        small.network.call(nothing(), 5)
        assert small.channel.names() == ["PLACE"] * 4 + ["CANCEL"]


def test_a_ban_is_respected_even_by_cancellations() -> None:
    with world(always(Limited("418 -1003: banned", 60_000))) as small:
        small.gateway.submit(order())
        assert kinds(heard(small, 1)) == [Refused]
        for call in (small.gateway.submit, small.gateway.cancel, small.gateway.query):
            with pytest.raises(Retry, match="ban allows the next"):
                call(order())


def test_the_venues_own_count_is_believed() -> None:
    with world(always(None), limits=limited()) as small:
        small.gateway.on_used(Counted.ORDERS, 86_400 * SECOND_NS, 9)
        with pytest.raises(Retry, match="rate limit"):
            small.gateway.submit(order())


def test_a_venue_that_does_not_answer_gets_no_more_orders() -> None:
    breaker = BreakerLimits(
        window_ns=60 * SECOND_NS, least_calls=5, failure_percent=40, pause_ns=60 * SECOND_NS, trials=1
    )
    limits = GuardLimits(limits=(), reserve_percent=0, breaker=breaker)
    with world(asked_about({Ask.PLACE: [Lost("?")]}), limits=limits) as small:
        for number in range(2):
            small.gateway.submit(order(number))
            heard(small, 1)
        assert small.gateway.breaker_state is BreakerState.OPEN
        with pytest.raises(Retry, match="circuit breaker is open"):
            small.gateway.submit(order(3))
        small.gateway.cancel(order(0))


def test_all_orders_of_a_market_are_cancelled_stops_too() -> None:
    with world(always(Reply({})), listing=FUTURES, kind=MarketKind.USD_MARGINED) as small:
        small.gateway.cancel_all(0)
        small.network.call(nothing(), 5)
        assert small.channel.names() == ["CANCEL_ALL", "CANCEL_ALL_STOPS"]
        assert small.problems == []


def test_the_venue_is_told_when_to_cancel_by_itself() -> None:
    with world(always(Lost("?")), listing=FUTURES, kind=MarketKind.USD_MARGINED) as small:
        small.gateway.set_countdown("BTCUSDT", 3_000)
        small.network.call(nothing(), 5)
        assert small.channel.asked[-1][0].parameters == {"symbol": "BTCUSDT", "countdownTime": "3000"}
        assert small.problems == ["binance: the countdown of BTCUSDT was not set: ?"]
    with world(always(None)) as small, pytest.raises(Rejected, match="expected a futures venue"):
        small.gateway.set_countdown("BTCUSDT", 3_000)


def test_balances_and_open_orders_are_reported() -> None:
    listed = {"symbol": "BTCUSDT", "orderId": 5, "clientOrderId": "x", "price": "1", "origQty": "0.5",
              "executedQty": "0", "side": "SELL"}  # fmt: skip
    answers: dict[Ask, list[Answer]] = {
        Ask.ACCOUNT: [Reply({"balances": [{"asset": "BTC", "free": "1", "locked": "0"}]})],
        Ask.OPEN_ORDERS: [Reply([listed])],
    }
    with world(asked_about(answers)) as small:
        small.gateway.request_balances(SPOT_VENUE)
        (balances,) = small.reports(1)
        assert isinstance(balances, Balances)
        small.gateway.request_open_orders(SPOT_VENUE)
        (orders,) = small.reports(1)
        assert isinstance(orders, OpenOrders)
        assert (len(balances.balances), len(orders.orders)) == (1, 1)


def test_a_gateway_whose_stream_does_not_stand_does_not_open() -> None:
    class Mute(ScriptedChannel):
        async def run(self, listener: ChannelListener) -> None:
            listener.on_failure("the key was refused")

    with (
        pytest.raises(Retry, match="the key was refused"),
        world(always(None), channel=Mute(always(None)), patience_s=0.05),
    ):
        raise AssertionError("it opened")


def test_connections_that_do_not_end_hide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck(ScriptedChannel):
        async def run(self, listener: ChannelListener) -> None:
            listener.on_failure("the key was refused")

        async def close(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr("orchestrator.execution.gateway._CLOSE_S", 0.01)
    with (
        pytest.raises(Retry, match="the key was refused"),
        world(always(None), channel=Stuck(always(None)), patience_s=0.05),
    ):
        raise AssertionError("it opened")
