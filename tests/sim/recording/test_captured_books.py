"""Golden test: books rebuilt from captures of nine venues, equal to ones that are kept with exact decimals."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from market.book import book as header
from market.book import ladder
from market.book.book import BOOK_WORDS
from market.book.intake import take_records
from market.native.kernel import entry
from market.native.memory import address_of
from market.wire.markets import Market, market_table
from market.wire.records import Batch, Column, Kind, Rows, Words
from market.wire.venues import VENUES
from sim.recording.feed_capture import open_capture

Side = dict[Decimal, Decimal]
Change = tuple[str, bool, list[Any], list[Any]]
"""Symbol, whether it is a snapshot, and levels of bids and asks that begin with price and quantity."""

HUNDRED, TEN = Decimal(100), Decimal(10)
KRAKEN_TICKS: Final = {
    "WAVES/EUR": 4,
    "XMR/USD": 2,
    "KSM/XBT": 6,
    "GRT/ETH": 7,
    "SC/EUR": 6,
    "ETH/CHF": 2,
    "OCEAN/XBT": 8,
    "OMG/USD": 6,
    "XBT/CHF": 1,
    "ADA/XBT": 8,
}
COIN_TICKS: Final = {
    "LINKUSD_211231": 3,
    "LINKUSD_PERP": 3,
    "TRXUSD_PERP": 5,
    "ETCUSD_PERP": 3,
    "BTCUSD_211231": 1,
    "XRPUSD_PERP": 4,
    "EOSUSD_PERP": 3,
    "BCHUSD_PERP": 2,
    "BCHUSD_210924": 2,
    "ETHUSD_210924": 2,
}
MARKETS: Final[dict[str, list[Market]]] = {
    "bybit": [Market("BTCUSDT", 2, 3), Market("ETHUSDT", 2, 2), Market("SOLUSDT", 3, 1), Market("DOGEUSDT", 5, 0)],
    "bybit-spot": [Market("BTCUSDT", 2, 6), Market("ETHUSDT", 2, 5)],
    "okx": [
        Market("BTC-USDT", 1, 8),
        Market("UNI-USD-SWAP", 3, 8, TEN),
        Market("BTC-USD-220527", 1, 8, HUNDRED),
    ],
    "kraken": [Market(symbol, decimals, 8) for symbol, decimals in KRAKEN_TICKS.items()],
    "coinbase": [Market("BTC-USD", 2, 8), Market("ETH-USD", 2, 8)],
    "binance-spot": [Market(symbol, 8, 8) for symbol in ("NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR")],
    "binance-us": [Market(s, 4, 5) for s in ("CRVUSDT", "COMPUSDT", "OMGBUSD", "ZRXUSDT")],
    "binance-usdm": [Market(s, 5, 0) for s in ("SUSHIUSDT", "AKROUSDT", "KEEPUSDT", "CTKUSDT")],
    "binance-cm": [
        Market(symbol, decimals, 5, HUNDRED if symbol.startswith("BTC") else TEN)
        for symbol, decimals in COIN_TICKS.items()
    ],
}
FILES: Final = {
    "bybit": "BYBIT",
    "bybit-spot": "BYBIT",
    "okx": "OKX",
    "kraken": "KRAKEN",
    "coinbase": "COINBASE",
    "binance-spot": "BINANCE",
    "binance-us": "BINANCE_US",
    "binance-usdm": "BINANCE_FUTURES",
    "binance-cm": "BINANCE_DELIVERY",
}
RECORDS: Final = {
    "bybit": {"DIFF": 1594, "SNAPSHOT": 4, "TRADE": 327, "IGNORED": 846},
    "bybit-spot": {"DIFF": 548, "SNAPSHOT": 2, "TRADE": 20, "IGNORED": 113},
    "okx": {"DIFF": 287, "SNAPSHOT": 3, "TRADE": 74, "IGNORED": 46},
    "kraken": {"DIFF": 4269, "SNAPSHOT": 10, "TRADE": 10, "IGNORED": 143},
    "coinbase": {"DIFF": 773, "SNAPSHOT": 2, "TRADE": 79, "IGNORED": 198},
    "binance-spot": {"DIFF": 177, "SNAPSHOT": 4, "QUOTE": 84, "TRADE": 2, "IGNORED": 2},
    "binance-us": {"DIFF": 336, "SNAPSHOT": 4, "QUOTE": 128, "TRADE": 11, "IGNORED": 5},
    "binance-usdm": {"DIFF": 764, "SNAPSHOT": 4, "QUOTE": 613, "TRADE": 91, "IGNORED": 67},
    "binance-cm": {"DIFF": 2047, "SNAPSHOT": 10, "QUOTE": 2240, "TRADE": 51, "IGNORED": 33},
}


class Replayed:
    """A capture, decoded and applied to books."""

    def __init__(self, venue: str, path: Path) -> None:
        self.venue = VENUES[venue]
        self.markets = MARKETS[venue]
        self.books: Words = self.venue.new_books(self.markets)
        self.kinds: Counter[str] = Counter()
        self.lines: list[bytes] = []
        table, batch = market_table(self.markets), Batch(1024, self.venue.levels)
        for block in open_capture(path, connection=self.venue.connection):
            self.lines += block.data.splitlines()
            batch.restart(block.first_line)
            while batch.position < len(block.data):
                batch.clear()
                count = self.venue.decode_lines(
                    block.data, 10**10, table, batch.records, batch.bids, batch.asks, batch.cursor, 0
                )
                take_records(self.books, batch.records, count, batch.bids, batch.asks)
                self.kinds.update(Kind(kind).name for kind in batch.filled()[:, Column.KIND].tolist())

    def words(self, index: int) -> Words:
        """The header of one market's book."""
        return self.books[BOOK_WORDS * index : BOOK_WORDS * (index + 1)]

    def total(self, word: int) -> int:
        """A counter over all books."""
        return sum(int(self.words(index)[word]) for index in range(len(self.markets)))

    def side(self, index: int, offset: int) -> dict[int, int]:
        """Ticks and lots of one side."""
        rows = np.zeros((2 * ladder.WINDOW, 2), dtype=np.int64)
        count = _collect(self.words(index), offset, rows)
        return dict(rows[:count].tolist())


@entry("int64(int64[::1], int64, int64[:, ::1])")
def _collect(book: Words, offset: int, rows: Rows) -> int:
    return ladder.collect(address_of(book) + 8 * offset, rows)


@pytest.mark.parametrize("venue", FILES)
def test_every_message_is_decoded_and_no_book_is_lost(data: Path, venue: str) -> None:
    replayed = Replayed(venue, data / "feeds" / f"{FILES[venue]}.jsonl.zst")
    assert replayed.kinds == RECORDS[venue], "no rejects among them"
    assert replayed.total(header.SYNCHRONISED) == len(replayed.markets)
    for counter in (header.GAPS, header.CROSSED, header.MISMATCHES, header.BUFFER_OVERFLOWS):
        assert replayed.total(counter) == 0
    assert replayed.total(header.CHECKS) == replayed.total(header.EQUAL)
    if "QUOTE" in RECORDS[venue]:
        assert replayed.total(header.CHECKS) > 20
    if venue in ("okx", "kraken"):
        stated = {"okx": 290, "kraken": 4269}[venue]
        assert replayed.total(header.CHECKSUMS) == stated


def bybit(message: Any) -> Iterator[Change]:
    if message.get("topic", "").startswith("orderbook"):
        data = message["data"]
        yield data["s"], message["type"] == "snapshot", data["b"], data["a"]


def okx(message: Any) -> Iterator[Change]:
    if message["arg"]["channel"] == "books" and "data" in message:
        for data in message["data"]:
            yield message["arg"]["instId"], message["action"] == "snapshot", data["bids"], data["asks"]


def kraken(message: Any) -> Iterator[Change]:
    if isinstance(message, list) and message[-2].startswith("book"):
        for part in message[1:-2]:
            yield message[-1], "as" in part, part.get("bs", part.get("b", [])), part.get("as", part.get("a", []))


def coinbase(message: Any) -> Iterator[Change]:
    for event in message["events"] if message["channel"] == "l2_data" else ():
        sides: dict[str, list[tuple[str, str]]] = {"bid": [], "offer": []}
        for update in event["updates"]:
            sides[update["side"]].append((update["price_level"], update["new_quantity"]))
        yield event["product_id"], event["type"] == "snapshot", sides["bid"], sides["offer"]


def _in_ticks(side: Side, market: Market) -> dict[int, int]:
    """A side in ticks and lots; contracts of fixed value are floored."""
    lot = Decimal(10) ** market.quantity_decimals
    levels = {}
    for price, quantity in side.items():
        value = quantity * market.contract_value / price if market.contract_value else quantity
        levels[int(price.scaleb(market.price_decimals))] = int(value * lot)
    return levels


@pytest.mark.parametrize(
    ("venue", "changes"),
    [("bybit", bybit), ("bybit-spot", bybit), ("okx", okx), ("kraken", kraken), ("coinbase", coinbase)],
)
def test_books_equal_those_kept_with_decimals(
    data: Path, venue: str, changes: Callable[[Any], Iterator[Change]]
) -> None:
    replayed = Replayed(venue, data / "feeds" / f"{FILES[venue]}.jsonl.zst")
    books: dict[str, tuple[Side, Side]] = {}
    for line in replayed.lines:
        for symbol, is_snapshot, *sides in changes(json.loads(line.split(b" ", 1)[1])):
            if is_snapshot:
                books[symbol] = ({}, {})
            for side, levels in zip(books[symbol], sides, strict=True):
                for price, quantity, *_ in levels:
                    side[Decimal(price)] = Decimal(quantity)
                    if not side[Decimal(price)]:
                        del side[Decimal(price)]
    assert set(books) == {market.symbol for market in replayed.markets}
    for index, market in enumerate(replayed.markets):
        for side, offset in zip(books[market.symbol], (header.BIDS_SIDE, header.ASKS_SIDE), strict=True):
            assert replayed.side(index, offset) == _in_ticks(side, market)
            assert side
