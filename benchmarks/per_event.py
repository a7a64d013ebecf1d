"""One call from Python per event: a quote to the engine, and a raw message through decoder, book and engine."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from benchmarks.harness import Report, seconds, take_turns
from benchmarks.quotes import arm_for, quote_events
from benchmarks.recordings import Recording, load_recording
from benchmarks.replays import Replay
from market.fastpath.engine import CpuEngine
from market.wire.records import Rows
from sim.generator.settings import Coin

QUOTE_TARGET_NS: Final = 1_500
RAW_TARGET_NS: Final = 1_500
_DRAIN_EVERY: Final = 4_096
_SAMPLE: Final = 40_000


def measure(report: Report) -> None:
    """Median and 99th percentile of single calls, the clock's two readings included."""
    recording = load_recording(Coin.BTC, report)
    events = quote_events(recording)
    clock = _percentiles(_durations(_nothing, [()] * _SAMPLE))
    report.note(f"two clock readings and a call that does nothing: p50 {clock[0]:.0f}, p99 {clock[1]:.0f} ns, included")
    singles = [_single_quotes(recording, events) for _ in range(report.rounds)]
    report.against_target("CpuEngine.push_quote, p50", "ns/call", [p50 for p50, _ in singles], QUOTE_TARGET_NS)
    report.note(f"CpuEngine.push_quote: p99 {statistics.median(p99 for _, p99 in singles):,.0f} ns")
    raw = [_single_messages(recording) for _ in range(report.rounds)]
    report.against_target("one raw JSON message to decision, p50", "ns/call", [p50 for p50, _ in raw], RAW_TARGET_NS)
    report.note(
        f"one raw JSON message: p99 {statistics.median(p99 for _, p99 in raw):,.0f} ns; decoder and loop called"
    )
    _compare_batching(report, recording, events)


def _nothing() -> None:
    return None


def _durations(call: Callable[..., object], arguments: Sequence[tuple[object, ...]]) -> list[int]:
    """Nanoseconds of each call."""
    clock = time.perf_counter_ns
    taken = []
    for each in arguments:
        start = clock()
        call(*each)
        taken.append(clock() - start)
    return taken


def _percentiles(taken: list[int]) -> tuple[float, float]:
    p50, p99 = np.percentile(taken, (50, 99))
    return float(p50), float(p99)


def _fresh(recording: Recording, events: Rows) -> CpuEngine:
    engine = CpuEngine(recording.session.sizes)
    arm_for(engine, recording, events)
    return engine


def _single_quotes(recording: Recording, events: Rows) -> tuple[float, float]:
    engine = _fresh(recording, events)
    rows = [(tuple(row),) for row in events[:_SAMPLE].tolist()]
    taken: list[int] = []
    for start in range(0, len(rows), _DRAIN_EVERY):
        taken += _durations(engine.push_quote, rows[start : start + _DRAIN_EVERY])
        engine.outputs()
    return _percentiles(taken)


def _single_messages(recording: Recording) -> tuple[float, float]:
    replay = Replay(recording)
    return _percentiles(_durations(replay.run_one, replay.each_message(_SAMPLE)))


def _compare_batching(report: Report, recording: Recording, events: Rows) -> None:
    """The same quotes in one batch, and one by one without a clock around each."""
    rows = [tuple(row) for row in events.tolist()]

    def batched() -> float:
        engine = _fresh(recording, events)
        return seconds(lambda: engine.push_quotes(events)) * 1e9 / len(rows)

    def single() -> float:
        engine = _fresh(recording, events)

        def feed() -> None:
            push = engine.push_quote
            for row in rows:
                push(row)

        return seconds(feed) * 1e9 / len(rows)

    values = take_turns({"batched": batched, "single": single}, report.rounds)
    caveat = "the same engine, called from a Python loop: the ratio is the price of one call per event"
    report.compare(
        "quotes in one batch", "ns/event", values["batched"], "push_quote, one by one", values["single"], caveat=caveat
    )
