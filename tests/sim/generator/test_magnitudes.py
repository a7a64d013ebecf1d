"""A generated minute looks like the recorded one: rates, spreads, imbalance, moves, lead and lag, bursts.

The bands hold the values measured on Binance BTC on 2024-08-08 (in the comments) and leave room for luck.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from config.venues import VenueName
from market.wire.records import (
    AGGRESSOR,
    ASK_PRICE,
    ASK_QUANTITY,
    BID_PRICE,
    BID_QUANTITY,
    DIFF,
    QUOTE,
    RECEIVE_NS,
    TRADE,
)
from sim.generator.market import generate
from sim.generator.settings import SECOND_NS, GeneratorSettings
from tests.sim.generator.generated import CM, SPOT, USDM, VENUES, Rebuilt, rebuild_all

MS = 10**6
SECONDS = 150
SETTINGS = GeneratorSettings(duration_ns=SECONDS * SECOND_NS)
TICKS_PER_USD = {SPOT: 100, USDM: 10, CM: 10}
Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def market() -> dict[VenueName, Rebuilt]:
    return rebuild_all(generate(SETTINGS, 11))


def mids(rebuilt: Rebuilt, venue: VenueName, step_ns: int, shift_ns: int = 0) -> Floats:
    """Mid prices in USD on a grid that begins after one second."""
    quotes = rebuilt.of(QUOTE)
    start = SETTINGS.start_ns + SECOND_NS + shift_ns
    grid = np.arange(start, SETTINGS.start_ns + SETTINGS.duration_ns - SECOND_NS, step_ns)
    rows = quotes[np.searchsorted(quotes[:, RECEIVE_NS], grid, "right") - 1]
    result: Floats = (rows[:, BID_PRICE] + rows[:, ASK_PRICE]) / 2 / TICKS_PER_USD[venue]
    return result


def returns(rebuilt: Rebuilt, venue: VenueName, step_ns: int) -> Floats:
    """Returns in basis points."""
    result: Floats = np.diff(np.log(mids(rebuilt, venue, step_ns))) * 1e4
    return result


RATES = [
    (SPOT, QUOTE, 81),
    (USDM, QUOTE, 192),
    (CM, QUOTE, 56),
    (SPOT, TRADE, 28),
    (USDM, TRADE, 62),
    (CM, TRADE, 6.7),
]


@pytest.mark.parametrize(("venue", "kind", "per_second"), RATES)
def test_message_rates(market: dict[VenueName, Rebuilt], venue: VenueName, kind: int, per_second: float) -> None:
    assert len(market[venue].of(kind)) / SECONDS == pytest.approx(per_second, rel=0.5)


@pytest.mark.parametrize(("venue", "per_second"), [(SPOT, 10), (USDM, 19), (CM, 78)])
def test_depth_rates(market: dict[VenueName, Rebuilt], venue: VenueName, per_second: float) -> None:
    assert len(market[venue].of(DIFF)) / SECONDS == pytest.approx(per_second, rel=0.15)


@pytest.mark.parametrize("venue", VENUES)
def test_the_spread_is_one_tick_nearly_always_and_wide_in_moves(
    market: dict[VenueName, Rebuilt], venue: VenueName
) -> None:
    """Recorded: one tick 99.1 to 99.7 % of the time; 99th percentile of updates 0.47 to 1.24 bps, most 3.9 to 10."""
    quotes = market[venue].of(QUOTE)
    spread = quotes[:, ASK_PRICE] - quotes[:, BID_PRICE]
    held = np.diff(quotes[:, RECEIVE_NS])
    bps = spread / quotes[:, BID_PRICE] * 1e4
    assert held[spread[:-1] == 1].sum() / held.sum() > 0.98
    assert np.median(spread) == 1
    assert 0.2 < np.percentile(bps, 99) < 3
    assert 2 < bps.max() < 15


@pytest.mark.parametrize("venue", VENUES)
def test_the_top_of_book_is_usually_one_sided(market: dict[VenueName, Rebuilt], venue: VenueName) -> None:
    """Recorded |imbalance|: median 0.71 to 0.83, 90th percentile 0.993 to 0.999, above 0.8 in 43 to 53 %."""
    quotes = market[venue].of(QUOTE)
    bid, ask = quotes[:, BID_QUANTITY], quotes[:, ASK_QUANTITY]
    imbalance = np.abs(bid - ask) / (bid + ask)
    assert 0.55 < np.median(imbalance) < 0.9
    assert np.percentile(imbalance, 90) > 0.97
    assert 0.3 < (imbalance > 0.8).mean() < 0.6


@pytest.mark.parametrize("venue", VENUES)
def test_prices_rest_and_then_jump(market: dict[VenueName, Rebuilt], venue: VenueName) -> None:
    """Recorded: no move in 89 to 94 % of 100 ms and 47 to 67 % of 1 s; 1 s deviation 1.2 to 1.3 bps."""
    fast, slow = returns(market[venue], venue, 100 * MS), returns(market[venue], venue, SECOND_NS)
    assert (fast == 0).mean() > 0.8
    assert 0.3 < (slow == 0).mean() < 0.85
    assert 0.6 < slow.std() < 2.5
    assert 2 < np.abs(fast).max() < 20
    excess_kurtosis = (fast**4).mean() / (fast**2).mean() ** 2 - 3
    assert excess_kurtosis > 10


@pytest.mark.parametrize("venue", VENUES)
def test_quotes_come_in_bursts(market: dict[VenueName, Rebuilt], venue: VenueName) -> None:
    """Recorded: variance over mean of the counts in 100 ms is 23 to 48; a Poisson process has 1."""
    times = market[venue].of(QUOTE)[:, RECEIVE_NS]
    counts = np.bincount((times - times[0]) // (100 * MS))
    assert counts.var() / counts.mean() > 8
    assert np.bincount((times - times[0]) // (10 * MS)).max() > 20


@pytest.mark.parametrize("venue", VENUES)
def test_takers_come_in_runs_of_one_side(market: dict[VenueName, Rebuilt], venue: VenueName) -> None:
    """Recorded: correlation of the signs of successive trades 0.78 to 0.86."""
    sides = market[venue].of(TRADE)[:, AGGRESSOR].astype(np.float64)
    assert np.corrcoef(sides[:-1], sides[1:])[0, 1] > 0.4


def test_coin_margined_lags_and_spot_leads(market: dict[VenueName, Rebuilt]) -> None:
    """Recorded, 100 ms returns at lag 0 and +100 ms: spot to USD-M 0.72, 0.16; USD-M to COIN-M 0.62, 0.31."""
    spot, usdm, cm = (returns(market[venue], venue, 100 * MS) for venue in VENUES)
    assert np.corrcoef(spot, usdm)[0, 1] > 0.6
    assert np.corrcoef(usdm, cm)[0, 1] > 0.3
    for leader in (spot, usdm):
        forward = np.corrcoef(leader[:-1], cm[1:])[0, 1]
        backward = np.corrcoef(leader[1:], cm[:-1])[0, 1]
        assert 0.12 < forward < 0.6
        assert backward < forward - 0.1
    leads = [np.corrcoef(*pair)[0, 1] for pair in _shifted(market, SPOT, USDM, 4 * MS)]
    assert leads[0] > leads[1] + 0.1, "at 4 ms spot's moves are found in USD-M's later ones, not the reverse"


def _shifted(
    market: dict[VenueName, Rebuilt], first: VenueName, second: VenueName, step_ns: int
) -> list[tuple[Floats, Floats]]:
    one, other = returns(market[first], first, step_ns), returns(market[second], second, step_ns)
    return [(one[:-1], other[1:]), (one[1:], other[:-1])]


@pytest.mark.parametrize(("venue", "basis_bps"), [(USDM, 3.7), (CM, 2.75)])
def test_perpetuals_stand_below_spot_by_a_basis(
    market: dict[VenueName, Rebuilt], venue: VenueName, basis_bps: float
) -> None:
    """Recorded, 1st to 99th percentile: USD-M 2.3 to 5.0 (6.2 in updates), COIN-M 1.25 to 3.7."""
    basis = (mids(market[SPOT], SPOT, 50 * MS) / mids(market[venue], venue, 50 * MS) - 1) * 1e4
    assert np.median(basis) == pytest.approx(basis_bps, abs=1.2)
    assert np.percentile(basis, 99) - np.percentile(basis, 1) < 6


def test_dislocations_open_for_milliseconds(market: dict[VenueName, Rebuilt]) -> None:
    """Recorded: in 343 s 31 departures of more than 2 bps from the usual basis, of a median of 7 ms."""
    step = MS // 2
    basis = (mids(market[SPOT], SPOT, step) / mids(market[USDM], USDM, step) - 1) * 1e4
    window = 10 * SECOND_NS // step
    sums = np.cumsum(basis)
    usual = (sums[window:] - sums[:-window]) / window
    away = (np.abs(basis[window:] - usual) > 2).astype(np.int64)
    begins, ends = np.flatnonzero(np.diff(away) == 1), np.flatnonzero(np.diff(away) == -1)
    lengths = (ends - begins[: len(ends)]) * step / MS
    assert 5 <= len(lengths) <= 80
    assert 0.5 < np.median(lengths) < 40
