"""What the gateway concludes from the answer to a question about an order."""

from __future__ import annotations

import pytest

from market.orders.events import Acknowledged, Expired, OutcomeUnknown, Refused
from market.orders.kinds import OrderState
from market.orders.machine import advance
from orchestrator.execution.answers import Answer, Limited, Lost, NotSent, Refusal, Reply
from orchestrator.execution.requests import Ask
from tests.orchestrator.execution.gateway_answers import asked_about, heard, kinds
from tests.orchestrator.execution.samples import after, full_answer, order, spot_trade
from tests.orchestrator.execution.scripted_channel import WINDOW_MS, world

MISSING = Refusal(-2013, "Order does not exist.")


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
