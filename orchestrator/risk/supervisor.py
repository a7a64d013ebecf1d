"""Decides whether the run may trade, and empties it when it may not: guards, kill switch, halt, closing, resumption.

It looks at everything at intervals, as a periodic task of the run; a person, or whoever finds a critical error, calls
``halt``, ``close_all``, ``pause`` and ``resume`` in the loop's thread. What was decided survives a restart in
``RiskState``: a halted run starts halted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

import msgspec

from market.protocols import MarketKey, MarketView
from orchestrator.risk.closing import Closer, Stage
from orchestrator.risk.commitments import Marks
from orchestrator.risk.conditions import Conditions, Finding
from orchestrator.risk.equity import Losses, LossState, equity
from orchestrator.risk.guard import EVERYWHERE, Guard, GuardState, Pause, Reason, Scope
from orchestrator.risk.limits import RiskLimits
from orchestrator.risk.readings import Probe
from orchestrator.risk.reconciliation import Reconciliation
from orchestrator.risk.watchdog import Watchdog
from orchestrator.run_loop.access import PeriodicTask, RunAccess

_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000


class RiskState(msgspec.Struct, frozen=True, kw_only=True):
    """What a restart must know.

    Parameters
    ----------
    halted: why, empty when trading was not halted. halted_ns: since when. closes: whether positions were to be closed.
    paused: reasons that wait for a person, with their texts.
    """

    losses: LossState | None = None
    halted: str = ""
    halted_ns: int = 0
    closes: bool = False
    paused: dict[str, str] = {}


class GuardChange(msgspec.Struct, frozen=True, kw_only=True):
    """Trading was paused, halted or resumed, or a pause was added or has ended.

    Parameters
    ----------
    reason: what is new, in words.
    """

    time_ns: int
    before: GuardState
    after: GuardState
    reason: str


class Supervisor:
    """The one that decides.

    Parameters
    ----------
    probe: None where nothing is measured, as in event time.
    on_change: told of every change, in the loop's thread.
    state: of the run before this one.
    """

    def __init__(
        self,
        limits: RiskLimits,
        marks: Marks,
        closer: Closer,
        *,
        probe: Probe | None = None,
        reconciliation: Reconciliation | None = None,
        on_change: Callable[[GuardChange], None] | None = None,
        state: RiskState | None = None,
    ) -> None:
        settings = limits.settings
        state = RiskState() if state is None else state
        self._limits = limits
        self._marks = marks
        self._closer = closer
        self._probe = probe
        self._reconciliation = reconciliation
        self._on_change = on_change
        self._interval_ns = settings.guards.interval_ms * _NS_PER_MS
        self._watch_every_ns = settings.watchdog.interval_s * _NS_PER_S
        self._closes_on_halt = settings.loss.close_on_halt
        self._watch_ns = 0
        self._conditions = Conditions(limits)
        self._watchdog = Watchdog(settings.watchdog)
        self._losses = Losses(settings.loss, state.losses)
        self._guard = _restored(settings.guards.clear_after_ms * _NS_PER_MS, state)

    @property
    def guard(self) -> Guard:
        """The guard as it stands."""
        return self._guard

    @property
    def stage(self) -> Stage:
        """How far cancelling and closing have come."""
        return self._closer.stage

    @property
    def task(self) -> PeriodicTask:
        """The look at everything."""
        return PeriodicTask("risk", self._interval_ns, self.look)

    @property
    def state(self) -> RiskState:
        """What the next run must know."""
        halted = self._guard.halted
        return RiskState(
            losses=self._losses.state,
            halted="" if halted is None else halted.detail,
            halted_ns=0 if halted is None else halted.since_ns,
            closes=halted is not None and halted.closes,
            paused={
                pause.reason.value: pause.detail for pause in self._guard.pauses.values() if pause.reason.is_latched
            },
        )

    def use(self, limits: RiskLimits) -> None:
        """Judge by other limits from here on; intervals stay as they are."""
        settings = limits.settings
        self._limits = limits
        self._closes_on_halt = settings.loss.close_on_halt
        self._conditions.use(limits)
        self._watchdog.use(settings.watchdog)
        self._losses.use(settings.loss)
        self._closer.use(limits)
        self._guard = replace(self._guard, clear_after_ns=settings.guards.clear_after_ms * _NS_PER_MS)

    def look(self, run: RunAccess, now_ns: int) -> None:
        """Judge everything; while trading is halted, see to it that nothing is left working."""
        view = run.view
        self._take(self._conditions.markets(view), now_ns)
        self._take(self._conditions.orders(view), now_ns)
        if self._probe is not None:
            self._take(self._conditions.feeds(list(self._probe.feeds()), now_ns), now_ns)
            self._take(self._conditions.gateways(list(self._probe.gateways())), now_ns)
            if now_ns >= self._watch_ns:
                self._watch_ns = now_ns + self._watch_every_ns
                self._take(self._watchdog.look(self._probe.host(), now_ns), now_ns)
        self._look_at_losses(view, now_ns)
        self._look_at_differences(now_ns)
        halted = self._guard.halted
        if halted is not None:
            self._closer.begin(now_ns, closes=halted.closes)
        self._closer.cancel(run, view)

    def halt(self, detail: str, now_ns: int) -> None:
        """Send nothing more, and cancel everything that works."""
        self._change(self._guard.halt(detail, now_ns, closes=False), detail, now_ns)
        self._closer.begin(now_ns, closes=False)

    def close_all(self, detail: str, now_ns: int) -> None:
        """Halt, and close every position at the market."""
        self._change(self._guard.halt(detail, now_ns, closes=True), detail, now_ns)
        self._closer.begin(now_ns, closes=True)

    def critical(self, detail: str, now_ns: int) -> None:
        """Something is broken beyond repair: halt, and close positions if the settings say so."""
        (self.close_all if self._closes_on_halt else self.halt)(detail, now_ns)

    def pause(self, detail: str, now_ns: int) -> None:
        """A person wants no new risk."""
        self._take((Finding(Reason.OPERATOR, EVERYWHERE, detail),), now_ns)

    def market_rules(self, market: MarketKey, problem: str, now_ns: int) -> None:
        """A venue does not trade a market as it did when the run began, or does so again: then ``problem`` is empty."""
        instrument, venue = market
        self._take((Finding(Reason.MARKET_RULES, Scope(venue=venue, instrument=instrument), problem),), now_ns)

    def resume(self, now_ns: int) -> None:
        """A person lets trading go on; raises Rejected when there is nothing that waits for a person.

        The run's loss is forgiven, that of the day and the month is not: where that is still too large, trading stops
        again at the next look.
        """
        self._change(self._guard.resume(), "resumed", now_ns)
        self._closer.end()
        self._losses.accept()
        if self._reconciliation is not None:
            self._reconciliation.accept()

    def _look_at_losses(self, view: MarketView, now_ns: int) -> None:
        verdict = self._losses.take(equity(view, self._limits, self._marks), now_ns)
        losses = ((Reason.LOSS, verdict.run), (Reason.DAILY_LOSS, verdict.day))
        self._take((Finding(reason, EVERYWHERE, detail) for reason, detail in losses), now_ns)
        if verdict.month and self._guard.halted is None:
            self.critical(verdict.month, now_ns)

    def _look_at_differences(self, now_ns: int) -> None:
        if self._reconciliation is not None:
            persisting = self._reconciliation.persisting
            detail = "; ".join(difference.detail for difference in persisting)
            self._take((Finding(Reason.RECONCILIATION, EVERYWHERE, detail),), now_ns)

    def _take(self, findings: Iterable[Finding], now_ns: int) -> None:
        for finding in findings:
            after = self._guard.saw(finding.reason, finding.scope, finding.detail, now_ns)
            key = (finding.reason, finding.scope)
            if (key in after.pauses) != (key in self._guard.pauses):
                self._change(after, finding.detail or f"{finding.reason} has passed", now_ns)
            else:
                self._guard = after

    def _change(self, after: Guard, reason: str, now_ns: int) -> None:
        before, self._guard = self._guard, after
        if self._on_change is not None and after is not before:
            self._on_change(GuardChange(time_ns=now_ns, before=before.state, after=after.state, reason=reason))


def _restored(clear_after_ns: int, state: RiskState) -> Guard:
    pauses = {
        (Reason(name), EVERYWHERE): Pause(Reason(name), EVERYWHERE, detail, state.halted_ns)
        for name, detail in state.paused.items()
    }
    guard = Guard(clear_after_ns, pauses)
    return guard.halt(state.halted, state.halted_ns, closes=state.closes) if state.halted else guard
