"""Golden test: what the detector makes of real recordings of an ordinary day, in the batches of a replay."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from config.detector import DetectorProfile, DetectorSettings
from config.loading import load_settings
from config.venues import VenueName
from market.book.intake import take_record
from market.detector.detector import Detector
from market.detector.layout import (
    ASK_WALLS,
    BID_WALLS,
    EVENT,
    EVENT_WIDTH,
    NOW,
    SIZES,
    STATE,
    TAKEN,
    Rows,
    Words,
    new_state,
)
from market.detector.readings import permissions
from market.detector.record_intake import concerns, event_rows, see_record, take_detector_records
from market.detector.states import Counter, State
from market.native.kernel import entry
from market.native.memory import address_of, get
from market.wire.records import KIND, TRADE, WIDTH
from orchestrator.detector.plan import detector_settings
from orchestrator.replay.plan import SourceFile, session_settings
from sim.replay.source import SourceSettings

SPOT, USDM, CM = VenueName.BINANCE_SPOT, VenueName.BINANCE_USDM, VenueName.BINANCE_CM
README, OPTIMIZED = DetectorProfile.README, DetectorProfile.OPTIMIZED
Case = tuple[str, VenueName, DetectorProfile]
"""File, venue and profile."""
EXPECTED: dict[Case, tuple[int, int, int, str]] = {
    ("spot_btcusdt", SPOT, README): (41_243, 3_512, 12, "d4d78c8ab5f7a8aa"),
    ("spot_btcusdt", SPOT, OPTIMIZED): (41_243, 4_835, 34, "c9bdc445147b24cd"),
    ("usdm_btcusdt", USDM, README): (92_941, 5_213, 10, "8b18613780f5be1e"),
    ("usdm_btcusdt", USDM, OPTIMIZED): (92_941, 7_804, 16, "18638c29cc63466e"),
    ("cm_btcusd_perp", CM, README): (48_235, 1_183, 6, "ba793e0807430913"),
    ("cm_btcusd_perp", CM, OPTIMIZED): (48_235, 2_368, 8, "53e847afd9e9e072"),
    ("spot_ethusdt", SPOT, OPTIMIZED): (33_613, 958, 8, "58e5f5ceddd9c7bc"),
    ("usdm_ethusdt", USDM, OPTIMIZED): (74_280, 2_296, 8, "5515d7d6953a3450"),
    ("cm_ethusd_perp", CM, OPTIMIZED): (40_428, 887, 6, "a9bc6057d1de405a"),
}
"""Events, records in ALERT, transitions, and the digest of all states and transitions; the rest is SLEEP."""


@dataclass(frozen=True)
class Run:
    """One recording through a detector."""

    detector: Detector
    states: Words
    rows: Rows
    source: SourceSettings


def opened(data: Path, name: str, venue: VenueName) -> SourceSettings:
    file = SourceFile(venue, data / "binance-20240808" / f"{name}_20240808.gz")
    source = session_settings(load_settings("demo", local=None, environment={}), [file]).sources[0]
    assert isinstance(source, SourceSettings)
    return source


def replayed(source: SourceSettings, profile: DetectorProfile) -> Run:
    market = source.markets[0]
    thresholds = DetectorSettings(profile=profile).thresholds(market.symbol)
    detector = Detector(
        detector_settings(thresholds, price_decimals=market.price_decimals, quantity_decimals=market.quantity_decimals)
    )
    books, other, states, rows = source.new_books(), source.new_books(), [], []
    for batch in source.open().batches():
        own = np.empty(batch.count, dtype=np.int64)
        arguments = (0, batch.records, batch.count, batch.bids, batch.asks)
        states.append(own[: take_detector_records(detector.state, books, *arguments, own)])
        events: Rows = np.zeros((batch.count, EVENT_WIDTH), dtype=np.int64)
        rows.append(events[: event_rows(new_state(detector.settings), other, *arguments, events)])
    return Run(detector, np.concatenate(states), np.ascontiguousarray(np.concatenate(rows)), source)


def digest(run: Run) -> str:
    """Of everything that was decided: the states, and time, states, cause and signals of each transition."""
    hashed = hashlib.sha256(run.states.astype("<i8").tobytes())
    for passed in run.detector.transitions():
        words = (passed.time_ns, passed.before, passed.after, passed.cause, passed.signals, passed.met_since_ns)
        hashed.update(np.array(words, dtype="<i8").tobytes())
    return hashed.hexdigest()[:16]


@pytest.mark.parametrize("case", EXPECTED, ids=lambda case: f"{case[0]}-{case[2].value}")
def test_an_ordinary_day_is_slept_through(case: Case, data: Path) -> None:
    name, venue, profile = case
    run = replayed(opened(data, name, venue), profile)
    counters = run.detector.counters()
    alert = int((run.states == State.ALERT).sum())
    assert set(run.states.tolist()) == {State.SLEEP, State.ALERT}
    assert (len(run.rows), alert, counters[Counter.TRANSITIONS], digest(run)) == EXPECTED[case]
    assert counters[Counter.MESSAGES] == len(run.rows) - 1
    assert 340 <= counters[Counter.SECONDS] <= 345
    faults = (Counter.LATE, Counter.TOO_LATE, Counter.FUTURE, Counter.SILENCES, Counter.GAPS, Counter.BAD_RETURN)
    assert [counters[fault] for fault in faults] == [0] * len(faults)


@pytest.mark.parametrize(("name", "venue"), [("spot_btcusdt", SPOT), ("cm_btcusd_perp", CM)])
def test_rows_of_events_are_the_records(name: str, venue: VenueName, data: Path) -> None:
    """One pass over whole arrays, one over the rows in small pieces, and records with their books: all the same."""
    run = replayed(opened(data, name, venue), OPTIMIZED)
    whole, pieces = Detector(run.detector.settings), Detector(run.detector.settings)
    states, transitions = whole.update(run.rows)
    parts = [pieces.update(run.rows[first : first + 777]) for first in range(0, len(run.rows), 777)]
    np.testing.assert_array_equal(np.concatenate([part for part, _ in parts]), states)
    assert repr([passed for _, some in parts for passed in some]) == repr(transitions)
    np.testing.assert_array_equal(pieces.state, whole.state)
    assert states[-1] == run.states[-1]
    assert whole.read() == pytest.approx(run.detector.read(), rel=0, abs=0, nan_ok=True)
    assert repr(run.detector.transitions()) == repr(transitions)
    # Beside the last readings, all that records leave otherwise: sizes of levels, the event, what was read.
    for first, end in ((NOW, BID_WALLS), (ASK_WALLS + 1, SIZES), (EVENT + EVENT_WIDTH, TAKEN)):
        np.testing.assert_array_equal(run.detector.state[first:end], whole.state[first:end])


@entry("int64(int64[::1], int64[::1], int64[:, ::1], int64, int64[:, ::1], int64[:, ::1], int64[:, ::1])")
def _see(detector: Words, books: Words, records: Rows, count: int, bids: Rows, asks: Rows, seen: Rows) -> int:
    """As a loop that keeps the books itself; ``seen`` gets (told of a change, state, permissions) of each record."""
    base, book = address_of(detector), address_of(books)
    for index in range(count):
        row = address_of(records) + 8 * WIDTH * index
        if concerns(row, 0):
            taken = take_record(book, row, address_of(bids), address_of(asks)) if get(row, KIND) != TRADE else 0
            seen[index, 0] = see_record(base, book, row, taken)
        seen[index, 1], seen[index, 2] = get(base, STATE), permissions(base)
    return count


def test_a_loop_is_told_when_state_or_permissions_change(data: Path) -> None:
    source = opened(data, "spot_btcusdt", SPOT)
    run = replayed(source, OPTIMIZED)
    detector, books, parts = Detector(run.detector.settings), source.new_books(), []
    for batch in source.open().batches():
        seen = np.zeros((batch.count, 3), dtype=np.int64)
        _see(detector.state, books, batch.records, batch.count, batch.bids, batch.asks, seen)
        parts.append(seen)
    whole = np.concatenate(parts)
    changed = np.any(np.diff(whole[:, 1:], axis=0) != 0, axis=1)
    np.testing.assert_array_equal(whole[1:, 0] != 0, changed)
    assert changed.sum() == detector.counters()[Counter.TRANSITIONS] == 34
