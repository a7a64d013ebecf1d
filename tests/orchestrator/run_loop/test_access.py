"""Periodic tasks and listeners of reports: when they are called, and what they may do."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from market.errors import Fatal, Rejected
from market.orders.events import Acknowledged, Cancelled
from market.orders.kinds import OrderState
from market.orders.reports import AccountReport, Balances, GatewayReport, OpenOrders
from market.protocols import Intent, MarketView, Started, WakeCause
from orchestrator.run_loop.access import PeriodicTask, RunAccess
from orchestrator.run_loop.loop import RunLoop, RunSettings
from sim.feed.replay_feed import ReplayFeed
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


def one_order(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
    return [decision(view, 1)] if isinstance(cause, Started) else []


def loop(small: World, gateway: ScriptedGateway, tasks: list[PeriodicTask], heard: list[object]) -> RunLoop:
    def listen(run: RunAccess, report: AccountReport) -> None:
        heard.append((len(run.orders), report, len(small.journal.reports)))

    return RunLoop(
        feed=ReplayFeed(small.plan.sources).open(),
        clock=small.clock,
        gateway=gateway,
        engine=small.engine,
        catalogue=small.catalogue,
        strategies=[Scripted(one_order)],
        settings=RunSettings(small.plan.tables, heartbeat_every_ns=small.plan.heartbeat_every_ns),
        journal=small.journal,
        periodic=tasks,
        listeners=[listen],
    )


def test_tasks_are_done_from_the_start_on_at_their_intervals_in_their_order(tmp_path: Path) -> None:
    small = world(tmp_path)
    calls: list[tuple[str, int]] = []

    def task(name: str, every_ms: int) -> PeriodicTask:
        return PeriodicTask(name, every_ms * MS, lambda run, now_ns: calls.append((name, (now_ns - START_NS) // MS)))

    loop(small, ScriptedGateway(small.clock, lambda order: []), [task("slow", 300), task("quick", 200)], []).run()
    assert calls == [
        ("slow", 0), ("quick", 0), ("quick", 200), ("slow", 300), ("quick", 400), ("slow", 600), ("quick", 600),
    ]  # fmt: skip


def test_listeners_get_lists_of_orders_and_balances_after_the_journal(tmp_path: Path) -> None:
    small = world(tmp_path)
    gateway = ScriptedGateway(small.clock, lambda order: [])
    orders = OpenOrders(time_ns=START_NS, venue=SPOT, orders=())
    balances = Balances(time_ns=START_NS, venue=SPOT, balances=())
    waiting: list[GatewayReport] = [orders, balances]
    gateway.next_ns = lambda: START_NS if waiting else None  # type: ignore[method-assign]

    def take(until_ns: int) -> list[GatewayReport]:
        return [waiting.pop(0)]

    gateway.take = take  # type: ignore[method-assign]
    heard: list[object] = []
    loop(small, gateway, [], heard).run()
    assert heard == [(1, orders, 1), (1, balances, 2)]


def test_a_task_sees_orders_and_positions_and_has_orders_asked_about_and_cancelled(tmp_path: Path) -> None:
    small = world(tmp_path)
    gateway = ScriptedGateway(
        small.clock,
        lambda order: [
            (1, lambda t: Acknowledged(time_ns=t, venue_order_id="1")),
            (2, lambda t: fill_event(order, t, part=2)),
        ],
        on_query=lambda order, t: Cancelled(time_ns=t),
    )
    seen: list[tuple[int, list[OrderState], int]] = []

    def look(run: RunAccess, now_ns: int) -> None:
        (order,) = run.orders
        held = run.positions_by_strategy.get(("script", (BTC, SPOT)))
        assert held == run.positions.get((BTC, SPOT))
        seen.append((len(run.working_orders), [order.state], held.quantity if held else 0))
        if order.state is OrderState.PARTIALLY_FILLED:
            run.cancel(order.client_order_id)
            run.doubt(order.client_order_id, "the venue does not list it")
        elif order.state.is_terminal:
            run.doubt(order.client_order_id, "are there fills after its end?")
            run.stop()

    summary = loop(small, gateway, [PeriodicTask("look", 100 * MS, look)], []).run()
    half = summary.orders[0].intent.quantity // 2
    assert seen == [
        (1, [OrderState.SENT], 0), (1, [OrderState.PARTIALLY_FILLED], half), (0, [OrderState.CANCELLED], half),
    ]  # fmt: skip
    name = summary.orders[0].client_order_id
    assert gateway.asked == [("submit", name), ("cancel", name), ("query", name), ("query", name)]


def test_what_is_not_of_the_run_is_neither_cancelled_nor_asked_about(tmp_path: Path) -> None:
    small = world(tmp_path)

    def meddle(run: RunAccess, now_ns: int) -> None:
        with pytest.raises(Rejected, match="expected one of this run"):
            run.cancel("other-d1-1-0")
        with pytest.raises(Rejected, match="expected one of this run"):
            run.doubt("other-d1-1-0", "why not")
        run.stop()

    gateway = ScriptedGateway(small.clock, lambda order: [])
    loop(small, gateway, [PeriodicTask("meddle", MS, meddle)], []).run()
    assert [asked for asked, _ in gateway.asked] == ["submit"]


def test_an_interval_of_nothing_is_refused() -> None:
    with pytest.raises(Fatal, match="expected at least 1"):
        PeriodicTask("never", 0, lambda run, now_ns: None)
