"""Risk plugged into the run loop: a market in event time, a gateway that fills what crosses and rests the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from market.errors import Rejected
from market.orders.events import Acknowledged, Cancelled, Expired, Filled, OrderEvent
from market.orders.kinds import Liquidity, OrderState, OrderType, Side
from market.orders.order import Fill, Order
from market.orders.reports import GatewayReport, OrderUpdate
from market.protocols import Clock, Intent, MarketView, Started, TimerFired, TimerIntent, WakeCause
from orchestrator.risk.assembly import Risk, assemble_risk
from orchestrator.risk.supervisor import GuardChange, RiskState
from orchestrator.run_loop.access import PeriodicTask, RunAccess
from orchestrator.run_loop.loop import RunLoop, RunSettings
from orchestrator.run_loop.summary import RunSummary
from sim.feed.replay_feed import ReplayFeed
from tests.orchestrator.replay.market_lines import START_NS
from tests.orchestrator.run_loop.worlds import BTC, MS, SPOT, Scripted, World, balanced, decision, opening, world

PRICE = 61_700 * 10**9


@dataclass
class PlainVenue:
    """A venue: 1 ms away, fills market orders at once, rests limit orders, cancels on request."""

    clock: Clock
    stubborn: bool = False
    waiting: list[tuple[int, OrderUpdate]] = field(default_factory=list)
    submitted: list[str] = field(default_factory=list)
    cancels: list[str] = field(default_factory=list)
    resting: dict[str, Order] = field(default_factory=dict)

    def _report(self, order: Order, make: Callable[[int], OrderEvent]) -> None:
        time_ns = self.clock.now_ns() + MS
        self.waiting.append((time_ns, OrderUpdate(client_order_id=order.client_order_id, event=make(time_ns))))

    def submit(self, order: Order) -> None:
        self.submitted.append(order.client_order_id)
        self._report(order, lambda t: Acknowledged(time_ns=t, venue_order_id=str(len(self.submitted))))
        if order.intent.type is OrderType.MARKET:
            self.fill(order)
        else:
            self.resting[order.client_order_id] = order

    def fill(self, order: Order) -> None:
        """All of an order is filled."""
        self.resting.pop(order.client_order_id, None)
        price = order.intent.limit_price or PRICE
        self._report(
            order,
            lambda t: Filled(
                fill=Fill(
                    fill_id="1",
                    price=price,
                    quantity=order.intent.quantity,
                    fee=0,
                    liquidity=Liquidity.TAKER,
                    venue_ns=t,
                    receive_ns=t,
                )
            ),
        )

    def cancel(self, order: Order) -> None:
        self.cancels.append(order.client_order_id)
        if not self.stubborn and self.resting.pop(order.client_order_id, None) is not None:
            self._report(order, lambda t: Cancelled(time_ns=t))

    def query(self, order: Order) -> None:
        self._report(order, lambda t: Expired(time_ns=t))

    def request_open_orders(self, venue: int) -> None:
        """Nothing is said."""

    def request_balances(self, venue: int) -> None:
        """Nothing is said."""

    def submit_oco(self, limit: Order, stop: Order) -> None:
        self.submit(limit)
        self.submit(stop)

    def request_positions(self, venue: int) -> None:
        """Nothing is said."""

    def next_ns(self) -> int | None:
        return self.waiting[0][0] if self.waiting else None

    def take(self, until_ns: int) -> Sequence[GatewayReport]:
        due = [update for time_ns, update in self.waiting if time_ns <= until_ns]
        self.waiting = self.waiting[len(due) :]
        return due


def quoter(cause: WakeCause, view: MarketView) -> Iterable[Intent]:
    """A buy order of 0.01 every 100 ms from 100 ms on, whatever happens; at the start there is no book yet."""
    if isinstance(cause, Started | TimerFired):
        number = 0 if isinstance(cause, Started) else cause.number
        yield TimerIntent(at_ns=view.now_ns + 100 * MS, number=number + 1)
        if number:
            yield decision(view, number, quantity="0.01", price="61699.00")


@dataclass
class Watched:
    """A run under risk."""

    small: World
    venue: PlainVenue
    risk: Risk
    changes: list[GuardChange]
    at: dict[int, Callable[[RunAccess], None]] = field(default_factory=dict)

    def run(self) -> RunSummary:
        """Run to the end of the market; what ``at`` says is done at its milliseconds."""

        def act(access: RunAccess, now_ns: int) -> None:
            for offset_ms in [due for due in self.at if START_NS + due * MS <= now_ns]:
                self.at.pop(offset_ms)(access)

        return RunLoop(
            feed=ReplayFeed(self.small.plan.sources).open(),
            clock=self.small.clock,
            gateway=self.risk.gateway,
            engine=self.small.engine,
            catalogue=self.small.catalogue,
            strategies=(*self.risk.strategies, Scripted(quoter)),
            settings=RunSettings(self.small.plan.tables, heartbeat_every_ns=self.small.plan.heartbeat_every_ns),
            checks=self.risk.checks,
            journal=self.small.journal,
            periodic=(*self.risk.tasks, PeriodicTask("script", 10 * MS, act)),
            listeners=self.risk.listeners,
        ).run()


def watched(folder: Path, lasts_ms: int = 2_000, state: RiskState | None = None) -> Watched:
    lines = [*opening(), *(balanced(offset, 6 + offset) for offset in range(10, lasts_ms, 10))]
    profile = 'extends = "demo"\n[risk.guards]\nminimum_liquidity_quote = 0\n'
    small = world(folder, lines, profile)
    venue, changes = PlainVenue(small.clock), list[GuardChange]()
    risk = assemble_risk(
        small.settings, small.catalogue, venue, small.clock, on_change=changes.append, state=state, follow_queues=True
    )
    return Watched(small, venue, risk, changes)


def states(summary: RunSummary, tag: str) -> list[OrderState]:
    return [order.state for order in summary.orders if order.intent.cause.strategy == tag]


def test_orders_within_the_limits_pass_and_the_others_do_not(tmp_path: Path) -> None:
    """Each order binds 617 of the 10,000 that one instrument may be worth."""
    summary = watched(tmp_path).run()
    assert states(summary, "script")[:16] == [OrderState.OPEN] * 16
    assert set(states(summary, "script")[16:]) == {OrderState.REJECTED}
    assert "exposure to instrument 0" in summary.orders[16].reason


def test_a_halt_cancels_everything_and_nothing_follows(tmp_path: Path) -> None:
    run = watched(tmp_path)
    run.at[550] = lambda access: run.risk.supervisor.halt("stop", access.view.now_ns)
    summary = run.run()
    assert states(summary, "script")[:5] == [OrderState.CANCELLED] * 5
    assert set(states(summary, "script")[5:]) == {OrderState.REJECTED}
    assert run.venue.resting == {}
    assert len(run.venue.submitted) == 5
    assert "trading was halted, stop" in summary.orders[-1].reason


def test_close_all_leaves_nothing(tmp_path: Path) -> None:
    run = watched(tmp_path)

    def fill_all(access: RunAccess) -> None:
        for order in list(run.venue.resting.values()):
            run.venue.fill(order)

    run.at[450] = fill_all
    run.at[550] = lambda access: run.risk.supervisor.close_all("go home", access.view.now_ns)
    summary = run.run()
    assert states(summary, "script")[:5] == [OrderState.FILLED] * 4 + [OrderState.CANCELLED]
    (closing,) = [order for order in summary.orders if order.intent.cause.strategy == "risk"]
    assert (closing.intent.side, closing.state, closing.filled) == (Side.SELL, OrderState.FILLED, 4 * 10**7)
    assert summary.positions[BTC, SPOT].quantity == 0
    assert run.risk.supervisor.stage.name == "DONE"
    assert [change.after.name for change in run.changes] == ["HALTED"]


def test_a_run_that_was_resumed_trades_again(tmp_path: Path) -> None:
    run = watched(tmp_path)
    run.at[350] = lambda access: run.risk.supervisor.halt("stop", access.view.now_ns)
    run.at[1_350] = lambda access: run.risk.supervisor.resume(access.view.now_ns)
    summary = run.run()
    found = states(summary, "script")
    assert found[:3] == [OrderState.CANCELLED] * 3
    assert found[3:13] == [OrderState.REJECTED] * 10
    assert set(found[13:]) == {OrderState.OPEN}


def test_a_halt_outlives_the_run(tmp_path: Path) -> None:
    run = watched(tmp_path, state=RiskState(halted="the month was bad", halted_ns=5))
    summary = run.run()
    assert run.venue.submitted == []
    assert "the month was bad" in summary.orders[0].reason


def test_an_order_whose_cancellation_is_not_answered_stays_requested(tmp_path: Path) -> None:
    run = watched(tmp_path, lasts_ms=4_000)
    run.venue.stubborn = True
    run.at[250] = lambda access: run.risk.supervisor.halt("stop", access.view.now_ns)
    summary = run.run()
    assert states(summary, "script")[:2] == [OrderState.CANCEL_REQUESTED] * 2
    assert run.venue.cancels == ["script-d1-1-0", "script-d1-2-0"]


def test_a_gateway_refuses_what_the_gate_never_saw(tmp_path: Path) -> None:
    """The halt holds at the last place, too: an order that passed the checks before is not sent after it."""
    run = watched(tmp_path)
    small = run.small
    run.run()
    run.risk.supervisor.halt("stop", small.clock.now_ns())
    sent = len(run.venue.submitted)
    order = Order(intent=small.journal.intents[0], client_order_id="script-d1-1-0")
    with pytest.raises(Rejected, match="was not sent: trading was halted, stop"):
        run.risk.gateway.submit(order)
    assert len(run.venue.submitted) == sent
