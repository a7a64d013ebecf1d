"""One backtest: the run loop with its risk and strategies over a plan."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from market.fastpath.engine import CpuEngine
from market.protocols import FOREVER, Clock, MarketKey, PreTradeCheck, Strategy
from market.risk.position import Position
from orchestrator.backtest.ending import EndingFeed
from orchestrator.backtest.plan import Plan
from orchestrator.backtest.states import States
from orchestrator.engine.tables import control_messages, engine_sizes
from orchestrator.predicting.answers import ComputedPredictions
from orchestrator.predicting.plan import book_predictors, prediction_checks
from orchestrator.risk.assembly import Risk, assemble_risk
from orchestrator.run_loop.access import PeriodicTask, RunAccess
from orchestrator.run_loop.journal import MemoryJournal
from orchestrator.run_loop.loop import RunLoop, RunSettings
from orchestrator.run_loop.recovered import Recovered
from orchestrator.run_loop.summary import RunSummary
from orchestrator.strategies.assembly import strategies
from sim.backtest.core import Account
from sim.backtest.gateway import BacktestGateway, FundingPaid
from sim.clock import EventClock
from sim.feed.replay_feed import ReplayFeed
from sim.replay.arming import FIRST_SEQUENCE

_NS_PER_MS: Final = 1_000_000
_HEARTBEATS_PER_LEASE: Final = 4
_PROGRESS_NS: Final = 1_000_000_000


@dataclass(frozen=True, eq=False)
class BacktestRun:
    """What came of a backtest.

    Parameters
    ----------
    accounts: at the exchanges at the end, by the markets of the tape: fills that were not heard of any more included.
    positions: of each strategy. strategies: those of risk included. funding: that was heard of.
    """

    plan: Plan
    summary: RunSummary
    journal: MemoryJournal
    states: States
    risk: Risk
    accounts: tuple[Account, ...]
    positions: Mapping[tuple[str, MarketKey], Position]
    strategies: tuple[Strategy, ...]
    funding: tuple[FundingPaid, ...] = ()

    @property
    def run_hash(self) -> str:
        """SHA-256 of all that was decided, sent and heard, in order: the same for the same run on any machine."""
        digest = hashlib.sha256(self.summary.decision_hash.encode())
        for intent in self.journal.intents:
            digest.update(msgspec.msgpack.encode(intent))
        for name, event in self.journal.events:
            digest.update(name.encode() + msgspec.msgpack.encode(event))
        return digest.hexdigest()


@dataclass(frozen=True)
class RunStart:
    """What a backtest begins with, where it is that of another run.

    Parameters
    ----------
    epoch: of the run. recovered: positions and numbers from before; orders that work are not at these exchanges.
    restore: gives strategies what they remember.
    """

    epoch: int = 1
    recovered: Recovered = field(default_factory=Recovered)
    restore: Callable[[Sequence[Strategy], Clock], None] = lambda strategies, clock: None


def run_backtest(
    plan: Plan,
    own: Sequence[Strategy] | None = None,
    *,
    checks: Sequence[PreTradeCheck] = (),
    until_ns: int = FOREVER,
    passes_unwatched: bool = True,
    tell: Callable[[int], None] = lambda now_ns: None,
    start: RunStart | None = None,
    journal: MemoryJournal | None = None,
    watched: Callable[[Clock], Clock] = lambda clock: clock,
    periodic: Sequence[PeriodicTask] = (),
) -> BacktestRun:
    """Run to the end of the recordings, or to a time.

    Parameters
    ----------
    own: strategies in place of those that the settings name. checks: asked after all rules of risk.
    until_ns: nothing that is received then or later is there. tell: told the time now and then.
    passes_unwatched: see ``RunSettings``; the run is the same either way.
    start: what it begins with; None: nothing. journal: what it writes to. watched: a clock that answers as the
    backtest's does, and may look on. periodic: done besides, and must not trade.

    Raises what ends a run: MissingInput for recordings that cannot be read, Fatal for what must not be.
    """
    settings, clock, core = plan.settings, watched(EventClock()), plan.core()
    start, journal = start or RunStart(), journal or MemoryJournal()
    held = {key: position.quantity for (owner, key), position in start.recovered.positions.items() if owner is None}
    gateway = BacktestGateway(core, plan.markets, clock, plan.balances, positions=held)
    risk = assemble_risk(settings, plan.catalogue, gateway, clock)
    states = States(plan.catalogue, settings.backtest.sample_interval_ms, gateway.funding_paid)

    def progress(run: RunAccess, now_ns: int) -> None:
        tell(now_ns)

    models = () if own is not None else book_predictors(settings, plan.catalogue, risk.size, ComputedPredictions())
    traders: tuple[Strategy, ...] = (
        *risk.strategies,
        *models,
        *(strategies(settings, plan.catalogue, risk.size) if own is None else own),
    )
    start.restore(traders, clock)
    loop = RunLoop(
        feed=EndingFeed(ReplayFeed(plan.sources).open(), until_ns),
        clock=clock,
        gateway=risk.gateway,
        engine=CpuEngine(engine_sizes(settings)),
        catalogue=plan.catalogue,
        strategies=traders,
        settings=RunSettings(
            tuple(control_messages(settings, first_sequence=FIRST_SEQUENCE + 1)),
            epoch=start.epoch,
            heartbeat_every_ns=settings.engine.lease_ms * _NS_PER_MS // _HEARTBEATS_PER_LEASE,
            passes_unwatched=passes_unwatched,
        ),
        checks=(*risk.checks, *prediction_checks(models), *checks),
        journal=journal,
        periodic=(*risk.tasks, states.task, PeriodicTask("progress", _PROGRESS_NS, progress), *periodic),
        listeners=risk.listeners,
        recovered=start.recovered,
    )
    summary = loop.run()
    states.take_last(loop.access, clock.now_ns())
    accounts = tuple(core.account(number) for number in range(len(plan.tape.markets)))
    funding = tuple(paid for paid in gateway.funding if paid.heard_ns <= clock.now_ns())
    return BacktestRun(
        plan, summary, journal, states, risk, accounts, loop.access.positions_by_strategy, traders, funding
    )
