"""Whole backtests: the same run again, accounts that agree, and nothing known before its time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from config.backtest import Queue
from config.strategies import StrategyName
from market.orders.cause import Cause, Origin
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from market.protocols import Intent, MarketView, QuoteChanged, WakeCause, Wakes
from orchestrator.backtest import lookahead
from orchestrator.backtest.lookahead import check_lookahead
from orchestrator.backtest.plan import Plan
from orchestrator.backtest.run import BacktestRun, run_backtest
from sim.backtest.layout import RECEIVE_NS, TAPE_KIND, TRADE_PRICE, TapeKind
from tests.orchestrator.backtest.market import plan_of

MAKING = StrategyName.MARKET_MAKING
KEY = (0, 1)


class Peeking:
    """Buys when the last trade of the whole tape is above the market: what no strategy may know."""

    tag = "peeking"

    def __init__(self, plan: Plan) -> None:
        trades = plan.tape.rows[plan.tape.rows[:, TAPE_KIND] == TapeKind.TRADE]
        self._last = int(trades[np.argmax(trades[:, RECEIVE_NS]), TRADE_PRICE])
        self._decisions = 0

    @property
    def wakes(self) -> Wakes:
        """Every quote."""
        return Wakes(quotes=frozenset({KEY}))

    def wake(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
        """An order at the first quotes, sized by the future."""
        listing = view.listing(*KEY)
        if not isinstance(cause, QuoteChanged) or self._decisions >= 3 or view.quote(*KEY) is None:
            return ()
        self._decisions += 1
        return [
            OrderIntent(
                cause=Cause(strategy=self.tag, origin=Origin.DECISION, epoch=view.epoch, number=self._decisions),
                decided_ns=view.now_ns,
                instrument=KEY[0],
                venue=KEY[1],
                side=Side.BUY,
                type=OrderType.MARKET,
                time_in_force=TimeInForce.IOC,
                quantity=(1 + self._last % 97) * listing.lot,
            )
        ]


def test_a_run_again_is_the_same_run(usdm: Path) -> None:
    plan = plan_of(usdm, MAKING)
    first, again = run_backtest(plan), run_backtest(plan_of(usdm, MAKING))
    assert first.run_hash == again.run_hash
    assert sum(len(order.fills) for order in first.summary.orders) > 10


@pytest.mark.parametrize("queue", list(Queue))
def test_what_was_heard_is_what_the_exchange_has(usdm: Path, queue: Queue) -> None:
    plan = plan_of(usdm, MAKING, queue=queue)
    run = run_backtest(plan)
    market = plan.markets[KEY]
    account, position = run.accounts[market.number], run.summary.positions[KEY]
    listing = market.listing
    heard = [fill for order in run.summary.orders for fill in order.fills]
    if len(heard) == account.fills:
        assert position.quantity == account.position * listing.lot
        assert position.cash == account.cash * listing.tick * listing.lot
        assert position.fees == account.fees * listing.tick * listing.lot
    assert account.fills - len(heard) in (0, 1, 2)
    assert not run.summary.counts.contradictions


def test_later_answers_change_a_run(usdm: Path) -> None:
    near = run_backtest(plan_of(usdm, MAKING))
    far = run_backtest(plan_of(usdm, MAKING, entry_us=50_000, response_us=50_000))
    assert near.run_hash != far.run_hash


def test_with_the_future_cut_nothing_before_the_cut_changes(usdm: Path) -> None:
    plan = plan_of(usdm, MAKING)
    cuts: list[int] = []
    assert check_lookahead(plan, run_backtest(plan), 4, lambda: cuts.append(1)) == []
    assert len(cuts) == 4


def test_a_strategy_that_looks_ahead_is_found(usdm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def peeking(plan: Plan, *, until_ns: int = 1 << 62) -> BacktestRun:
        return run_backtest(plan, [Peeking(plan)], until_ns=until_ns)

    monkeypatch.setattr(lookahead, "run_backtest", peeking)
    plan = plan_of(usdm)
    assert check_lookahead(plan, peeking(plan), 4, lambda: None)
