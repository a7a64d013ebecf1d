"""What the loop makes of gateways that repeat, contradict, delay and lose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from market.errors import DataGap, Rejected, Retry
from market.orders.events import Acknowledged, Cancelled, Expired, OrderEvent, OutcomeUnknown, Refused
from market.orders.kinds import OrderState
from market.orders.order import Order
from market.orders.reports import Balances, GatewayReport, OrderUpdate
from market.protocols import CancelIntent, Intent, MarketView, OrderChanged, Started, TimerFired, TimerIntent, WakeCause
from orchestrator.run_loop.summary import RunSummary
from orchestrator.run_loop.take_triggers import TakeTriggers
from tests.orchestrator.replay.market_lines import START_NS
from tests.orchestrator.run_loop.worlds import (
    BTC,
    MS,
    PROFILE,
    SPOT,
    Scripted,
    ScriptedGateway,
    World,
    decision,
    fill_event,
    three_triggers,
    world,
)

Steps = Sequence[tuple[int, Callable[[int], OrderEvent] | DataGap]]


def opened(time_ns: int) -> OrderEvent:
    return Acknowledged(time_ns=time_ns, venue_order_id="7")


def expired(time_ns: int) -> OrderEvent:
    return Expired(time_ns=time_ns)


def lost(time_ns: int) -> OrderEvent:
    return OutcomeUnknown(time_ns=time_ns, reason="timeout")


def one_order(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
    return [decision(view, 1)] if isinstance(cause, Started) else []


def run(small: World, script: Callable[[Order], Steps]) -> tuple[RunSummary, ScriptedGateway]:
    gateway = ScriptedGateway(small.clock, script)
    return small.loop([Scripted(one_order)], gateway).run(), gateway


def test_fills_that_are_reported_twice_count_once(tmp_path: Path) -> None:
    def twice(order: Order) -> Steps:
        parts = [lambda t, i=i: fill_event(order, t, f"f{i}", part=4) for i in (1, 2, 1, 2, 1)]
        return [(1, opened), *((10 + turn, part) for turn, part in enumerate(parts))]

    summary, _ = run(world(tmp_path), twice)
    assert summary.counts.duplicates == 3
    assert summary.orders[0].filled == summary.positions[BTC, SPOT].quantity == 10**8 // 2
    assert summary.orders[0].state is OrderState.PARTIALLY_FILLED


def test_a_late_fill_is_booked_and_made_known_to_the_fast_loop(tmp_path: Path) -> None:
    def late(order: Order) -> Steps:
        return [(1, expired), (5, lambda t: fill_event(order, t))]

    small = world(tmp_path)
    summary = small.loop([TakeTriggers()], ScriptedGateway(small.clock, late)).run()
    assert summary.counts.late_fills == 3
    assert summary.positions[BTC, SPOT].quantity == 3 * 10**7
    assert summary.counters["controlRefused"] == 0


def test_positions_that_only_late_fills_made_still_limit_the_fast_loop(tmp_path: Path) -> None:
    def late(order: Order) -> Steps:
        return [(1, expired), (5, lambda t: fill_event(order, t))]

    def all_the_room(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        return [decision(view, 1, quantity="0.495")] if isinstance(cause, Started) else []

    small = world(tmp_path)
    summary = small.loop([Scripted(all_the_room)], ScriptedGateway(small.clock, late)).run()
    assert (summary.counts.triggers, summary.counters["gatePosition"]) == (0, 3)


@pytest.mark.parametrize("is_late", [False, True])
def test_a_commission_in_base_is_not_held(tmp_path: Path, is_late: bool) -> None:
    def with_fee(order: Order) -> Steps:
        end = [(1, expired)] if is_late else []
        return [*end, (5, lambda t: fill_event(order, t, fee_base=order.intent.quantity // 2))]

    limited = PROFILE + "position_limit = 0.022\n"
    small = world(tmp_path, profile=limited)
    summary = small.loop([TakeTriggers()], ScriptedGateway(small.clock, with_fee)).run()
    held = summary.positions[BTC, SPOT]
    assert held.quantity == 3 * 10**7 // 2
    assert held.cash + held.cost == held.realised == 0
    assert (summary.counts.triggers, summary.counters["gatePosition"], summary.counters["controlRefused"]) == (3, 0, 0)

    whole = world(tmp_path, profile=limited)
    summary = whole.loop(
        [TakeTriggers()], ScriptedGateway(whole.clock, lambda o: [(5, lambda t: fill_event(o, t))])
    ).run()
    assert (summary.counts.triggers, summary.counters["gatePosition"]) == (2, 1)


def test_a_commission_in_base_on_top_of_a_sale_is_made_known_too(tmp_path: Path) -> None:
    def with_fee(order: Order) -> Steps:
        return [(5, lambda t: fill_event(order, t, fee_base=order.intent.quantity // 2))]

    def leaning_down(line: str) -> str:
        leans = '"A":"0.01"' in line
        return line.replace('"A":"0.01"', '"A":"1"').replace('"B":"1"', '"B":"0.01"') if leans else line

    small = world(tmp_path, [leaning_down(line) for line in three_triggers()])
    summary = small.loop([TakeTriggers()], ScriptedGateway(small.clock, with_fee)).run()
    assert summary.positions[BTC, SPOT].quantity == -3 * 10**7 * 3 // 2
    assert (summary.counts.triggers, summary.counters["controlRefused"]) == (3, 0)


def test_contradictions_change_nothing_and_are_kept(tmp_path: Path) -> None:
    def contradict(order: Order) -> Steps:
        return [
            (1, lambda t: Refused(time_ns=t, reason="no balance")),
            (2, lambda t: fill_event(order, t)),
            (3, opened),
        ]

    small = world(tmp_path)
    summary, _ = run(small, contradict)
    assert summary.orders[0].state is OrderState.REJECTED
    assert summary.counts.contradictions == 1
    assert "is REJECTED: Filled came" in summary.counts.problems[0]
    (kept,) = small.journal.reports
    assert isinstance(kept, OrderUpdate)


def test_reports_about_anothers_orders_and_balances_are_kept(tmp_path: Path) -> None:
    small = world(tmp_path)
    gateway = ScriptedGateway(small.clock, lambda order: [])
    gateway.waiting = [(START_NS + MS, "foreign-d1-1-0", Cancelled(time_ns=START_NS + MS))]
    balances = Balances(time_ns=START_NS, venue=SPOT, balances=())
    take = gateway.take

    def with_balances(until_ns: int) -> Sequence[GatewayReport]:
        return [balances, *take(until_ns)]

    gateway.take = with_balances  # type: ignore[method-assign]
    summary = small.loop([], gateway).run()
    assert summary.counts.contradictions == 1
    assert "not of this run" in summary.counts.problems[0]
    assert [type(report) for report in small.journal.reports] == [Balances, OrderUpdate]


@pytest.mark.parametrize("refusal", [Rejected("minimum notional"), Retry("rate limit")])
def test_what_was_not_sent_is_refused_and_leaves_no_trace_in_the_fast_loop(tmp_path: Path, refusal: Exception) -> None:
    small = world(tmp_path)
    gateway = ScriptedGateway(small.clock, lambda order: [], refusal=refusal)
    summary = small.loop([Scripted(one_order), TakeTriggers()], gateway).run()
    assert {order.state for order in summary.orders} == {OrderState.REJECTED}
    assert {order.reason for order in summary.orders} == {str(refusal)}
    assert (summary.counts.triggers, summary.counters["controlRefused"]) == (3, 0)


def test_a_cancellation_that_was_not_sent_leaves_the_order_working(tmp_path: Path) -> None:
    small = world(tmp_path)
    gateway = ScriptedGateway(small.clock, lambda order: [(1, opened)])

    def cancel_while_refused(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if isinstance(cause, Started):
            yield decision(view, 1)
            yield TimerIntent(at_ns=START_NS + 10 * MS, number=1)
        elif isinstance(cause, TimerFired):
            gateway.refusal = Retry("rate limit")
            yield CancelIntent(client_order_id="script-d1-1-0")

    strategy = Scripted(cancel_while_refused)
    summary = small.loop([strategy], gateway).run()
    states = [cause.order.state for _, cause in strategy.woken if isinstance(cause, OrderChanged)]
    assert states == [OrderState.SENT, OrderState.OPEN, OrderState.CANCEL_REQUESTED, OrderState.OPEN]
    assert summary.orders[0].state is OrderState.OPEN


def test_an_unknown_outcome_is_asked_for_until_it_is_known(tmp_path: Path) -> None:
    small = world(tmp_path)
    gateway = ScriptedGateway(
        small.clock, lambda order: [(20, lost)], on_query=lambda order, t: fill_event(order, t), query_refusals=1
    )
    summary = small.loop([Scripted(one_order)], gateway).run()
    assert gateway.asked == [("submit", "script-d1-1-0"), ("query", "script-d1-1-0"), ("query", "script-d1-1-0")]
    assert summary.orders[0].state is OrderState.FILLED


def test_an_answer_that_is_no_answer_is_asked_for_again(tmp_path: Path) -> None:
    small = world(tmp_path)
    gateway = ScriptedGateway(small.clock, lambda order: [(20, lost)], on_query=lambda order, t: lost(t))
    summary = small.loop([Scripted(one_order)], gateway).run()
    assert summary.orders[0].state is OrderState.UNKNOWN
    assert gateway.asked.count(("query", "script-d1-1-0")) == 3


def test_a_broken_stream_makes_every_working_order_unknown_and_asked_for(tmp_path: Path) -> None:
    small = world(tmp_path)
    gateway = ScriptedGateway(
        small.clock,
        lambda order: [(1, opened), (30, DataGap("the user stream broke off")), (31, lambda t: fill_event(order, t))],
        on_query=lambda order, t: Acknowledged(time_ns=t, venue_order_id="7"),
    )
    strategy = Scripted(one_order)
    summary = small.loop([strategy], gateway).run()
    states = [cause.order.state for _, cause in strategy.woken if isinstance(cause, OrderChanged)]
    assert states[:3] == [OrderState.SENT, OrderState.OPEN, OrderState.UNKNOWN]
    assert summary.orders[0].state is OrderState.FILLED
    assert summary.counts.data_gaps == 1
