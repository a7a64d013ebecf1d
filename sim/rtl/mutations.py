"""Mutations of the core: whether corpus, sweeps and random runs notice when one bit of one cell is wrong.

``python -m sim.rtl.mutations --seed 1 --count 100 --bus 1`` draws that many with yosys, makes all of them in one
netlist of which an input says which one is live, and tries each until something differs from the reference: messages,
log, frames on the line, counters, or the cycles that a trigger takes. Prints a table.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Final

from hdl.parameters import BUS_BYTES, CoreParameters
from market.errors import Fatal
from market.fastpath.conformance.scenario import TWO_VENUES
from sim.rtl import book_cycles, cycle_table
from sim.rtl.engine import CoreBuild, SoftFpga
from sim.rtl.library import Say, say_on_standard_error
from sim.rtl.model import Area
from sim.rtl.mutations_inputs import recordings
from sim.rtl.mutations_library import library_of_netlist
from sim.rtl.mutations_netlist import Mutation, mutate
from sim.rtl.mutations_recording import Recording
from sim.rtl.mutations_top import PacedCore
from sim.rtl.mutations_verdict import difference, engine_of, spoiled_frames
from sim.rtl.netlist_tool import described
from sim.rtl.top import SoftTop

SEED: Final = 1
COUNT: Final = 60
LEAST_KILLED: Final = 0.95
"""What must be noticed of those that change anything; missed so far, see docs/mutations.md."""
_CYCLES: Final = "cycle-tables"
_DEPTHS: Final = (1,)
"""Further orders on each side of the book of which cycles are counted."""
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutation: the recording that noticed it, and what it noticed; both empty: it survived."""

    mutation: Mutation
    killed_by: str
    seen: str

    @property
    def is_killed(self) -> bool:
        """Whether anything noticed it."""
        return bool(self.killed_by)


@dataclass(frozen=True, slots=True)
class Trial:
    """A core with all its mutations, and what each is tried with."""

    build: CoreBuild
    mutations: tuple[Mutation, ...]
    recordings: tuple[Recording, ...]
    cycles: tuple[object, ...]

    def outcome_of(self, mutation: Mutation) -> Outcome:
        """Try one mutation until something is wrong."""
        for recording in self.recordings:
            soft = engine_of(self.build, recording.sizes, mutation.number, recording.conditions)
            found = difference(soft, recording)
            soft.close()
            if found:
                return Outcome(mutation, recording.name, found)
        found = self._cycle_difference(mutation.number)
        return Outcome(mutation, _CYCLES if found else "", found or "")

    def _cycle_difference(self, number: int) -> str | None:
        try:
            rows = _cycle_rows(self.build, number)
        except Fatal as stopped:
            return f"stopped: {stopped}"
        pairs = zip(self.cycles, rows, strict=True)
        return next((f"expected {wanted}, seen {seen}" for wanted, seen in pairs if wanted != seen), None)


def _cycle_rows(build: CoreBuild, number: int) -> tuple[object, ...]:
    """The rows of both cycle tables, and how many frames were spoiled for those of the first."""
    softs = []

    def engine() -> SoftFpga:
        softs.append(engine_of(build, TWO_VENUES, number, keep=(Area.MARKS, Area.SENT, Area.SPOILED)))
        return softs[-1]

    rows = cycle_table.measured_rows(engine)
    spoiled = [spoiled_frames(soft) for soft in softs]
    return (*rows, *spoiled, *book_cycles.measured_rows(engine, _DEPTHS))


def prepared(
    seed: int, count: int, bus_bytes: int, say: Say = say_on_standard_error, names: Sequence[str] = ()
) -> Trial:
    """Draw, build and record. Raises Fatal where the core without a mutation is not what the reference says.

    ``names``: of the recordings to try with; none: all.
    """
    from hdl.core import Core

    parameters = CoreParameters(bus_bytes=bus_bytes)
    say(f"drawing {count} mutations of the core of {bus_bytes} bytes per cycle")
    top = SoftTop(PacedCore(Core(parameters, host_events=True)), parameters)
    mutated = mutate(described(top), seed, count)
    build = CoreBuild(parameters, library_of_netlist(mutated.verilog, say, plain_clock=mutated.has_clocks))
    recorded = tuple(each for each in recordings(parameters) if not names or each.name in names)
    say(f"trying the core without a mutation with {len(recorded)} recordings")
    for recording in recorded:
        found = difference(engine_of(build, recording.sizes, how=recording.conditions), recording)
        if found:
            raise Fatal(f"the core without a mutation fails {recording.name}: {found}")
    return Trial(build, mutated.mutations, recorded, _cycle_rows(build, 0))


def outcomes(trial: Trial, jobs: int = 1, only: Sequence[int] = ()) -> Iterator[Outcome]:
    """What becomes of each mutation, as it is found out; each has a process, which it may end.

    ``only``: numbers of those to try; none: all.
    """
    waiting = [mutation for mutation in trial.mutations if not only or mutation.number in only]
    running: dict[Connection, Mutation] = {}
    context = get_context("fork")
    while waiting or running:
        while waiting and len(running) < jobs:
            mutation = waiting.pop(0)
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_answer, args=(trial, mutation, theirs))
            process.start()
            theirs.close()
            running[ours] = mutation
        for ready in wait(list(running)):
            assert isinstance(ready, Connection)
            mutation = running.pop(ready)
            try:
                yield ready.recv()
            except EOFError:
                yield Outcome(mutation, "watchdog", "the model's process died")
            ready.close()


def _answer(trial: Trial, mutation: Mutation, to: Connection) -> None:
    to.send(trial.outcome_of(mutation))


def table(tried: Sequence[Outcome]) -> str:
    """The outcomes as a Markdown table."""
    lines = ["| No. | Mode | Where | Signal | Source | Noticed by |", "|---|---|---|---|---|---|"]
    for outcome in sorted(tried, key=lambda each: each.mutation.number):
        mutation = outcome.mutation
        control = "" if mutation.control_bit is None else f" by [{mutation.control_bit}]"
        source = next((place for place in mutation.source if place.startswith("hdl/")), "")
        noticed = f"`{outcome.killed_by}`" if outcome.is_killed else "**nothing**"
        noticed += "" if mutation.is_change else " (no change)"
        lines.append(
            f"| {mutation.number} | {mutation.mode}{control} | `{mutation.place}` | `{mutation.wire}` "
            f"| {source} | {noticed} |"
        )
    return "\n".join(lines) + "\n"


def summary(tried: Sequence[Outcome]) -> str:
    """How many were noticed, of all and of those that change what is read."""
    killed, idle = sum(outcome.is_killed for outcome in tried), sum(not each.mutation.is_change for each in tried)
    text = f"{killed} of {len(tried)} noticed ({killed / len(tried):.1%})"
    return text + f"; {idle} change nothing that is read, of the others {share_killed(tried):.1%}" * bool(idle)


def share_killed(tried: Sequence[Outcome]) -> float:
    """The share that was noticed of those that change what is read."""
    changes = [outcome for outcome in tried if outcome.mutation.is_change]
    return sum(outcome.is_killed for outcome in changes) / len(changes)


def main() -> int:
    """The command; its status is 1 where too few of those that change anything are noticed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--bus", type=int, choices=BUS_BYTES, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="how many to try at the same time")
    parser.add_argument("--only", type=int, nargs="*", default=(), help="numbers of those to try")
    parser.add_argument("--recordings", nargs="*", default=(), help="names of those to try with, beside cycle tables")
    given = parser.parse_args()
    trial = prepared(given.seed, given.count, given.bus, names=given.recordings)
    tried = []
    for outcome in outcomes(trial, given.jobs, given.only):
        tried.append(outcome)
        seen = f"{outcome.killed_by}: {outcome.seen[:_SHOWN]}" if outcome.is_killed else "survives"
        print(f"{outcome.mutation.number} {outcome.mutation.place}: {seen}", file=sys.stderr, flush=True)
    reached = share_killed(tried) >= LEAST_KILLED
    print(f"Seed {given.seed}, {given.count} mutations, {8 * given.bus}-bit bus: {summary(tried)}.")
    print(f"The aim of {LEAST_KILLED:.0%} is {'reached' if reached else 'missed'}.\n")
    print(table(tried), end="")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
