"""A flash crash reaches its depth, frightens the market and recovers by the share asked for."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from config.venues import VenueName
from market.wire.records import (
    AGGRESSOR,
    AGGRESSOR_SELL,
    ASK_PRICE,
    ASK_QUANTITY,
    BID_PRICE,
    BID_QUANTITY,
    PRICE,
    QUOTE,
    RECEIVE_NS,
    TRADE,
)
from sim.generator.efficient import BASIS_POINT, crash_loss
from sim.generator.market import generate
from sim.generator.settings import SECOND_NS, CrashSettings, GeneratorSettings
from tests.sim.generator.generated import VENUES, Rebuilt, rebuild_all

CRASH = CrashSettings(
    at_ns=8 * SECOND_NS, drop_bps=600, fall_ns=4 * SECOND_NS, rebound_percent=70, rebound_ns=5 * SECOND_NS
)
SETTINGS = GeneratorSettings(duration_ns=24 * SECOND_NS, crash=CRASH)
BOTTOM = (CRASH.at_ns + CRASH.fall_ns) / SECOND_NS


@pytest.fixture(scope="module")
def market() -> dict[VenueName, Rebuilt]:
    return rebuild_all(generate(SETTINGS, 5))


def between(rows: NDArray[np.int64], start: float, end: float) -> NDArray[np.int64]:
    """Records received between two times in seconds after the start."""
    elapsed = (rows[:, RECEIVE_NS] - SETTINGS.start_ns) / SECOND_NS
    return rows[(elapsed >= start) & (elapsed < end)]


def mid(quotes: NDArray[np.int64]) -> NDArray[np.float64]:
    result: NDArray[np.float64] = (quotes[:, BID_PRICE] + quotes[:, ASK_PRICE]) / 2
    return result


@pytest.mark.parametrize("venue", VENUES)
def test_it_reaches_its_depth_and_rebounds(market: dict[VenueName, Rebuilt], venue: VenueName) -> None:
    quotes = market[venue].of(QUOTE)
    before = float(np.median(mid(between(quotes, 4, 8))))
    fall = 1 - mid(between(quotes, 8, 24)).min() / before
    left = 1 - float(np.median(mid(between(quotes, 20, 24)))) / before
    assert fall * 1e4 == pytest.approx(CRASH.drop_bps, abs=30)
    assert left * 1e4 == pytest.approx(CRASH.drop_bps * (100 - CRASH.rebound_percent) / 100, abs=30)
    traded = 1 - between(market[venue].of(TRADE), 8, 24)[:, PRICE].min() / before
    assert traded * 1e4 == pytest.approx(CRASH.drop_bps, abs=40)


@pytest.mark.parametrize("venue", VENUES)
def test_liquidity_leaves_and_sellers_come(market: dict[VenueName, Rebuilt], venue: VenueName) -> None:
    quotes, trades = market[venue].of(QUOTE), market[venue].of(TRADE)
    calm, falling = between(quotes, 2, 8), between(quotes, BOTTOM - 3, BOTTOM)

    def spread_bps(rows: NDArray[np.int64]) -> float:
        return float(np.mean((rows[:, ASK_PRICE] - rows[:, BID_PRICE]) / rows[:, BID_PRICE])) * 1e4

    def size(rows: NDArray[np.int64]) -> float:
        return float(np.mean(rows[:, BID_QUANTITY] + rows[:, ASK_QUANTITY]))

    assert spread_bps(falling) > max(1.0, 5 * spread_bps(calm))
    assert size(falling) < size(calm) / 2
    sales = between(trades, BOTTOM - 3, BOTTOM)
    assert (sales[:, AGGRESSOR] == AGGRESSOR_SELL).mean() > 0.7
    assert len(sales) / 3 > 3 * len(between(trades, 2, 8)) / 6


def test_the_path_falls_faster_and_faster_and_then_recovers() -> None:
    losses = [crash_loss(CRASH, second * SECOND_NS) for second in range(24)]
    falls = np.diff(losses[8:13])
    assert losses[:9] == [0] * 9
    assert (np.diff(falls) > 0).all()
    assert losses[12] == CRASH.drop_bps * BASIS_POINT
    assert (np.diff(losses[12:18]) < 0).all()
    assert set(losses[17:]) == {CRASH.drop_bps * BASIS_POINT * 30 // 100}


def test_a_crash_beyond_the_end_is_refused() -> None:
    with pytest.raises(ValidationError, match="must end within duration_ns"):
        GeneratorSettings(duration_ns=10 * SECOND_NS, crash=CrashSettings(at_ns=9 * SECOND_NS))
