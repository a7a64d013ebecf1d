"""Everything of risk that plugs into a run, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from config.settings import Settings
from market.instruments import Catalogue
from market.orders.reports import AccountReport, Balances
from market.protocols import Clock, Gateway, PreTradeCheck, Strategy
from orchestrator.risk.checks.balance import AvailableBalance
from orchestrator.risk.checks.exposure import ExposureLimit, PositionLimit
from orchestrator.risk.checks.gate import ExceptClosing, TradingGate
from orchestrator.risk.checks.prices import PriceCollar
from orchestrator.risk.checks.rates import FlowRatios, MessageRate
from orchestrator.risk.checks.rules import Rules
from orchestrator.risk.checks.self_trade import SelfTradePrevention
from orchestrator.risk.checks.sizes import OpenOrderCount, OrderSize
from orchestrator.risk.checks.sound_book import SoundBook
from orchestrator.risk.closing import Closer
from orchestrator.risk.commitments import Commitments, Marks
from orchestrator.risk.comparison import Difference
from orchestrator.risk.dead_man import DeadManSwitch
from orchestrator.risk.guard import Guard
from orchestrator.risk.limits import RiskLimits, risk_limits
from orchestrator.risk.own_costs import OwnCosts
from orchestrator.risk.own_size import OwnSize
from orchestrator.risk.queue_position import QueuePositions
from orchestrator.risk.readings import Probe
from orchestrator.risk.reconciliation import Reconciliation
from orchestrator.risk.supervisor import GuardChange, RiskState, Supervisor
from orchestrator.risk.watched_gateway import FillListener, WatchedGateway
from orchestrator.run_loop.access import PeriodicTask, ReportListener, RunAccess

_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000


@dataclass(frozen=True)
class Risk:
    """What a run is built with, and what an operator speaks to.

    Parameters
    ----------
    gateway: to be used instead of the one that was given. strategies: before those of the run.
    checks, tasks, listeners: of the run loop.
    size: of the strategies' orders.
    limits: those at the start. reload: judges by the limits of other settings from here on, in the loop's thread.
    """

    limits: RiskLimits
    supervisor: Supervisor
    reconciliation: Reconciliation
    costs: OwnCosts
    queues: QueuePositions
    size: OwnSize
    gateway: WatchedGateway
    strategies: tuple[Strategy, ...]
    checks: tuple[PreTradeCheck, ...]
    tasks: tuple[PeriodicTask, ...]
    listeners: tuple[ReportListener, ...]
    reload: Callable[[Settings], None]


def assemble_risk(
    settings: Settings,
    catalogue: Catalogue,
    gateway: Gateway,
    clock: Clock,
    *,
    probe: Probe | None = None,
    on_change: Callable[[GuardChange], None] | None = None,
    on_difference: Callable[[Difference, int], None] | None = None,
    state: RiskState | None = None,
    follow_queues: bool = False,
    fills: Sequence[FillListener] = (),
    refused: Callable[[str], None] = lambda reason: None,
) -> Risk:
    """Risk for a run over a catalogue's listings.

    Parameters
    ----------
    gateway: where orders really go. probe: None where nothing is measured.
    on_change, on_difference: told of changes of the guard and of differences with venues, in the loop's thread.
    state: of the run before. follow_queues: whether queue positions are estimated; it wakes for every trade.
    fills: told of every fill once. refused: told why venues refused orders.
    """
    limits = risk_limits(settings, catalogue)
    commitments, marks = Commitments(limits.settings.limits.late_fill_ms * _NS_PER_MS), Marks()
    rate, ratios = MessageRate(limits), FlowRatios(limits)
    interval_ms = limits.settings.guards.interval_ms
    sound, costs, queues = SoundBook(limits), OwnCosts(limits, interval_ms), QueuePositions(limits)

    size = OwnSize(limits, costs, queues)

    def guard() -> Guard:
        return supervisor.guard

    watched = WatchedGateway(gateway, clock, guard, rate, ratios, commitments, (costs, *fills), refused)
    reconciliation = Reconciliation(limits, watched, on_difference)
    closer = Closer(limits, marks, sound, interval_ms)
    supervisor = Supervisor(
        limits, marks, closer, probe=probe, reconciliation=reconciliation, on_change=on_change, state=state
    )
    balance = AvailableBalance(limits, commitments, marks)

    def rules_of(limits: RiskLimits) -> tuple[PreTradeCheck, ...]:
        return (
            SoundBook(limits),
            PriceCollar(limits),
            OrderSize(limits),
            OpenOrderCount(limits),
            SelfTradePrevention(),
            PositionLimit(limits, commitments),
            ExposureLimit(limits, commitments, marks),
            balance,
            ratios,
            rate,
        )

    rules = Rules(rules_of(limits))

    def reload(settings: Settings) -> None:
        new = risk_limits(settings, catalogue)
        for part in (rate, ratios, balance, commitments, costs, size, supervisor):
            part.use(new)
        rules.use(rules_of(new))

    def take_balances(run: RunAccess, report: AccountReport) -> None:
        if isinstance(report, Balances):
            balance.take(report, run.view)

    forget = PeriodicTask("queue positions", _NS_PER_S, lambda run, now_ns: queues.forget_ended(run.view))
    followers: tuple[PreTradeCheck, ...] = (costs, queues) if follow_queues else (costs,)
    return Risk(
        limits=limits,
        supervisor=supervisor,
        reconciliation=reconciliation,
        costs=costs,
        queues=queues,
        size=size,
        gateway=watched,
        strategies=(closer, queues) if follow_queues else (closer,),
        checks=(TradingGate(guard, commitments), ExceptClosing(rules), *followers),
        tasks=(supervisor.task, reconciliation.task, costs.task, *((forget,) if follow_queues else ())),
        listeners=(take_balances, reconciliation.listen),
        reload=reload,
    )


def beat_task(switch: DeadManSwitch, beat_ms: int) -> PeriodicTask:
    """Tells an armed dead-man switch that the loop lives."""
    return PeriodicTask("dead-man switch", beat_ms * _NS_PER_MS, lambda run, now_ns: switch.beat())
