"""The fault sweep: run after run under faults in virtual time, and what must hold in each.

``python -m orchestrator.live.sweep --seed 17`` replays one run; ``--seed 0 --count 500`` is the sweep. The seed is all
that a run depends on: market, faults, the moment of the halt, and whether positions are closed then (odd seeds).
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from market.protocols import Journal
from orchestrator.live.sweep_watch import SweepWatch
from orchestrator.live.sweep_world import MS, SECOND_NS, START_NS, dislocate_now_and_then, sweep_model
from orchestrator.live.virtual_run import VirtualRun
from orchestrator.run_loop.access import PeriodicTask, RunAccess
from orchestrator.run_loop.summary import RunSummary
from orchestrator.strategies.assembly import strategies
from sim.faults.plan import FaultKind, FaultPlan
from sim.generator.chance import Chance

TRADING_NS: Final = 5 * SECOND_NS
SETTLING_NS: Final = 5 * SECOND_NS
"""Time after the faults in which everything that is not known must become known."""
STALENESS_NS: Final = 1_700 * MS
"""Messages may be half a second late, quotes a second old, and both are found out a little later."""
_MOST_SKEW_NS: Final = 1_500 * MS
"""A venue whose clock jumps ahead hides as much of a delay."""


@dataclass(frozen=True)
class SweepResult:
    """One run.

    Parameters
    ----------
    violations: what did not hold; empty when all is well.
    """

    seed: int
    plan: FaultPlan
    summary: RunSummary
    violations: tuple[str, ...]

    @property
    def command(self) -> str:
        """What replays the run."""
        return f"python -m orchestrator.live.sweep --seed {self.seed}"


def run_seed(
    seed: int,
    plan: FaultPlan | None = None,
    journal: Journal | None = None,
    *,
    staleness_ns: int = STALENESS_NS,
    prepare: Callable[[VirtualRun], None] = lambda run: None,
) -> SweepResult:
    """The run of a seed; a plan replaces the seed's faults, and ``prepare`` may plan more before it starts."""
    run = VirtualRun(sweep_model(seed, TRADING_NS, SETTLING_NS, plan))
    prepare(run)
    faults = run.model.faults
    has_skew = any(fault.kind is FaultKind.CLOCK_SKEW for fault in faults.faults)
    watch = SweepWatch(run, staleness_ns + (_MOST_SKEW_NS if has_skew else 0), closes=seed % 2 == 1)
    dislocate_now_and_then(run, seed)
    halt_ns = START_NS + TRADING_NS // 2 + Chance(seed, stream=6).below(TRADING_NS // 2)

    def halt(access: RunAccess, now_ns: int) -> None:
        if now_ns >= halt_ns and watch.halted_ns is None:
            supervisor = run.risk.supervisor
            (supervisor.close_all if watch.closes else supervisor.halt)("the sweep ends trading", now_ns)
            watch.halted_ns = now_ns

    summary = run.run(
        strategies(run.model.settings, run.catalogue, run.risk.size),
        journal=journal,
        checks=[watch],
        periodic=[PeriodicTask("halt", 50 * MS, halt)],
    )
    watch.finish(summary)
    return SweepResult(seed, faults, summary, tuple(watch.violations))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run seeds and say what did not hold; 1 if anything did not."""
    parser = argparse.ArgumentParser(description="Runs under faults in virtual time.")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds")
    chosen = parser.parse_args(arguments)
    kinds: Counter[str] = Counter()
    failed = 0
    for seed in range(chosen.seed, chosen.seed + chosen.count):
        result = run_seed(seed)
        kinds.update(fault.kind.value for fault in result.plan.faults)
        if result.violations or chosen.count == 1:
            print(text_of(result))
        failed += bool(result.violations)
    print(f"{chosen.count} runs, {failed} failed; faults: {dict(sorted(kinds.items()))}")
    return int(failed > 0)


def text_of(result: SweepResult) -> str:
    """A run for people: its faults, what it did, what did not hold, and the command that replays it."""
    faults = [
        f"  {fault.kind} {fault.venue} {fault.channel or ''} from {fault.at_ns / 1e9:.3f} s for "
        f"{fault.duration_ns / 1e9:.3f} s, {fault.permille} per mille, at most {fault.count}, {fault.amount_ns} ns"
        for fault in result.plan.faults
    ]
    counts = result.summary.counts
    filled = sum(bool(order.fills) for order in result.summary.orders)
    did = (
        f"  {counts.triggers} triggers, {counts.placed} orders, {counts.duplicates} repeated reports, "
        f"{counts.data_gaps} gaps, {counts.late_fills} late fills, {filled} filled"
    )
    broken = [f"  VIOLATED {violation}" for violation in result.violations]
    return "\n".join([f"seed {result.seed}: {result.command}", *faults, did, *broken])


if __name__ == "__main__":
    sys.exit(main())
