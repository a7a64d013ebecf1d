"""A sweep finds with every parameter set what the detector itself finds with it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from gpu.cuda_on_cpu.module import CpuModule
from gpu.cuda_on_cpu.schedule import SCHEDULES, Schedule
from gpu.cupy_module import CupyModule
from gpu.device import require_gpu
from gpu.indicator_events import EventFold
from gpu.indicator_sweep import Indicator, IndicatorSweep, SweepGrid, sweep_indicators
from gpu.sweep_tools import CompiledSweep, SweepKernels, source
from market.detector.detector import Detector
from market.detector.events import EventKind
from market.detector.layout import Rows
from market.detector.settings import SECOND_NS, DetectorSettings
from market.detector.states import Reading, Signal
from market.errors import Rejected
from tests.gpu.sweep_checks import check_count_fires, check_statistics
from tests.market.detector.streams import SMALL, START, array, at, book, clean_streams, row, top, trade

GRID = SweepGrid(
    volatility_seconds=(2, 3),
    baseline_seconds=(4, 6),
    warm_up_seconds=3,
    volatility_multipliers=(1.1, 2.0),
    volatility_absolutes=(0.0005, 0.01),
    accelerations=(-0.001, -0.004),
    imbalances=(-0.3, -0.8),
    spread_multipliers=(1.0, 1.5),
    volume_sigmas=(0.7, 2.0),
    message_multipliers=(1.05, 1.4),
)
SIGNALS = {
    Indicator.VOLATILITY: (Signal.VOLATILITY, "volatility_multiplier"),
    Indicator.VOLATILITY_ABSOLUTE: (Signal.VOLATILITY, "volatility_absolute"),
    Indicator.ACCELERATION: (Signal.ACCELERATION, "acceleration"),
    Indicator.IMBALANCE: (Signal.IMBALANCE, "imbalance"),
    Indicator.SPREAD: (Signal.SPREAD, "spread_multiplier"),
    Indicator.VOLUME_DELTA: (Signal.VOLUME_DELTA, "volume_sigmas"),
    Indicator.MESSAGE_VELOCITY: (Signal.MESSAGE_VELOCITY, "message_multiplier"),
}


def long_stream(count: int, seed: int) -> Rows:
    """Events of a market that moves now and then, with silences, a gap and bursts."""
    random = np.random.default_rng(seed)
    now, price, rows = START, 100_000, [at(START)]
    for number in range(count):
        now += int(random.choice([2_000_000, 60_000_000, 300_000_000, 900_000_000], p=[0.5, 0.3, 0.15, 0.05]))
        if random.random() < 0.001:
            now += 30 * SECOND_NS
        if random.random() < 0.001:
            rows.append(row(EventKind.GAP, now))
        wild = number // 400 % 3 == 2
        price = max(1_000, price + int(random.integers(-40, 41) * (12 if wild else 1)))
        kind = random.random()
        if kind < 0.4:
            rows.append(top(now, price, price + int(random.integers(1, 30 if wild else 8))))
        elif kind < 0.8:
            rows.append(trade(now, price, int(random.integers(1, 500)), int(random.integers(0, 3)), number=number))
        else:
            lots = (int(random.integers(0, 90)), int(random.integers(0, 900)))
            rows.append(book(now, price, price + 3, lots))
    return array(rows)


def by_detector(events: Rows, base: DetectorSettings, grid: SweepGrid) -> list[tuple[int, int, int]]:
    """Fired, began and lasted of every set, from the signals and times of a detector with its parameters."""
    found, clock, times = [], Detector(base), []
    for event in events:
        clock.study(event[None])
        times.append(clock.now_ns)
    for task in grid.tasks():
        for threshold in task.thresholds:
            signal, name = SIGNALS[task.indicator]
            changed: dict[str, Any] = {name: threshold, "warm_up_seconds": grid.warm_up_seconds}
            changed["baseline_seconds"] = task.baseline_seconds or max(grid.baseline_seconds)
            changed["volatility_seconds"] = task.volatility_seconds or base.volatility_seconds
            if task.indicator is Indicator.VOLATILITY_ABSOLUTE:
                changed["volatility_multiplier"] = 1e6
            readings, _ = Detector(dataclasses.replace(base, **changed)).study(events)
            fires = (readings[:, Reading.SIGNALS].astype(np.int64) & int(signal)) != 0
            began = int((fires & ~np.concatenate(([False], fires[:-1]))).sum())
            found.append((int(fires.sum()), began, int(np.diff(times)[fires[:-1]].sum())))
    return found


def listed(result: dict[str, Any]) -> list[tuple[int, int, int]]:
    """The same of a result."""
    columns = (result[name].tolist() for name in ("fired", "began", "lasted_ns"))
    return list(zip(*columns, strict=True))


@settings(derandomize=True, deadline=None, max_examples=12)
@given(clean_streams())
def test_every_set_finds_what_the_detector_finds(rows: list[list[int]]) -> None:
    events = array(rows)
    assert listed(sweep_indicators(events, SMALL, GRID, backend="cpu", threads=1)) == by_detector(events, SMALL, GRID)


def test_a_long_stream_with_silences_and_bursts() -> None:
    events = long_stream(2_000, 5)
    found = listed(sweep_indicators(events, SMALL, GRID, backend="cpu"))
    assert found == by_detector(events, SMALL, GRID)
    tasks = [task.indicator for task in GRID.tasks() for _ in task.thresholds]
    assert {task for task, (fired, _, _) in zip(tasks, found, strict=True) if fired} == set(Indicator)


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_the_kernels_find_the_same_in_every_schedule(schedule: Schedule) -> None:
    events = long_stream(1_500, 6)
    sweep = IndicatorSweep(SMALL, GRID, tools=SweepKernels(CpuModule(source(), schedule), np))
    sweep.take(events)
    assert listed(sweep.result()) == listed(sweep_indicators(events, SMALL, GRID, backend="cpu"))


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
def test_statistics_and_counts_by_themselves(schedule: Schedule) -> None:
    tools = SweepKernels(CpuModule(source(), schedule), np)
    check_statistics(tools)
    check_count_fires(tools, 3_000)


@pytest.mark.gpu
def test_a_gpu_finds_the_same() -> None:
    events = long_stream(20_000, 7)
    tools = SweepKernels(CupyModule(source()), require_gpu())
    check_statistics(tools)
    check_count_fires(tools, 1_000_000)
    sweep = IndicatorSweep(SMALL, GRID, tools=tools)
    sweep.take(events)
    assert listed(sweep.result()) == listed(sweep_indicators(events, SMALL, GRID, backend="cpu"))


@pytest.mark.parametrize("step", [1, 7, 900])
def test_the_size_of_a_part_changes_nothing(step: int) -> None:
    events = long_stream(1_200, 8)
    sweep = IndicatorSweep(SMALL, GRID, backend="cpu", threads=2)
    for start in range(0, len(events), step):
        sweep.take(events[start : start + step])
    assert sweep.events == len(events)
    assert listed(sweep.result()) == listed(sweep_indicators(events, SMALL, GRID, backend="cpu"))


def test_samples_that_no_window_reaches_are_forgotten() -> None:
    quarter = SECOND_NS // 4
    tops = (top(START + step * quarter, 1_000 + step % 7, 1_003 + step % 5 + step % 7) for step in range(80_000))
    events = array([at(START), *tops])
    parts = IndicatorSweep(SMALL, GRID, backend="cpu", threads=1)
    for start in range(0, len(events), 9_999):
        parts.take(events[start : start + 9_999])
    assert parts._begins[1] > 0
    assert listed(parts.result()) == listed(sweep_indicators(events, SMALL, GRID, backend="cpu"))


def test_statistics_are_those_of_the_detectors_windows() -> None:
    samples = np.random.default_rng(3).normal(0, 1e-4, 400)
    found = CompiledSweep().statistics(samples, 0, 0, 400, 50, 20, True, 0.0)
    for number in (19, 20, 49, 50, 51, 400):
        expected = samples[max(0, number - 50) : number].std() if number >= 20 else np.nan
        np.testing.assert_allclose(found[number], expected, rtol=1e-12)


def test_readings_are_taken_after_every_event() -> None:
    events = long_stream(300, 9)
    table = EventFold(SMALL).take(events)
    readings, _ = Detector(SMALL).study(events)
    places = (Reading.ACCELERATION, Reading.IMBALANCE, Reading.SPREAD, Reading.VOLUME_DELTA, Reading.MESSAGES)
    np.testing.assert_array_equal(table.values, readings[:, list(places)])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({}, "a sweep without thresholds"),
        ({"accelerations": (0.1,)}, "accelerations of a sweep has 0.1: must be below 0"),
        ({"spread_multipliers": (0.0,)}, "must be above 0"),
        ({"spread_multipliers": (float("nan"),)}, "must be above 0"),
        ({"spread_multipliers": (2.0,), "baseline_seconds": (2000,)}, "must be from 2 to 1024"),
        ({"spread_multipliers": (2.0,), "baseline_seconds": (30,)}, "warm_up_seconds was 60"),
        ({"spread_multipliers": (2.0,), "volatility_seconds": ()}, "needs at least one of volatility_seconds"),
    ],
)
def test_impossible_grids_are_refused(words: dict[str, Any], says: str) -> None:
    with pytest.raises(Rejected, match=says):
        SweepGrid(**words)


def test_what_is_no_event_is_refused() -> None:
    with pytest.raises(Rejected, match="event 0 has kind 9"):
        sweep_indicators(np.full((1, 13), 9), SMALL, GRID, backend="cpu")
    with pytest.raises(Rejected, match="the reference of a sweep is the detector itself"):
        sweep_indicators(np.zeros((0, 13), dtype=np.int64), SMALL, GRID, backend="numpy")
