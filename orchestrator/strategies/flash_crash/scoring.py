"""E2 and E3: how good an entry is, from 0 to 100, and what of it each of eight components gives.

A component is its weight times a share from 0 to 1. Volatility, spread and message velocity count by the ratio to
their baselines, from 1 (nothing) to the detector's multiplier (all); acceleration, order book imbalance and volume
delta by their magnitude, from 0 to the detector's threshold; a pattern gives all or nothing; liquidity its ratio to
the mean, up to 1, times the share of the levels that are no walls, halved by extreme imbalance. What is not known
gives nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from market.detector.settings import DetectorSettings
from market.detector.states import Reading, Signal


class Component(IntEnum):
    """What a score is made of."""

    VOLATILITY = 0
    ACCELERATION = 1
    IMBALANCE = 2
    SPREAD = 3
    VOLUME_DELTA = 4
    MESSAGE_VELOCITY = 5
    PATTERN = 6
    LIQUIDITY = 7


WEIGHTS: Final = {
    Component.VOLATILITY: 15.0,
    Component.ACCELERATION: 15.0,
    Component.IMBALANCE: 15.0,
    Component.SPREAD: 10.0,
    Component.VOLUME_DELTA: 15.0,
    Component.MESSAGE_VELOCITY: 10.0,
    Component.PATTERN: 10.0,
    Component.LIQUIDITY: 10.0,
}


class Band(IntEnum):
    """How a score is called."""

    POOR = 0
    MARGINAL = 50
    GOOD = 70
    EXCELLENT = 85


@dataclass(frozen=True)
class Score:
    """A score with its breakdown; ``total`` is the sum of ``parts``."""

    parts: dict[Component, float]

    @property
    def total(self) -> float:
        """From 0 to 100."""
        return sum(self.parts.values())

    @property
    def band(self) -> Band:
        """The band that the total lies in."""
        return max(band for band in Band if self.total >= band)

    def __str__(self) -> str:
        parts = ", ".join(f"{part.name.lower()} {points:.1f}" for part, points in self.parts.items())
        return f"{self.total:.1f} {self.band.name.lower()} ({parts})"


def score(readings: dict[Reading, float], pattern: Signal, settings: DetectorSettings) -> Score:
    """The score of an entry.

    Parameters
    ----------
    pattern: the signals as of the end of the candles before the one that is bought: a rising candle ends a falling
        pattern.
    """
    fired = bool(pattern & (Signal.SELLING_EXHAUSTION | Signal.BUYING_CLIMAX))
    delta = _over(readings[Reading.VOLUME_DELTA], readings[Reading.VOLUME_SIGMA])
    shares = {
        Component.VOLATILITY: _expansion(
            readings, Reading.VOLATILITY, Reading.VOLATILITY_BASELINE, settings.volatility_multiplier
        ),
        Component.ACCELERATION: _clamped(abs(readings[Reading.ACCELERATION] / settings.acceleration)),
        Component.IMBALANCE: _clamped(abs(readings[Reading.IMBALANCE] / settings.imbalance)),
        Component.SPREAD: _expansion(readings, Reading.SPREAD, Reading.SPREAD_BASELINE, settings.spread_multiplier),
        Component.VOLUME_DELTA: _clamped(abs(delta) / settings.volume_sigmas),
        Component.MESSAGE_VELOCITY: _expansion(
            readings, Reading.MESSAGES, Reading.MESSAGE_BASELINE, settings.message_multiplier
        ),
        Component.PATTERN: 1.0 if fired else 0.0,
        Component.LIQUIDITY: _liquidity(readings, settings),
    }
    return Score({component: WEIGHTS[component] * share for component, share in shares.items()})


def _expansion(readings: dict[Reading, float], value: Reading, baseline: Reading, multiplier: float) -> float:
    """From the baseline to a multiple of it; a multiple of at most 1 is reached or not."""
    ratio = _over(readings[value], readings[baseline])
    if multiplier <= 1.0:
        return 1.0 if ratio >= multiplier else 0.0
    return _clamped((ratio - 1.0) / (multiplier - 1.0))


def _liquidity(readings: dict[Reading, float], settings: DetectorSettings) -> float:
    share = _clamped(readings[Reading.LIQUIDITY_RATIO])
    walls = readings[Reading.BID_WALLS] + readings[Reading.ASK_WALLS]
    free = _clamped(1.0 - walls / (2 * settings.depth_levels))
    is_lopsided = abs(readings[Reading.LIQUIDITY_IMBALANCE]) > settings.extreme_imbalance
    return share * free / 2 if is_lopsided else share * free


def _over(value: float, base: float) -> float:
    """A ratio; 0 without a base."""
    return value / base if base > 0.0 else 0.0


def _clamped(share: float) -> float:
    """From 0 to 1; 0 for NaN."""
    return min(share, 1.0) if share > 0.0 else 0.0
