"""Where a candle is bought and sold: ``low + percentile * (high - low)``, in whole ticks."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

from market.detector.states import Reading
from market.fixed_point import floor_to
from orchestrator.strategies.flash_crash.parameters import PPM, EntryParameters
from orchestrator.strategies.flash_crash.seconds import Candle


@dataclass(frozen=True, slots=True)
class Levels:
    """Prices of one trade."""

    entry: int
    target: int


def levels(candle: Candle, entry_ppm: int, exit_ppm: int, tick: int) -> Levels:
    """E6: both percentiles of a candle's range, the entry rounded down and the target up to a tick."""
    entry = candle.low + candle.range * entry_ppm // PPM
    target = candle.low - (-candle.range * exit_ppm // PPM)
    return Levels(floor_to(entry, tick), -floor_to(-target, tick))


def percentiles(parameters: EntryParameters, readings: dict[Reading, float], multiplier: float) -> tuple[int, int]:
    """E9: entry and exit percentile in millionths, adapted to the volatility.

    As stated while volatility is at most ``multiplier`` times its baseline, where the detector fires; from there they
    move apart in proportion, and by ``shift_ppm`` from twice that on: the wilder the market, the deeper it falls and
    the further it comes back. As stated where the volatility is not known.
    """
    share = 0.0
    baseline = readings[Reading.VOLATILITY_BASELINE]
    if baseline > 0.0:
        share = readings[Reading.VOLATILITY] / (baseline * multiplier) - 1.0
    shift = int(parameters.shift_ppm * min(max(share, 0.0), 1.0)) if not isnan(share) else 0
    return parameters.entry_ppm - shift, parameters.exit_ppm + shift
