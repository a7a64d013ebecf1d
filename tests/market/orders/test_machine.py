"""The order state machine: what may happen to an order, and what may not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from market.orders.events import (
    Acknowledged,
    Cancelled,
    CancelRefused,
    CancelRequested,
    Expired,
    OrderEvent,
    OutcomeUnknown,
    Refused,
    Sent,
)
from market.orders.kinds import OrderState
from market.orders.machine import Verdict, advance, replay, verdict
from market.orders.order import Order
from market.orders.transitions import TRANSITIONS, transition_table
from tests.market.orders.samples import filled, order

SENT = Sent(time_ns=2)
OPENED = Acknowledged(time_ns=3, venue_order_id="77")
ASKED = CancelRequested(time_ns=6)
KEPT = CancelRefused(time_ns=7, reason="too late")
CANCELLED = Cancelled(time_ns=8)
EXPIRED = Expired(time_ns=9, reason="immediate or cancel")
REFUSED = Refused(time_ns=9, reason="insufficient balance")
LOST = OutcomeUnknown(time_ns=9, reason="timeout")


def after(*events: OrderEvent) -> Order:
    return replay(order(), events)


def test_an_order_is_sent_acknowledged_and_filled_in_parts() -> None:
    done = after(SENT, OPENED, filled("a", 4), filled("b", 6, price=101, time_ns=9))
    assert done.state is OrderState.FILLED
    assert (done.sent_ns, done.acknowledged_ns, done.ended_ns, done.venue_order_id) == (2, 3, 9, "77")
    assert (done.filled, done.remaining, done.notional, done.fee) == (10, 0, 4 * 100 + 6 * 101, 2)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((), OrderState.INTENDED),
        ((SENT,), OrderState.SENT),
        ((SENT, OPENED), OrderState.OPEN),
        ((SENT, filled("a", 4)), OrderState.PARTIALLY_FILLED),
        ((SENT, filled("a", 4), OPENED), OrderState.PARTIALLY_FILLED),
        ((SENT, OPENED, ASKED), OrderState.CANCEL_REQUESTED),
        ((SENT, OPENED, ASKED, KEPT), OrderState.OPEN),
        ((SENT, ASKED, KEPT), OrderState.SENT),
        ((SENT, ASKED, OPENED, KEPT), OrderState.OPEN),
        ((SENT, OPENED, ASKED, filled("a", 4)), OrderState.CANCEL_REQUESTED),
        ((SENT, OPENED, ASKED, filled("a", 4), KEPT), OrderState.PARTIALLY_FILLED),
        ((SENT, OPENED, ASKED, filled("a", 10)), OrderState.FILLED),
        ((SENT, OPENED, ASKED, CANCELLED), OrderState.CANCELLED),
        ((SENT, EXPIRED), OrderState.EXPIRED),
        ((SENT, REFUSED), OrderState.REJECTED),
        ((REFUSED,), OrderState.REJECTED),
        ((LOST,), OrderState.UNKNOWN),
        ((SENT, LOST, filled("a", 4)), OrderState.UNKNOWN),
        ((SENT, LOST, filled("a", 4), OPENED), OrderState.PARTIALLY_FILLED),
        ((SENT, LOST, SENT), OrderState.SENT),
        ((SENT, LOST, REFUSED), OrderState.REJECTED),
        ((SENT, LOST, CANCELLED), OrderState.CANCELLED),
    ],
)
def test_where_events_lead(events: tuple[OrderEvent, ...], state: OrderState) -> None:
    assert after(*events).state is state


def test_the_first_reason_and_time_of_an_end_stay() -> None:
    ended = after(SENT, EXPIRED, Cancelled(time_ns=20, reason="user"), filled("a", 10, time_ns=30))
    assert (ended.state, ended.ended_ns, ended.reason) == (OrderState.FILLED, 9, "immediate or cancel")


def test_a_fill_that_comes_after_the_cancellation_is_booked_and_reported() -> None:
    cancelled = after(SENT, OPENED, CANCELLED)
    late = advance(cancelled, filled("a", 4))
    assert (late.state, late.filled) == (OrderState.CANCELLED, 4)
    assert verdict(cancelled, late) is Verdict.LATE_FILL
    assert advance(late, filled("b", 6)).state is OrderState.FILLED


def test_a_fill_counts_once_however_often_it_is_reported() -> None:
    once = after(SENT, OPENED, filled("a", 4))
    again = advance(once, filled("a", 4, time_ns=99))
    assert again is once
    assert verdict(once, again) is Verdict.DUPLICATE
    done = after(SENT, filled("a", 10))
    assert advance(done, filled("a", 10)) is done


def test_a_fill_id_with_other_numbers_is_refused() -> None:
    with pytest.raises(Rejected, match="fill a came again with price 100 and quantity 5; expected 100 and 4"):
        after(SENT, filled("a", 4), filled("a", 5))


def test_more_filled_than_ordered_is_refused() -> None:
    with pytest.raises(Rejected, match="fill b was of 7; expected at most 6 of 10"):
        after(SENT, filled("a", 4), filled("b", 7))


@pytest.mark.parametrize(
    "events",
    [
        (OPENED,),
        (filled("a", 1),),
        (ASKED,),
        (CANCELLED,),
        (SENT, OPENED, SENT),
        (SENT, filled("a", 10), CANCELLED),
        (SENT, filled("a", 10), REFUSED),
        (SENT, CANCELLED, ASKED),
        (SENT, REFUSED, filled("a", 1)),
        (SENT, CANCELLED, SENT),
    ],
)
def test_impossible_transitions_are_refused_with_state_and_event(events: tuple[OrderEvent, ...]) -> None:
    with pytest.raises(Rejected, match=f"order arb-t1-2s-0 is .*: {type(events[-1]).__name__} came"):
        after(*events)


def test_an_order_with_fills_cannot_turn_out_to_be_refused() -> None:
    with pytest.raises(Rejected, match="no refusal after 1 fills"):
        after(SENT, filled("a", 1), ASKED, REFUSED)


def test_a_second_venue_order_id_is_refused() -> None:
    with pytest.raises(Rejected, match="'78'; expected '77', as before"):
        after(SENT, OPENED, Acknowledged(time_ns=4, venue_order_id="78"))


events = st.one_of(
    st.sampled_from([SENT, OPENED, ASKED, KEPT, CANCELLED, EXPIRED, REFUSED, LOST]),
    st.builds(filled, st.sampled_from("abcde"), st.integers(1, 6)),
)


def walk(start: Order, sequence: list[OrderEvent]) -> list[tuple[OrderEvent, Order, Order]]:
    """The accepted steps: event, order before, order after; refused events are left out."""
    steps = []
    for event in sequence:
        try:
            after_event = advance(start, event)
        except Rejected:
            continue
        steps.append((event, start, after_event))
        start = after_event
    return steps


@given(sequence=st.lists(events, max_size=25))
@settings(derandomize=True, deadline=None, max_examples=400)
def test_invariants_hold_along_any_sequence(sequence: list[OrderEvent]) -> None:
    for event, before, now in walk(advance(order(), SENT), sequence):
        assert before.filled <= now.filled <= now.intent.quantity
        assert now.filled == sum(fill.quantity for fill in now.fills)
        assert len({fill.fill_id for fill in now.fills}) == len(now.fills)
        assert (now.state is OrderState.FILLED) == (now.remaining == 0)
        assert (now.ended_ns > 0) == now.state.is_terminal
        if before.state.is_terminal:
            assert now.state.is_terminal
            assert now.state is before.state or verdict(before, now) is Verdict.LATE_FILL
        assert TRANSITIONS[type(event)].get(before.state) is not None


@given(sequence=st.lists(events, max_size=25))
@settings(derandomize=True, deadline=None)
def test_the_same_events_give_the_same_order_also_from_storage(sequence: list[OrderEvent]) -> None:
    steps = walk(advance(order(), SENT), sequence)
    accepted: list[OrderEvent] = [SENT, *(event for event, _, _ in steps)]
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(accepted), type=list[OrderEvent])
    assert replay(order(), stored) == (steps[-1][2] if steps else advance(order(), SENT))


@given(sequence=st.lists(events, max_size=15))
@settings(derandomize=True, deadline=None)
def test_hearing_a_fill_again_changes_nothing_at_any_later_time(sequence: list[OrderEvent]) -> None:
    known: list[OrderEvent] = []
    for event, _, now in walk(advance(order(), SENT), sequence):
        if now.fills and type(event) is type(filled("a", 1)):
            known.append(event)
        for earlier in known:
            assert advance(now, earlier) is now


def test_the_documentation_shows_this_table() -> None:
    text = (Path(__file__).parents[3] / "docs" / "seams.md").read_text(encoding="utf-8")
    assert transition_table() in text
