"""Every indicator equals its definition, and every signal is its threshold's comparison."""

from __future__ import annotations

from dataclasses import replace
from math import isnan

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from market.detector.detector import Detector
from market.detector.events import EventKind
from market.detector.layout import Values
from market.detector.settings import OFF, DetectorSettings
from market.detector.states import Counter, Reading, Signal
from tests.market.detector.reference import Reference, close
from tests.market.detector.streams import LEAVING, SMALL, Row, array, at, clean_streams

EXACT = settings(derandomize=True, deadline=None, max_examples=60)


def studied(rows: list[Row], chosen: DetectorSettings = SMALL) -> Values:
    return Detector(chosen).study(array(rows))[0]


def reference(chosen: DetectorSettings, rows: list[Row], readings: Values, index: int) -> Reference:
    """What is known after an event; that some seconds are left out of the baselines depends on the states before."""
    return Reference(chosen, rows[: index + 1], readings[:index, Reading.STATE].astype(int).tolist())


@given(clean_streams(), st.sampled_from([SMALL, LEAVING]))
@EXACT
def test_every_reading_is_its_definition(rows: list[Row], chosen: DetectorSettings) -> None:
    readings = studied(rows, chosen)
    for index in sorted({*range(1, len(rows), 9), len(rows) - 1}):
        expected = reference(chosen, rows, readings, index).readings()
        for reading, value in expected.items():
            own = float(readings[index, reading])
            assert close(own, value), f"event {index}, {reading.name}: {own!r}, expected {value!r}"


@given(clean_streams(), st.sampled_from([SMALL, LEAVING]))
@EXACT
def test_volatility_is_the_standard_deviation_of_log_returns(rows: list[Row], chosen: DetectorSettings) -> None:
    readings = studied(rows, chosen)
    for index in sorted({*range(1, len(rows), 17), len(rows) - 1}):
        sigma, baseline, scale = reference(chosen, rows, readings, index).volatility()
        for reading, value in ((Reading.VOLATILITY, sigma), (Reading.VOLATILITY_BASELINE, baseline)):
            own = float(readings[index, reading])
            # A standard deviation is a difference of squares: it is exact to a part of the mean square.
            assert isnan(own) == isnan(value), f"event {index}: {own!r}, expected {value!r}"
            assert isnan(own) or abs(own**2 - value**2) <= 1e-12 * scale**2


def expected_signals(values: dict[Reading, float], climax: bool, chosen: DetectorSettings) -> Signal:
    """What fires, from readings alone."""
    read = values.__getitem__
    rules = {
        Signal.ACCELERATION: read(Reading.ACCELERATION) < chosen.acceleration,
        Signal.IMBALANCE: read(Reading.IMBALANCE) < chosen.imbalance,
        Signal.SPREAD: read(Reading.SPREAD) > chosen.spread_multiplier * read(Reading.SPREAD_BASELINE),
        Signal.VOLUME_DELTA: read(Reading.VOLUME_DELTA) < -chosen.volume_sigmas * read(Reading.VOLUME_SIGMA)
        and read(Reading.VOLUME_SIGMA) > 0,
        Signal.MESSAGE_VELOCITY: read(Reading.MESSAGES) > chosen.message_multiplier * read(Reading.MESSAGE_BASELINE),
        Signal.SELLING_EXHAUSTION: read(Reading.EXHAUSTION_RUN) >= 3,
        Signal.BUYING_CLIMAX: climax,
        Signal.LIQUIDITY_SUFFICIENT: read(Reading.BID_LIQUIDITY) + read(Reading.ASK_LIQUIDITY)
        > chosen.minimum_liquidity,
        Signal.EXTREME_IMBALANCE: abs(read(Reading.LIQUIDITY_IMBALANCE)) > chosen.extreme_imbalance,
        Signal.VIOLENT_RANGE: read(Reading.RANGE) > chosen.violent_range,
        Signal.VOLATILITY: (
            read(Reading.VOLATILITY_BASELINE) > 1e-12
            and read(Reading.VOLATILITY) > chosen.volatility_multiplier * read(Reading.VOLATILITY_BASELINE)
        )
        or (chosen.volatility_absolute != OFF and read(Reading.VOLATILITY) > chosen.volatility_absolute),
    }
    return Signal(sum(signal for signal, fires in rules.items() if fires))


@given(clean_streams(), st.sampled_from([OFF, 0.002]))
@EXACT
def test_every_signal_is_its_threshold(rows: list[Row], absolute: float) -> None:
    chosen = DetectorSettings(**{**vars(SMALL), "volatility_absolute": absolute})
    readings = studied(rows, chosen)
    for index in range(1, len(rows)):
        values = {reading: float(readings[index, reading]) for reading in Reading}
        signals = Signal(int(values[Reading.SIGNALS]))
        climax = Signal.BUYING_CLIMAX in signals
        assert signals == expected_signals(values, climax, chosen), f"event {index}"
        assert values[Reading.REQUIRED] == (2 if Signal.MESSAGE_VELOCITY in signals else 3)
    climax = Reference(chosen, rows).is_climax()
    assert (Signal.BUYING_CLIMAX in Signal(int(readings[-1, Reading.SIGNALS]))) == climax


@given(clean_streams(), st.lists(st.integers(1, 30), min_size=1, max_size=40))
@EXACT
def test_one_call_or_many_are_the_same_to_the_last_bit(rows: list[Row], sizes: list[int]) -> None:
    whole, parts = Detector(LEAVING), Detector(LEAVING)
    expected, transitions = whole.study(array(rows))
    pieces, passed, first = [], [], 0
    for size in (*sizes, len(rows)):
        values, some = parts.study(array(rows[first : first + size]))
        pieces.append(values)
        passed += some
        first += size
    np.testing.assert_array_equal(np.vstack(pieces), expected)
    np.testing.assert_array_equal(parts.state, whole.state)
    assert repr(passed) == repr(transitions)


def test_all_streams_together_reach_every_signal() -> None:
    """The properties above mean something only if what they compare happens."""
    seen = Signal(0)

    @given(clean_streams())
    @settings(derandomize=True, deadline=None, max_examples=60, database=None)
    def gather(rows: list[Row]) -> None:
        nonlocal seen
        seen |= Signal(int(np.bitwise_or.reduce(studied(rows)[:, Reading.SIGNALS].astype(np.int64))))

    gather()
    rare = Signal.SELLING_EXHAUSTION | Signal.BUYING_CLIMAX
    assert seen | rare == Signal(2047)


def test_all_streams_together_leave_seconds_out_and_take_some_of_an_event_in() -> None:
    kept = [0, 0]

    @given(clean_streams())
    @settings(derandomize=True, deadline=None, max_examples=60, database=None)
    def gather(rows: list[Row]) -> None:
        for place, chosen in enumerate((LEAVING, replace(LEAVING, left_out_seconds=1_000))):
            detector = Detector(chosen)
            detector.update(array(rows))
            kept[place] += detector.counters()[Counter.LEFT_OUT]

    gather()
    assert 0 < kept[0] < kept[1]


def test_time_without_messages_closes_seconds_as_well() -> None:
    start = 1_700_000_000 * 10**9
    rows = [at(start), [EventKind.TOP, start, -1, 100, 1, 102, 1, 0, 0, 0, 0, 0, 0], at(start + 1_400_000_000)]
    detector = Detector(SMALL)
    detector.update(array(rows))
    assert detector.now_ns == start + 1_400_000_000
    assert detector.read()[Reading.MESSAGES] == 0
