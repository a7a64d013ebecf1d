"""Decodes generated lines and rebuilds their books, for the tests beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from config.venues import VenueName
from market.book.book import new_books
from market.book.continuity import Rule
from market.book.intake import take_records
from market.wire.binance_json import decode_lines
from market.wire.markets import Market, market_table
from market.wire.records import CURSOR_POSITION, KIND, Batch, Words
from sim.generator.feed import Line
from sim.generator.settings import Coin

FUTURE_NS: Final = 10**10
SPOT, USDM, CM = VenueName.BINANCE_SPOT, VenueName.BINANCE_USDM, VenueName.BINANCE_CM
VENUES: Final = (SPOT, USDM, CM)
RULES: Final = {SPOT: Rule.OVERLAPPING, USDM: Rule.CHAINED_OVERLAP, CM: Rule.CHAINED_OVERLAP}
MARKETS: Final = {
    (Coin.BTC, SPOT): Market("BTCUSDT", 2, 5),
    (Coin.BTC, USDM): Market("BTCUSDT", 1, 3),
    (Coin.BTC, CM): Market("BTCUSD_PERP", 1, 8, Decimal(100)),
    (Coin.ETH, SPOT): Market("ETHUSDT", 2, 4),
    (Coin.ETH, USDM): Market("ETHUSDT", 2, 3),
    (Coin.ETH, CM): Market("ETHUSD_PERP", 2, 8, Decimal(10)),
}


@dataclass(frozen=True)
class Rebuilt:
    """What came of one venue's lines: its book's header and all records, rows as in ``market.wire.records``."""

    header: Words
    records: NDArray[np.int64]

    def of(self, kind: int) -> NDArray[np.int64]:
        """The records of a kind."""
        chosen: NDArray[np.int64] = self.records[self.records[:, KIND] == kind]
        return chosen


def by_venue(lines: Iterable[Line], coin: Coin = Coin.BTC) -> dict[VenueName, list[str]]:
    texts: dict[VenueName, list[str]] = {venue: [] for venue in VENUES}
    for line in lines:
        if line.coin is coin:
            texts[line.source].append(line.text)
    return texts


def rebuild(venue: VenueName, block: bytes, coin: Coin = Coin.BTC) -> Rebuilt:
    table, batch, books = market_table([MARKETS[coin, venue]]), Batch(), new_books([RULES[venue]])
    records = []
    batch.restart()
    while batch.cursor[CURSOR_POSITION] < len(block):
        batch.clear()
        count = decode_lines(block, FUTURE_NS, table, batch.records, batch.bids, batch.asks, batch.cursor, 0)
        take_records(books, batch.records, count, batch.bids, batch.asks)
        records.append(batch.filled().copy())
    return Rebuilt(books, np.concatenate(records))


def rebuild_all(lines: Iterable[Line], coin: Coin = Coin.BTC) -> dict[VenueName, Rebuilt]:
    return {venue: rebuild(venue, "".join(texts).encode(), coin) for venue, texts in by_venue(lines, coin).items()}
