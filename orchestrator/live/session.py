"""A live or paper run, put together from settings: feed, fast loop, strategies, risk, gateways, journal, database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from config.credentials import Credentials, as_environment
from config.engine import BackEnd as BackEndName
from config.execution import Mode
from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal, MissingInput
from market.instruments import Catalogue
from orchestrator.clock import WakingClock
from orchestrator.engine.link import Takeover
from orchestrator.engine.tables import venue_numbers
from orchestrator.execution.ccxt_client import BinanceAddresses
from orchestrator.execution.gateway import VenueGateway
from orchestrator.execution.opening import Keys, venue_gateway
from orchestrator.execution.requests import MarketKind
from orchestrator.feeds.feed import LiveFeed
from orchestrator.feeds.venue_watch import VenueWatch, watch_task
from orchestrator.live.addresses import VenueAddresses, venue_addresses
from orchestrator.live.assembly import RISK, Outside, RunParts, assemble_run, risk_state
from orchestrator.live.bus import RunBus, open_bus
from orchestrator.live.database import filled_database
from orchestrator.live.dead_man import countdowns, dead_man_plan
from orchestrator.live.ending import Ending
from orchestrator.live.engines import live_engine
from orchestrator.live.feeds import feed_plans, traded_venues
from orchestrator.live.network import NetworkThread
from orchestrator.live.probe import LiveProbe
from orchestrator.live.readiness import Readiness
from orchestrator.live.reload import Reload, profile_reader
from orchestrator.live.rules_watch import watched_rules
from orchestrator.live.run_notes import deviation_note, note_guard, rules_note
from orchestrator.live.taped import on_paper, recorded_outside, tape_head, taped_plan
from orchestrator.live.venue_gateways import VenueGateways, keep_warm
from orchestrator.live.venue_listings import live_catalogue
from orchestrator.predicting.answers import live_predictions
from orchestrator.predicting.predictor import BookPredictor
from orchestrator.risk.assembly import Risk, beat_task
from orchestrator.risk.comparison import Difference
from orchestrator.risk.dead_man import DeadManSwitch
from orchestrator.risk.supervisor import GuardChange
from orchestrator.run_loop.access import PeriodicTask
from orchestrator.run_loop.loop import RunLoop
from orchestrator.run_loop.summary import RunSummary
from orchestrator.storage.journal_file import JournalFile
from orchestrator.storage.journal_folder import JournalFolder, OpenSession
from orchestrator.storage.records import Area, Outcome
from orchestrator.tape.file import TapeWriter
from orchestrator.tape.recording import RecordedBackEnd, Write, recorded_value

Say = Callable[[str], None]
_NS_PER_US: Final = 1_000
_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000
_HEARTBEATS_PER_LEASE: Final = 4
_RISK: Final = "risk"
_KINDS: Final = {
    VenueName.BINANCE_SPOT: MarketKind.SPOT,
    VenueName.BINANCE_USDM: MarketKind.USD_MARGINED,
}


@dataclass(frozen=True, kw_only=True)
class RunPlan:
    """What a person asks for beside the settings.

    Parameters
    ----------
    seconds: how long the run lasts; None: until it is told to end. tape: file to keep the run on.
    leaves_orders: whether orders go on working after an orderly end. reread: the settings as they are now, None where
        they cannot be read anew; raises SettingsError, and Fatal for a profile that nobody may trade by.
    """

    mode: Mode
    seconds: float | None = None
    tape: Path | None = None
    leaves_orders: bool = False
    reread: Callable[[], Settings] | None = None


@dataclass(frozen=True)
class LiveSession:
    """A run that is ready to begin; ``run`` it once, inside the context that made it.

    Members
    -------
    queues: what waits in the run, by name; to be asked from any thread, about right.
    """

    loop: RunLoop
    ending: Ending
    catalogue: Catalogue
    risk: Risk
    readiness: Readiness
    feed: LiveFeed
    journal: JournalFile
    clock: WakingClock
    opened: OpenSession
    failures: list[BaseException]
    queues: Mapping[str, Callable[[], int]]
    models: tuple[BookPredictor, ...]

    def run(self) -> RunSummary:
        """Run until the end; the journal says how it ended. Raises what broke it, in whatever thread."""
        try:
            summary = self.loop.run()
            if self.failures:
                raise self.failures[0]
        except BaseException as error:
            self.journal.end(self.clock.now_ns(), Outcome.FAILED, f"{type(error).__name__}: {error}")
            raise
        self.journal.save(RISK, self.clock.now_ns(), risk_state(self.risk))
        self.journal.end(self.clock.now_ns(), Outcome.FINISHED, self.ending.reason)
        return summary

    def stop(self, reason: str) -> None:
        """Let the run end in an orderly way; from any thread or a signal handler."""
        self.ending.ask(reason)
        if not self.loop.has_started:
            self.loop.stop()
        self.clock.wake()


@contextmanager
def live_session(settings: Settings, credentials: Credentials, plan: RunPlan, say: Say) -> Iterator[LiveSession]:
    """Everything connected; closed at the end of the block.

    Parameters
    ----------
    say: told, from any thread, what people should read.

    Raises MissingInput for keys that are needed and not there, and as its parts do.
    """
    gateways: dict[int, VenueGateway] = {}
    clock = WakingClock(partial(keep_warm, gateways), settings.execution.warm_every_us * _NS_PER_US)
    failures, running = list[BaseException](), list[RunLoop]()
    venues = traded_venues(settings, plan.mode)
    with ExitStack() as stack:

        def fail(error: BaseException) -> None:
            failures.append(error)
            for loop in running:
                loop.stop()
            clock.wake()

        network = stack.enter_context(NetworkThread(fail))
        folder = stack.enter_context(_journal_folder(settings))
        catalogue = live_catalogue(settings, venues, plan.mode)
        plans = feed_plans(settings, credentials, plan.mode)
        feed = LiveFeed(plans, clock=clock, wake=clock.wake, network=network, note=say)
        opened = folder.begin(mode=plan.mode.value, catalogue=catalogue, now_ns=clock.now_ns())
        if opened.earlier is not None and opened.earlier.text:
            say(opened.earlier.text)
        projector = stack.enter_context(filled_database(settings.storage, folder.folder, say))
        real = plan.mode is Mode.LIVE
        if real:
            gateways.update(_gateways(settings, credentials, catalogue, clock, network, say))
        watched = real and settings.risk.dead_man.enabled
        renewals = list(countdowns(settings, catalogue, gateways)) if watched else []
        switch = stack.enter_context(ExitStack())
        beats = [_dead_man(settings, credentials, catalogue, switch)] if watched else []
        beats += [renewal.task for renewal in renewals]
        beats.append(watch_task(VenueWatch(feed, settings.feeds.deviation_bps), deviation_note(opened.journal, say)))
        queues = {"market data": lambda: feed.queued, "database bytes": lambda: projector.lag_bytes}
        queues |= {f"reports of venue {number}": partial(_waiting, gateway) for number, gateway in gateways.items()}
        session = _assemble(
            settings, plan, catalogue, feed, opened, clock, gateways, beats, failures, queues, say, stack
        )
        running.append(session.loop)
        for gateway in gateways.values():
            gateway.open()
            stack.callback(gateway.close)
        for renewal in renewals:
            stack.callback(renewal.end)
        feed.start()
        stack.callback(feed.close)
        # First of all: closing connections may take longer than the switch is patient with a run that does not beat.
        stack.push(switch.__exit__)
        if failures:
            raise failures[0]
        yield session


def _assemble(
    settings: Settings,
    plan: RunPlan,
    catalogue: Catalogue,
    feed: LiveFeed,
    opened: OpenSession,
    clock: WakingClock,
    gateways: Mapping[int, VenueGateway],
    beats: Sequence[PeriodicTask],
    failures: list[BaseException],
    queues: Mapping[str, Callable[[], int]],
    say: Say,
    stack: ExitStack,
) -> LiveSession:
    """The run loop and all that plugs into it."""
    journal = opened.journal
    rules = watched_rules(settings, plan.mode, catalogue, clock.wake, say, stack)
    write = _tape(settings, plan, catalogue, feed, opened, beats, rules is not None, stack)
    if rules is not None and write is not None:
        rules = replace(rules, take=recorded_value(write, "rules", rules.take))
    bus = _bus(settings, catalogue, clock, opened.epoch, write, stack)
    ending = Ending(_lasts_ns(plan), cancels=not plan.leaves_orders)
    if write is not None:
        ending.heard = recorded_value(write, "ending", ending.heard)

    def on_change(change: GuardChange) -> None:
        note_guard(journal, change, say)
        if bus is not None:
            bus.tell(change)

    def on_difference(difference: Difference, times: int) -> None:
        if times == 1:
            say(f"not as the venue says: {difference.detail}")
            kind = difference.kind.value
            journal.changed(clock.now_ns(), Area.RISK, "reconciliation", "agreed", kind, difference.detail)

    def on_takeover(takeover: Takeover) -> None:
        say(f"the fast loop was taken over by its shadow: {takeover.reason}")
        journal.changed(takeover.time_ns, Area.ENGINE, "fast loop", "engine", "shadow", takeover.reason)

    def more_tasks(risk: Risk) -> Sequence[PeriodicTask]:
        if bus is None:
            return beats
        read = None if plan.reread is None else profile_reader(plan.reread)
        if read is not None and write is not None:
            read = recorded_value(write, "profile", read)
        reload = None if read is None else Reload(settings, risk, read, audit)
        return (*beats, *bus.tasks(risk, plan.mode.value, feed.metrics, reload))

    def audit(time_ns: int, action: str, detail: str) -> None:
        journal.audit(time_ns, "operator", action, detail)

    engine = stack.enter_context(
        live_engine(
            settings,
            wake=clock.wake,
            on_takeover=on_takeover,
            say=say,
            wrap=lambda back_end: back_end if write is None else RecordedBackEnd(back_end, write),
        )
    )
    numbers = venue_numbers(settings)
    probe = LiveProbe(feed, [numbers[VenueName(source.name)] for source in feed.sources], gateways)
    predictions = live_predictions(settings, stack, say)
    outside = Outside(clock, feed, VenueGateways(gateways), probe, engine, predictions)
    if write is not None:
        outside = recorded_outside(outside, write)
    if plan.mode is Mode.PAPER:
        outside = on_paper(settings, catalogue, outside)
    parts = RunParts(
        catalogue,
        opened.epoch,
        opened.recovered,
        journal,
        ending,
        on_change,
        on_difference,
        lambda state, now_ns: journal.save(RISK, now_ns, state),
        journal.candle,
        journal.save,
        journal.write,
        archive=journal,
        rules=rules,
        on_rules=rules_note(journal, say),
    )
    assembled = assemble_run(settings, outside, parts, bus, more_tasks)
    return LiveSession(
        assembled.loop,
        ending,
        catalogue,
        assembled.risk,
        assembled.readiness,
        feed,
        journal,
        clock,
        opened,
        failures,
        queues,
        assembled.models,
    )


def _waiting(gateway: VenueGateway) -> int:
    return gateway.waiting


def _dead_man(settings: Settings, credentials: Credentials, catalogue: Catalogue, stack: ExitStack) -> PeriodicTask:
    """Arm the dead-man switch; returns the task that says that the run lives."""
    plan = dead_man_plan(settings, catalogue, traded_venues(settings))
    switch = stack.enter_context(DeadManSwitch(plan, {**os.environ, **as_environment(credentials)}))
    return beat_task(switch, settings.risk.dead_man.beat_ms)


def _lasts_ns(plan: RunPlan) -> int | None:
    return None if plan.seconds is None else round(plan.seconds * _NS_PER_S)


def _tape(
    settings: Settings,
    plan: RunPlan,
    catalogue: Catalogue,
    feed: LiveFeed,
    opened: OpenSession,
    beats: Sequence[PeriodicTask],
    watches_rules: bool,
    stack: ExitStack,
) -> Write | None:
    """A new tape that has the run's beginning; None where none is kept."""
    if plan.tape is None:
        return None
    tape = stack.enter_context(TapeWriter(plan.tape))
    ending = _lasts_ns(plan), not plan.leaves_orders
    linked = settings.engine.back_end is not BackEndName.CPU
    beat_ns = tuple(task.every_ns for task in beats)
    taped = taped_plan(
        plan.mode,
        ending,
        catalogue,
        opened.recovered,
        linked=linked,
        beat_ns=beat_ns,
        commanded=settings.bus.enabled,
        rereads=plan.reread is not None,
        watches_rules=watches_rules,
    )
    tape.write(tape_head(settings, taped, feed, opened.epoch))
    return tape.write


def _bus(
    settings: Settings, catalogue: Catalogue, clock: WakingClock, epoch: int, write: Write | None, stack: ExitStack
) -> RunBus | None:
    """The bus, unless the settings do without; what it brings is on the tape."""
    if not settings.bus.enabled:
        return None
    ends = stack.enter_context(open_bus(settings.bus, clock, epoch))
    if write is not None:
        ends = replace(ends, take=recorded_value(write, "command", ends.take))
    return RunBus(settings.bus, catalogue, ends)


def _journal_folder(settings: Settings) -> JournalFolder:
    storage = settings.storage
    return JournalFolder(storage.journal, storage.durability, storage.late_fills_ms * _NS_PER_MS)


def _gateways(
    settings: Settings,
    credentials: Credentials,
    catalogue: Catalogue,
    clock: WakingClock,
    network: NetworkThread,
    say: Say,
) -> dict[int, VenueGateway]:
    """One gateway per venue, by its number; raises MissingInput without keys."""
    key, secret = credentials.binance_api_key, credentials.binance_api_secret
    if key is None or secret is None:
        raise MissingInput("real orders need keys: set BINANCE_API_KEY and BINANCE_API_SECRET, see env.example")
    keys = Keys(key.get_secret_value(), secret.get_secret_value())
    gateways = {}
    for venue in traded_venues(settings):
        number = venue_numbers(settings)[venue]
        gateways[number] = venue_gateway(
            name=venue.value,
            venue=number,
            kind=_KINDS[venue],
            listings=[listing for listing in catalogue.listings if listing.venue == number],
            settings=settings.execution,
            addresses=_client_addresses(venue, venue_addresses(settings, venue)),
            keys=keys,
            clock=clock,
            wake=clock.wake,
            network=network,
            on_problem=say,
        )
    return gateways


def _client_addresses(venue: VenueName, addresses: VenueAddresses) -> BinanceAddresses | None:
    """Where CCXT finds a venue; None for Binance itself. Raises Fatal for what CCXT cannot be pointed at."""
    if addresses.is_own:
        return None
    if addresses.orders != addresses.streams:
        raise Fatal(f"venues.{venue}.addresses: orders was {addresses.orders}; expected streams, {addresses.streams}")
    if _KINDS[venue] is MarketKind.SPOT:
        return BinanceAddresses(spot_http=addresses.http, spot_ws=addresses.streams)
    return BinanceAddresses(futures_http=addresses.http, futures_ws=addresses.streams)
