"""A pair of orders that a strategy asks for: sent by one run, followed by the next; the fill of one ends the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from config.credentials import read_credentials
from config.execution import Mode
from market.orders.cause import Cause, Origin
from market.orders.kinds import OrderState, OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from market.protocols import (
    Intent,
    MarketKey,
    MarketView,
    OcoIntent,
    Started,
    TimerFired,
    TimerIntent,
    WakeCause,
    Wakes,
)
from orchestrator.live.session import LiveSession, RunPlan, live_session
from orchestrator.run_loop.summary import RunSummary
from tests.orchestrator.live.exchange_world import ACCOUNT, FUTURES, SPOT, ExchangeWorld, exchange_world
from tests.orchestrator.live.test_live_run import wait_for

TAG = "pair"
AGAIN_NS = 100_000_000
PROFIT, LOSS, QUANTITY = "60650", "59000", "0.001"
FULL = {SPOT: "60010", FUTURES: "60700"}


class Bracket:
    """Sells at a profit or at a loss, whichever comes first; asks until it is let."""

    def __init__(self, market: MarketKey) -> None:
        self._market = market
        self._number = 0

    @property
    def tag(self) -> str:
        return TAG

    @property
    def wakes(self) -> Wakes:
        return Wakes()

    def wake(self, cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        if not isinstance(cause, Started | TimerFired) or view.working_orders(TAG):
            return
        yield self._pair(view)
        yield TimerIntent(at_ns=view.now_ns + AGAIN_NS, number=1)

    def _pair(self, view: MarketView) -> OcoIntent:
        self._number += 2
        causes = [
            Cause(strategy=TAG, origin=Origin.DECISION, epoch=view.epoch, number=self._number + leg) for leg in (0, 1)
        ]
        scales = view.listing(*self._market).instrument

        def order(leg: int, kind: OrderType, limit: str, stop: str) -> OrderIntent:
            return OrderIntent(
                cause=causes[leg],
                decided_ns=view.now_ns,
                instrument=self._market[0],
                venue=self._market[1],
                side=Side.SELL,
                type=kind,
                time_in_force=TimeInForce.GTC if limit else TimeInForce.IOC,
                quantity=scales.quantity_scale.count(QUANTITY),
                limit_price=scales.price_scale.count(limit) if limit else 0,
                stop_price=scales.price_scale.count(stop) if stop else 0,
                partner=causes[1 - leg].client_order_id,
            )

        return OcoIntent(limit=order(0, OrderType.LIMIT, PROFIT, ""), stop=order(1, OrderType.STOP, "", LOSS))


def run(world: ExchangeWorld, meanwhile: Callable[[LiveSession], None]) -> RunSummary:
    """A run that leaves its orders; something happens meanwhile."""
    settings, credentials = world.loaded().settings, read_credentials(world.environment)
    plan = RunPlan(mode=Mode.LIVE, leaves_orders=True)
    with live_session(settings, credentials, plan, lambda text: None) as session:

        def act() -> None:
            try:
                meanwhile(session)
            finally:
                session.stop("the test is over")

        other = threading.Thread(target=act)
        other.start()
        summary = session.run()
        other.join()
    return summary


@pytest.mark.parametrize(("number", "name"), [(0, SPOT), (1, FUTURES)])
def test_the_next_run_goes_on_with_a_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, name: str
) -> None:
    monkeypatch.setattr("orchestrator.live.assembly.strategies", lambda *about: [Bracket((0, number))])
    with exchange_world(tmp_path) as world:

        def working() -> int:
            return len(world.do(lambda: world.venues[name].open_orders(ACCOUNT)))

        def place(session: LiveSession) -> None:
            wait_for(lambda: working() == 2)
            wait_for(lambda: all(order.acknowledged_ns for order in session.loop.access.working_orders))

        def fill(session: LiveSession) -> None:
            wait_for(lambda: session.loop.has_started and len(session.loop.access.working_orders) == 2)
            if name == SPOT:
                world.quote(SPOT, Side.BUY, FULL[SPOT], "10")
            world.quote(name, Side.BUY, PROFIT, QUANTITY)
            wait_for(lambda: working() == 0 and not session.loop.access.working_orders)

        placed = run(world, place)
        done = run(world, fill)
    pair = [order for order in placed.orders if order.is_working]
    assert [order.intent.type for order in pair] == [OrderType.LIMIT, OrderType.STOP]
    ended = {order.intent.type: order for order in done.orders if order.client_order_id in pair[0].intent.partner
             or order.client_order_id in pair[1].intent.partner}  # fmt: skip
    assert ended[OrderType.LIMIT].state is OrderState.FILLED
    assert ended[OrderType.STOP].state in (OrderState.CANCELLED, OrderState.EXPIRED)
    assert not ended[OrderType.STOP].filled
