"""The gateway: what it sends, what it reports, and what it never does twice."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from market.errors import DataGap, Rejected, Retry
from market.orders.events import (
    Acknowledged,
    Cancelled,
    CancelRefused,
    Expired,
    Filled,
    OrderEvent,
    OutcomeUnknown,
    Refused,
)
from market.orders.kinds import OrderState, OrderType, Side
from market.orders.machine import advance
from market.orders.reports import Balances, OpenOrders
from orchestrator.execution.answers import Answer, Limited, Lost, NotSent, Refusal, Reply
from orchestrator.execution.channel import ChannelListener
from orchestrator.execution.circuit_breaker import BreakerLimits, BreakerState
from orchestrator.execution.guard import GuardLimits
from orchestrator.execution.rate_limit import Counted, Limit
from orchestrator.execution.requests import Ask, MarketKind, Request
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
    order_trade_update,
    spot_trade,
)
from tests.orchestrator.execution.scripted_channel import (
    OPEN_LIMITS,
    SECOND_NS,
    WINDOW_MS,
    ScriptedChannel,
    World,
    world,
)

MISSING = Refusal(-2013, "Order does not exist.")


def kinds(events: list[OrderEvent]) -> list[type[OrderEvent]]:
    return [type(event) for event in events]


def heard(small: World, count: int) -> list[OrderEvent]:
    return [update.event for update in small.updates(count)]


def always(answer: Answer | None) -> Any:
    return lambda request: answer


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


def asked_about(answers: dict[Ask, list[Answer]]) -> Any:
    """Answers per question, the last again and again."""

    def answer(request: Request) -> Answer | None:
        left = answers.get(request.ask, [None])
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


def test_a_question_about_an_order_is_answered_by_what_it_is_now() -> None:
    answers: dict[Ask, list[Answer]] = {
        Ask.ORDER: [Reply(full_answer())],
        Ask.TRADES: [Reply([spot_trade(77, "0.0004"), spot_trade(78, "0.0003", "60000.2")])],
    }
    with world(asked_about(answers)) as small:
        small.gateway.query(order())
        done = after(order(), small.updates(4))
        assert (done.state, done.filled) == (OrderState.EXPIRED, 70_000)


def test_trades_that_are_not_all_listed_leave_the_outcome_unknown() -> None:
    answers: dict[Ask, list[Answer]] = {Ask.ORDER: [Reply(full_answer())], Ask.TRADES: [Reply([])]}
    with world(asked_about(answers)) as small:
        small.gateway.query(order())
        (event,) = heard(small, 1)
        assert isinstance(event, OutcomeUnknown)
        assert "0 trades were listed" in event.reason


def test_an_order_that_the_venue_may_still_take_is_not_given_up() -> None:
    with world(asked_about({Ask.PLACE: [Lost("?")], Ask.ORDER: [MISSING]})) as small:
        small.gateway.submit(order())
        assert kinds(heard(small, 1)) == [OutcomeUnknown]
        small.channel.venue_ms = small.channel.asked[-1][1] + WINDOW_MS
        small.gateway.query(order())
        assert kinds(heard(small, 1)) == [OutcomeUnknown]
        small.channel.venue_ms += 1
        small.gateway.query(order())
        (event,) = heard(small, 1)
        assert isinstance(event, Refused)
        assert "never arrived" in event.reason
        assert small.channel.names() == ["PLACE", "ORDER", "ORDER", "ORDER"], "asked, and never sent again"


def test_an_order_that_arrives_while_it_is_asked_for_is_found() -> None:
    arrived = Reply(full_answer(fills=[], executedQty="0", status="NEW"))
    with world(asked_about({Ask.PLACE: [Lost("?")], Ask.ORDER: [MISSING, arrived]})) as small:
        small.gateway.submit(order())
        small.channel.venue_ms += 3_600_000
        small.gateway.query(order())
        first, second = heard(small, 2)
        assert isinstance(first, OutcomeUnknown)
        assert isinstance(second, Acknowledged)


def test_orders_of_an_earlier_run_are_given_the_whole_window_from_the_start_of_this_one() -> None:
    with world(asked_about({Ask.ORDER: [MISSING]})) as small:
        opened_ms = small.channel.venue_ms
        small.channel.venue_ms = opened_ms + WINDOW_MS + 900
        small.gateway.query(order())
        assert kinds(heard(small, 1)) == [OutcomeUnknown]
        small.channel.venue_ms = opened_ms + WINDOW_MS + 11_000
        small.gateway.query(order())
        assert kinds(heard(small, 1)) == [Refused]


def test_an_order_that_was_just_taken_and_is_not_found_is_asked_for_again() -> None:
    taken = Reply(full_answer(fills=[], executedQty="0", status="NEW"))
    with world(asked_about({Ask.PLACE: [taken], Ask.ORDER: [MISSING]})) as small:
        small.gateway.submit(order())
        assert kinds(heard(small, 1)) == [Acknowledged]
        small.gateway.query(order())
        assert kinds(heard(small, 1)) == [OutcomeUnknown]


def test_an_order_that_was_there_once_and_is_forgotten_has_expired() -> None:
    with world(asked_about({Ask.ORDER: [MISSING]})) as small:
        small.channel.venue_ms += 3_600_000
        small.gateway.query(advance(order(), Acknowledged(time_ns=3, venue_order_id="28")))
        assert kinds(heard(small, 1)) == [Expired]


@pytest.mark.parametrize("answer", [Lost("?"), NotSent("?"), Limited("429", 1), Refusal(-1102, "?"), Reply({})])
def test_a_question_without_an_answer_leaves_the_outcome_unknown(answer: Answer) -> None:
    with world(asked_about({Ask.ORDER: [answer]})) as small:
        small.gateway.query(order())
        assert kinds(heard(small, 1)) == [OutcomeUnknown]


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


def limited(orders: int = 10) -> GuardLimits:
    return GuardLimits(
        limits=(Limit(Counted.ORDERS, orders, 86_400 * SECOND_NS), Limit(Counted.WEIGHT, 100, 86_400 * SECOND_NS)),
        reserve_percent=20,
        breaker=OPEN_LIMITS.breaker,
    )


def test_orders_beyond_the_limit_are_not_sent_but_cancellations_are() -> None:
    with world(always(None), limits=limited()) as small:
        for number in range(4):
            small.gateway.submit(order(number))
        with pytest.raises(Retry, match="the rate limit allows the next"):
            small.gateway.submit(order(9))
        small.gateway.cancel(order(0))
        small.network.call(nothing(), 5)
        assert small.channel.names() == ["PLACE"] * 4 + ["CANCEL"]


async def nothing() -> None:
    """Wait until the network's thread has done what it was given before."""


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
