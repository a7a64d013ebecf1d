"""The flash-crash detector: what it adds to books that take a recorded market, and alone over rows of events."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Report, seconds, take_turns
from benchmarks.recordings import load_recording
from config.detector import DetectorSettings, OptimizedThresholds
from market.book.intake import take_records
from market.detector.detector import Detector
from market.detector.layout import EVENT_WIDTH, Rows, new_state
from market.detector.record_intake import event_rows, take_detector_records
from market.detector.settings import DetectorSettings as MarketSettings
from market.wire.records import Batch
from orchestrator.detector.plan import detector_settings
from sim.generator.settings import Coin
from sim.replay.source import SourceSettings

TARGET_NS: Final = 150
"""Added to the path of an event in batch."""
_PASSES: Final = 4
_NO_STATES: Final = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Decoded:
    """A recording's batches, kept."""

    source: SourceSettings
    batches: tuple[tuple[Rows, int, Rows, Rows], ...]
    settings: MarketSettings

    @property
    def count(self) -> int:
        """Records of all batches."""
        return sum(count for _, count, _, _ in self.batches)


def measure(report: Report) -> None:
    """Time per event."""
    for coin in (Coin.BTC, Coin.ETH):
        for source in load_recording(coin, report).sources:
            _measure(report, coin, decoded(source))


def decoded(source: SourceSettings) -> Decoded:
    """All batches of a recording of one market."""
    kept = [_copy(batch) for batch in source.open().batches()]
    market = source.markets[0]
    thresholds = DetectorSettings(optimized=OptimizedThresholds(minimum_liquidity_quote=Decimal(100_000)))
    settings = detector_settings(
        thresholds.thresholds(market.symbol),
        price_decimals=market.price_decimals,
        quantity_decimals=market.quantity_decimals,
    )
    return Decoded(source, tuple(kept), settings)


def _copy(batch: Batch) -> tuple[Rows, int, Rows, Rows]:
    records = batch.records[: batch.count].copy()
    used = [int(max((records[:, start] + records[:, number]).max(initial=0), 1)) for start, number in ((7, 8), (9, 10))]
    return records, batch.count, batch.bids[: used[0]].copy(), batch.asks[: used[1]].copy()


def rows_of(recording: Decoded) -> Rows:
    """The recording as rows of events."""
    state, books = new_state(recording.settings), recording.source.new_books()
    parts = []
    for records, count, bids, asks in recording.batches:
        events = np.zeros((count, EVENT_WIDTH), dtype=np.int64)
        made = event_rows(state, books, 0, records, count, bids, asks, events)
        parts.append(events[:made])
    return np.ascontiguousarray(np.concatenate(parts))


def _measure(report: Report, coin: Coin, recording: Decoded) -> None:
    rows = rows_of(recording)
    pieces = np.array_split(rows, len(recording.batches))

    def alone() -> float:
        return least(lambda: _books_alone(recording), len(recording.batches)) / recording.count

    def detecting() -> float:
        return least(lambda: _books_and_detector(recording), len(recording.batches)) / recording.count

    def over_rows() -> float:
        return least(lambda: _over_rows(recording, pieces), len(pieces)) / len(rows)

    contenders: dict[str, Callable[[], float]] = {"alone": alone, "detecting": detecting, "rows": over_rows}
    values = take_turns(contenders, min(report.rounds, 5))
    added = [both - books for both, books in zip(values["detecting"], values["alone"], strict=True)]
    name = f"{coin.value} {recording.source.name}"
    report.against_target(f"{name}: added to books, records in batch", "ns/event", added, TARGET_NS)
    report.against_target(f"{name}: alone, rows in batch", "ns/event", values["rows"], TARGET_NS)
    books_ns = np.median(values["alone"])
    report.note(f"{name}: {recording.count:,} records, {len(rows):,} events; books alone take {books_ns:.0f} ns/event")


Piece = Callable[[], object]


def least(begin: Callable[[], Sequence[Piece]], number: int) -> float:
    """Nanoseconds of all pieces, each the least of a few passes; pieces are shorter than a scheduler's turns.

    Parameters
    ----------
    begin: starts a pass; returns its pieces, to be called in order.
    """
    taken = np.full(number, np.inf)
    for _ in range(_PASSES):
        pieces = begin()
        seconds(partial(_pass, pieces, taken))
    return float(taken.sum())


def _pass(pieces: Sequence[Piece], taken: NDArray[np.float64]) -> None:
    for index, piece in enumerate(pieces):
        start = time.perf_counter_ns()
        piece()
        taken[index] = min(taken[index], time.perf_counter_ns() - start)


def _books_alone(recording: Decoded) -> list[Piece]:
    books = recording.source.new_books()
    return [
        partial(take_records, books, records, count, bids, asks) for records, count, bids, asks in recording.batches
    ]


def _books_and_detector(recording: Decoded) -> list[Piece]:
    books, state = recording.source.new_books(), new_state(recording.settings)
    return [
        partial(take_detector_records, state, books, 0, records, count, bids, asks, _NO_STATES)
        for records, count, bids, asks in recording.batches
    ]


def _over_rows(recording: Decoded, pieces: Sequence[Rows]) -> list[Piece]:
    detector = Detector(recording.settings)
    return [partial(detector.update, piece) for piece in pieces]
