"""The detector's settings of one market, from those of a run."""

from __future__ import annotations

from typing import Final

from config.base import EXACT
from config.detector import DetectorThresholds
from market.detector.settings import SECOND_NS, DetectorSettings, PriceSource

_MS: Final = SECOND_NS // 1_000
_LARGEST_WORTH: Final = (1 << 62) - 1


def detector_settings(
    thresholds: DetectorThresholds,
    *,
    price_decimals: int,
    quantity_decimals: int,
    price_source: PriceSource = PriceSource.MID,
) -> DetectorSettings:
    """What is in force for an instrument, in the ticks and lots of one of its markets.

    Parameters
    ----------
    price_decimals, quantity_decimals: of the market's records. price_source: TRADE where only trades are known.
    """
    worth = thresholds.minimum_liquidity_quote.scaleb(price_decimals + quantity_decimals, EXACT)
    return DetectorSettings(
        minimum_liquidity=min(int(worth), _LARGEST_WORTH),
        price_source=price_source,
        volatility_multiplier=float(thresholds.volatility_multiplier),
        volatility_absolute=float(thresholds.volatility_absolute_threshold),
        acceleration=float(thresholds.acceleration_threshold),
        imbalance=float(thresholds.obi_threshold),
        spread_multiplier=float(thresholds.spread_expansion_multiplier),
        volume_sigmas=float(thresholds.volume_delta_sigmas),
        message_multiplier=float(thresholds.message_velocity_multiplier),
        extreme_imbalance=float(thresholds.extreme_imbalance_threshold),
        wall_multiple=float(thresholds.wall_multiple),
        violent_range=float(thresholds.violent_range_threshold),
        volatility_seconds=thresholds.volatility_window_s,
        baseline_seconds=thresholds.baseline_window_s,
        liquidity_seconds=thresholds.liquidity_window_s,
        warm_up_seconds=thresholds.warm_up_s,
        depth_levels=thresholds.depth_levels,
        imbalance_levels=thresholds.obi_levels,
        confirm_ns=thresholds.confirm_ms * _MS,
        recovery_ns=thresholds.recovery_confirm_ms * _MS,
        debounce_ns=thresholds.debounce_ms * _MS,
        jitter_ns=thresholds.jitter_ms * _MS,
        break_ns=thresholds.break_ms * _MS,
        left_out_seconds=thresholds.left_out_s,
    )
