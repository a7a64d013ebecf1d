"""Depth signals against their formulas in fractions and 50-digit decimals, from rows and from a ladder alike."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.book.book import apply_levels, clear_levels, new_books
from market.book.continuity import Rule
from market.errors import Fatal, Rejected
from market.native.kernel import entry
from market.native.memory import address_of
from market.signals.depth import Depth, DepthValue, read_depth
from market.signals.layout import LARGEST_QUANTITY, Rows, Values, Words
from market.signals.profile import CUTS, TRUNCATED, ProfileSettings, new_state, profile_book

Levels = list[tuple[int, int]]


@entry("void(int64[::1], int64[::1], int64[:, ::1], int64[:, ::1], float64[:, ::1])")
def _through_a_book(state: Words, book: Words, bids: Rows, asks: Rows, out: Values) -> None:
    clear_levels(address_of(book), bids[0, 0])
    apply_levels(address_of(book), address_of(bids), len(bids), address_of(asks), len(asks))
    profile_book(address_of(state), address_of(book))
    read_depth(address_of(state), out, 0, 0)


@st.composite
def sides(draw: st.DrawFn) -> tuple[Levels, Levels]:
    """Bids and asks, best first, around a mid of about 30,000 ticks."""
    best_bid = draw(st.integers(29_000, 30_000))
    best_ask = best_bid + draw(st.integers(1, 30))
    gaps = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 10**11)), min_size=0, max_size=12)
    both = []
    for best, direction in ((best_bid, -1), (best_ask, 1)):
        levels = [(best, draw(st.integers(1, 10**11)))]
        for gap, lots in draw(gaps):
            levels.append((levels[-1][0] + direction * gap, lots))
        both.append(levels)
    return both[0], both[1]


SETTINGS = st.builds(
    ProfileSettings,
    levels=st.integers(1, 15),
    bands_bps=st.sampled_from([(), (1,), (3, 10), (2, 5, 20, 30)]),
    notional=st.sampled_from([0, 10**12, 10**15, 10**17]),
)


def rows_of(levels: Levels, length: int) -> Rows:
    return np.array([*levels, *[(0, 0)] * (length - len(levels))], dtype=np.int64)


def weighted(bids: Levels, asks: Levels) -> Fraction | None:
    """VAMP of the volumes given."""
    bid_lots, ask_lots = sum(lots for _, lots in bids), sum(lots for _, lots in asks)
    if not bid_lots or not ask_lots:
        return None
    bid = Fraction(sum(tick * lots for tick, lots in bids), bid_lots)
    ask = Fraction(sum(tick * lots for tick, lots in asks), ask_lots)
    return (bid * ask_lots + ask * bid_lots) / (bid_lots + ask_lots)


def within(levels: Levels, mid: Fraction, bps: int) -> Levels:
    return [(tick, lots) for tick, lots in levels if abs(tick - mid) * 10_000 <= mid * bps]


def worth(levels: Levels, notional: int) -> Levels | None:
    """What the notional value buys, whole lots from the best on; None if there is not enough."""
    bought, left = list[tuple[int, int]](), notional
    for tick, lots in levels:
        taken = min(lots, left // tick)
        bought.append((tick, taken))
        left -= taken * tick
        if taken < lots or left == 0:
            return bought
    return None


def slope(levels: Levels, mid: Fraction) -> float:
    """The published formula in decimals of 50 digits."""
    with localcontext() as context:
        context.prec = 50
        if levels[0][1] == 1:
            return float("nan")
        prices = [Decimal(tick) for tick, _ in levels]
        volumes = [Decimal(sum(lots for _, lots in levels[: level + 1])).ln() for level in range(len(levels))]
        centre = Decimal(mid.numerator) / Decimal(mid.denominator)
        total = volumes[0] / abs(prices[0] / centre - 1)
        for level in range(len(levels) - 1):
            change = volumes[level + 1] / volumes[level] - 1
            total += change / abs(prices[level + 1] / prices[level] - 1)
        return float(total / len(levels))


def expected(bids: Levels, asks: Levels, chosen: ProfileSettings) -> list[float]:
    nan = float("nan")
    mid = Fraction(bids[0][0] + asks[0][0], 2)
    best = bids[: chosen.levels], asks[: chosen.levels]
    bid_lots, ask_lots = (sum(lots for _, lots in levels) for levels in best)
    prices = [weighted(*best), None, None]
    if chosen.bands_bps:
        prices[1] = weighted(within(bids, mid, chosen.bands_bps[0]), within(asks, mid, chosen.bands_bps[0]))
    bid_worth, ask_worth = worth(bids, chosen.notional), worth(asks, chosen.notional)
    if chosen.notional and bid_worth is not None and ask_worth is not None:
        prices[2] = weighted(bid_worth, ask_worth)
    slopes = [slope(levels, mid) for levels in best]
    depths = []
    for levels in (bids, asks):
        sums = [float(sum(lots for _, lots in within(levels, mid, bps))) for bps in chosen.bands_bps]
        depths += sums + [nan] * (4 - len(sums))
    vamps = [nan if price is None else float(price) for price in prices]
    return [(bid_lots - ask_lots) / (bid_lots + ask_lots), *vamps, *slopes, sum(slopes) / 2, *depths]


@given(sides(), SETTINGS)
@settings(derandomize=True, deadline=None, max_examples=200)
def test_readings_are_their_formulas(both: tuple[Levels, Levels], chosen: ProfileSettings) -> None:
    bids, asks = both
    length = max(len(bids), len(asks)) + 1
    readings = Depth(chosen).update(rows_of(bids, length)[None], rows_of(asks, length)[None])[0]
    assert readings.tolist() == pytest.approx(expected(bids, asks, chosen), rel=1e-11, nan_ok=True)


@given(st.lists(sides(), min_size=1, max_size=3), SETTINGS)
@settings(derandomize=True, deadline=None, max_examples=30)
def test_a_book_and_rows_read_the_same(books: list[tuple[Levels, Levels]], chosen: ProfileSettings) -> None:
    state, words = new_state(chosen), new_books([Rule.UNNUMBERED])
    batch = [np.array([rows_of(both[side], 14) for both in books]) for side in (0, 1)]
    by_rows = Depth(chosen).update(batch[0], batch[1])
    for index, (bids, asks) in enumerate(books):
        out = np.zeros((1, len(DepthValue)))
        _through_a_book(state, words, np.array(bids), np.array(asks), out)
        np.testing.assert_array_equal(out[0], by_rows[index])


def test_slope_of_a_small_book_by_hand() -> None:
    """Bids 99 and 98 with 10 lots each, asks 101 and 103 with 20 each, mid 100."""
    chosen = ProfileSettings(levels=5, bands_bps=())
    readings = Depth(chosen).update(np.array([[[99, 10], [98, 10]]]), np.array([[[101, 20], [103, 20]]]))[0]
    bid = (np.log(10) / 0.01 + (np.log(20) / np.log(10) - 1) * 99) / 2
    ask = (np.log(20) / 0.01 + (np.log(40) / np.log(20) - 1) * 101 / 2) / 2
    assert readings[[DepthValue.BID_SLOPE, DepthValue.ASK_SLOPE, DepthValue.SLOPE]] == pytest.approx(
        [bid, ask, (bid + ask) / 2]
    )


def test_a_book_without_a_side_or_crossed_has_no_reading() -> None:
    none = np.array([[0, 0]])
    bids, asks = np.array([none, [[5, 1]], [[6, 1]]]), np.array([[[5, 1]], none, [[6, 1]]])
    assert np.isnan(Depth(ProfileSettings()).update(bids, asks)).all()


def test_a_single_lot_has_no_slope() -> None:
    readings = Depth(ProfileSettings()).update(np.array([[[5, 1], [4, 1]]]), np.array([[[6, 2], [7, 1]]]))[0]
    assert isnan(readings[DepthValue.BID_SLOPE])
    assert not isnan(readings[DepthValue.ASK_SLOPE])
    assert isnan(readings[DepthValue.SLOPE])


def test_a_walk_ends_at_its_most_levels_and_counts() -> None:
    signal = Depth(ProfileSettings(levels=2, maximum_levels=3, bands_bps=(5000,)))
    bids = np.array([[[100 - level, 1] for level in range(5)]])
    asks = np.array([[[101 + level, 1] for level in range(3)] + [[0, 0]] * 2])
    readings = signal.update(bids, asks)[0]
    assert (readings[DepthValue.BID_DEPTH_1], readings[DepthValue.ASK_DEPTH_1]) == (3, 3)
    assert signal.state[TRUNCATED] == 1


def test_absurd_quantities_are_cut_and_counted() -> None:
    signal = Depth(ProfileSettings(bands_bps=(9999,)))
    readings = signal.update(np.array([[[100, 10**18], [99, 10**18]]]), np.array([[[101, 1], [102, 1]]]))[0]
    assert readings[DepthValue.BID_DEPTH_1] == LARGEST_QUANTITY
    assert signal.state[CUTS] == 2


def test_unequal_shapes_are_rejected() -> None:
    with pytest.raises(Rejected, match="shape"):
        Depth(ProfileSettings()).update(np.zeros((1, 2, 2), dtype=np.int64), np.zeros((1, 3, 2), dtype=np.int64))


def test_bad_settings_are_fatal() -> None:
    for bad in ((2, 1), (1, 1), (0,), (10_000,), (1, 2, 3, 4, 5)):
        with pytest.raises(Fatal, match="band"):
            ProfileSettings(bands_bps=bad)
    for levels in (0, 65):
        with pytest.raises(Fatal, match="levels"):
            ProfileSettings(levels=levels)
