"""Mutations of the core: whether corpus, sweeps and random runs notice when one bit of one cell is wrong.

``python -m sim.rtl.mutations --seed 1 --count 100 --bus 1`` draws that many with yosys, makes all of them in one
netlist of which an input says which one is live, and tries each until something differs from the reference: messages,
log, frames on the line, counters, or the cycles that a trigger takes. Prints a table.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Final, Protocol

from hdl.parameters import BUS_BYTES, CoreParameters
from market.errors import Fatal
from market.fastpath.conformance.scenario import TWO_VENUES
from sim.rtl import book_cycles, cycle_table
from sim.rtl.engine import CoreBuild, SoftFpga
from sim.rtl.library import Say, say_on_standard_error
from sim.rtl.model import Area
from sim.rtl.mutations_account import Fate, Outcome, share_killed, summary, table, with_proofs
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
"""What must be noticed of those that may have an effect."""
_CYCLES: Final = "cycle-tables"
_DEPTHS: Final = (1,)
"""Further orders on each side of the book of which cycles are counted."""
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True)
class Trial:
    """A core with all its mutations, and what they are tried with; recordings are made as they are asked for."""

    build: CoreBuild
    mutations: tuple[Mutation, ...]
    recordings: Iterable[Recording]


class _Attempt(Protocol):
    """Tries a mutation, 0 being none: what is seen to be wrong, or None."""

    def __call__(self, number: int) -> str | None: ...


def prepared(
    seed: int, count: int, bus_bytes: int, say: Say = say_on_standard_error, names: Sequence[str] = ()
) -> Trial:
    """Draw and build. ``names``: of the recordings to try with; none: all."""
    from hdl.core import Core

    parameters = CoreParameters(bus_bytes=bus_bytes)
    say(f"drawing {count} mutations of the core of {bus_bytes} bytes per cycle")
    top = SoftTop(PacedCore(Core(parameters, host_events=True)), parameters)
    mutated = mutate(described(top), seed, count)
    build = CoreBuild(parameters, library_of_netlist(mutated.verilog, say, plain_clock=mutated.has_clocks))
    wanted = (each for each in recordings(parameters) if not names or each.name in names)
    return Trial(build, mutated.mutations, wanted)


def outcomes(
    trial: Trial, jobs: int = 1, only: Sequence[int] = (), say: Say = say_on_standard_error
) -> Iterator[Outcome]:
    """What becomes of each mutation, as it is found out: one recording after the other, with what is left.

    Raises Fatal where the core without a mutation is not what the reference says. ``only``: numbers of those to try;
    none: all. What changes nothing in the netlist, or is proven to have no effect, is not tried.
    """
    chosen = [mutation for mutation in trial.mutations if not only or mutation.number in only]
    judged = [with_proofs(Outcome(mutation, "", "")) for mutation in chosen]
    yield from (outcome for outcome in judged if outcome.fate is not Fate.SURVIVED)
    left = [outcome.mutation for outcome in judged if outcome.fate is Fate.SURVIVED]
    for name, attempt in _attempts(trial):
        if not left:
            return
        say(f"{len(left)} are tried with {name}")
        found = attempt(0)
        if found:
            raise Fatal(f"the core without a mutation fails {name}: {found}")
        noticed = list(_tried(left, name, attempt, jobs))
        yield from noticed
        numbers = {outcome.mutation.number for outcome in noticed}
        left = [mutation for mutation in left if mutation.number not in numbers]
    yield from (Outcome(mutation, "", "") for mutation in left)


def _attempts(trial: Trial) -> Iterator[tuple[str, _Attempt]]:
    """Names of recordings, and how they are tried; the cycle tables last."""
    for recording in trial.recordings:
        yield recording.name, partial(_difference_of, trial.build, recording)
    yield _CYCLES, _CycleTables(trial.build)


def _difference_of(build: CoreBuild, recording: Recording, number: int) -> str | None:
    soft = engine_of(build, recording.sizes, number, recording.conditions)
    found = difference(soft, recording)
    soft.close()
    return found


class _CycleTables:
    """The cycles of triggers, against those of the core without a mutation, which is asked first."""

    def __init__(self, build: CoreBuild) -> None:
        self._build = build
        self._right: tuple[object, ...] = ()

    def __call__(self, number: int) -> str | None:
        if not number:
            self._right = _cycle_rows(self._build, 0)
            return None
        try:
            rows = _cycle_rows(self._build, number)
        except Fatal as stopped:
            return f"stopped: {stopped}"
        pairs = zip(self._right, rows, strict=True)
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


def _tried(mutations: Sequence[Mutation], name: str, attempt: _Attempt, jobs: int) -> Iterator[Outcome]:
    """Those of the mutations that are noticed; each has a process, which it may end."""
    waiting, running = list(mutations), dict[Connection, Mutation]()
    context = get_context("fork")
    while waiting or running:
        while waiting and len(running) < jobs:
            mutation = waiting.pop(0)
            ours, theirs = context.Pipe(duplex=False)
            context.Process(target=_answer, args=(attempt, mutation.number, theirs)).start()
            theirs.close()
            running[ours] = mutation
        for ready in wait(list(running)):
            assert isinstance(ready, Connection)
            mutation = running.pop(ready)
            try:
                found = ready.recv()
            except EOFError:
                found = "the model's process died"
            ready.close()
            if found:
                yield Outcome(mutation, name, found)


def _answer(attempt: _Attempt, number: int, to: Connection) -> None:
    to.send(attempt(number))


def main() -> int:
    """The command; its status is 1 where too few of those that may have an effect are noticed."""
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
        why = f"{outcome.killed_by}: {outcome.seen[:_SHOWN]}" if outcome.is_killed else ", ".join(outcome.proofs)
        seen = why or outcome.fate.name.lower()
        print(f"{outcome.mutation.number} {outcome.mutation.place}: {seen}", file=sys.stderr, flush=True)
    reached = share_killed(tried) >= LEAST_KILLED
    print(f"Seed {given.seed}, {given.count} mutations, {8 * given.bus}-bit bus: {summary(tried)}.")
    print(f"The aim of {LEAST_KILLED:.0%} is {'reached' if reached else 'missed'}.\n")
    print(table(tried), end="")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
