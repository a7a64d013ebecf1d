"""Settings from environment variables, and what a ``.env`` file adds to them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from config.credentials import read_credentials
from config.environment import read_environment
from config.errors import SettingsError
from config.instruments import Kind
from config.loading import load_settings
from config.venues import VenueName


def test_names_are_matched_in_any_case_with_underscores_for_hyphens() -> None:
    settings = load_settings(
        "demo",
        environment={
            "TICKWIRE__VENUES__BINANCE_SPOT__TAKER_FEE_BPS": "7.5",
            "TICKWIRE__venues__binance-usdm__taker_fee_bps": "4.5",
            "TICKWIRE__INSTRUMENTS__BTC__KINDS": '["imbalance"]',
            "TICKWIRE__INSTRUMENTS__ETH__MARKETS__BINANCE_CM__SYMBOL": "ETHUSD_241227",
            "TICKWIRE__PATHS__OUTPUT": "/srv/results",
            "TICKWIRE_DATA": "unrelated",
        },
    )
    assert str(settings.venues[VenueName.BINANCE_SPOT].taker_fee_bps) == "7.5"
    assert str(settings.venues[VenueName.BINANCE_USDM].taker_fee_bps) == "4.5"
    assert settings.instruments["BTC"].kinds == (Kind.IMBALANCE,)
    assert settings.instruments["ETH"].markets[VenueName.BINANCE_CM].symbol == "ETHUSD_241227"
    assert settings.paths.output == Path("/srv/results")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("TICKWIRE__ENGINE__LEES_MS", "5", "engine.lees_ms is not a known setting; the nearest is engine.lease_ms"),
        ("TICKWIRE__ENGINE____LEASE_MS", "5", "must be TICKWIRE__SECTION__KEY"),
        ("TICKWIRE__", "5", "must be TICKWIRE__SECTION__KEY"),
        ("TICKWIRE__ENGINE", "5", "engine was 5: must be a table of settings"),
        ("TICKWIRE__ENGINE__LEASE_MS__X", "5", 'engine.lease_ms was {"x": 5}: must be a valid integer'),
        ("TICKWIRE__ENGINE__LEASE_MS", "soon", 'engine.lease_ms was "soon": must be a valid integer'),
        ("TICKWIRE__ENGINE__LEASE_MS", "", 'engine.lease_ms was "": must be a valid integer'),
        ("TICKWIRE__ENGINE__LEASE_MS", "5\nprice_bits = 16", "must be a valid integer"),
    ],
)
def test_a_mistake_names_the_variable(name: str, value: str, expected: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings("demo", environment={name: value})
    text = str(caught.value)
    assert text.startswith(f"environment variable {name}")
    assert expected in text


@given(
    variables=st.dictionaries(
        st.from_regex(r"TICKWIRE__[A-Z_]{0,24}", fullmatch=True), st.text(max_size=20), max_size=3
    )
)
@hypothesis_settings(derandomize=True, deadline=None, max_examples=60)
def test_any_variables_load_or_are_explained(variables: dict[str, str]) -> None:
    try:
        settings = load_settings("demo", environment=variables)
    except SettingsError as error:
        text = str(error)
    else:
        text = settings.execution.mode
    assert text


def test_an_environment_file_is_read_and_the_real_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# keys\n\nexport BINANCE_API_KEY='from file'\nBINANCE_API_SECRET=plain # not part of it\nA=\"x # y\"\nB = 2\n",
        encoding="utf-8",
    )
    found = read_environment(tmp_path, {"B": "outer", "C": "3"})
    assert found == {
        "BINANCE_API_KEY": "from file",
        "BINANCE_API_SECRET": "plain",
        "A": "x # y",
        "B": "outer",
        "C": "3",
    }


def test_without_an_environment_file_the_environment_is_unchanged(tmp_path: Path) -> None:
    assert read_environment(tmp_path, {"B": "1"}) == {"B": "1"}


def test_a_broken_environment_file_names_the_line_and_hides_its_text(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GOOD=1\nBINANCE_API_SECRET hidden-half\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        read_environment(tmp_path, {})
    assert str(caught.value) == f"{tmp_path / '.env'}: line 2: must be NAME=value"
    (tmp_path / ".env").write_bytes(b"SECRET=\xff\n")
    with pytest.raises(SettingsError, match="must be UTF-8 text, byte 7 is not"):
        read_environment(tmp_path, {})


def test_credentials_are_read_and_never_shown() -> None:
    credentials = read_credentials({"BINANCE_API_KEY": "public-half", "BINANCE_API_SECRET": "hidden-half"})
    assert credentials.binance_api_secret is not None
    assert credentials.binance_api_secret.get_secret_value() == "hidden-half"
    assert "half" not in repr(credentials) + str(credentials) + credentials.model_dump_json()
    assert read_credentials({"BINANCE_API_KEY": ""}).binance_api_key is None
