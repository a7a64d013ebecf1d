"""Both runs that are compared: the one of the tape, and its backtest over the same market data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from config.execution import Mode
from config.settings import Settings
from market.errors import MissingInput
from market.instruments import Catalogue
from market.protocols import Clock, MarketKey, Strategy
from market.risk.position import Position
from market.wire.records import Words
from orchestrator.backtest.plan import Plan, plan_over, tape_clock
from orchestrator.backtest.run import RunStart, run_backtest
from orchestrator.diff.funding import with_payments
from orchestrator.diff.source import TapedSource, receipts, taped_sources
from orchestrator.diff.story import LateClock, Story, StoryJournal
from orchestrator.live.taped import played_run
from orchestrator.live.trader_state import restore_traders
from orchestrator.risk.supervisor import GuardChange
from orchestrator.run_loop.recovered import Recovered
from orchestrator.tape.file import read_tape
from orchestrator.tape.playing import TapeEnded
from sim.backtest.tape import Tape, make_tape
from sim.gateway.balances import AssetKey


@dataclass(frozen=True, eq=False)
class LiveRun:
    """The run of a tape.

    Parameters
    ----------
    recovered: from the runs before. receipts: int64[n], when each record was received. positions: at the end.
    guards: changes of the guards. was_cut: whether the tape ends before the run did. defaults: settings that the tape
        does not have, with the defaults that it was played with.
    """

    path: Path
    mode: Mode
    settings: Settings
    catalogue: Catalogue
    epoch: int
    recovered: Recovered
    sources: Sequence[TapedSource]
    receipts: Words
    story: Story
    positions: Mapping[MarketKey, Position]
    guards: Sequence[GuardChange]
    was_cut: bool
    defaults: tuple[str, ...]


def read_live(path: Path) -> LiveRun:
    """Play a tape again, which must decide as the run did.

    Raises MissingInput and Rejected for a file that is no tape or holds no market data, Fatal where this program
    decides otherwise than the one that made it.
    """
    sources = taped_sources(path, *read_tape(path))
    times = receipts(sources)
    if not len(times):
        raise MissingInput(f"{path} holds no market data: the run ended before it began")
    journal, guards = StoryJournal(times), list[GuardChange]()
    played = played_run(path, journal, journal.watched, guards.append)
    journal.is_ending = lambda: bool(played.ending.reason)
    journal.take_over(played.before.orders)
    was_cut = False
    try:
        played.loop.run()
    except TapeEnded:
        was_cut = True
    return LiveRun(
        path,
        played.taped.mode,
        played.settings,
        played.catalogue,
        played.head.epoch,
        played.before,
        sources,
        times,
        journal.story(),
        dict(played.loop.access.positions),
        tuple(guards),
        was_cut,
        played.defaults,
    )


@dataclass(frozen=True, eq=False)
class Again:
    """The backtest of a run.

    Parameters
    ----------
    positions: at the end. marks: the last middle of each market that had a quote, in price counts.
    """

    plan: Plan
    story: Story
    positions: Mapping[MarketKey, Position]
    marks: Mapping[MarketKey, int]


def plan_again(live: LiveRun, settings: Settings) -> Plan:
    """The backtest of a run by some settings; raises MissingInput for market data without a book."""
    sources = [replace(source, begins_ns=live.story.began_ns) for source in live.sources if source.taken]
    recorded = [(source.as_recording(), source.columns()) for source in sources]
    tape: Tape = make_tape(recorded, tape_clock(settings), quotes=True)
    plan = with_payments(plan_over(settings, sources, tape, live.catalogue))
    return replace(plan, balances=_balances(live, plan))


def depth_tape(live: LiveRun, settings: Settings) -> Tape:
    """The exchanges as trading on paper knows them: without best prices that venues state apart from their books."""
    recorded = [(source.as_recording(), source.columns()) for source in live.sources if source.taken]
    return make_tape(recorded, tape_clock(settings), quotes=False)


def run_again(
    live: LiveRun, plan: Plan, tell: Callable[[int], None] = lambda now_ns: None, *, is_late: bool = False
) -> Again:
    """The backtest of a run, with what the run began with, to the record at which it ended.

    Orders of earlier runs do not work at these exchanges. ``is_late``: it looks at each record as late as the run did.
    """
    journal = StoryJournal(live.receipts)

    def restore(strategies: Sequence[Strategy], clock: Clock) -> None:
        restore_traders(strategies, live.recovered.components, clock, lambda change: None)

    def watched(clock: Clock) -> Clock:
        return journal.watched(LateClock(clock, live.story.looked_ns) if is_late else clock)

    run = run_backtest(
        plan,
        until_ns=live.story.ended_ns + 1,
        passes_unwatched=False,
        tell=tell,
        start=RunStart(live.epoch, replace(live.recovered, orders=()), restore),
        journal=journal,
        watched=watched,
    )
    return Again(plan, journal.story(), run.summary.positions, run.states.marks)


def _balances(live: LiveRun, plan: Plan) -> dict[AssetKey, Decimal]:
    """What the venues said at the beginning; where one said nothing, what the settings say."""
    stated = live.story.balances
    # On paper a venue's assets may have stand-ins for names; a real one that does not name an asset holds none.
    balances = {
        key: amount if key[0] not in stated or live.mode is Mode.PAPER else Decimal(0)
        for key, amount in plan.balances.items()
    }
    for venue, report in stated.items():
        for balance in report.balances:
            balances[venue, balance.asset] = balance.free + balance.locked
    return balances
