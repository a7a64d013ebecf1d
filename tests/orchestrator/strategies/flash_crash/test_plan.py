"""Traders as the settings describe them: the detector's profile, thresholds of single markets, counts."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from config.errors import SettingsError
from config.flash_crash import FlashCrashThresholds
from config.loading import load_settings
from config.settings import Settings
from market.errors import Fatal
from orchestrator.run_loop.catalogue import catalogue
from orchestrator.strategies.assembly import strategies
from orchestrator.strategies.flash_crash.parameters import FlashCrashParameters
from orchestrator.strategies.flash_crash.plan import flash_crash_parameters, flash_crash_traders
from orchestrator.strategies.sizing import FullSize

PROFILE = """
extends = "demo"
[strategies]
active = ["flash-crash"]
[strategies.flash_crash.markets.btc]
instrument = "BTC"
venue = "binance-usdm"
capital_quote = 10_000
minimum_volume = 0.5
[strategies.flash_crash.markets.eth]
instrument = "ETH"
venue = "binance-spot"
capital_quote = 5_000
stop_loss = 0.05
maximum_hold_ms = 7_000
minimum_range = 0.001
volume_multiple = 3
entry_score = 55
"""


def loaded(folder: Path, text: str = PROFILE) -> Settings:
    (folder / "profile.toml").write_text(text, encoding="utf-8")
    return load_settings(folder / "profile.toml", local=None, environment={})


def parameters(settings: Settings, name: str, place: tuple[int, int]) -> FlashCrashParameters:
    market = settings.strategies.flash_crash.markets[name]
    return flash_crash_parameters(settings, market, catalogue(settings).listing(*place))


def test_the_optimized_profile_is_the_documents(tmp_path: Path) -> None:
    found = parameters(loaded(tmp_path), "btc", (0, 1))
    entry, exits = found.entry, found.exits
    assert (entry.entry_ppm, entry.exit_ppm, entry.range_samples, entry.extremum_seconds) == (200_000, 800_000, 300, 3)
    assert (entry.concurrent, entry.minimum_range_ppm, entry.score) == (3, 5_000, 70.0)
    assert (entry.cooldown_ns, entry.loss_cooldown_ns) == (5 * 10**9, 10 * 10**9)
    assert (entry.volume_multiple_ppm, entry.volume_seconds, entry.minimum_volume) == (2_000_000, 60, 5 * 10**8)
    assert (exits.stop_ppm, exits.maximum_hold_ns, exits.gap_ppm, exits.exits_bearish) == (
        25_000,
        20 * 10**9,
        1_000,
        True,
    )
    assert (found.size.capital, found.size.share_ppm) == (10_000 * 10**18, 333_300)
    assert (found.price_unit, found.quantity_unit) == (10**8, 10**6)
    assert (found.size.maximum_quantity, found.size.maximum_notional) == (5 * 10**7, 3_200 * 10**18)


def test_the_readme_profile_has_neither_stop_nor_time(tmp_path: Path) -> None:
    found = parameters(loaded(tmp_path, PROFILE + '[detector]\nprofile = "readme"\n'), "btc", (0, 1))
    assert found.entry.range_samples == 1_000
    assert found.entry.minimum_range_ppm == 0
    exits = found.exits
    assert (exits.stop_ppm, exits.maximum_hold_ns, exits.gap_ppm, exits.reversal_ppm, exits.trailing_ppm) == (0,) * 5
    assert not exits.exits_bearish
    assert not exits.decay_after_ns


def test_a_market_may_differ(tmp_path: Path) -> None:
    found = parameters(loaded(tmp_path), "eth", (1, 0))
    assert (found.exits.stop_ppm, found.exits.maximum_hold_ns) == (50_000, 7 * 10**9)
    assert (found.entry.minimum_range_ppm, found.entry.volume_multiple_ppm) == (1_000, 3_000_000)
    assert (found.entry.score, found.entry.lowered_score) == (55.0, 55.0)


def test_each_market_has_its_trader(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    made = strategies(settings, catalogue(settings), FullSize())
    assert [trader.tag for trader in made] == ["fc0_1", "fc1_0"]
    assert [sorted(trader.wakes.quotes) for trader in made] == [[(0, 1)], [(1, 0)]]


def test_a_market_that_is_not_listed_is_refused(tmp_path: Path) -> None:
    settings = loaded(tmp_path, PROFILE.replace('"ETH"', '"DOGE"'))
    with pytest.raises(Fatal, match=r"markets\.eth names DOGE on binance-spot"):
        flash_crash_traders(settings, catalogue(settings), FullSize())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('extends = "demo"\n[strategies]\nactive = ["flash-crash"]\n', "flash_crash.markets must say"),
        (PROFILE.replace('"ETH"', '"BTC"').replace("binance-spot", "binance-usdm"), "names a market twice"),
        (PROFILE + "[strategies.flash_crash.optimized]\nentry_percentile = 0.95\n", "below the second"),
        (PROFILE + "[strategies.flash_crash.optimized]\nlowered_entry_score = 80\n", "at most entry_score"),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        loaded(tmp_path, text)


def test_percentiles_may_lie_anywhere_in_order() -> None:
    assert FlashCrashThresholds(entry_percentile=Decimal("0.1"), exit_percentile=Decimal("0.2")).exit_percentile
