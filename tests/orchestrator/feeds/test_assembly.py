"""Sources as the settings ask for them: addresses, streams, limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import SettingsError
from config.loading import load_settings
from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal
from orchestrator.feeds.assembly import feed_limits, source_plan
from orchestrator.feeds.ccxt_source import CcxtPlan
from orchestrator.feeds.datagram_source import DatagramPlan
from orchestrator.feeds.line_plan import LinePlan
from orchestrator.feeds.sbe_plan import SbePlan

SPOT, USDM = VenueName.BINANCE_SPOT, VenueName.BINANCE_USDM


def settings_with(folder: Path, *lines: str) -> Settings:
    path = folder / "profile.toml"
    path.write_text("\n".join(['extends = "demo"', *lines]), encoding="utf-8")
    return load_settings(path)


def test_a_spot_stream_with_its_books(tmp_path: Path) -> None:
    settings = settings_with(tmp_path)
    plan = source_plan(settings, SPOT)
    assert isinstance(plan, LinePlan)
    symbols = [market.symbol for market in plan.markets]
    assert symbols
    (only,) = plan.streams[0]
    names = [f"{symbol.lower()}@{name}" for symbol in symbols for name in ("depth@100ms", "bookTicker", "trade")]
    assert only.url == f"wss://stream.binance.com:9443/stream?streams={'/'.join(names)}"
    assert plan.snapshots[0] == f"https://api.binance.com/api/v3/depth?symbol={symbols[0]}&limit=1000"
    assert not plan.has_reserve
    assert not plan.settings.numbered


def test_futures_publish_aggregated_trades_elsewhere(tmp_path: Path) -> None:
    lines = ["[feeds.sources.binance-usdm]", 'depth = "0ms"', 'trades = "aggregate"', "best_prices = false"]
    plan = source_plan(settings_with(tmp_path, *lines, "reserve = true", "snapshot_levels = 500"), USDM)
    assert isinstance(plan, LinePlan)
    books, trades = plan.streams[0]
    assert books.url.startswith("wss://fstream.binance.com/public/stream?streams=")
    assert "@depth@0ms" in books.url
    assert "bookTicker" not in books.url
    assert trades.url.startswith("wss://fstream.binance.com/market/stream?streams=")
    assert (trades.has_book, trades.silence_s) == (False, 60.0)
    assert plan.has_reserve
    assert plan.streams[1] == plan.streams[0]
    assert plan.snapshots[0].endswith("&limit=500")


def test_addresses_of_a_stand_in(tmp_path: Path) -> None:
    lines = ["[venues.binance-spot.addresses]", 'http = "http://127.0.0.1:1"', 'streams = "ws://127.0.0.1:2"']
    plan = source_plan(settings_with(tmp_path, *lines), SPOT)
    assert isinstance(plan, LinePlan)
    assert plan.streams[0][0].url.startswith("ws://127.0.0.1:2/stream?streams=")
    assert plan.snapshots[0].startswith("http://127.0.0.1:1/api/v3/depth?symbol=")


def test_sbe_streams_with_a_key(tmp_path: Path) -> None:
    plan = source_plan(settings_with(tmp_path, "[feeds.sources.binance-spot]", 'form = "sbe"'), SPOT, sbe_key="k")
    assert isinstance(plan, SbePlan)
    assert plan.stream.url.startswith("wss://stream-sbe.binance.com:9443/stream?streams=")
    assert "@bestBidAsk" in plan.stream.url
    assert plan.stream.headers == {"X-MBX-APIKEY": "k"}


def test_other_forms(tmp_path: Path) -> None:
    plan = source_plan(settings_with(tmp_path, "[feeds.sources.binance-spot]", 'form = "ccxt"', 'ccxt_name = "binance"',
                                     "ccxt_depth = 100", 'trades = "none"'), SPOT)  # fmt: skip
    assert isinstance(plan, CcxtPlan)
    assert (plan.subscribed_depth, plan.has_trades) == (100, False)
    plan = source_plan(settings_with(tmp_path, "[feeds.sources.binance-spot]", 'form = "udp"'), SPOT)
    assert isinstance(plan, DatagramPlan)
    assert plan.address.local.port == 31_950


def test_limits(tmp_path: Path) -> None:
    usual = feed_limits(settings_with(tmp_path), SPOT)
    assert (usual.silence_s, usual.delay_s, usual.snapshot_every_s) == (1.0, 0.5, 10.0)
    assert (usual.backoff.longest_s, usual.backoff.attempts) == (60.0, 10)
    lines = ["[feeds]", "silence_ms = 250", "attempts = 3", "[feeds.sources.binance-spot]", "clock_ahead_ms = -7"]
    changed = feed_limits(settings_with(tmp_path, *lines), SPOT)
    assert (changed.silence_s, changed.backoff.attempts, changed.clock_ahead_ns) == (0.25, 3, -7_000_000)


def test_what_a_venue_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="spot alone"):
        source_plan(settings_with(tmp_path, "[feeds.sources.binance-usdm]", 'form = "sbe"'), USDM)
    with pytest.raises(Fatal, match="no faster stream"):
        source_plan(settings_with(tmp_path, "[feeds.sources.binance-spot]", 'depth = "0ms"'), SPOT)
    with pytest.raises(Fatal, match="no instrument trades on nasdaq"):
        source_plan(settings_with(tmp_path), VenueName.NASDAQ)
    with pytest.raises(SettingsError, match="reserve was true"):
        settings_with(tmp_path, "[feeds.sources.binance-spot]", 'form = "sbe"', "reserve = true")
    with pytest.raises(SettingsError, match="definitions was ''"):
        settings_with(tmp_path, "[feeds.sources.binance-spot.udp]", 'packets = "starbase"')
