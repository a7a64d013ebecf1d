"""Strategies as the settings describe them, in counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import SettingsError
from config.loading import load_settings
from config.settings import Settings
from market.errors import Fatal
from orchestrator.run_loop.catalogue import catalogue
from orchestrator.strategies.arbitrage import Arbitrage
from orchestrator.strategies.assembly import arbitrage_parameters, market_making_parameters, strategies
from orchestrator.strategies.market_making import MarketMaking
from orchestrator.strategies.sizing import FullSize
from orchestrator.strategies.stock import Stock

PROFILE = """
extends = "demo"
[strategies]
active = ["market-making", "arbitrage"]
[strategies.arbitrage]
safety_margin_bps = 0.5
[strategies.arbitrage.stocks.btc-spot]
instrument = "BTC"
venue = "binance-spot"
base = 0.5
quote = 20_000
[strategies.market_making]
instrument = "BTC"
venue = "binance-usdm"
quantity = 0.01
inventory_limit = 0.05
vpin_bucket = 2
[strategies.market_making.news.speech]
at = 2026-01-01T00:01:00Z
before_s = 60
after_s = 30
"""


def loaded(folder: Path, text: str = PROFILE) -> Settings:
    (folder / "profile.toml").write_text(text, encoding="utf-8")
    return load_settings(folder / "profile.toml")


def test_active_strategies_come_in_their_order(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    made = strategies(settings, catalogue(settings), FullSize())
    assert [type(strategy) for strategy in made] == [MarketMaking, Arbitrage]
    assert strategies(load_settings("demo"), catalogue(settings), FullSize()) == []


def test_money_and_quantities_become_counts(tmp_path: Path) -> None:
    parameters = arbitrage_parameters(loaded(tmp_path))
    assert parameters.stocks == {(0, 0): Stock(base=5 * 10**8, quote=20_000 * 10**18)}
    assert parameters.safety_margin[0] == 3_085_000_000
    assert parameters.taker_fee_ppb == {0: 1_000_000, 1: 500_000, 2: 500_000}


def test_market_making_is_of_one_market(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert settings.strategies.market_making is not None
    parameters = market_making_parameters(settings, settings.strategies.market_making, catalogue(settings))
    assert parameters.market == (0, 1)
    assert (parameters.quoting.quantity, parameters.quoting.inventory_limit) == (10**7, 5 * 10**7)
    assert (parameters.quoting.spread_ppb, parameters.maker_fee_ppb) == (1_000_000, 200_000)
    assert parameters.protection.vpin_bucket_lots == 2_000
    begin_ns = 1_767_225_600 * 10**9
    assert parameters.protection.news == ((begin_ns, begin_ns + 90 * 10**9),)


def test_a_market_that_there_is_not_is_refused(tmp_path: Path) -> None:
    settings = loaded(tmp_path, PROFILE.replace('venue = "binance-usdm"', 'venue = "kraken"'))
    with pytest.raises(Fatal, match="quotes BTC on kraken"):
        strategies(settings, catalogue(settings), FullSize())
    settings = loaded(tmp_path, PROFILE.replace('"BTC"\nvenue = "binance-spot"', '"XRP"\nvenue = "binance-spot"'))
    with pytest.raises(Fatal, match="XRP on binance-spot"):
        arbitrage_parameters(settings)


def test_an_active_market_maker_needs_a_market(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="must say what is quoted"):
        loaded(tmp_path, 'extends = "demo"\n[strategies]\nactive = ["market-making"]\n')
