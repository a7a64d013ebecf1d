"""The one loop of every mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from market.engine import Engine
from market.errors import Fatal, Rejected
from market.instruments import Catalogue
from market.orders.order import OrderIntent
from market.orders.reports import AccountReport
from market.pipeline import layout
from market.pipeline.detector_wakes import DetectorWake, Standing
from market.protocols import (
    FOREVER,
    CancelIntent,
    Clock,
    ConditionsMet,
    DetectorChanged,
    Feed,
    Gateway,
    Intent,
    Journal,
    MarketKey,
    OcoIntent,
    PreTradeCheck,
    QuoteChanged,
    Started,
    Strategy,
    TimerFired,
    TimerIntent,
    Traded,
    Triggered,
    WakeCause,
)
from market.wire.records import Words
from orchestrator.run_loop.access import LoopAccess, PeriodicTask, ReportListener, RunAccess, Schedule
from orchestrator.run_loop.beginning import Beginning, keep_quote
from orchestrator.run_loop.coordinator import Coordinator
from orchestrator.run_loop.desk import Desk
from orchestrator.run_loop.fast_loop import FastLoop
from orchestrator.run_loop.forgotten import Archive
from orchestrator.run_loop.intake import FINISHED, Intake
from orchestrator.run_loop.journal import NoJournal
from orchestrator.run_loop.ledger import Ledger
from orchestrator.run_loop.recovered import Recovered
from orchestrator.run_loop.recovery import Recovery
from orchestrator.run_loop.routes import check_routes
from orchestrator.run_loop.settlement import Settlement
from orchestrator.run_loop.summary import RunCounts, RunSummary
from orchestrator.run_loop.timers import Timers
from orchestrator.run_loop.view import View
from orchestrator.run_loop.watch import Watch, watch_of


@dataclass(frozen=True)
class RunSettings:
    """How a run behaves.

    Parameters
    ----------
    tables: table rows of the engine as control messages, numbered from 2.
    epoch: of this run; greater than that of any earlier one.
    heartbeat_every_ns: interval of the heartbeats that renew the fast loop's lease; at least 1.
    recovery_timeout_ns: how long a run that takes over orders waits until venues have said what became of them.
    remembered_ns: for how long after its end an order is held in memory, where the run has an archive.
    passes_unwatched: whether events that nobody waits for go to the compiled engine without Python in between. The
        clock then goes from one event that is heard of to the next: for runs in event time.
    """

    tables: tuple[bytes, ...]
    epoch: int = 1
    heartbeat_every_ns: int = 100_000_000
    recovery_timeout_ns: int = 60_000_000_000
    remembered_ns: int = FOREVER
    passes_unwatched: bool = False

    def __post_init__(self) -> None:
        if self.heartbeat_every_ns < 1:
            raise Fatal(f"heartbeats were to come every {self.heartbeat_every_ns} ns; expected at least 1")


class RunLoop:
    """Runs strategies over a feed; which feed, clock and gateway makes the mode.

    What is due is done in order of time; at the same time gateway reports come first, then the heartbeat, then periodic
    tasks, then timers, then market data, so that a record sees all that was known before it. Of an event the fast loop
    and the orders for its triggers come first, then the strategies that wait for the event itself.
    """

    def __init__(
        self,
        *,
        feed: Feed,
        clock: Clock,
        gateway: Gateway,
        engine: Engine,
        catalogue: Catalogue,
        strategies: Sequence[Strategy],
        settings: RunSettings,
        checks: Sequence[PreTradeCheck] = (),
        journal: Journal | None = None,
        periodic: Sequence[PeriodicTask] = (),
        listeners: Sequence[ReportListener] = (),
        recovered: Recovered | None = None,
        archive: Archive | None = None,
    ) -> None:
        journal = NoJournal() if journal is None else journal
        recovered = Recovered() if recovered is None else recovered
        check_routes(feed, catalogue)
        recovered.check(settings.epoch, catalogue)
        self._feed = feed
        self._clock = clock
        self._gateway = gateway
        self._heartbeat_every_ns = settings.heartbeat_every_ns
        self._heartbeat_ns = FOREVER
        self._stopped = False
        self._counts = RunCounts()
        self._timers = Timers()
        self._ledger = Ledger(archive, settings.remembered_ns)
        self._ledger.restore(recovered.orders, recovered.positions)
        self._coordinator = Coordinator(strategies)
        self._intake = Intake(feed)
        self._fast_loop = FastLoop(engine, settings.tables, settings.epoch, journal)
        engine_words = self._fast_loop.words if settings.passes_unwatched else None
        self._watch = watch_of(feed, catalogue, self._coordinator, engine_words)
        self._settlement = Settlement(self._fast_loop)
        self._settlement.restore(recovered.standings)
        self._view = View(clock, settings.epoch, catalogue, self._intake, self._ledger)
        self._desk = Desk(
            gateway=gateway,
            clock=clock,
            catalogue=catalogue,
            checks=checks,
            view=self._view,
            ledger=self._ledger,
            settlement=self._settlement,
            journal=journal,
            counts=self._counts,
            listen=self._tell_listeners,
        )
        recovery = Recovery(
            recovered,
            self._desk,
            timeout_ns=settings.recovery_timeout_ns,
            again_every_ns=settings.heartbeat_every_ns,
        )
        self._beginning = Beginning(feed, clock, gateway, self._intake, self._view, self._desk, recovery)
        self._schedule = Schedule(periodic)
        self._listeners = tuple(listeners)
        self._access = LoopAccess(self._view, self._ledger, self._desk, self._fast_loop, self.stop)

    def run(self) -> RunSummary:
        """Run until the feed is finished, ``stop`` is called or an interrupt comes; run once.

        Raises MissingInput when the feed ends without a readable message, and whatever ended the run by error; the
        fast loop is killed before an error or interrupt leaves the loop, and on ``stop``.
        """
        interrupted = False
        try:
            self._start()
            while not self._stopped and self.step():
                pass
        except KeyboardInterrupt:
            interrupted = self._stopped = True
        except BaseException:
            self._kill()
            raise
        if self._stopped:
            self._kill()
        self._answer_triggers()
        return RunSummary(
            decision_hash=self._fast_loop.decision_hash,
            parity=self._fast_loop.parity,
            counters=self._fast_loop.counters,
            counts=self._counts,
            orders=tuple(self._ledger.orders),
            totals=self._ledger.totals,
            positions=self._ledger.positions,
            interrupted=interrupted,
        )

    @property
    def access(self) -> RunAccess:
        """The run, as periodic tasks see it."""
        return self._access

    @property
    def has_started(self) -> bool:
        """Whether the fast loop is armed and strategies are awake."""
        return self._heartbeat_ns != FOREVER

    def stop(self) -> None:
        """End the run after the step that it is in; working orders are left as they are."""
        self._stopped = True

    def step(self) -> bool:
        """Do the next thing that is due, waiting for it if need be; False when the feed is finished."""
        due_ns = self._next_due_ns(self._gateway.next_ns())
        found = self._intake.next(due_ns)
        if self._watch is not None and self._watch.passed:
            self._counts.events += self._watch.take_passed(self._view.take_quote)
            self._fast_loop.was_fed()
        if found >= 0:
            self._take_event(found)
        elif found == FINISHED:
            return False
        elif self._watch is not None and self._watch.woken_ns:
            self._tell_woken(self._watch)
        elif self._clock.wait_until(due_ns) >= due_ns:
            self._do_due()
        self._answer_triggers()
        return True

    def _start(self) -> None:
        """Ask what became of earlier orders, wait for the first record, arm the fast loop and wake all strategies.

        Without earlier orders the fast loop starts at the time of the first record; else when all is answered, and
        what was received until then only makes books: nothing is decided on quotes of the time of waiting.
        """
        start_ns = self._beginning.wait(lambda: self._stopped)
        self._fast_loop.arm(start_ns)
        self._settlement.start(start_ns)
        self._heartbeat_ns = start_ns
        self._schedule.start(start_ns)
        self._desk.changes.clear()
        for strategy in self._coordinator.strategies:
            self._wake(strategy, Started(time_ns=self._clock.now_ns()))
        self._tell_changes()
        self._answer_triggers()
        if self._watch is not None:
            self._intake.find_with(self._watch.find)

    def _next_due_ns(self, report_ns: int | None) -> int:
        """Time of the next thing that is no market data, given that of the first report."""
        due_ns = min(self._heartbeat_ns, self._schedule.next_ns, self._timers.next_ns)
        return due_ns if report_ns is None else min(due_ns, report_ns)

    def _do_due(self) -> None:
        """One thing that is due by now: reports, the heartbeat, a task or a timer, whichever was due first."""
        now_ns = self._clock.now_ns()
        # Asked once: another report may arrive at any moment.
        report_ns = self._gateway.next_ns()
        due_ns = self._next_due_ns(report_ns)
        if report_ns == due_ns:
            self._desk.take_reports(now_ns)
        elif self._heartbeat_ns == due_ns:
            self._fast_loop.heartbeat(now_ns)
            self._heartbeat_ns = now_ns + self._heartbeat_every_ns
            self._desk.questions.ask_again()
            self._desk.end_half_pairs()
            self._ledger.forget(now_ns)
            if self._watch is not None:
                self._watch.tell_time(now_ns - 1)
        elif self._schedule.next_ns == due_ns:
            self._schedule.take(now_ns).action(self._access, now_ns)
        else:
            tag, number = self._timers.take()
            self._wake(self._coordinator.by_tag[tag], TimerFired(number=number, time_ns=now_ns))
        self._tell_changes()

    def _take_event(self, source: int) -> None:
        """Feed the event that the intake found, and wake whoever waits for it."""
        event = self._intake.event
        self._clock.wait_until(int(event[layout.EVENT_TIME]))
        if self._watch is None or not self._watch.is_fed:
            self._counts.events += 1
            self._fast_loop.feed(event)
        if event[layout.EVENT_TYPE] == layout.QUOTE_EVENT:
            self._take_quote(source, event)
        elif self._coordinator.on_trade:
            self._take_trade(event)
        if self._coordinator.conditions:
            self._tell_conditions()

    def _tell_conditions(self) -> None:
        """Wake strategies whose conditions the event has fired."""
        if self._watch is not None:
            for strategy, conditions in self._watch.met():
                self._wake(strategy, ConditionsMet(conditions=conditions, time_ns=self._clock.now_ns()))
            self._tell_changes()

    def _take_quote(self, source: int, event: Words) -> None:
        key = keep_quote(self._view, self._intake, source)
        self._answer_triggers()
        waiting = self._coordinator.on_quote.get(key)
        if waiting:
            cause = QuoteChanged(instrument=key[0], venue=key[1], time_ns=self._clock.now_ns())
            for strategy in waiting:
                self._wake_for(strategy, key, cause)
            self._tell_changes()

    def _take_trade(self, event: Words) -> None:
        key = (int(event[layout.EVENT_INSTRUMENT]), int(event[layout.EVENT_VENUE]))
        waiting = self._coordinator.on_trade.get(key)
        if waiting:
            trade = self._view.trade(event)
            for strategy in waiting:
                self._wake_for(strategy, key, Traded(trade=trade))
            self._tell_changes()

    def _wake_for(self, strategy: Strategy, key: MarketKey, cause: WakeCause) -> None:
        """Wake a strategy for an event of a market; not while it sleeps, and for its detector where that ended it."""
        detector = self._coordinator.detectors.get((strategy.tag, key))
        if detector is None or detector.standing is Standing.AWAKE:
            self._wake(strategy, cause)
        elif detector.standing is Standing.WOKEN:
            self._tell_detector(strategy, detector)

    def _tell_detector(self, strategy: Strategy, detector: DetectorWake) -> None:
        """Wake a strategy whose detector ended its sleep."""
        detector.awake()
        instrument, venue = detector.market
        self._wake(strategy, DetectorChanged(instrument=instrument, venue=venue, time_ns=detector.now_ns))

    def _tell_woken(self, watch: Watch) -> None:
        """Wake the strategies whose detectors changed because time passed."""
        self._clock.wait_until(watch.woken_ns)
        watch.told()
        for (tag, _), detector in self._coordinator.detectors.items():
            if detector.standing is Standing.WOKEN:
                self._tell_detector(self._coordinator.by_tag[tag], detector)
        self._tell_changes()

    def _answer_triggers(self) -> None:
        """Hand new triggers to the strategies; what they leave unanswered is released."""
        if not self._fast_loop.has_news:
            return
        for trigger in self._fast_loop.triggers():
            self._counts.triggers += 1
            self._settlement.open(trigger)
            for strategy in self._coordinator.on_trigger:
                self._wake(strategy, Triggered(trigger=trigger))
            self._settlement.close(self._clock.now_ns())
            self._tell_changes()
        self._release_unknown()
        self._settlement.state_again(self._clock.now_ns())

    def _release_unknown(self) -> None:
        """Settle triggers that an engine may have sent before it was replaced: nobody acted upon them, nor will."""
        for trigger in self._fast_loop.unknown_fate():
            self._counts.unknown_fate += 1
            self._counts.note(f"trigger {trigger.epoch}/{trigger.id} is of unknown fate: it was not acted upon")
            self._settlement.open(trigger)
            self._settlement.close(self._clock.now_ns())

    def _tell_changes(self) -> None:
        """Tell strategies what became of their orders, until nothing more comes of it."""
        changes = self._desk.changes
        while changes:
            change = changes.popleft()
            strategy = self._coordinator.by_tag.get(change.order.intent.cause.strategy)
            # Orders that were taken over may be of a strategy that does not run any more.
            if strategy is not None:
                self._wake(strategy, change)

    def _wake(self, strategy: Strategy, cause: WakeCause) -> None:
        """Let a strategy answer a cause, and carry the answer out; a refusal is counted and has no effect."""
        try:
            intents = tuple(strategy.wake(cause, self._view))
        except Rejected as refusal:
            self._refused(strategy, refusal)
            return
        for intent in intents:
            try:
                self._carry_out(strategy, intent)
            except Rejected as refusal:
                self._refused(strategy, refusal)

    def _carry_out(self, strategy: Strategy, intent: Intent) -> None:
        if isinstance(intent, OrderIntent):
            self._desk.place(intent, strategy.tag)
        elif isinstance(intent, OcoIntent):
            self._desk.place_oco(intent, strategy.tag)
        elif isinstance(intent, CancelIntent):
            self._desk.cancel(intent.client_order_id, strategy.tag)
        elif isinstance(intent, TimerIntent):
            self._timers.add(intent.at_ns, strategy.tag, intent.number)
        else:
            assert_never(intent)

    def _tell_listeners(self, report: AccountReport) -> None:
        for listener in self._listeners:
            listener(self._access, report)

    def _refused(self, strategy: Strategy, refusal: Rejected) -> None:
        self._counts.strategy_errors += 1
        self._counts.note(f"strategy {strategy.tag}: {refusal}")

    def _kill(self) -> None:
        if self._heartbeat_ns != FOREVER:
            self._fast_loop.kill(self._clock.now_ns())
