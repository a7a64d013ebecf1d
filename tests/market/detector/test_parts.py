"""The parts that indicators are made of: windows, log returns, candles, walls, and walks over a book."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.book.ladder import ASK, BID, SIDE_WORDS, clear_side, set_level
from market.detector.depth_walk import walk_side
from market.detector.detector import Detector
from market.detector.events import EventKind
from market.detector.layout import LARGEST_LIQUIDITY, SIDE_SIZES, SIZES, WINDOW_WORDS, Values, Words, new_state
from market.detector.returns import is_valid_move, log_return
from market.detector.settings import SECOND_NS, DetectorSettings
from market.detector.states import Reading, Signal
from market.detector.walls import count_walls
from market.detector.window import deviation, mean, push
from market.native.kernel import entry
from market.native.memory import address_of
from tests.market.detector.reference import Long, Reference
from tests.market.detector.reference import deviation as long_deviation
from tests.market.detector.streams import SMALL, START, Row, array, at, book, trade

EXACT = settings(derandomize=True, deadline=None, max_examples=200)


@entry("void(int64[::1], float64[::1], float64[:, ::1])")
def _slide(window: Words, samples: Values, out: Values) -> None:
    for index in range(len(samples)):
        push(address_of(window), samples[index])
        out[index, 0] = mean(address_of(window))
        out[index, 1] = deviation(address_of(window))


SCALES = st.sampled_from([1.0, 1e-9, 1e6, 1e-3])


@given(st.lists(st.tuples(st.floats(-1, 1, allow_subnormal=False), SCALES), min_size=1, max_size=80), st.integers(1, 9))
@EXACT
def test_a_window_does_not_drift(drawn: list[tuple[float, float]], length: int) -> None:
    samples = [value * scale for value, scale in drawn]
    window, out = np.zeros(WINDOW_WORDS, dtype=np.int64), np.zeros((len(samples), 2))
    window[0] = length
    _slide(window, np.array(samples), out)
    for index in range(len(samples)):
        kept = samples[max(index + 1 - length, 0) : index + 1]
        scale = float(sum(Fraction(value) ** 2 for value in kept) / len(kept)) ** 0.5
        # What left the window may leave rounding of its own size in 2^-100 parts behind.
        least = max(map(abs, samples)) * 1e-28
        assert abs(out[index, 0] - float(sum(map(Fraction, kept), Fraction(0)) / len(kept))) <= 1e-15 * scale + least
        expected = float(long_deviation([Long(value) for value in kept]))
        assert abs(out[index, 1] ** 2 - expected**2) <= 1e-14 * scale**2 + least**2 * 1e28


@entry("float64(int64, int64)")
def _log_return(before: int, after: int) -> float:
    return log_return(before, after) if is_valid_move(before, after) else 9.0


@given(st.integers(1, 2**48), st.integers(-(10**6), 10**6), st.integers(0, 12))
@EXACT
def test_log_returns_are_exact_to_the_last_digits(before: int, change: int, magnitude: int) -> None:
    after = before + before * change // 10**magnitude + change % 3
    own = _log_return(before, after)
    if not 0 < after <= 3 * before or before > 3 * after:
        assert own == 9.0
        return
    with localcontext(prec=60):
        expected = (Decimal(after) / Decimal(before)).ln()
        assert abs(Decimal(own) - expected) <= abs(expected) * Decimal("1e-15")


@entry("int64(int64[::1], float64)")
def _count_walls(sizes: Words, multiple: float) -> int:
    return count_walls(address_of(sizes), multiple)


@given(st.lists(st.integers(1, 60), max_size=32), st.sampled_from([1.5, 3.0]))
@EXACT
def test_walls_are_levels_above_a_multiple_of_the_median(sizes: list[int], multiple: float) -> None:
    words = np.zeros(SIDE_SIZES, dtype=np.int64)
    words[: len(sizes) + 1] = [len(sizes), *sizes]
    limit = multiple * median(sizes) if sizes else 0
    assert _count_walls(words, multiple) == sum(size > limit for size in sizes)


@entry("void(int64[::1], int64[::1], int64[:, ::1], int64, int64[::1])")
def _walk(detector: Words, ladder: Words, levels: Words, direction: int, out: Words) -> None:
    side = address_of(ladder)
    clear_side(side, direction, 1_000)
    for index in range(len(levels)):
        set_level(side, levels[index, 0], levels[index, 1])
    out[0], out[1] = walk_side(address_of(detector), 0 if direction == BID else 1, side)


LEVELS = st.dictionaries(st.integers(1_000, 60_000), st.integers(0, 10**9), max_size=60)
LADDER = np.zeros(SIDE_WORDS, dtype=np.int64)


@given(LEVELS, st.sampled_from([BID, ASK]), st.integers(1, 32), st.integers(1, 32))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_a_walk_sums_the_best_levels(levels: dict[int, int], direction: int, depth: int, shallow: int) -> None:
    chosen = DetectorSettings(minimum_liquidity=1, depth_levels=depth, imbalance_levels=min(shallow, depth))
    state, out = new_state(chosen), np.zeros(2, dtype=np.int64)
    rows = np.array(list(levels.items()), dtype=np.int64).reshape(-1, 2)
    _walk(state, LADDER, rows, direction, out)
    best = sorted(((tick, lots) for tick, lots in levels.items() if lots), reverse=direction == BID)[:depth]
    expected = [sum(lots for _, lots in best[: min(shallow, depth)]), sum(tick * lots for tick, lots in best)]
    assert out.tolist() == expected
    sizes = state[SIZES + (0 if direction == BID else SIDE_SIZES) :]
    assert sizes[: len(best) + 1].tolist() == [len(best), *(lots for _, lots in best)]


def test_a_walk_cuts_what_would_overflow() -> None:
    state, out = new_state(DetectorSettings(minimum_liquidity=1)), np.zeros(2, dtype=np.int64)
    rows = np.array([[60_000 - index, (1 << 46) - 1] for index in range(20)], dtype=np.int64)
    _walk(state, LADDER, rows, BID, out)
    assert out.tolist() == [(1 << 46) - 1, LARGEST_LIQUIDITY]


Shape = tuple[int, int, int, int, int]
"""Open, high, low, close, volume."""


def candles(shapes: list[Shape | None]) -> list[Row]:
    """One second each, after a second that does not count; None: no trade."""
    rows = [at(START), book(START, 1_000, 1_002)]
    for number, shape in enumerate(shapes, start=1):
        now = START + number * SECOND_NS
        rows.append(book(now, 1_000, 1_002))
        if shape is not None:
            opened, high, low, closed, volume = shape
            prices, volumes = (opened, high, low, closed), (volume - 3, 1, 1, 1)
            rows += [trade(now + step, *pair) for step, pair in enumerate(zip(prices, volumes, strict=True))]
    return [*rows, book(START + (len(shapes) + 1) * SECOND_NS, 1_000, 1_002)]


def signals_of(shapes: list[Shape | None]) -> Signal:
    detector = Detector(SMALL)
    detector.update(array(candles(shapes)))
    return detector.signals


FALLING: list[Shape | None] = [(1000, 1000, 940, 960, 9), (960, 960, 907, 930, 9), (930, 930, 880, 906, 9)]
RISING: list[Shape | None] = [(900, 940, 900, 920, 10), (920, 960, 920, 940, 10), (940, 980, 940, 960, 16)]


def test_selling_exhaustion() -> None:
    assert Signal.SELLING_EXHAUSTION in signals_of(FALLING)
    assert Signal.SELLING_EXHAUSTION not in signals_of(FALLING[:2])
    assert Signal.SELLING_EXHAUSTION not in signals_of([*FALLING[:2], None, FALLING[2]])
    assert Signal.SELLING_EXHAUSTION not in signals_of([*FALLING, RISING[0]])


@pytest.mark.parametrize(
    "last",
    [
        (930, 930, 881, 906, 9),  # wick 25 after 23: not more than a tenth longer
        (930, 930, 870, 900, 9),  # body 30 after 30: not smaller
        (930, 1200, 880, 906, 9),  # wick 26 of a range of 320: not a fifth
        (930, 960, 880, 931, 9),  # rises
    ],
)
def test_no_selling_exhaustion(last: Shape) -> None:
    assert Signal.SELLING_EXHAUSTION not in signals_of([*FALLING[:2], last])


def test_buying_climax() -> None:
    assert Signal.BUYING_CLIMAX in signals_of(RISING)
    assert Signal.BUYING_CLIMAX not in signals_of([*RISING[:2], (940, 980, 940, 960, 15)])
    assert Signal.BUYING_CLIMAX not in signals_of([*RISING[:2], (940, 965, 940, 960, 16)])
    assert Signal.BUYING_CLIMAX not in signals_of([RISING[0], None, *RISING[1:]])


SHAPES = st.one_of(
    st.sampled_from([*FALLING, *RISING, None]),
    st.builds(
        lambda low, parts, volume, up: (
            low + parts[1 if up else 2],
            low + parts[3],
            low,
            low + parts[2 if up else 1],
            volume,
        ),
        st.integers(900, 910),
        st.lists(st.integers(0, 60), min_size=4, max_size=4).map(sorted),
        st.integers(4, 40),
        st.booleans(),
    ),
)


@given(st.lists(SHAPES, min_size=1, max_size=9))
@EXACT
def test_patterns_are_their_definition(shapes: list[Shape | None]) -> None:
    rows = candles(shapes)
    detector, reference = Detector(SMALL), Reference(SMALL, rows)
    detector.update(array(rows))
    readings = detector.read()
    assert readings[Reading.EXHAUSTION_RUN] == reference.exhaustion_run()
    assert readings[Reading.CLIMAX_RUN] == len(reference.rising_run())
    assert (Signal.BUYING_CLIMAX in detector.signals) == reference.is_climax()
    assert rows[0][0] == EventKind.TIME
