"""A run that follows another: what it takes over, what it asks, and when its strategies start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from market.errors import Fatal
from market.orders.events import (
    Acknowledged,
    Cancelled,
    CancelRequested,
    Expired,
    Filled,
    OrderEvent,
    OutcomeUnknown,
    Refused,
    Sent,
)
from market.orders.kinds import OrderState, Side
from market.orders.machine import replay
from market.orders.order import Order, new_order
from market.orders.reports import OrderUpdate
from market.protocols import Intent, MarketView, OrderChanged, Started, Strategy, WakeCause
from market.risk.position import Position
from orchestrator.run_loop.ledger import Ledger
from orchestrator.run_loop.loop import RunLoop, RunSettings
from orchestrator.run_loop.recovered import Owned, Recovered
from orchestrator.run_loop.take_triggers import TakeTriggers
from sim.clock import EventClock
from sim.feed.replay_feed import ReplayFeed
from sim.gateway.settling import SettleMode
from tests.orchestrator.replay.market_lines import START_NS
from tests.orchestrator.run_loop.worlds import (
    BTC,
    MS,
    SPOT,
    Scripted,
    ScriptedGateway,
    World,
    decision,
    fill_event,
    world,
)

T = START_NS - 1_000 * MS
SENT = Sent(time_ns=T)
OPENED = Acknowledged(time_ns=T, venue_order_id="7")
FULL = 10**8


def idle(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
    return ()


@pytest.fixture
def small(tmp_path: Path) -> World:
    made = world(tmp_path)
    made.clock.wait_until(START_NS)
    return made


def earlier(small: World, number: int, events: Sequence[OrderEvent], *, side: Side = Side.BUY,
            tag: str = "script") -> Order:  # fmt: skip
    """An order of epoch 1 to which something happened."""
    view = small.loop([])._view
    return replay(new_order(decision(view, number, side=side, tag=tag)), events)


def part_filled(small: World, number: int, part: int) -> Order:
    order = earlier(small, number, [SENT, OPENED])
    return replay(order, [fill_event(order, T, part=part)])


def recovered(*orders: Order) -> Recovered:
    """The state that follows from some orders and their fills."""
    ledger = Ledger()
    for order in orders:
        ledger.add(order.intent)
        events: list[OrderEvent] = [SENT, *(Filled(fill=fill) for fill in order.fills)]
        for event in events:
            ledger.apply(order.client_order_id, event)
    positions: dict[Owned, Position] = {(None, key): held for key, held in ledger.positions.items()}
    positions |= {(tag, key): held for (tag, key), held in ledger.positions_by_strategy.items()}
    return Recovered(orders=orders, positions=positions, epoch=1, decisions={"script": len(orders)})


def successor(
    small: World,
    taken_over: Recovered,
    gateway: ScriptedGateway,
    strategies: Sequence[Strategy],
    timeout_ms: int = 1_000,
    epoch: int = 2,
) -> RunLoop:
    return RunLoop(
        feed=ReplayFeed(small.plan.sources).open(),
        clock=small.clock,
        gateway=gateway,
        engine=small.engine,
        catalogue=small.catalogue,
        strategies=strategies,
        settings=RunSettings(
            small.plan.tables,
            epoch=epoch,
            heartbeat_every_ns=small.plan.heartbeat_every_ns,
            recovery_timeout_ns=timeout_ms * MS,
        ),
        journal=small.journal,
        recovered=taken_over,
    )


def answering(clock: EventClock, answers: dict[str, OrderEvent]) -> ScriptedGateway:
    """A venue that answers the question about each order by one event, 1 ms later."""
    return ScriptedGateway(clock, lambda order: [], on_query=lambda order, t: answers[order.client_order_id])


def test_every_order_that_has_not_ended_becomes_unknown_and_is_asked_about(small: World) -> None:
    orders = [
        earlier(small, 1, []),
        earlier(small, 2, [SENT]),
        earlier(small, 3, [SENT, OPENED]),
        part_filled(small, 4, part=2),
        earlier(small, 5, [SENT, OPENED, CancelRequested(time_ns=T)]),
        earlier(small, 6, [SENT, OutcomeUnknown(time_ns=T, reason="no answer")]),
    ]
    answers: list[OrderEvent] = [
        Refused(time_ns=START_NS, reason="never arrived"),
        Acknowledged(time_ns=START_NS, venue_order_id="8"),
        OPENED,
        Cancelled(time_ns=START_NS),
        Cancelled(time_ns=START_NS),
        Expired(time_ns=START_NS),
    ]
    gateway = answering(small.clock, dict(zip((order.client_order_id for order in orders), answers, strict=True)))
    summary = successor(small, recovered(*orders), gateway, []).run()
    assert gateway.asked == [("query", order.client_order_id) for order in orders]
    doubts = [name for name, event in small.journal.events if isinstance(event, OutcomeUnknown)]
    assert doubts == [order.client_order_id for order in orders[:-1]]
    assert [order.state for order in summary.orders] == [
        OrderState.REJECTED, OrderState.OPEN, OrderState.OPEN, OrderState.CANCELLED, OrderState.CANCELLED,
        OrderState.EXPIRED,
    ]  # fmt: skip
    assert small.journal.intents == []


def test_orders_that_ended_a_short_while_ago_are_asked_about_for_late_fills(small: World) -> None:
    cancelled = earlier(small, 1, [SENT, OPENED, Cancelled(time_ns=T)])
    filled = replay(cancelled_free := earlier(small, 2, [SENT, OPENED]), [fill_event(cancelled_free, T)])
    gateway = ScriptedGateway(small.clock, lambda order: [])

    def query(order: Order) -> None:
        gateway.asked.append(("query", order.client_order_id))
        for event in (OPENED, fill_event(order, START_NS + MS, part=4), Cancelled(time_ns=START_NS + MS)):
            gateway.waiting.append((START_NS + MS, order.client_order_id, event))

    gateway.query = query  # type: ignore[method-assign]
    starts: list[int] = []

    def start(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        starts.append(view.position(BTC, SPOT).quantity)
        return ()

    summary = successor(small, recovered(cancelled, filled), gateway, [Scripted(start)]).run()
    assert gateway.asked == [("query", cancelled.client_order_id)]
    assert summary.counts.late_fills == 1
    assert starts[0] == summary.positions[BTC, SPOT].quantity == FULL + FULL // 4


def test_strategies_start_when_all_answers_are_in_with_orders_and_positions_restored(small: World) -> None:
    bought = part_filled(small, 1, part=2)
    resting = earlier(small, 2, [SENT, OPENED])
    gateway = answering(
        small.clock,
        {bought.client_order_id: Cancelled(time_ns=START_NS + MS), resting.client_order_id: OPENED},
    )
    gateway.query_refusals = 1
    seen: list[tuple[int, int, tuple[str, ...]]] = []

    def look(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if isinstance(cause, Started):
            working = tuple(order.client_order_id for order in view.working_orders("script"))
            seen.append((view.epoch, view.position(BTC, SPOT, "script").quantity, working))
            yield decision(view, 1)

    strategy = Scripted(look)
    summary = successor(small, recovered(bought, resting), gateway, [strategy]).run()
    again_ms = small.plan.heartbeat_every_ns / MS
    assert strategy.times_ms(Started) == [again_ms + 1]
    assert seen == [(2, FULL // 2, (resting.client_order_id,))]
    assert [cause.order.client_order_id for _, cause in strategy.woken if isinstance(cause, OrderChanged)] == [
        "script-d2-1-0"
    ]
    assert [order.client_order_id for order in summary.orders] == ["script-d1-1-0", "script-d1-2-0", "script-d2-1-0"]


def test_profit_and_positions_go_on_from_what_was_there(small: World) -> None:
    bought = earlier(small, 1, [SENT, OPENED])
    bought = replay(bought, [fill_event(bought, T)])

    def sell(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        return [decision(view, 1, side=Side.SELL, price="61701.00")] if isinstance(cause, Started) else []

    gateway = ScriptedGateway(small.clock, lambda order: [(1, lambda t: fill_event(order, t))])
    summary = successor(small, recovered(bought), gateway, [Scripted(sell)]).run()
    held = summary.positions[BTC, SPOT]
    tick = summary.orders[-1].intent.limit_price - bought.intent.limit_price
    assert (held.quantity, held.cost, held.realised) == (0, 0, FULL * tick)


def test_the_fast_loop_is_told_of_positions_and_of_what_still_works(small: World) -> None:
    """Its limit is 0.5: 0.45 are held or may be bought, so that triggers of 0.1 are stopped at its gate."""
    held = part_filled(small, 1, part=1)
    big = replace(recovered(held), positions=_scaled(recovered(held), 4))
    resting = earlier(small, 2, [SENT, OPENED])
    with_resting = replace(big, orders=(held, resting))
    gateway = answering(small.clock, {resting.client_order_id: OPENED})
    summary = successor(small, with_resting, gateway, [TakeTriggers()]).run()
    assert (summary.counts.triggers, summary.counters["gatePosition"]) == (0, 3)
    assert summary.counters["controlRefused"] == 0


def _scaled(state: Recovered, times: int) -> dict[Owned, Position]:
    return {key: replace(held, quantity=held.quantity * times) for key, held in state.positions.items()}


def test_fills_of_a_taken_over_answer_to_a_trigger_are_settled_in_the_new_fast_loop(small: World) -> None:
    first = small.loop([TakeTriggers()], small.gateway(SettleMode.FILLED, latency_ms=10_000)).run()
    orders = first.orders
    assert {order.state for order in orders} == {OrderState.SENT}
    small.clock = EventClock(START_NS)
    gateway = ScriptedGateway(
        small.clock,
        lambda order: [],
        on_query=lambda order, t: Acknowledged(time_ns=t, venue_order_id=order.client_order_id),
    )
    later = [(START_NS + 200 * MS, order.client_order_id, fill_event(order, START_NS + 200 * MS)) for order in orders]
    gateway.waiting.extend(later)
    gateway.take = _in_order(gateway)  # type: ignore[method-assign]
    summary = successor(small, Recovered(orders=orders, epoch=1), gateway, []).run()
    assert {order.state for order in summary.orders} == {OrderState.FILLED}
    assert summary.positions[BTC, SPOT].quantity == sum(order.intent.quantity for order in orders)
    assert summary.counters["controlRefused"] == 0


def _in_order(gateway: ScriptedGateway):  # type: ignore[no-untyped-def]
    take = gateway.take

    def sorted_take(until_ns: int) -> Sequence[OrderUpdate]:
        gateway.waiting.sort(key=lambda item: item[0])
        return take(until_ns)  # type: ignore[return-value]

    return sorted_take


def test_a_run_without_answers_ends_and_names_the_orders(small: World) -> None:
    lost = earlier(small, 1, [])
    gateway = answering(small.clock, {lost.client_order_id: OutcomeUnknown(time_ns=START_NS, reason="on its way?")})
    strategy = Scripted(idle)
    with pytest.raises(Fatal, match=r"after 2 s it was still unknown what became of script-d1-1-0; expected"):
        successor(small, recovered(lost), gateway, [strategy], timeout_ms=2_000).run()
    assert strategy.woken == []
    assert gateway.asked.count(("query", lost.client_order_id)) > 2


def test_what_came_while_it_waited_makes_books_and_no_decisions(small: World) -> None:
    """Triggers would be made at 100, 300 and 500 ms; the answer comes at 200 ms."""
    lost = earlier(small, 1, [SENT])
    gateway = ScriptedGateway(small.clock, lambda order: [])

    def query(order: Order) -> None:
        at_ns = START_NS + 200 * MS
        gateway.waiting.append((at_ns, order.client_order_id, Refused(time_ns=at_ns, reason="never arrived")))

    gateway.query = query  # type: ignore[method-assign]
    quotes: list[object] = []

    def look(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if isinstance(cause, Started):
            quotes.append(view.quote(BTC, SPOT))
        return ()

    summary = successor(small, recovered(lost), gateway, [Scripted(look)]).run()
    assert summary.counts.triggers == 2
    assert quotes[0] is not None


def test_orders_of_a_strategy_that_is_gone_are_kept_true_and_nobody_is_told(small: World) -> None:
    left = earlier(small, 1, [SENT, OPENED], tag="gone")
    gateway = answering(small.clock, {left.client_order_id: fill_event(left, START_NS + MS)})
    summary = successor(small, recovered(left), gateway, [Scripted(idle)]).run()
    assert summary.orders[0].state is OrderState.FILLED


@pytest.mark.parametrize("epoch", [0, 1])
def test_an_epoch_is_never_used_again(small: World, epoch: int) -> None:
    with pytest.raises(Fatal, match=rf"epoch was {epoch}; expected more than 1"):
        successor(small, Recovered(epoch=1), ScriptedGateway(small.clock, lambda order: []), [], epoch=epoch)


def test_what_is_held_where_the_run_does_not_trade_is_refused(small: World) -> None:
    state = recovered(part_filled(small, 1, part=1))
    elsewhere = replace(state, orders=(), positions={(None, (9, 9)): next(iter(state.positions.values()))})
    with pytest.raises(Fatal, match="in a market that there is not: instrument 9"):
        successor(small, elsewhere, ScriptedGateway(small.clock, lambda order: []), [])
