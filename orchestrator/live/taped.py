"""A live run on a tape: recording all that it depends on, and running it again from there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import msgspec
from pydantic import ValidationError

from config.execution import Mode
from config.settings import Settings
from market.errors import Rejected
from market.fastpath.engine import CpuEngine
from market.instruments import Catalogue, Listing
from market.protocols import Clock, Feed
from orchestrator.bus.messages import CommandMessage
from orchestrator.engine.tables import engine_sizes
from orchestrator.live.assembly import Outside, RunParts, assemble_run
from orchestrator.live.bus import RunBus, taped_bus
from orchestrator.live.ending import Ending
from orchestrator.live.engines import link_to
from orchestrator.live.paper import paper_trading
from orchestrator.live.reload import ProfileRead, Reload, defaults_in, settings_of, settings_text
from orchestrator.predicting.answers import PlayedPredictions, RecordedPredictions
from orchestrator.risk.assembly import Risk
from orchestrator.risk.market_rules import MarketNews, RulesSource
from orchestrator.risk.readings import FeedReading, GatewayReading, HostReading, Probe
from orchestrator.risk.supervisor import GuardChange
from orchestrator.run_loop.access import PeriodicTask
from orchestrator.run_loop.journal import MemoryJournal
from orchestrator.run_loop.loop import RunLoop
from orchestrator.run_loop.recovered import Recovered
from orchestrator.run_loop.summary import RunSummary
from orchestrator.storage.records import TakenOver
from orchestrator.storage.replayed import ReplayedSession, taken_over
from orchestrator.tape.calls import Head
from orchestrator.tape.file import read_tape
from orchestrator.tape.playing import PlayedBackEnd, PlayedClock, PlayedFeed, PlayedGateway, Tape, played_value
from orchestrator.tape.recording import RecordedClock, RecordedFeed, RecordedGateway, Write, head_of, recorded_value

_FOREVER_NS: Final = 1 << 62


class TapedPlan(msgspec.Struct, frozen=True):
    """What a tape's head says of a run besides its settings.

    Parameters
    ----------
    lasts_ns, cancels: of its ending. linked: whether its engine was elsewhere. listings: with the venues' own rules.
    before: what it took over from the runs before. beat_ns: how often it told each dead-man switch that it lives.
    commanded: whether it had a bus. rereads: whether its profile could be read anew.
    watches_rules: whether the venues were asked how they trade its markets.
    """

    mode: Mode
    lasts_ns: int | None
    cancels: bool
    linked: bool
    listings: tuple[Listing, ...]
    before: TakenOver
    beat_ns: tuple[int, ...] = ()
    commanded: bool = False
    rereads: bool = False
    watches_rules: bool = False


def tape_head(settings: Settings, taped: TapedPlan, feed: Feed, epoch: int) -> Head:
    """The beginning of a run's tape."""
    return head_of(feed, settings_text(settings), epoch, plan_bytes(taped))


def plan_bytes(taped: TapedPlan) -> bytes:
    """A plan as MessagePack; as JSON where money has outgrown 64 bits."""
    try:
        return msgspec.msgpack.encode(taped)
    except OverflowError:
        return msgspec.json.encode(taped)


def plan_of(content: bytes) -> TapedPlan:
    """The plan of ``plan_bytes``."""
    if content.startswith(b"{"):
        return msgspec.json.decode(content, type=TapedPlan)
    return msgspec.msgpack.decode(content, type=TapedPlan)


def taped_plan(
    mode: Mode,
    ending: tuple[int | None, bool],
    catalogue: Catalogue,
    recovered: Recovered,
    *,
    linked: bool,
    beat_ns: tuple[int, ...],
    commanded: bool,
    rereads: bool,
    watches_rules: bool,
) -> TapedPlan:
    """The head's part that settings do not have; ``ending``: how long the run lasts, and whether it cancels."""
    before = taken_over(recovered)
    return TapedPlan(mode, *ending, linked, catalogue.listings, before, beat_ns, commanded, rereads, watches_rules)


def recorded_outside(outside: Outside, write: Write) -> Outside:
    """The same with every answer written down; an engine elsewhere is recorded where it is linked."""
    return replace(
        outside,
        clock=RecordedClock(outside.clock, write),
        feed=RecordedFeed(outside.feed, write),
        gateway=RecordedGateway(outside.gateway, write),
        probe=RecordedProbe(outside.probe, write),
        predictions=RecordedPredictions(outside.predictions, write),
    )


def on_paper(settings: Settings, catalogue: Catalogue, outside: Outside) -> Outside:
    """The same with fills simulated from the feed: on a tape they follow from market data and time."""
    paper = paper_trading(settings, catalogue, outside.feed, outside.clock)
    return replace(outside, feed=paper.feed, gateway=paper.gateway)


class RecordedProbe:
    """A probe whose every reading is written down."""

    def __init__(self, probe: Probe, write: Write) -> None:
        self.feeds = recorded_value(write, "feeds", probe.feeds)
        self.gateways = recorded_value(write, "gateways", probe.gateways)
        self.host = recorded_value(write, "host", probe.host)


class PlayedProbe:
    """The readings of a tape."""

    def __init__(self, tape: Tape) -> None:
        self.feeds = played_value(tape, "feeds", list[FeedReading])
        self.gateways = played_value(tape, "gateways", list[GatewayReading])
        self.host = played_value(tape, "host", HostReading)


@dataclass(frozen=True)
class PlayedRun:
    """A run of a tape that is ready to begin again; ``loop.run`` it once.

    Parameters
    ----------
    defaults: settings that the tape does not have, since they were added after it was made, each with the default that
        it is played with. before: what it took over from the runs before. ending: says whether the run ends.
    """

    head: Head
    taped: TapedPlan
    settings: Settings
    defaults: tuple[str, ...]
    catalogue: Catalogue
    before: Recovered
    ending: Ending
    tape: Tape
    journal: MemoryJournal
    loop: RunLoop


def play(path: Path, tell: Callable[[str], None] = lambda default: None) -> tuple[RunSummary, MemoryJournal, int]:
    """Run a tape again; returns what came of it, what it wrote down, and how many calls it made.

    ``tell`` is told, before the run, of each setting that the tape does not have.

    Raises Fatal at the first call that differs, MissingInput and Rejected for a file that is no tape, and TapeEnded
    where the recorded run was cut off.
    """
    run = played_run(path)
    for default in run.defaults:
        tell(default)
    return run.loop.run(), run.journal, run.tape.played


def played_run(
    path: Path,
    journal: MemoryJournal | None = None,
    watched: Callable[[Clock], Clock] = lambda clock: clock,
    on_change: Callable[[GuardChange], None] = lambda change: None,
) -> PlayedRun:
    """The run of a tape; raises MissingInput and Rejected for a file that is no tape.

    Parameters
    ----------
    journal: what the run writes to. watched: a clock that answers as the tape's does, and may look on.
    on_change: told of the guards.
    """
    head, calls = read_tape(path)
    try:
        settings, taped = settings_of(head.settings), plan_of(head.plan)
    except (ValidationError, msgspec.DecodeError) as error:
        first = str(error).splitlines()[1:3]
        raise Rejected(
            f"{path} is of a program with other settings than this one ({': '.join(line.strip() for line in first)}); "
            "play it with the version that made it"
        ) from error
    defaults = tuple(f"{'.'.join(name)} = {_shown(value)}" for name, value in defaults_in(settings, head.settings))
    tape, catalogue = Tape(calls), Catalogue(taped.listings)
    journal = MemoryJournal() if journal is None else journal
    sizes = engine_sizes(settings)
    engine = link_to(settings, PlayedBackEnd(tape)) if taped.linked else CpuEngine(sizes)
    outside = Outside(
        watched(PlayedClock(tape)),
        PlayedFeed(head, tape),
        PlayedGateway(tape),
        PlayedProbe(tape),
        engine,
        PlayedPredictions(tape),
    )
    if taped.mode is Mode.PAPER:
        outside = on_paper(settings, catalogue, outside)
    ending = Ending(taped.lasts_ns, cancels=taped.cancels)
    ending.heard = played_value(tape, "ending", str)
    replayed = ReplayedSession()
    replayed.take(taped.before)
    before = replayed.recovered(_FOREVER_NS)
    parts = RunParts(
        catalogue,
        head.epoch,
        before,
        journal,
        ending,
        on_change,
        lambda difference, times: None,
        lambda state, now_ns: None,
        archive=journal,
        rules=RulesSource(played_value(tape, "rules", list[MarketNews]), lambda: None) if taped.watches_rules else None,
    )
    bus = _bus(settings, catalogue, tape) if taped.commanded else None
    beats = [PeriodicTask("beat", every_ns, lambda run, now_ns: None) for every_ns in taped.beat_ns]

    def more_tasks(risk: Risk) -> tuple[PeriodicTask, ...]:
        read = played_value(tape, "profile", ProfileRead)
        reload = Reload(settings, risk, read, lambda *about: None) if taped.rereads else None
        return (*beats, *(() if bus is None else bus.tasks(risk, taped.mode.value, tuple, reload)))

    loop = assemble_run(settings, outside, parts, bus, more_tasks).loop
    return PlayedRun(head, taped, settings, defaults, catalogue, before, ending, tape, journal, loop)


def _shown(value: object) -> str:
    return "{...}" if isinstance(value, Mapping) and value else str(value)


def _bus(settings: Settings, catalogue: Catalogue, tape: Tape) -> RunBus:
    """The bus of a tape."""
    return RunBus(settings.bus, catalogue, taped_bus(_played_commands(tape)))


def _played_commands(tape: Tape) -> Callable[[], CommandMessage | None]:
    read = played_value(tape, "command", object)
    return lambda: None if (command := read()) is None else msgspec.convert(command, type=CommandMessage)
