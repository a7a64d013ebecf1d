"""A run loop from settings and the outside that it is to have: the same live, on paper and on a tape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from config.settings import Settings
from market.engine import Engine
from market.instruments import Catalogue, Listing
from market.protocols import Clock, Feed, Gateway, Journal
from orchestrator.engine.tables import control_messages
from orchestrator.live.bus import RunBus
from orchestrator.live.ending import Ending
from orchestrator.live.readiness import Readiness
from orchestrator.live.trader_state import Keep, Save, restore_traders, trader_tasks
from orchestrator.predicting.answers import ComputedPredictions, Predictions
from orchestrator.predicting.plan import book_predictors, prediction_checks, prediction_tasks
from orchestrator.predicting.predictor import BookPredictor
from orchestrator.risk.assembly import Risk, assemble_risk
from orchestrator.risk.comparison import Difference
from orchestrator.risk.market_rules import MarketRules, RulesSource
from orchestrator.risk.readings import Probe
from orchestrator.risk.supervisor import GuardChange, RiskState
from orchestrator.run_loop.access import PeriodicTask
from orchestrator.run_loop.forgotten import Archive
from orchestrator.run_loop.loop import RunLoop, RunSettings
from orchestrator.run_loop.recovered import Recovered
from orchestrator.storage.candles import CandleMaker, candle_task
from orchestrator.storage.records import CandleClosed
from orchestrator.strategies.assembly import strategies
from sim.replay.arming import FIRST_SEQUENCE

RISK: Final = "risk"
"""The component under whose name the state of the guards is kept."""
_NS_PER_MS: Final = 1_000_000
_HEARTBEATS_PER_LEASE: Final = 4
_NO_NEWS: Final = RulesSource(tuple, lambda: None)


@dataclass(frozen=True)
class Outside:
    """All that a run depends on besides its settings: bare, with a tape around it, or from a tape."""

    clock: Clock
    feed: Feed
    gateway: Gateway
    probe: Probe
    engine: Engine
    predictions: Predictions = field(default_factory=ComputedPredictions)


@dataclass(frozen=True)
class RunParts:
    """What a run has of its own.

    Parameters
    ----------
    recovered: of the runs before. on_change, on_difference: told of the guards, and of what venues say otherwise.
    save: keeps the state of the guards. keep_candle: keeps a candle of what was seen.
    save_component, keep_change: keep the states of traders, and what their detectors did.
    archive: takes the orders that ended some time ago; None: the run holds all of them.
    rules: tells of markets that venues trade otherwise than at the start; None: nobody looks. on_rules: told of each
        change: time, market, the problem before and now.
    """

    catalogue: Catalogue
    epoch: int
    recovered: Recovered
    journal: Journal
    ending: Ending
    on_change: Callable[[GuardChange], None]
    on_difference: Callable[[Difference, int], None]
    save: Callable[[bytes, int], None]
    keep_candle: Callable[[CandleClosed], None] = lambda candle: None
    save_component: Save = lambda component, now_ns, body: None
    keep_change: Keep = lambda change: None
    archive: Archive | None = None
    rules: RulesSource | None = None
    on_rules: Callable[[int, Listing, str, str], None] = lambda time_ns, listing, before, after: None


@dataclass(frozen=True)
class AssembledRun:
    """The run loop, and what others speak to of what is in it."""

    loop: RunLoop
    risk: Risk
    readiness: Readiness
    models: tuple[BookPredictor, ...]


def assemble_run(
    settings: Settings,
    outside: Outside,
    parts: RunParts,
    bus: RunBus | None = None,
    more_tasks: Callable[[Risk], Sequence[PeriodicTask]] = lambda risk: (),
) -> AssembledRun:
    """The run loop with its risk; ``more_tasks`` gives what else is done at intervals."""
    readiness = Readiness({listing.venue for listing in parts.catalogue.listings}, outside.gateway)

    def on_change(change: GuardChange) -> None:
        parts.on_change(change)
        # At once: a run that is killed after a halt must begin halted.
        parts.save(risk_state(risk), change.time_ns)

    saved = parts.recovered.components.get(RISK)
    risk = assemble_risk(
        settings,
        parts.catalogue,
        outside.gateway,
        outside.clock,
        probe=outside.probe,
        on_change=on_change,
        on_difference=parts.on_difference,
        state=None if saved is None else msgspec.msgpack.decode(saved, type=RiskState),
        fills=() if bus is None else (bus.executions,),
        refused=lambda reason: rules.refused(reason),
    )
    rules = MarketRules(parts.rules or _NO_NEWS, parts.catalogue, risk.supervisor.market_rules, parts.on_rules)
    save = PeriodicTask(
        "snapshots",
        settings.storage.snapshot_every_ms * _NS_PER_MS,
        lambda run, now_ns: parts.save(risk_state(risk), now_ns),
    )
    markets = [(listing.instrument.number, listing.venue) for listing in parts.catalogue.listings]
    candles = [CandleMaker(markets)] if settings.storage.candles else []
    traders = strategies(settings, parts.catalogue, risk.size)
    models = book_predictors(settings, parts.catalogue, risk.size, outside.predictions)
    restore_traders(traders, parts.recovered.components, outside.clock, parts.keep_change)
    loop = RunLoop(
        feed=outside.feed,
        clock=outside.clock,
        gateway=risk.gateway,
        engine=outside.engine,
        catalogue=parts.catalogue,
        strategies=(
            *risk.strategies,
            *models,
            *traders,
            *(() if bus is None else bus.strategies),
            *candles,
        ),
        settings=RunSettings(
            tuple(control_messages(settings, first_sequence=FIRST_SEQUENCE + 1)),
            epoch=parts.epoch,
            heartbeat_every_ns=settings.engine.lease_ms * _NS_PER_MS // _HEARTBEATS_PER_LEASE,
            recovery_timeout_ns=settings.storage.recovery_timeout_ms * _NS_PER_MS,
            remembered_ns=settings.storage.remember_orders_ms * _NS_PER_MS,
        ),
        checks=(parts.ending.check, readiness.check, rules.check, *risk.checks, *prediction_checks(models)),
        journal=parts.journal,
        periodic=(
            *risk.tasks,
            readiness.task,
            *(() if parts.rules is None else (rules.task,)),
            parts.ending.task,
            save,
            *trader_tasks(traders, settings.storage.snapshot_every_ms, parts.save_component, parts.keep_change),
            *prediction_tasks(models, parts.keep_change),
            *more_tasks(risk),
            *(candle_task(maker, parts.keep_candle) for maker in candles),
        ),
        listeners=(readiness.listen, *risk.listeners),
        recovered=parts.recovered,
        archive=parts.archive,
    )
    return AssembledRun(loop, risk, readiness, tuple(models))


def risk_state(risk: Risk) -> bytes:
    """The state of the guards, for the next run."""
    return msgspec.msgpack.encode(risk.supervisor.state)
