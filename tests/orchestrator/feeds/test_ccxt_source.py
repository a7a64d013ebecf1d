"""Venues over ccxt.pro, fed with recorded sessions: their books end as the native decoders make them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from market.book.intake import take_records
from market.book.listing import Levels, list_levels
from market.wire.markets import Market
from market.wire.venues import VENUES
from orchestrator.feeds.ccxt_lines import book_line, decimal_text, trade_line
from orchestrator.feeds.ccxt_source import CcxtPlan, exchange_named
from orchestrator.feeds.health import SourceState
from sim.feed.session_frames import read_session
from sim.feed.session_server import SessionServer, served
from sim.replay.source import Route, SourceSettings
from tests.orchestrator.feeds.rig import QUICK, Rig, rig_of
from tests.orchestrator.feeds.test_capture import replayed

SLOW: Final = replace(QUICK, silence_s=20.0, delay_s=0.0, connect_s=20.0)
DEPTH: Final = 10


@dataclass(frozen=True)
class Case:
    """A session, and two of its markets at ccxt and in the capture."""

    venue: str
    names: tuple[str, ...]
    markets: tuple[Market, ...]
    captured: tuple[str, ...]
    subscribed_depth: int | None


KRAKEN: Final = Case(
    "kraken",
    ("XMR/USD", "ETH/CHF"),
    (Market("XMRUSD", 2, 8), Market("ETHCHF", 2, 8)),
    ("XMR/USD", "ETH/CHF"),
    1000,
)
COINBASE: Final = Case(
    "coinbase",
    ("BTC/USD", "ETH/USD"),
    (Market("BTC-USD", 2, 8), Market("ETH-USD", 2, 8)),
    ("BTC-USD", "ETH-USD"),
    None,
)
CASES: Final = pytest.mark.parametrize("case", [KRAKEN, COINBASE], ids=lambda case: case.venue)


@contextmanager
def session(data: Path, case: Case, **options: Any) -> Iterator[tuple[SessionServer, CcxtPlan]]:
    """A recorded session, served, and a source that watches it over ccxt.pro."""
    server = SessionServer(read_session(data / "feeds" / f"{case.venue.upper()}.jsonl.zst"), **options)

    def make() -> Any:
        exchange = exchange_named(case.venue, {"enableRateLimit": False})()
        exchange.urls["api"] = addresses(exchange.urls["api"], server)
        return exchange

    with served(server):
        yield (
            server,
            CcxtPlan(
                name=case.venue,
                make=make,
                markets=case.markets,
                names=case.names,
                routes=(Route(0, 0, -8, -8), Route(1, 0, -8, -8)),
                limits=SLOW,
                depth=DEPTH,
                subscribed_depth=case.subscribed_depth,
            ),
        )


def addresses(urls: Any, server: SessionServer) -> Any:
    """The same tree with every address on this machine, so that nothing leaves it."""
    if isinstance(urls, dict):
        return {name: addresses(value, server) for name, value in urls.items()}
    return server.ws_url if str(urls).startswith("ws") else server.http_url


def native_books(data: Path, case: Case) -> list[Levels]:
    """The best levels of the session's books at its end, by the venue's own decoder."""
    markets = tuple(replace(ours, symbol=symbol) for ours, symbol in zip(case.markets, case.captured, strict=True))
    settings = SourceSettings(
        name=case.venue,
        path=data / "feeds" / f"{case.venue.upper()}.jsonl.zst",
        venue=VENUES[case.venue],
        markets=markets,
        routes=(None,) * len(markets),
        is_capture=True,
    )
    books = settings.new_books()
    for batch in settings.open().batches():
        take_records(books, batch.records, batch.count, batch.bids, batch.asks)
    return [best(list_levels(books, market)) for market in range(len(markets))]


def best(levels: Levels) -> Levels:
    return Levels(levels.bids[:DEPTH], levels.asks[:DEPTH])


def equal(ours: Levels, other: Levels) -> bool:
    return np.array_equal(ours.bids, other.bids) and np.array_equal(ours.asks, other.asks)


def ends_as(rig: Rig, expected: list[Levels]) -> bool:
    books = rig.feed.sources[0].books
    return all(equal(list_levels(books, market), levels) for market, levels in enumerate(expected))


@CASES
def test_books_end_as_the_venue_s_own_decoder_makes_them(data: Path, case: Case, tmp_path: Path) -> None:
    expected = native_books(data, case)
    assert all(len(levels.bids) == len(levels.asks) == DEPTH for levels in expected)
    with session(data, case) as (server, plan):
        with rig_of(plan, before=lambda feed: feed.start_capture(tmp_path)) as rig:
            rig.until(lambda: ends_as(rig, expected))
            assert rig.feed.state(0) is SourceState.LIVE
            assert rig.feed.metrics()[0].rejected == 0
            rig.finish()
        assert {symbol for _, symbol in server.subscriptions} == set(case.captured)
        taken, order, quotes = replayed(tmp_path, plan)
    assert taken == rig.recorded.taken
    assert (order, quotes) == (rig.order, rig.quotes)


def test_a_lost_connection_withdraws_the_books_until_they_are_watched_anew(data: Path) -> None:
    expected = native_books(data, KRAKEN)
    with session(data, KRAKEN, drops=[60]) as (_, plan), rig_of(plan) as rig:
        rig.until(lambda: rig.feed.metrics()[0].reconnections >= 1)
        rig.until(lambda: ends_as(rig, expected))
        assert (0, 0, 0, 0) in rig.quotes[0]


def test_silence_ends_the_watch(data: Path) -> None:
    with session(data, KRAKEN) as (_, plan), rig_of(replace(plan, limits=replace(SLOW, silence_s=0.3))) as rig:
        rig.until(lambda: rig.noted("silent for 0.3 s"))


def test_what_cannot_be_reached_is_given_up(data: Path) -> None:
    with session(data, COINBASE) as (server, plan):
        server.http_url = server.ws_url = "http://127.0.0.1:1"
        with rig_of(plan) as rig:
            rig.until(lambda: rig.feed.state(0) is SourceState.GIVEN_UP)
            assert rig.noted("no connection (")


@pytest.mark.parametrize(
    ("number", "text"), [(0.1, "0.1"), (1e-8, "0.00000001"), (56218.3, "56218.3"), (30.0, "30.0"), ("1.50", "1.50")]
)
def test_numbers_keep_their_digits(number: float | str, text: str) -> None:
    assert decimal_text(number) == text


def test_lines() -> None:
    book = {"timestamp": 1_700_000_000_000, "bids": [[1.5, 2.0], [1.4, 1.0]], "asks": [[1.6, 3e-8]]}
    assert book_line("AB", 7, book, 1) == (
        b'{"symbol":"AB","E":1700000000000,"lastUpdateId":7,"bids":[["1.5","2.0"]],"asks":[["1.6","0.00000003"]]}'
    )
    trade = {"id": "x9", "timestamp": 5, "side": "sell", "price": 1.5, "amount": 2.0}
    assert trade_line("AB", 7, trade, is_news=False) == b'{"e":"trade","s":"AB","t":7,"p":"1.5","q":"2.0","m":true}'
    assert b'"E":5,' in trade_line("AB", 7, trade | {"id": "12"}, is_news=True)
