"""Measuring side by side: contenders take turns in one process, ratios are taken round by round.

A machine that slows down slows every contender of a round down, so the median of the per-round ratios says more than
the quotient of two medians. Both medians and minima are printed, and a row per comparison is kept.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

RESULTS: Final = Path(__file__).parent / "results"
ROOT: Final = Path(__file__).parents[1]
SYNTHETIC: Final = ", synthetic"
"""How the name of a case ends that was measured on a generated market."""

Contender = Callable[[], float]
"""One measured run: prepares itself, and returns what the measured part took, in the benchmark's unit."""


def seconds(work: Callable[[], object]) -> float:
    """Duration of one call, without garbage collections."""
    gc.collect()
    gc.disable()
    start = time.perf_counter()
    work()
    taken = time.perf_counter() - start
    gc.enable()
    return taken


def take_turns(contenders: Mapping[str, Contender], rounds: int) -> dict[str, list[float]]:
    """Results of each contender, round by round, after one round that warms up and does not count."""
    results: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, contender in contenders.items():
            value = contender()
            if turn:
                results[name].append(value)
    return results


@dataclass(frozen=True)
class Row:
    """One comparison, as it is kept. ``ratio`` above 1: ours is better."""

    benchmark: str
    case: str
    unit: str
    ours: float
    peer: str
    peer_value: float
    ratio: float
    runs: int
    machine: str
    commit: str
    date: str


@dataclass
class Report:
    """What one benchmark found: a table for people, rows for the results.

    Parameters
    ----------
    benchmark: its name.
    rounds: interleaved rounds to take.
    """

    benchmark: str
    rounds: int
    rows: list[Row] = field(default_factory=list)
    _synthetic: bool = False
    _lines: list[tuple[str, ...]] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)

    def compare(
        self,
        case: str,
        unit: str,
        ours: Sequence[float],
        peer: str,
        peer_values: Sequence[float],
        *,
        target: float | None = None,
        caveat: str = "",
    ) -> float:
        """Take in one comparison of values where less is better, round by round; returns the ratio.

        Parameters
        ----------
        target: least ratio that is aimed at.
        caveat: what the peer does besides, or does not do.
        """
        ratio = statistics.median(peer / own for own, peer in zip(ours, peer_values, strict=True))
        self._keep(case, unit, ours, peer, statistics.median(peer_values), ratio)
        shown = f"{statistics.median(peer_values):,.1f} (min {min(peer_values):,.1f})"
        self._show(case, unit, ours, peer, shown, ratio, target)
        if caveat:
            self._notes.append(f"{peer}: {caveat}")
        return ratio

    def against_target(self, case: str, unit: str, ours: Sequence[float], target: float) -> float:
        """Take in values where less is better, beside a number that is aimed at; returns the ratio."""
        ratio = target / statistics.median(ours)
        self._keep(case, unit, ours, "target", target, ratio)
        self._show(case, unit, ours, "target", f"{target:,.1f}", ratio, 1.0)
        return ratio

    def alone(self, case: str, unit: str, value: float) -> None:
        """Take in a value that is compared with nothing."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self.rows.append(Row(self.benchmark, case, unit, value, "", 0.0, 0.0, 1, machine(), commit(), now))
        self._lines.append((case, unit, f"{value:,}", "", "", "", ""))

    def call_synthetic(self) -> None:
        """Say of every case from now on that its market was generated, not recorded."""
        if not self._synthetic:
            self._synthetic = True
            self.note("SYNTHETIC MARKET: generated, not recorded; these rows do not go into README")

    def note(self, text: str) -> None:
        """Say something below the table."""
        self._notes.append(text)

    def _keep(self, case: str, unit: str, ours: Sequence[float], peer: str, peer_value: float, ratio: float) -> None:
        own = statistics.median(ours)
        case = self._named(case)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        numbers = (round(own, 4), peer, round(peer_value, 4), round(ratio, 4), len(ours))
        self.rows.append(Row(self.benchmark, case, unit, *numbers, machine(), commit(), now))

    def _show(
        self, case: str, unit: str, ours: Sequence[float], peer: str, shown: str, ratio: float, target: float | None
    ) -> None:
        own = f"{statistics.median(ours):,.1f} (min {min(ours):,.1f})"
        verdict = "" if target is None else f"{'met' if ratio >= target else 'missed'} (>= {target:.2f})"
        self._lines.append((self._named(case), unit, own, peer, shown, f"{ratio:.2f}", verdict))

    def _named(self, case: str) -> str:
        return f"{case}{SYNTHETIC}" if self._synthetic else case

    def print(self, console: Console) -> None:
        """Show the table and what is to be said about it."""
        table = Table(title=self.benchmark, title_justify="left")
        for name in ("case", "unit", "ours, median", "peer", "peer, median", "ratio", "target"):
            table.add_column(name, justify="right" if name in ("ours, median", "peer, median", "ratio") else "left")
        for line in self._lines:
            table.add_row(*line)
        console.print(table)
        for note in dict.fromkeys(self._notes):
            console.print(f"  {note}")
        console.print()

    def save(self) -> Path:
        """Append the rows to the results of this benchmark."""
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.benchmark}.jsonl"
        with path.open("a", encoding="utf-8") as file:
            for row in self.rows:
                file.write(json.dumps(asdict(row)) + "\n")
        return path


def machine() -> str:
    """The processor and how many of its cores there are."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        models = [line for line in information.read_text().splitlines() if line.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    return f"{name}, {os.cpu_count()} cores"


def commit() -> str:
    """The commit that is measured, with a + when the tree differs from it; empty outside a clone."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--abbrev=10"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip()
