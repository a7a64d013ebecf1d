"""Loading settings: layers, where a value comes from, and mistakes that name file, key, value and what is allowed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from config.engine import BackEnd
from config.errors import SettingsError
from config.execution import Mode
from config.instruments import Kind
from config.loading import find_profile, load_settings, load_with_origins, local_override, profile_names
from config.venues import VenueName

KEYS = {"BINANCE_API_KEY": "public-half", "BINANCE_API_SECRET": "hidden-half"}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def mistake(**variables: str) -> str:
    """The error text of the demo profile under ``TICKWIRE__...`` variables."""
    environment = {f"TICKWIRE__{name}": value for name, value in variables.items()}
    with pytest.raises(SettingsError) as caught:
        load_settings("demo", environment=environment)
    return str(caught.value)


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_is_valid(name: str) -> None:
    settings = load_settings(name, environment=KEYS)
    assert settings.venues
    assert settings.instruments


def test_the_shipped_profiles_have_the_modes_of_their_names() -> None:
    modes = {name: load_settings(name, environment=KEYS).execution.mode for name in profile_names()}
    assert modes == {
        "backtest": Mode.BACKTEST,
        "demo": Mode.BACKTEST,
        "flash-crash": Mode.BACKTEST,
        "live": Mode.LIVE,
        "paper": Mode.PAPER,
        "simulated": Mode.BACKTEST,
    }


def test_the_demo_profile_describes_the_recorded_markets() -> None:
    settings = load_settings("demo")
    assert list(settings.venues) == [VenueName.BINANCE_SPOT, VenueName.BINANCE_USDM, VenueName.BINANCE_CM]
    perpetual = settings.instruments["BTC"].markets[VenueName.BINANCE_CM]
    assert perpetual.symbol == "BTCUSD_PERP"
    assert perpetual.contract_value_quote == 100
    assert settings.instruments["ETH"].markets[VenueName.BINANCE_CM].contract_value_quote == 10
    assert [market.price_decimals for market in settings.instruments["BTC"].markets.values()] == [2, 1, 1]
    assert [market.price_decimals for market in settings.instruments["ETH"].markets.values()] == [2, 2, 2]


def test_numbers_are_exact_as_written(tmp_path: Path) -> None:
    local = write(tmp_path, "local.toml", "[instruments.BTC]\nreference_price = 61700.123456789012345\n")
    assert load_settings("demo", local=local).instruments["BTC"].reference_price == Decimal("61700.123456789012345")


def test_layers_lie_over_each_other(tmp_path: Path) -> None:
    local = write(
        tmp_path, "local.toml", "[engine]\nlease_ms = 250\nprice_bits = 47\n[venues.binance-cm]\nenabled = false\n"
    )
    variables = {"TICKWIRE__ENGINE__LEASE_MS": "125", "tickwire__engine__lease_ms": "1"}
    loaded = load_with_origins("demo", local=local, environment=variables)
    assert loaded.settings.engine.lease_ms == 125
    assert loaded.settings.engine.price_bits == 47
    assert not loaded.settings.venues[VenueName.BINANCE_CM].enabled
    assert loaded.settings.venues[VenueName.BINANCE_CM].taker_fee_bps == 5
    assert loaded.origins["engine", "lease_ms"] == "environment variable TICKWIRE__ENGINE__LEASE_MS"
    assert loaded.origins["engine", "price_bits"] == str(local)
    assert loaded.origins["engine", "instruments"] == str(find_profile("demo"))
    assert ("paths", "output") not in loaded.origins


def test_a_profile_extends_another_one(tmp_path: Path) -> None:
    write(tmp_path, "base.toml", 'extends = "demo"\n[engine]\nlease_ms = 7\n')
    mine = write(tmp_path, "mine.toml", 'extends = "base.toml"\n[engine]\nback_end = "soft-fpga"\n')
    settings = load_settings(mine)
    assert settings.engine.lease_ms == 7
    assert settings.engine.back_end is BackEnd.SOFT_FPGA
    assert "BTC" in settings.instruments


def test_a_circle_of_profiles_is_named(tmp_path: Path) -> None:
    first = write(tmp_path, "first.toml", 'extends = "second.toml"\n')
    write(tmp_path, "second.toml", 'extends = "first.toml"\n')
    with pytest.raises(SettingsError, match=r"first.toml: extends makes a circle: .*first.toml -> .*second.toml -> "):
        load_settings(first)


def test_settings_are_immutable() -> None:
    settings = load_settings("demo")
    with pytest.raises(ValidationError, match="frozen"):
        settings.engine.lease_ms = 5


def test_the_local_file_is_found_beside_the_working_directory(tmp_path: Path) -> None:
    assert local_override(tmp_path) is None
    local = write(tmp_path, "tickwire.local.toml", "")
    assert local_override(tmp_path) == local


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[engine]\nlease_ms = \n", "bad.toml: is not TOML: Invalid value (at line 2, column 12)"),
        ("[engine\n", "bad.toml: is not TOML: Expected ']' at the end of a table declaration (at line 1, column 8)"),
        ("[engine]\nlease_ms = 0\n", "bad.toml: engine.lease_ms was 0: must be greater than or equal to 1"),
        ("[engine]\nlease_ms = true\n", "bad.toml: engine.lease_ms was true: must be a valid integer"),
        ("[engine]\nlease_ms = 1.5\n", "bad.toml: engine.lease_ms was 1.5: must be a valid integer"),
        (
            '[engine]\nback_end = "gpu"\n',
            "bad.toml: engine.back_end was \"gpu\": must be 'cpu', 'cpu-process', 'soft-fpga' or 'fpga'",
        ),
        (
            "[engine]\nleese_ms = 5\n",
            "bad.toml: engine.leese_ms is not a known setting; the nearest is engine.lease_ms",
        ),
        (
            "[venues.binance-sopt]\nenabled = true\n",
            "bad.toml: venues.binance-sopt is not a known name; the nearest is venues.binance-spot",
        ),
        ("engine = 5\n", "bad.toml: engine was 5: must be a table of settings"),
        (
            "[venues.okx]\ntaker_fee_bps = 1\n",
            "bad.toml: venues.okx.maker_fee_bps is missing: it has no default and must be set",
        ),
        ("[venues.binance-spot]\nenabled = 1\n", "bad.toml: venues.binance-spot.enabled was 1: must be true or false"),
        (
            '[venues.binance-spot]\ntaker_fee_bps = "5"\n',
            'bad.toml: venues.binance-spot.taker_fee_bps was "5": must be a number without quotes',
        ),
        (
            "[venues.binance-spot]\ntaker_fee_bps = nan\n",
            "bad.toml: venues.binance-spot.taker_fee_bps was NaN: must be a finite number",
        ),
        (
            "[venues.binance-spot]\ntaker_fee_bps = 625\n",
            "bad.toml: venues.binance-spot.taker_fee_bps was 625: must be less than or equal to 624",
        ),
        ('extends = "live"\n', "bad.toml: extends is for profiles only; a local file overrides any"),
        (
            '[instruments.BTC.markets.binance-spot]\nsymbol = "BTC USDT"\n',
            'bad.toml: instruments.BTC.markets.binance-spot.symbol was "BTC USDT": must match pattern',
        ),
    ],
)
def test_a_mistake_in_a_file_names_file_key_value_and_what_is_allowed(tmp_path: Path, text: str, expected: str) -> None:
    local = write(tmp_path, "bad.toml", text)
    with pytest.raises(SettingsError) as caught:
        load_settings("demo", local=local)
    lines = str(caught.value).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(str(tmp_path / expected))


def test_all_mistakes_are_listed_at_once(tmp_path: Path) -> None:
    local = write(tmp_path, "bad.toml", '[engine]\nlease_ms = 0\nback_end = "x"\n[replay]\nworkers = 0\n')
    with pytest.raises(SettingsError) as caught:
        load_settings("demo", local=local)
    assert [problem.key for problem in caught.value.problems] == [
        "engine.back_end",
        "engine.lease_ms",
        "replay.workers",
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"absent.toml: there is no such file"):
        load_settings(tmp_path / "absent.toml")
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        load_settings(tmp_path)
    (tmp_path / "latin.toml").write_bytes(b"[engine]\n# caf\xe9\n")
    with pytest.raises(SettingsError, match=r"latin.toml: line 2: must be UTF-8 text"):
        load_settings(tmp_path / "latin.toml")


def test_an_unknown_profile_lists_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="did you mean paper\\? there are backtest, demo, flash-crash, live, paper"):
        load_settings("papper")


def test_rules_between_settings_name_every_value() -> None:
    assert mistake(INSTRUMENTS__BTC__MINIMUM_QUANTITY="0.06") == (
        "environment variable TICKWIRE__INSTRUMENTS__BTC__MINIMUM_QUANTITY + "
        f"{find_profile('demo')}: instruments.BTC.minimum_quantity was 0.06: must be at most maximum_quantity = 0.05"
    )
    notional = mistake(INSTRUMENTS__BTC__MAXIMUM_QUANTITY="0.06")
    assert "environment variable TICKWIRE__INSTRUMENTS__BTC__MAXIMUM_QUANTITY" in notional
    assert "instruments.BTC.maximum_notional_quote was 3200: must be at least 3813.06" in notional
    assert "engine.rate_tolerance_us was 620001: must be at most 62 x rate_interval_us = 620000" in mistake(
        ENGINE__RATE_TOLERANCE_US="620001"
    )
    assert "engine.venues was 2: must be at least 3" in mistake(ENGINE__VENUES="2")
    assert "price_decimals was 9: must be at most 8" in mistake(
        INSTRUMENTS__BTC__MARKETS__BINANCE_SPOT__PRICE_DECIMALS="9"
    )
    assert "instruments.BTC.markets.binance-spot.message_price_exponent was -5: must be -9 to -6" in mistake(
        INSTRUMENTS__BTC__MARKETS__BINANCE_SPOT__MESSAGE_PRICE_EXPONENT="-5"
    )
    assert "instruments.BTC.markets.binance-spot.leads names okx: must be another venue of this instrument" in mistake(
        INSTRUMENTS__BTC__MARKETS__BINANCE_SPOT__LEADS='["okx"]'
    )
    assert "instruments.BTC.markets.binance-spot.contract_size_base was 0.02: must be a power of ten" in mistake(
        INSTRUMENTS__BTC__MARKETS__BINANCE_SPOT__CONTRACT_SIZE_BASE="0.02"
    )
    assert "contract_size_base was 10: must be 1 where contract_value_quote, here 100, says what" in mistake(
        INSTRUMENTS__BTC__MARKETS__BINANCE_CM__CONTRACT_SIZE_BASE="10"
    )
    assert (
        "instruments.BTC.price_exponent was -9: must be higher, 40 bits hold a price up to 1099.511627775"
        in mistake(ENGINE__PRICE_BITS="40")
    )
    assert 'instruments.ETH.markets.binance-spot.symbol was "BTCUSDT"' in mistake(
        INSTRUMENTS__ETH__MARKETS__BINANCE_SPOT__SYMBOL="BTCUSDT"
    ).replace("'", '"')


def test_a_market_needs_its_venue(tmp_path: Path) -> None:
    local = write(
        tmp_path,
        "bad.toml",
        '[instruments.BTC.markets.okx]\nsymbol = "BTC-USDT"\nprice_decimals = 1\nquantity_decimals = 8\n',
    )
    with pytest.raises(SettingsError, match=r"instruments.BTC.markets.okx has no venues.okx: must be one of"):
        load_settings("demo", local=local)


def test_live_trading_needs_keys_and_paper_does_not() -> None:
    load_settings("paper")
    with pytest.raises(SettingsError, match="needs BINANCE_API_KEY and BINANCE_API_SECRET in the environment"):
        load_settings("live")
    with pytest.raises(SettingsError, match="needs BINANCE_API_SECRET in the environment"):
        load_settings("live", environment={"BINANCE_API_KEY": "x", "BINANCE_API_SECRET": " "})
    assert load_settings("live", environment=KEYS).execution.mode is Mode.LIVE


def test_secrets_in_a_file_are_refused_without_showing_them(tmp_path: Path) -> None:
    local = write(tmp_path, "local.toml", 'binance_api_secret = "hidden-half"\n')
    with pytest.raises(SettingsError) as caught:
        load_settings("demo", local=local)
    assert "binance_api_secret is not a known setting" in str(caught.value)
    assert "hidden-half" not in str(caught.value)
    assert "hidden-half" not in repr(load_settings("live", environment=KEYS))


@given(
    reference=st.decimals("0.0001", "100000", places=4),
    collar=st.decimals("0.01", "99.99", places=2),
    quantity=st.decimals("0.0001", "1000", places=4),
    missing=st.integers(0, 1),
)
@hypothesis_settings(derandomize=True, deadline=None, max_examples=30)
def test_the_notional_bound_is_exact(reference: Decimal, collar: Decimal, quantity: Decimal, missing: int) -> None:
    largest = reference * (100 + collar) / 100 * quantity
    notional = largest - missing * Decimal("1e-12")
    variables = {
        "REFERENCE_PRICE": reference,
        "COLLAR_PCT": collar,
        "MINIMUM_QUANTITY": quantity,
        "MAXIMUM_QUANTITY": quantity,
        "MAXIMUM_NOTIONAL_QUOTE": notional,
    }
    environment = {f"TICKWIRE__INSTRUMENTS__BTC__{name}": f"{value:f}" for name, value in variables.items()}
    if missing:
        with pytest.raises(SettingsError, match="maximum_notional_quote"):
            load_settings("demo", environment=environment)
    else:
        btc = load_settings("demo", environment=environment).instruments["BTC"]
        assert btc.price_low < btc.reference_price < btc.price_high
        assert btc.kinds == (Kind.ARB, Kind.BASIS)
