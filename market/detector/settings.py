"""What a user chooses of the detector, as the kernels take it: checked once, then immutable."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from math import isfinite
from typing import Final

from market.errors import Fatal

SECOND_NS: Final = 1_000_000_000
MOST_SECONDS: Final = 1024
"""Longest window of a baseline."""
MOST_LEVELS: Final = 32
OFF: Final = 0.0
"""A threshold that is not used."""


class PriceSource(IntEnum):
    """What P_t is."""

    MID = 0
    """``(bid + ask) / 2`` of the last top of book."""
    TRADE = 1
    """Price of the last trade."""


@dataclass(frozen=True, kw_only=True)
class DetectorSettings:
    """Thresholds and windows of one market's detector; docs/detector.md says what each is of.

    Parameters
    ----------
    minimum_liquidity: of both sides together, in ticks times lots; no default because it depends on the scales.
    volatility_absolute: fires by itself above this sigma per second; 0 for off.
    acceleration, imbalance: negative; fire below.
    volume_sigmas: fires when the volume delta is this many sigmas below 0.
    volatility_seconds: returns in sigma_1s. baseline_seconds: samples of the baselines of volatility, spread, volume
        delta and messages; liquidity_seconds: of the liquidity's. warm_up_seconds: samples that a baseline needs.
    depth_levels, imbalance_levels: levels per side of liquidity and walls, and of OBI; at most 32.
    confirm_ns: how long the trigger must hold, longer than ``jitter_ns``, which is 1 to 2 s. break_ns: breaks of it
        that are shorter do not begin it anew; at most ``jitter_ns``, 0 for none.
    left_out_seconds: how many more seconds of events are left out of the baselines than are taken; 0 for none.
    """

    minimum_liquidity: int
    price_source: PriceSource = PriceSource.MID
    volatility_multiplier: float = 5.0
    volatility_absolute: float = OFF
    acceleration: float = -0.004
    imbalance: float = -0.8
    spread_multiplier: float = 4.0
    volume_sigmas: float = 3.0
    message_multiplier: float = 3.0
    extreme_imbalance: float = 0.7
    wall_multiple: float = 3.0
    violent_range: float = 0.005
    volatility_seconds: int = 10
    baseline_seconds: int = 300
    liquidity_seconds: int = 60
    warm_up_seconds: int = 60
    depth_levels: int = 20
    imbalance_levels: int = 20
    confirm_ns: int = 2 * SECOND_NS
    recovery_ns: int = 3 * SECOND_NS
    debounce_ns: int = SECOND_NS // 2
    jitter_ns: int = 3 * SECOND_NS // 2
    break_ns: int = SECOND_NS // 2
    left_out_seconds: int = 300

    def __post_init__(self) -> None:
        for name in ("volatility_multiplier", "spread_multiplier", "volume_sigmas", "message_multiplier"):
            _between(name, getattr(self, name), 0.0, 1e6)
        _between("wall_multiple", self.wall_multiple, 0.0, 1e6)
        for name in ("violent_range", "extreme_imbalance"):
            _between(name, getattr(self, name), 0.0, 1.0)
        if self.volatility_absolute != OFF:
            _between("volatility_absolute", self.volatility_absolute, 0.0, 1.0)
        for name in ("acceleration", "imbalance"):
            _between(name, getattr(self, name), -1.0, 0.0)
        _whole("minimum_liquidity", self.minimum_liquidity, 0, (1 << 62) - 1)
        _whole("volatility_seconds", self.volatility_seconds, 2, MOST_SECONDS)
        _whole("baseline_seconds", self.baseline_seconds, 2, MOST_SECONDS)
        _whole("liquidity_seconds", self.liquidity_seconds, 1, MOST_SECONDS)
        _whole("warm_up_seconds", self.warm_up_seconds, 2, self.baseline_seconds)
        _whole("depth_levels", self.depth_levels, 1, MOST_LEVELS)
        _whole("imbalance_levels", self.imbalance_levels, 1, self.depth_levels)
        _whole("jitter_ns", self.jitter_ns, SECOND_NS, 2 * SECOND_NS)
        _whole("confirm_ns", self.confirm_ns, self.jitter_ns, 60 * SECOND_NS)
        _whole("break_ns", self.break_ns, 0, self.jitter_ns)
        _whole("left_out_seconds", self.left_out_seconds, 0, 86_400)
        _whole("recovery_ns", self.recovery_ns, 0, 3_600 * SECOND_NS)
        _whole("debounce_ns", self.debounce_ns, 0, 60 * SECOND_NS)


def _between(name: str, value: float, low: float, high: float) -> None:
    """Raise Fatal unless a number lies between the bounds, both left out but +-1."""
    if not isfinite(value) or not low <= value <= high or value == 0.0:
        raise Fatal(f"detector {name} must be a number from {low} to {high} other than 0, was {value!r}")


def _whole(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Fatal(f"detector {name} must be a whole number from {low} to {high}, was {value!r}")
