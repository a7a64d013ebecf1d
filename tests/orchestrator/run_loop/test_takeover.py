"""A run whose engine is replaced goes on: nothing is acted on twice, and what is of unknown fate keeps no room."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from market.errors import Retry
from market.fastpath import state
from market.fastpath.engine import CpuEngine
from orchestrator.engine.back_end import InProcess
from orchestrator.engine.inputs import Input
from orchestrator.engine.link import EngineLink
from orchestrator.run_loop.loop import RunLoop, RunSettings
from orchestrator.run_loop.summary import RunSummary
from orchestrator.run_loop.take_triggers import TakeTriggers
from sim.feed.replay_feed import ReplayFeed
from sim.gateway.settling import SettleMode
from tests.orchestrator.run_loop.worlds import World, world


class Dying(InProcess):
    """An engine that dies after some inputs; what it said to the last few of them is lost with it."""

    def __init__(self, engine: CpuEngine, lives: int, lost: int) -> None:
        super().__init__(engine, "the dying engine")
        self._lives = lives
        self._lost = lost

    def send(self, given: Input) -> None:
        if self._lives == 0:
            raise Retry(f"{self.name} is gone")
        self._lives -= 1
        super().send(given)

    def receive(self) -> Sequence[bytes]:
        if self._lives < self._lost:
            if self._lives == 0:
                raise Retry(f"{self.name} is gone")
            return []
        return super().receive()


def run(small: World, link: EngineLink | CpuEngine) -> RunSummary:
    return RunLoop(
        feed=ReplayFeed(small.plan.sources).open(),
        clock=small.clock,
        gateway=small.gateway(SettleMode.FILLED),
        engine=link,
        catalogue=small.catalogue,
        strategies=[TakeTriggers()],
        settings=RunSettings(small.plan.tables, heartbeat_every_ns=small.plan.heartbeat_every_ns),
        journal=small.journal,
    ).run()


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
@pytest.mark.parametrize("lives", range(19, 29))
def test_whenever_an_engine_dies_every_trigger_is_taken_once_or_listed(tmp_path: Path, lives: int, lost: int) -> None:
    small = world(tmp_path)
    expected = run(world(tmp_path), small.engine)
    link = EngineLink(
        Dying(CpuEngine(small.plan.sizes, event_log=True), lives, lost), small.plan.sizes, patience_ns=10**15
    )
    summary = run(small, link)
    assert link.takeover is not None
    assert summary.counts.triggers + summary.counts.unknown_fate == expected.counts.triggers == 3
    assert len({order.client_order_id for order in summary.orders}) == len(summary.orders) == summary.counts.triggers
    assert summary.counts.unknown_fate == sum("unknown fate" in problem for problem in summary.counts.problems)
    words = link._shadow.engine.state
    quote = (words[state.INSTRUMENT_ROWS] + state.QUOTES) // state.WORD
    (position,) = summary.positions.values() if summary.positions else (None,)
    assert words[quote + state.PENDING_BUY] == words[quote + state.PENDING_SELL] == 0
    assert words[quote + state.POSITION] == (0 if position is None else position.quantity)
