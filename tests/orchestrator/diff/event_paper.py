"""Trading on paper in the time of recorded events: the assembly of ``tickwire paper`` with a recording as its feed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.execution import Mode
from config.settings import Settings
from market.engine import Engine
from market.fastpath.engine import CpuEngine
from market.instruments import Catalogue
from market.protocols import Clock, Feed
from orchestrator.backtest.plan import Plan, read_plan
from orchestrator.engine.tables import engine_sizes
from orchestrator.live.assembly import Outside, RunParts, assemble_run
from orchestrator.live.ending import Ending
from orchestrator.live.taped import TapedPlan, on_paper, recorded_outside, tape_head
from orchestrator.live.venue_gateways import VenueGateways
from orchestrator.replay.plan import SourceFile
from orchestrator.risk.readings import FeedReading, GatewayReading, HostReading
from orchestrator.run_loop.journal import MemoryJournal
from orchestrator.run_loop.recovered import Recovered
from orchestrator.run_loop.summary import RunSummary
from orchestrator.storage.replayed import taken_over
from orchestrator.tape.file import TapeWriter
from orchestrator.tape.recording import recorded_value
from sim.clock import EventClock
from sim.feed.replay_feed import ReplayFeed
from tests.orchestrator.diff.arriving import ArrivingFeed


class Sound:
    """Readings of a world in which nothing is wrong."""

    def __init__(self, clock: Clock, venues: Sequence[int]) -> None:
        self._clock = clock
        self._venues = tuple(venues)

    def feeds(self) -> Sequence[FeedReading]:
        """Every feed was heard now."""
        return [FeedReading(venue, True, 0, self._clock.now_ns()) for venue in self._venues]

    def gateways(self) -> Sequence[GatewayReading]:
        """Every gateway works."""
        return [GatewayReading(venue, True) for venue in self._venues]

    def host(self) -> HostReading:
        """Little memory, a right clock."""
        return HostReading(1_000_000, 0)


@dataclass(frozen=True)
class PaperRun:
    """What came of it."""

    plan: Plan
    summary: RunSummary
    journal: MemoryJournal


def paper_run(
    settings: Settings, files: Sequence[SourceFile], tape: Path, *, by_record: bool = True
) -> PaperRun:  # fmt: skip
    """Trade on paper over recordings, and keep the run on a tape.

    ``by_record``: each record arrives in its own time; else the simulated venues have a batch of the decoder at once,
    which takes a tenth of the time.
    """
    plan, journal = read_plan(settings, files), MemoryJournal()
    arriving = ArrivingFeed(plan.sources)
    feed: Feed = arriving if by_record else ReplayFeed(plan.sources).open()
    clock: Clock = arriving if by_record else EventClock()
    listings = Catalogue(each for each in plan.catalogue.listings if each.venue in {venue for _, venue in plan.markets})
    taped = TapedPlan(Mode.PAPER, None, True, False, listings.listings, taken_over(Recovered()))
    engine: Engine = CpuEngine(engine_sizes(settings))
    venues = sorted({venue for _, venue in plan.markets})
    with TapeWriter(tape) as writer:
        writer.write(tape_head(settings, taped, feed, 1))
        bare = Outside(clock, feed, VenueGateways({}), Sound(clock, venues), engine)
        outside = on_paper(settings, listings, recorded_outside(bare, writer.write))
        ending = Ending(None, cancels=True)
        ending.heard = recorded_value(writer.write, "ending", lambda: "")
        parts = RunParts(
            listings,
            1,
            Recovered(),
            journal,
            ending,
            lambda change: None,
            lambda difference, times: None,
            lambda state, now_ns: None,
            archive=journal,
        )
        summary = assemble_run(settings, outside, parts).loop.run()
    return PaperRun(plan, summary, journal)
