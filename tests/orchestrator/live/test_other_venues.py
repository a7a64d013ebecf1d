"""Venues besides Binance on paper, end to end: a recorded session over ccxt.pro, and datagrams."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from config.credentials import Credentials
from config.execution import Mode
from config.loading import load_settings
from market.errors import Fatal
from market.orders.events import Filled
from market.wire.sbe import encode
from orchestrator.cli.entry import main
from orchestrator.live.feeds import traded_venues
from orchestrator.live.session import RunPlan, live_session
from orchestrator.storage.journal_folder import journal_path
from orchestrator.storage.journal_reader import read_journal
from orchestrator.storage.records import EventWritten
from sim.exchange.venue.model import UNIT
from sim.feed.session_frames import read_session
from sim.feed.session_server import SessionServer, served
from tests.orchestrator.feeds.test_datagrams import SCHEMA

PATIENCE_S: Final = 90.0
_TIME: Final = re.compile(r"20\d\d-\d\d-\d\dT[\d:.]+Z")
BINANCE: Final = ("binance-spot", "binance-usdm", "binance-cm")
MAKER: Final = """
extends = "demo"
{others}[venues.{venue}]
enabled = true
taker_fee_bps = 10
maker_fee_bps = 0
maximum_age_ms = 20_000
maximum_silence_ms = 20_000
[feeds]
silence_ms = 20_000
delay_ms = 0
{feed}
[instruments.{instrument}]
kinds = ["arb"]
reference_price = {price}
minimum_quantity = 0.001
maximum_quantity = 0.05
maximum_notional_quote = 5_000
collar_pct = 50
position_limit = 5
[instruments.{instrument}.markets.{venue}]
symbol = "{symbol}"
price_decimals = 2
quantity_decimals = {quantity_decimals}
[strategies]
active = ["market-making"]
[strategies.market_making]
instrument = "{instrument}"
venue = "{venue}"
quantity = 0.01
inventory_limit = 0.5
spread = 0.0002
repost_bps = 20
vpin_bucket = 1
maximum_quote_age_ms = 20_000
wide_spread_bps = 1_000
volatility_limit_bps = 1_000
[paper]
latency_ms = 0
[execution]
mode = "paper"
[risk.guards]
minimum_liquidity_quote = 1
maximum_feed_latency_ms = {latency}
maximum_feed_silence_ms = 20_000
maximum_order_latency_ms = 20_000
clear_after_ms = 0
[bus]
enabled = false
[storage]
journal = "{folder}/journal"
database_url = "sqlite:///{folder}/tickwire.db"
"""


def profile(folder: Path, venue: str, instrument: str, symbol: str, feed: str, **values: Any) -> Path:
    """A profile that makes a market on one venue."""
    file = folder / "profile.toml"
    others = "".join(f"[venues.{name}]\nenabled = false\n" for name in BINANCE if name != venue)
    filled = {"others": others, "price": 60_000, "quantity_decimals": 8, "latency": 60_000} | values
    text = MAKER.format(venue=venue, instrument=instrument, symbol=symbol, feed=feed, folder=folder, **filled)
    file.write_text(text, encoding="utf-8")
    return file


@contextmanager
def kraken(data: Path) -> Iterator[SessionServer]:
    """The recorded session as if it ended just now, so slow that it lasts for the run."""
    session = read_session(data / "feeds" / "KRAKEN.jsonl.zst")
    since = datetime.now(UTC) - datetime.fromtimestamp(session.frames[-1].time_ns / 1e9, UTC)

    def later(stamp: re.Match[str]) -> str:
        return (datetime.fromisoformat(stamp[0]) + since).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    frames = tuple(replace(frame, text=_TIME.sub(later, frame.text)) for frame in session.frames)
    with served(SessionServer(replace(session, frames=frames), pause_s=0.01)) as server:
        yield server


def kraken_profile(folder: Path, server: SessionServer) -> Path:
    streams = server.ws_url.removesuffix("/ws")
    feed = (
        f'[venues.kraken.addresses]\nhttp = "{server.http_url}"\nstreams = "{streams}"\n'
        '[feeds.sources.kraken]\nform = "ccxt"\nccxt_depth = 1_000\n'
    )
    return profile(folder, "kraken", "XMR", "XMR/USD", feed, price=350)


def test_paper_on_a_recorded_session_of_kraken(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with kraken(data) as server:
        file = kraken_profile(tmp_path, server)
        code = paper_until_filled(file)
    result = told(capsys, "kraken over ccxt at http://127.0.0.1")
    assert code == 0
    assert result["counts"]["events"] > 20
    assert result["orders"]["FILLED"] >= 1
    assert [market["market"] for market in result["markets"]] == ["XMR/USD on kraken"]


def paper_until_filled(file: Path) -> int:
    """``tickwire paper``, interrupted once an order was filled; gives its exit code."""
    ended = threading.Event()

    def interrupt() -> None:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end and not ended.wait(0.1):
            if is_filled(journal_path(file.parent / "journal", 1)):
                break
        if not ended.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    watcher = threading.Thread(target=interrupt)
    watcher.start()
    try:
        return main(["paper", "--profile", str(file), "--json"])
    finally:
        ended.set()
        watcher.join()


def is_filled(journal: Path) -> bool:
    """Whether a fill is written down."""
    if not journal.exists():
        return False
    events = [record.event for record in read_journal(journal).records if isinstance(record, EventWritten)]
    return any(isinstance(event, Filled) for event in events)


def told(capsys: pytest.CaptureFixture[str], text: str) -> dict[str, Any]:
    """What a run said in the end, and what before it."""
    captured = capsys.readouterr()
    assert text in captured.err
    result: dict[str, Any] = json.loads(captured.out)
    assert "ended" in result, captured.err
    assert not result["counts"]["contradictions"]
    return result


def best_prices(update: int, bid: int) -> bytes:
    """A datagram with best prices of one coin each, a dollar apart; ``bid`` in dollars."""
    prices = {"bidPrice": bid * UNIT, "bidQty": UNIT, "askPrice": (bid + 1) * UNIT, "askQty": UNIT}
    common = {"eventTime": time.time_ns() // 1_000, "bookUpdateId": update, "priceExponent": -8, "qtyExponent": -8}
    return encode(SCHEMA, "BestBidAskStreamEvent", common | prices | {"symbol": "BTCUSDT"})


@contextmanager
def datagrams() -> Iterator[int]:
    """Best prices that go up and down by a percent, to a port of this machine, while the block runs."""
    ended = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            update = 0
            while not ended.wait(0.02):
                update += 1
                # Nobody listens at first and in the end: a datagram is then refused, or lost.
                with suppress(ConnectionRefusedError):
                    sender.sendto(best_prices(update, 60_000 + abs(update % 40 - 20) * 30), ("127.0.0.1", port))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield port
    finally:
        ended.set()
        thread.join()


def test_paper_on_datagrams(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with datagrams() as port:
        feed = f'[feeds.sources.binance-spot]\nform = "udp"\nudp.port = {port}\n'
        file = profile(tmp_path, "binance-spot", "BTC", "BTCUSDT", feed, quantity_decimals=5)
        code = paper_until_filled(file)
    result = told(capsys, f"binance-spot over udp 127.0.0.1:{port} (market data only)")
    assert code == 0
    assert result["orders"]["FILLED"] >= 1


def test_real_orders_are_refused_where_they_cannot_be_sent(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BINANCE_API_KEY", "k" * 64)
    monkeypatch.setenv("BINANCE_API_SECRET", "s" * 64)
    with kraken(data) as server:
        file = kraken_profile(tmp_path, server)
        settings = load_settings(file, environment={})
    assert main(["live", "--profile", str(file), "--i-understand-the-risk"]) == 1
    assert "trade there with `tickwire paper`, or set enabled = false" in capsys.readouterr().err
    assert not (tmp_path / "journal").exists()
    assert traded_venues(settings, Mode.PAPER) == ["kraken"]
    with pytest.raises(Fatal, match=r"cannot be sent to kraken; expected venues of binance-spot, binance-usdm"):
        traded_venues(settings, Mode.LIVE)


def test_a_venue_without_described_market_data_is_left_out(tmp_path: Path) -> None:
    settings = load_settings(profile(tmp_path, "kraken", "XMR", "XMR/USD", "", price=350), environment={})
    with (
        pytest.raises(Fatal, match=r"no venue of the settings can be traded on live.*\[feeds.sources\]"),
        live_session(settings, Credentials(), RunPlan(mode=Mode.PAPER), print),
    ):
        pass
