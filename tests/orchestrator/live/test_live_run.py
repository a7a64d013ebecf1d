"""A live run against the simulated exchange: a dislocation becomes a trigger, two fills and the profit due to it."""

from __future__ import annotations

import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest

from config.credentials import read_credentials
from config.execution import Mode
from market.orders.kinds import OrderState, Side
from market.orders.order import Order
from orchestrator.live import assembly
from orchestrator.live.session import LiveSession, RunPlan, live_session
from orchestrator.run_loop.summary import RunSummary
from orchestrator.storage.journal_folder import journal_path
from orchestrator.storage.journal_reader import read_journal
from sim.faults.plan import Channel, Fault, FaultKind, FaultPlan
from tests.orchestrator.audited import audit_runs
from tests.orchestrator.live.exchange_world import FUTURES, PATIENCE_S, SPOT, ExchangeWorld, exchange_world

QUANTITY = Decimal("0.01")
BOUGHT_AT, SOLD_AT = Decimal("60010"), Decimal("60600")
SPOT_FEE, FUTURES_FEE = Decimal("0.001"), Decimal("0.0005")
PROFIT = QUANTITY * (SOLD_AT - BOUGHT_AT) - QUANTITY * BOUGHT_AT * SPOT_FEE - QUANTITY * SOLD_AT * FUTURES_FEE
"""4.9969 by hand: 5.90 gained, 0.6001 and 0.303 paid."""


def wait_for(condition: object) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def run_with_dislocation(
    world: ExchangeWorld, path: str, tape: Path | None = None, extra: str = ""
) -> tuple[LiveSession, RunSummary]:
    """A run in which somebody bids far too much on the futures venue, once trading goes on."""
    settings = world.loaded(path, extra).settings
    credentials = read_credentials(world.environment)
    notes: list[str] = []
    with live_session(settings, credentials, RunPlan(mode=Mode.LIVE, tape=tape), notes.append) as session:

        def dislocate() -> None:
            try:
                wait_for(lambda: session.loop.access.view.quote(0, 1) and session.readiness.is_ready)
                wait_for(lambda: session.risk.supervisor.guard.state.name == "RUNNING")
                world.quote(FUTURES, Side.BUY, "60600", "0.01")
                wait_for(lambda: len(session.loop.access.orders) == 2 and not session.loop.access.working_orders)
            finally:
                session.stop("the test is over")

        other = threading.Thread(target=dislocate)
        other.start()
        summary = session.run()
        other.join()
    return session, summary


def profit_of(orders: tuple[Order, ...]) -> int:
    """In notional counts: sold less bought less fees."""
    return sum(-order.intent.side.sign * order.notional - order.fee for order in orders)


@pytest.mark.parametrize("path", ["ccxt-rest", "ccxt-websocket", "native"])
def test_a_dislocation_becomes_two_fills_and_the_profit_computed_by_hand(
    tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the money of the run balances after every event."""
    audit = audit_runs(monkeypatch, assembly)
    with exchange_world(tmp_path) as world:
        before = world.balance(SPOT, "USDT"), world.balance(FUTURES, "USDT"), world.balance(SPOT, "BTC")
        _, summary = run_with_dislocation(world, path)
        after = world.balance(SPOT, "USDT"), world.balance(FUTURES, "USDT"), world.balance(SPOT, "BTC")
    assert audit.fills == 2
    assert summary.counts.triggers == 1
    sold, bought = summary.orders
    assert (sold.intent.side, sold.intent.venue, sold.state) == (Side.SELL, 1, OrderState.FILLED)
    assert (bought.intent.side, bought.intent.venue, bought.state) == (Side.BUY, 0, OrderState.FILLED)
    assert profit_of(summary.orders) == PROFIT.scaleb(18)
    assert Decimal("4.9969") == PROFIT
    spot, futures, coins = (Decimal(now - then).scaleb(-8) for now, then in zip(after, before, strict=True))
    assert spot == -QUANTITY * BOUGHT_AT
    assert coins == QUANTITY * (1 - SPOT_FEE)
    assert futures == -QUANTITY * SOLD_AT * FUTURES_FEE
    assert summary.positions[0, 0].quantity == coins.scaleb(9)
    assert summary.positions[0, 1].quantity == -QUANTITY.scaleb(9)


def _user(kind: FaultKind, permille: int = 1_000, amount_ns: int = 0) -> Fault:
    return Fault(kind=kind, channel=Channel.USER, permille=permille, amount_ns=amount_ns)


HARMS = [
    _user(FaultKind.DROP, permille=500),
    _user(FaultKind.DELAY, amount_ns=300_000_000),
    _user(FaultKind.DUPLICATE),
    _user(FaultKind.REORDER),
    _user(FaultKind.REORDER, permille=500),
    _user(FaultKind.CORRUPT, permille=500),
    _user(FaultKind.LATE_FILL, amount_ns=300_000_000),
]


@pytest.mark.parametrize(
    "fault",
    [_user(FaultKind.DROP), *(pytest.param(fault, marks=pytest.mark.long) for fault in HARMS)],
    ids=lambda fault: f"{fault.kind.value} {fault.permille}",
)
def test_money_balances_whatever_becomes_of_what_the_venues_tell(
    tmp_path: Path, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And each leg is known to be filled before patience with it ends: nothing is closed that is not open."""
    audit = audit_runs(monkeypatch, assembly)
    with exchange_world(tmp_path, FaultPlan(seed=1, faults=(fault,))) as world:
        _, summary = run_with_dislocation(world, "ccxt-websocket")
        assert all(not units for venue in world.venues.values() for units in venue.totals().values())
    assert audit.fills == 2
    assert {key: (held.quantity, held.cash, held.fees) for key, held in summary.positions.items()} == audit.sums


def test_what_an_order_has_cost_makes_the_next_one_smaller(tmp_path: Path) -> None:
    """The first sale is 8 basis points below the mid that it was decided at: size is full up to 1, least from 10 on."""
    with exchange_world(tmp_path) as world:
        settings = world.loaded().settings
        credentials = read_credentials(world.environment)
        with live_session(settings, credentials, RunPlan(mode=Mode.LIVE), lambda text: None) as session:

            def dislocate_twice() -> None:
                try:
                    wait_for(lambda: session.loop.access.view.quote(0, 1) and session.readiness.is_ready)
                    for count in (2, 4):
                        wait_for(lambda: session.risk.supervisor.guard.state.name == "RUNNING")
                        world.quote(FUTURES, Side.BUY, "60600", "0.01")
                        wait_for(lambda count=count: len(session.loop.access.orders) == count)
                        wait_for(lambda: not session.loop.access.working_orders)
                        wait_for(lambda: session.risk.costs.slippage_ppb((0, 1)) is not None)
                finally:
                    session.stop("the test is over")

            other = threading.Thread(target=dislocate_twice)
            other.start()
            summary = session.run()
            other.join()
    first, second = summary.orders[0].intent, summary.orders[2].intent
    assert (first.venue, first.quantity) == (1, 10_000_000)
    assert (second.venue, second.quantity) == (1, 3_000_000)
    assert summary.orders[3].intent.quantity == 3_000_000


def test_everything_is_in_the_journal(tmp_path: Path) -> None:
    with exchange_world(tmp_path) as world:
        session, summary = run_with_dislocation(world, "ccxt-websocket")
    written = [type(record).__name__ for record in read_journal(journal_path(tmp_path / "journal", 1)).records]
    assert written.count("IntentWritten") == len(summary.orders) == 2
    assert written[0] == "SessionStarted"
    assert written[-1] == "SessionEnded"
    assert session.ending.reason == "the test is over"
