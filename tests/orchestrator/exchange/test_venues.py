"""Venues of the simulated exchange follow the settings."""

from __future__ import annotations

import pytest

from config.loading import load_settings
from config.settings import Settings
from market.errors import Fatal
from orchestrator.exchange.venues import account_keys, served_venues
from sim.exchange.venue.kinds import CommissionAsset, MarketKind
from sim.exchange.venue.model import UNIT

START_NS = 1_800_000_000 * 10**9


def settings(**exchange: object) -> Settings:
    return load_settings("demo").model_copy(
        update={"exchange": type(load_settings("demo").exchange).model_validate(exchange)}
    )


def test_the_profiles_venues_are_simulated_with_their_symbols_and_fees() -> None:
    spot, futures = served_venues(settings(), START_NS)
    assert (spot.name, futures.name) == ("binance-spot", "binance-usdm")
    model = spot.venue.model
    assert (model.kind, model.maker_ppb, model.taker_ppb) == (MarketKind.SPOT, 500_000, 1_000_000)
    assert [symbol.symbol for symbol in model.symbols] == ["BTCUSDT", "ETHUSDT"]
    bitcoin = model.symbols[0]
    assert (bitcoin.base_asset, bitcoin.quote_asset) == ("BTC", "USDT")
    assert (bitcoin.tick_units, bitcoin.lot_units) == (UNIT // 100, 1_000)
    assert bitcoin.reference_ticks == 6_170_000
    assert futures.venue.model.kind is MarketKind.USD_MARGINED
    assert futures.venue.model.symbols[0].lot_units == UNIT // 1_000


def test_the_account_has_what_the_settings_say() -> None:
    spot, futures = served_venues(settings(quote_balance=5_000, base_balance=2, account="ada"), START_NS)
    held = {balance.asset: balance.total_units for balance in spot.venue.account("ada").balances}
    assert held == {"USDT": 5_000 * UNIT, "BTC": 2 * UNIT, "ETH": 2 * UNIT}
    assert {balance.asset for balance in futures.venue.account("ada").balances} == {"USDT"}


def test_venues_lead_and_lag() -> None:
    wanted = {
        "binance-spot": {"request_us": 500, "answer_us": 300, "publish_us": 200, "port": 1234},
        "binance-usdm": {"lag_ms": 40, "basis_bps": 3},
    }
    spot, futures = served_venues(settings(venues=wanted, commission="quote"), START_NS)
    assert (spot.latency.request_ns, spot.latency.answer_ns, spot.latency.publish_ns) == (500_000, 300_000, 200_000)
    assert (spot.port, futures.port) == (1234, 0)
    assert spot.venue.model.commission_asset is CommissionAsset.QUOTE
    backgrounds = [served.venue.model.symbols[0].background for served in (spot, futures)]
    assert [(one.lag_ns, one.basis_bps) for one in backgrounds if one] == [(0, 0), (40_000_000, 3)]
    assert len({one.stream for one in backgrounds if one}) == 2
    assert len({one.seed for one in backgrounds if one}) == 1
    ether = spot.venue.model.symbols[1].background
    assert ether is not None
    assert ether.seed not in {one.seed for one in backgrounds if one}


def test_ports_follow_the_first() -> None:
    assert [served.port for served in served_venues(settings(), START_NS, first_port=9_000)] == [9_000, 9_001]


def test_keys_follow_the_seed() -> None:
    first, again, other = (account_keys(settings(seed=seed).exchange) for seed in (1, 1, 2))
    assert first == again
    assert {key.key for key in first}.isdisjoint(key.key for key in other)


def test_a_profile_without_such_a_venue_is_refused() -> None:
    whole = load_settings("demo")
    venues = {name: venue for name, venue in whole.venues.items() if "cm" in str(name)}
    with pytest.raises(Fatal, match="can be simulated"):
        served_venues(whole.model_copy(update={"venues": venues}), START_NS)
    with pytest.raises(Fatal, match="trades nothing"):
        served_venues(whole.model_copy(update={"instruments": {}}), START_NS)
