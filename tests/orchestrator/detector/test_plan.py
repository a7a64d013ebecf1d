"""The detector's settings of a market follow the profile, and the instrument where it differs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from config.detector import (
    DetectorProfile,
    DetectorSettings,
    DetectorThresholds,
    InstrumentThresholds,
    OptimizedThresholds,
)
from market.detector.settings import SECOND_NS
from market.detector.settings import DetectorSettings as MarketSettings
from orchestrator.detector.plan import detector_settings


def of(settings: DetectorSettings, instrument: str = "BTC-USDT") -> MarketSettings:
    return detector_settings(settings.thresholds(instrument), price_decimals=2, quantity_decimals=8)


def test_the_profiles_carry_the_documents_thresholds() -> None:
    readme, optimized = of(DetectorSettings(profile=DetectorProfile.README)), of(DetectorSettings())
    names = ("volatility_multiplier", "volatility_absolute", "acceleration", "imbalance", "spread_multiplier")
    assert [getattr(readme, name) for name in names] == [5.0, 0.0, -0.004, -0.8, 4.0]
    assert [getattr(optimized, name) for name in names] == [3.0, 0.004, -0.001, -0.6, 4.0]
    for chosen in (readme, optimized):
        assert (chosen.volume_sigmas, chosen.message_multiplier, chosen.extreme_imbalance) == (3.0, 3.0, 0.7)
        assert chosen.recovery_ns in (2 * SECOND_NS, 3 * SECOND_NS, 5 * SECOND_NS)
        assert chosen.violent_range in (0.004, 0.005, 0.006)
        assert chosen.confirm_ns == 2 * SECOND_NS
        assert chosen.minimum_liquidity == 100_000 * 10**10


def test_an_instrument_may_differ() -> None:
    own = InstrumentThresholds(acceleration_threshold=Decimal("-0.002"), minimum_liquidity_quote=Decimal(5))
    settings = DetectorSettings(instruments={"ETH-USDT": own})
    assert (of(settings, "ETH-USDT").acceleration, of(settings, "ETH-USDT").minimum_liquidity) == (-0.002, 5 * 10**10)
    assert of(settings, "ETH-USDT").imbalance == -0.6
    assert of(settings).acceleration == -0.001


def test_a_kernel_without_settings_of_its_own_has_those_of_the_readme() -> None:
    readme = of(DetectorSettings(profile=DetectorProfile.README))
    assert readme == MarketSettings(minimum_liquidity=readme.minimum_liquidity)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("confirm_ms", 1_200, "at least jitter_ms"),
        ("warm_up_s", 400, "at most baseline_window_s"),
        ("obi_levels", 21, "at most depth_levels"),
        ("obi_threshold", Decimal("0.6"), "less than 0"),
    ],
)
def test_thresholds_that_cannot_be_are_refused(name: str, value: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        DetectorThresholds.model_validate({name: value})


def test_every_threshold_of_an_instrument_is_one_of_the_profile() -> None:
    assert set(InstrumentThresholds.model_fields) <= set(DetectorThresholds.model_fields)
    assert set(OptimizedThresholds.model_fields) == set(DetectorThresholds.model_fields)
