"""A proof against looking ahead: with the future cut away, everything before the cut stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import msgspec
import numpy as np

from orchestrator.backtest.plan import Plan
from orchestrator.backtest.run import BacktestRun, run_backtest

_SEED: Final = 20_100_506


def check_lookahead(plan: Plan, whole: BacktestRun, cuts: int, tell: Callable[[], None]) -> list[dict[str, Any]]:
    """Run again with recordings that end at random moments; returns a line for each cut that changed anything.

    At a cut the exchanges' future is removed and the feed ends: what was decided, sent and heard until then must be
    the same.
    """
    chance = np.random.default_rng(_SEED)
    times = chance.integers(plan.tape.first_ns, plan.tape.last_ns, cuts)
    differences: list[dict[str, Any]] = []
    for cut_ns in times.tolist():
        cut = replace(plan, tape=plan.tape.until(cut_ns))
        again = run_backtest(cut, until_ns=cut_ns)
        before, after = _until(whole, cut_ns), _until(again, cut_ns)
        if before != after:
            same = sum(one == other for one, other in zip(before, after, strict=False))
            differences.append({"cut_ns": cut_ns, "whole": len(before), "cut": len(after), "same": same})
        tell()
    return differences


def _until(run: BacktestRun, cut_ns: int) -> list[bytes]:
    """All that was decided and heard before a moment, in order."""
    heard = [
        (event.time_ns, name.encode() + msgspec.msgpack.encode(event))
        for name, event in run.journal.events
        if event.time_ns < cut_ns
    ]
    decided = [
        (intent.decided_ns, msgspec.msgpack.encode(intent))
        for intent in run.journal.intents
        if intent.decided_ns < cut_ns
    ]
    return [line for _, line in heard] + [line for _, line in decided]
