"""Conditions in compiled code wake a strategy when its own Python would have found them, and change nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from config.strategies import StrategyName
from market.orders.cause import Cause, Origin
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from market.pipeline.wake_conditions import WakeKind
from market.protocols import (
    Condition,
    ConditionsMet,
    Intent,
    MarketView,
    Quote,
    QuoteChanged,
    Traded,
    WakeCause,
    Wakes,
)
from orchestrator.backtest.run import run_backtest
from tests.orchestrator.backtest.market import plan_of

KEY = (0, 1)
TICK = 10**8
"""Of BTC on USD-M, in counts of its price scale."""


class Watching:
    """Notes when its conditions hold, and buys a lot at the first of them."""

    tag = "watching"

    def __init__(self, *conditions: Condition) -> None:
        self.wakes = Wakes(conditions=conditions)
        self.met: list[tuple[int, tuple[WakeKind, ...], Quote | None]] = []

    def wake(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
        """Notes, and one order."""
        if not isinstance(cause, ConditionsMet):
            assert not isinstance(cause, QuoteChanged | Traded)
            return ()
        assert cause.time_ns == view.now_ns
        self.met.append((cause.time_ns, tuple(each.kind for each in cause.conditions), view.quote(*KEY)))
        if len(self.met) > 1:
            return ()
        return [
            OrderIntent(
                cause=Cause(strategy=self.tag, origin=Origin.DECISION, epoch=view.epoch, number=1),
                decided_ns=view.now_ns,
                instrument=KEY[0],
                venue=KEY[1],
                side=Side.BUY,
                type=OrderType.MARKET,
                time_in_force=TimeInForce.IOC,
                quantity=view.listing(*KEY).lot,
            )
        ]


class Looking:
    """Judges every quote and trade itself."""

    tag = "looking"
    wakes = Wakes(quotes=frozenset({KEY}), trades=frozenset({KEY}))

    def __init__(self, move: int, spread: int, quantity: int) -> None:
        self._move, self._spread, self._quantity = move, spread, quantity
        self._middle = 0
        self._is_wide = False
        self.met: list[tuple[int, WakeKind]] = []

    def wake(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
        """Notes, and nothing else."""
        if isinstance(cause, Traded) and cause.trade.quantity >= self._quantity:
            self.met.append((view.now_ns, WakeKind.TRADED))
        quote = view.quote(*KEY)
        if not isinstance(cause, QuoteChanged) or quote is None:
            return ()
        middle = quote.bid_price + quote.ask_price
        if not self._middle or abs(middle - self._middle) >= 2 * self._move:
            if self._middle:
                self.met.append((view.now_ns, WakeKind.MID_MOVED))
            self._middle = middle
        is_wide = quote.ask_price - quote.bid_price >= self._spread
        if is_wide and not self._is_wide:
            self.met.append((view.now_ns, WakeKind.SPREAD_REACHED))
        self._is_wide = is_wide
        return ()


@pytest.mark.parametrize("passes", [True, False])
def test_conditions_hold_when_python_would_have_found_them(usdm: Path, passes: bool) -> None:
    move, spread, quantity = 20 * TICK, 2 * TICK, 50_000_000
    looking = Looking(move, spread, quantity)
    run_backtest(plan_of(usdm), [looking])
    watching = Watching(
        Condition(kind=WakeKind.MID_MOVED, market=KEY, level=move),
        Condition(kind=WakeKind.SPREAD_REACHED, market=KEY, level=spread),
        Condition(kind=WakeKind.TRADED, market=KEY, level=quantity),
    )
    run_backtest(plan_of(usdm), [watching], passes_unwatched=passes)
    found = [(time_ns, kind) for time_ns, kinds, _ in watching.met for kind in kinds]
    assert sorted(found) == sorted(looking.met)
    assert {kind for _, kind in found} == {WakeKind.MID_MOVED, WakeKind.SPREAD_REACHED, WakeKind.TRADED}


def test_what_is_passed_changes_neither_decisions_nor_what_is_seen(usdm: Path) -> None:
    condition = Condition(kind=WakeKind.MID_MOVED, market=KEY, level=10 * TICK)
    runs = []
    for passes in (True, False):
        watching = Watching(condition)
        run = run_backtest(plan_of(usdm), [watching], passes_unwatched=passes)
        runs.append((run.run_hash, run.summary.counts.events, run.summary.counters, watching.met))
    assert runs[0] == runs[1]
    assert len(runs[0][3]) > 3


def test_strategies_of_the_settings_run_alike_with_and_without(usdm: Path) -> None:
    hashes = {
        run_backtest(plan_of(usdm, *active), passes_unwatched=passes).run_hash
        for active in [(StrategyName.MARKET_MAKING, StrategyName.ARBITRAGE)]
        for passes in (True, False)
    }
    assert len(hashes) == 1


def test_a_condition_on_a_market_without_a_feed_never_holds(usdm: Path) -> None:
    watching = Watching(Condition(kind=WakeKind.TRADED, market=(1, 0), level=1))
    run_backtest(plan_of(usdm), [watching])
    assert watching.met == []
