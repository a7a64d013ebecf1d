"""What is searched: the documented values, settings by their names, and what cannot be searched."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from config.loading import Loaded, load_with_origins
from config.settings import Settings
from market.errors import Rejected
from orchestrator.optimizer.space import Parameter, documented_space, settings_with, space_of
from tests.orchestrator.optimizer.market import PROFILE

CRASH = """
extends = "demo"

[strategies]
active = ["flash-crash"]

[strategies.flash_crash.markets.btc]
instrument = "BTC"
venue = "binance-usdm"
capital_quote = 10_000
"""


def loaded_from(folder: Path, text: str, *, local: str = "", environment: dict[str, str] | None = None) -> Loaded:
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    over = folder / "tickwire.local.toml"
    if local:
        over.write_text(local, encoding="utf-8")
    return load_with_origins(folder / "mine.toml", local=over if local else None, environment=environment or {})


def space_in(folder: Path, text: str) -> tuple[Parameter, ...]:
    loaded = loaded_from(folder, text)
    return space_of(loaded, loaded.settings)


@pytest.mark.parametrize("profile", ["readme", "optimized"])
def test_the_flash_crash_trader_has_the_documented_space(profile: str, tmp_path: Path) -> None:
    found = space_in(tmp_path, f'{CRASH}\n[detector]\nprofile = "{profile}"\n')
    searched = {each.setting: [str(value) for value in each.choices] for each in found}
    assert searched == {
        f"detector.{profile}.volatility_multiplier": ["2.0", "2.5", "3.0"],
        f"detector.{profile}.volatility_absolute_threshold": ["0.003", "0.004", "0.005"],
        f"detector.{profile}.acceleration_threshold": ["-0.001", "-0.002", "-0.003"],
        f"detector.{profile}.obi_threshold": ["-0.5", "-0.6", "-0.7"],
        f"detector.{profile}.recovery_confirm_ms": ["2000", "3000", "5000"],
        f"detector.{profile}.violent_range_threshold": ["0.004", "0.005", "0.006"],
        f"strategies.flash_crash.{profile}.range_samples": ["300", "500", "700"],
        f"strategies.flash_crash.{profile}.extremum_window_s": ["3", "5", "7"],
        f"strategies.flash_crash.{profile}.concurrent_trades": ["5", "10", "15"],
        f"strategies.flash_crash.{profile}.minimum_range": ["0.003", "0.005", "0.007"],
        f"strategies.flash_crash.{profile}.stop_loss": ["0.015", "0.02", "0.025"],
        f"strategies.flash_crash.{profile}.maximum_hold_ms": ["15000", "20000", "25000"],
    }


def test_every_documented_value_is_one_that_the_settings_take(tmp_path: Path) -> None:
    settings = loaded_from(tmp_path, CRASH).settings
    for parameter in documented_space(settings):
        for value in parameter.choices:
            changed = settings_with(settings, {parameter.setting: value})
            current: object = changed
            for name in parameter.setting.split("."):
                current = getattr(current, name)
            assert current == value
            assert isinstance(current, int | Decimal)


def test_settings_without_values_are_as_they_were(tmp_path: Path) -> None:
    settings = loaded_from(tmp_path, PROFILE).settings
    assert settings_with(settings, {}) == settings
    assert isinstance(settings_with(settings, {}), Settings)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("strategies.market_making.spraed", "nearest is strategies.market_making.spread"),
        ("strategies.flash_crash.markets.btc.stop_loss", "there is no strategies.flash_crash.markets.btc"),
        ("strategies.market_making", "must be a number"),
        ("strategies.active", "must be a number"),
        ("risk.nothing.here", "there is no risk.nothing"),
        ("strategies.market_making.vpin_limit", "cannot have one of the values"),
    ],
)
def test_a_setting_that_cannot_be_searched_is_named(setting: str, said: str, tmp_path: Path) -> None:
    text = PROFILE.replace("strategies.market_making.microprice_weight", setting).replace("[0, 0.5, 1]", "[0, 0.5, 9]")
    with pytest.raises(Rejected, match=r"optimizer\.space\.weight\.setting was") as caught:
        space_in(tmp_path, text)
    assert said in str(caught.value)


def test_other_strategies_must_say_what_is_searched(tmp_path: Path) -> None:
    text = PROFILE[: PROFILE.index("[optimizer.space.spread]")]
    with pytest.raises(Rejected, match="market-making runs: only the flash-crash trader alone"):
        space_in(tmp_path, text)


@pytest.mark.parametrize(
    ("local", "environment", "source"),
    [
        ("[strategies.market_making]\nspread = 0.001\n", {}, "tickwire.local.toml"),
        ("", {"TICKWIRE__STRATEGIES__MARKET_MAKING__SPREAD": "0.001"}, "TICKWIRE__STRATEGIES__MARKET_MAKING__SPREAD"),
    ],
)
def test_what_lies_over_every_profile_is_not_searched(
    local: str, environment: dict[str, str], source: str, tmp_path: Path
) -> None:
    loaded = loaded_from(tmp_path, PROFILE, local=local, environment=environment)
    with pytest.raises(Rejected, match=source):
        space_of(loaded, loaded.settings)
