"""The detector's indicators I1 to I6 over a grid of windows and thresholds, in one pass over a recording's events.

The detector itself takes each event once (``indicator_events``), so that what is late, refused or missing is what it
is to it. Baselines are then statistics of the same samples for every window, and every threshold is compared with
every event. What a set finds is what ``Detector.study`` finds with it while ``left_out_seconds`` is 0: which seconds
are those of an event depends on all thresholds together. Definitions are in ``docs/detector.md``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from enum import StrEnum
from math import isfinite
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpu.backend import Backend, choose, choose_threads
from gpu.columns import Floats, Integers
from gpu.cupy_module import CupyModule
from gpu.device import require_gpu
from gpu.indicator_events import (
    ACCELERATED,
    COLUMNS,
    DELTA,
    DELTA_NOW,
    MESSAGE_COUNT,
    MESSAGES_NOW,
    RETURN,
    SAMPLED,
    SPREAD_NOW,
    SPREAD_SAMPLE,
    UNBALANCED,
    EventFold,
    EventTable,
)
from gpu.memory import in_parts, rows_that_fit
from gpu.sweep_tools import SUMS, CompiledSweep, SweepKernels, SweepTools, source
from market.detector.layout import Rows
from market.detector.settings import MOST_SECONDS, DetectorSettings
from market.detector.volatility import LEAST_BASELINE
from market.errors import Rejected

_BYTES_PER_EVENT: Final = 2 * (8 * (COLUMNS + 2) + 4 * SAMPLED)
_NO_WINDOW: Final = 0


class Indicator(StrEnum):
    """What is swept; thresholds of the kinds that fire below are negative, as in the detector's settings."""

    VOLATILITY = "volatility"
    """I1 against a multiple of its baseline."""
    VOLATILITY_ABSOLUTE = "volatility-absolute"
    ACCELERATION = "acceleration"
    IMBALANCE = "imbalance"
    SPREAD = "spread"
    VOLUME_DELTA = "volume-delta"
    MESSAGE_VELOCITY = "message-velocity"


@dataclass(frozen=True, kw_only=True)
class SweepGrid:
    """Windows and thresholds; every threshold of an indicator is combined with every window that it has.

    Parameters
    ----------
    volatility_seconds, baseline_seconds: windows, 2 to 1024. warm_up_seconds: samples that a baseline needs, at most
        the shortest baseline. The rest: thresholds as in ``DetectorSettings``; an empty one leaves its indicator out.

    Raises Rejected for what the detector would refuse.
    """

    volatility_seconds: tuple[int, ...] = (10,)
    baseline_seconds: tuple[int, ...] = (300,)
    warm_up_seconds: int = 60
    volatility_multipliers: tuple[float, ...] = ()
    volatility_absolutes: tuple[float, ...] = ()
    accelerations: tuple[float, ...] = ()
    imbalances: tuple[float, ...] = ()
    spread_multipliers: tuple[float, ...] = ()
    volume_sigmas: tuple[float, ...] = ()
    message_multipliers: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        for name in ("volatility_seconds", "baseline_seconds"):
            for seconds in getattr(self, name):
                if not 2 <= seconds <= MOST_SECONDS:
                    raise Rejected(f"{name} of a sweep has {seconds}: must be from 2 to {MOST_SECONDS}")
        if not self.volatility_seconds or not self.baseline_seconds:
            raise Rejected("a sweep needs at least one of volatility_seconds and one of baseline_seconds")
        if not 2 <= self.warm_up_seconds <= min(self.baseline_seconds):
            raise Rejected(
                f"warm_up_seconds was {self.warm_up_seconds}: must be from 2 to the shortest baseline, "
                f"{min(self.baseline_seconds)}"
            )
        for each in fields(self)[3:]:
            below = each.name in ("accelerations", "imbalances")
            for value in getattr(self, each.name):
                if not isfinite(value) or (value >= 0 if below else value <= 0):
                    raise Rejected(f"{each.name} of a sweep has {value!r}: must be {'below' if below else 'above'} 0")
        if not len(self):
            raise Rejected("a sweep without thresholds: give at least one")

    def __len__(self) -> int:
        return sum(len(task.thresholds) for task in self.tasks())

    def tasks(self) -> Iterator[Task]:
        """What is computed together: an indicator with its windows and all thresholds."""
        for seconds, base in itertools.product(self.volatility_seconds, self.baseline_seconds):
            yield Task(Indicator.VOLATILITY, seconds, base, self.volatility_multipliers)
        for seconds in self.volatility_seconds:
            yield Task(Indicator.VOLATILITY_ABSOLUTE, seconds, _NO_WINDOW, self.volatility_absolutes)
        yield Task(Indicator.ACCELERATION, _NO_WINDOW, _NO_WINDOW, self.accelerations)
        yield Task(Indicator.IMBALANCE, _NO_WINDOW, _NO_WINDOW, self.imbalances)
        for base in self.baseline_seconds:
            yield Task(Indicator.SPREAD, _NO_WINDOW, base, self.spread_multipliers)
            yield Task(Indicator.VOLUME_DELTA, _NO_WINDOW, base, self.volume_sigmas)
            yield Task(Indicator.MESSAGE_VELOCITY, _NO_WINDOW, base, self.message_multipliers)


@dataclass(frozen=True)
class Task:
    """An indicator with its windows, 0 where it has none, and all of its thresholds."""

    indicator: Indicator
    volatility_seconds: int
    baseline_seconds: int
    thresholds: tuple[float, ...]


_COLUMNS: Final = {
    Indicator.ACCELERATION: (ACCELERATED, -1.0),
    Indicator.IMBALANCE: (UNBALANCED, -1.0),
    Indicator.SPREAD: (SPREAD_NOW, 1.0),
    Indicator.VOLUME_DELTA: (DELTA_NOW, -1.0),
    Indicator.MESSAGE_VELOCITY: (MESSAGES_NOW, 1.0),
}
"""Where a value stands, and its sign: what fires below a threshold is turned around, the threshold with it."""
_BASES: Final = {
    Indicator.VOLATILITY: (RETURN, True, LEAST_BASELINE),
    Indicator.SPREAD: (SPREAD_SAMPLE, False, 0.0),
    Indicator.VOLUME_DELTA: (DELTA, True, 0.0),
    Indicator.MESSAGE_VELOCITY: (MESSAGE_COUNT, False, 0.0),
}
"""What a baseline is of: the samples, whether it is their deviation, and what it must be above."""


class IndicatorSweep:
    """A sweep over the events of one market, which come in parts.

    Parameters
    ----------
    settings: of the detector; what the grid has takes the place of its own. threads: of the CPU back end, None: all
        that the process may use.
    tools: what computes; None: as ``backend`` says.

    Raises Rejected for a back end that is none, MissingExtra without a GPU.

    Members
    -------
    events: how many were taken.
    """

    def __init__(
        self,
        settings: DetectorSettings,
        grid: SweepGrid,
        *,
        backend: Backend | str = Backend.AUTO,
        threads: int | None = None,
        tools: SweepTools | None = None,
    ) -> None:
        self.events = 0
        self.grid = grid
        self._tools = tools or tools_of(backend)
        self._threads = choose_threads(threads) if isinstance(self._tools, CompiledSweep) else 1
        self._fold = EventFold(settings)
        self._tasks = [task for task in grid.tasks() if task.thresholds]
        self._sums: list[Integers] = [np.zeros((len(task.thresholds), SUMS), dtype=np.int64) for task in self._tasks]
        self._samples: list[Floats] = [np.zeros(0) for _ in range(SAMPLED)]
        self._begins = [0] * SAMPLED
        self._last: EventTable | None = None

    def take(self, events: Rows) -> None:
        """Take int64[n, 13] events, see ``market.detector.events``. Raises Rejected at an unknown kind."""
        table = self._fold.take(events)
        if not len(table):
            return
        self._keep_samples(table.samples)
        xp = self._tools.xp
        for part in in_parts(xp, len(table), rows_that_fit(xp, _BYTES_PER_EVENT), self._sum(table)):
            for sums, more in zip(self._sums, part, strict=True):
                sums += more
        self._last = _cut(table, len(table) - 1, len(table))
        self.events += len(table)

    def _keep_samples(self, new: Sequence[Floats]) -> None:
        """Append samples, and forget those that no window reaches any more."""
        for kind, samples in enumerate(new):
            kept = self._samples[kind]
            longest = 2 * MOST_SECONDS
            if len(kept) > 8 * longest:
                self._begins[kind] += len(kept) - longest
                kept = kept[-longest:]
            self._samples[kind] = np.concatenate([kept, samples])

    def _sum(self, table: EventTable) -> Any:
        def work(start: int, end: int) -> list[Integers]:
            before = self._last if start == 0 else _cut(table, start - 1, start)
            part = _Part(self._tools, _joined(before, _cut(table, start, end)), self._samples, self._begins)

            def one(task: Task) -> Integers:
                return part.count(task, self.grid.warm_up_seconds)

            with ThreadPoolExecutor(self._threads, "sweep") as pool:
                return list(pool.map(one, self._tasks))

        return work

    def result(self) -> dict[str, NDArray[Any]]:
        """A row per parameter set: indicator, volatility_seconds, baseline_seconds (0 where it has none), threshold,
        events that fired, times that firing began, and seconds that it lasted."""
        rows = [
            (task.indicator.value, task.volatility_seconds, task.baseline_seconds, threshold, *sums)
            for task, found in zip(self._tasks, self._sums, strict=True)
            for threshold, sums in zip(task.thresholds, found.tolist(), strict=True)
        ]
        names = ("indicator", "volatility_seconds", "baseline_seconds", "threshold", "fired", "began", "lasted_ns")
        return {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def sweep_indicators(
    events: Rows,
    settings: DetectorSettings,
    grid: SweepGrid,
    *,
    backend: Backend | str = Backend.AUTO,
    threads: int | None = None,
) -> dict[str, NDArray[Any]]:
    """``IndicatorSweep.result`` of int64[n, 13] events of one market. Raises as ``IndicatorSweep`` does."""
    sweep = IndicatorSweep(settings, grid, backend=backend, threads=threads)
    sweep.take(events)
    return sweep.result()


def tools_of(backend: Backend | str) -> SweepTools:
    """What computes a sweep on a back end."""
    chosen = choose(backend, has_kernels=True)
    if chosen is Backend.NUMPY:
        raise Rejected("backend was 'numpy': the reference of a sweep is the detector itself; use cpu, gpu or auto")
    return SweepKernels(CupyModule(source()), require_gpu()) if chosen is Backend.GPU else CompiledSweep()


def _cut(table: EventTable, start: int, end: int) -> EventTable:
    rows = slice(start, end)
    return EventTable(table.times_ns[rows], table.values[rows], table.counters[rows], table.prices_known[rows], ())


def _joined(before: EventTable | None, table: EventTable) -> EventTable:
    """The events with the one before them; before the first nothing fires."""
    if before is None:
        nothing = np.full((1, COLUMNS), np.nan)
        none = np.zeros((1, SAMPLED), dtype=np.int32)
        before = EventTable(table.times_ns[:1], nothing, none, np.zeros(1, dtype=np.bool_), ())
    return EventTable(
        np.concatenate((before.times_ns, table.times_ns)),
        np.concatenate((before.values, table.values)),
        np.concatenate((before.counters, table.counters)),
        np.concatenate((before.prices_known, table.prices_known)),
        (),
    )


class _Part:
    """Events on a device, the first of them the one before the others."""

    def __init__(self, tools: SweepTools, table: EventTable, samples: Sequence[Floats], begins: Sequence[int]) -> None:
        xp = tools.xp
        self._tools, self._samples, self._begins = tools, samples, begins
        self._times = xp.asarray(table.times_ns)
        self._values = [xp.asarray(np.ascontiguousarray(table.values[:, column])) for column in range(COLUMNS)]
        self._counters = [xp.asarray(np.ascontiguousarray(table.counters[:, kind])) for kind in range(SAMPLED)]
        self._known = xp.asarray(table.prices_known)
        self._first = table.counters[0].tolist()
        self._last = table.counters[-1].tolist()

    def count(self, task: Task, warm_up: int) -> Integers:
        """int64[thresholds, SUMS] of a task."""
        xp = self._tools.xp
        if task.indicator in _COLUMNS:
            column, sign = _COLUMNS[task.indicator]
            values = sign * self._values[column]
        else:
            values, sign = self._sigmas(task.volatility_seconds), 1.0
        kind, base = self._base(task, warm_up)
        # A multiple of a baseline has no sign of its own.
        factors = xp.asarray(np.array(task.thresholds) * (1.0 if task.indicator in _BASES else sign))
        return self._tools.count_fires(values, self._counters[kind], self._times, base, self._first[kind], factors)

    def _base(self, task: Task, warm_up: int) -> tuple[int, Any]:
        """What thresholds are multiples of, by number of samples of a kind; 1 for those that stand by themselves."""
        if task.indicator not in _BASES:
            return RETURN, self._tools.xp.ones(self._last[RETURN] - self._first[RETURN] + 1)
        kind, deviation, floor = _BASES[task.indicator]
        # The returns that volatility is taken over are no part of what it is compared with.
        shift = task.volatility_seconds
        return kind, self._statistics(kind, shift, task.baseline_seconds, warm_up, deviation, floor)

    def _sigmas(self, seconds: int) -> Any:
        """sigma_1s at every event; NaN where it is not known."""
        xp = self._tools.xp
        by_number = self._statistics(RETURN, 0, seconds, seconds + 1, True, -1.0)
        return xp.where(self._known, by_number[self._counters[RETURN] - self._first[RETURN]], np.nan)

    def _statistics(self, kind: int, shift: int, length: int, least: int, deviation: bool, floor: float) -> Any:
        first, last = self._first[kind] - shift, self._last[kind] - shift
        start = max(first - length, self._begins[kind])
        samples = self._samples[kind][max(0, start - self._begins[kind]) : max(0, last - self._begins[kind])]
        there = self._tools.xp.asarray(samples)
        return self._tools.statistics(there, start, first, last, length, least, deviation, floor)
