"""A sweep of the detector's indicators over many thresholds, beside a detector that is run once for every set."""

from __future__ import annotations

import dataclasses
from typing import Final

import numpy as np

from benchmarks.harness import Report, seconds, take_turns
from benchmarks.recordings import load_recording
from config.loading import load_settings
from config.venues import VenueName
from gpu.indicator_sweep import IndicatorSweep, SweepGrid
from market.detector.detector import Detector
from market.detector.layout import Rows
from market.detector.settings import DetectorSettings
from orchestrator.replay.plan import SourceFile
from orchestrator.research.sweeps.recorded_events import RecordedEvents
from sim.generator.settings import Coin

LEAST_RATIO: Final = 3.0
_CAVEAT: Final = "one detector per set, all indicators and the state machine; as many passes as there are sets"


def measure(report: Report) -> None:
    """Nanoseconds per event and set, from rows of events to the counts of every set."""
    grid = SweepGrid(
        baseline_seconds=(60, 300),
        spread_multipliers=tuple(np.arange(1.5, 6.5, 0.25).tolist()),
        message_multipliers=tuple(np.arange(1.5, 6.5, 0.25).tolist()),
        volatility_multipliers=tuple(np.arange(1.5, 6.5, 0.25).tolist()),
    )
    settings, events = _events(report)
    work = len(events) * len(grid)

    def sweep() -> None:
        IndicatorSweep(settings, grid, backend="cpu", threads=1).take(events)

    def one_by_one() -> None:
        for _ in range(len(grid)):
            Detector(dataclasses.replace(settings)).update(events)

    values = take_turns(
        {
            "sweep": lambda: seconds(sweep) * 1e9 / work,
            "detectors": lambda: seconds(one_by_one) * 1e9 / work,
        },
        report.rounds,
    )
    case = f"{len(grid)} sets, one thread"
    report.compare(
        case, "ns/event/set", values["sweep"], "detectors", values["detectors"], target=LEAST_RATIO, caveat=_CAVEAT
    )


def _events(report: Report) -> tuple[DetectorSettings, Rows]:
    """All events of Bitcoin on Binance's futures market."""
    sources = load_recording(Coin.BTC, report).sources
    path = next(source.path for source in sources if source.name == VenueName.BINANCE_USDM.value)
    file = SourceFile(VenueName.BINANCE_USDM, path)
    recorded = RecordedEvents(load_settings("demo", local=None, environment={}), file)
    return recorded.markets[0].settings, np.concatenate([rows for number, rows in recorded.parts() if number == 0])
