"""A source of a few records by hand, for what reads decoded batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from market.book.book import new_books
from market.book.continuity import Rule
from market.wire import records
from market.wire.records import Batch, Rows, Words

BUY, SELL = records.AGGRESSOR_BUY, records.AGGRESSOR_SELL


@dataclass(frozen=True)
class Market:
    """One market; prices are in whole units, quantities in tenths."""

    symbol: str
    price_decimals: int = 0
    quantity_decimals: int = 1


@dataclass(frozen=True)
class Route:
    """Where it goes in the engine."""

    instrument: int
    venue: int = 0
    price_exponent: int = -4
    quantity_exponent: int = -4


@dataclass(frozen=True)
class Source:
    """A source of some markets; their quotes count without a book."""

    markets: tuple[Market, ...] = (Market("AB"), Market("CD"))
    routes: tuple[Route | None, ...] = (Route(0), Route(1))
    name: str = "here"
    numbered: bool = False

    def new_books(self) -> Words:
        """Fresh books, one per market."""
        return new_books([Rule.UNNUMBERED] * len(self.markets), needs_book=False)


def record(kind: int, time_ns: int, market: int = 0) -> list[int]:
    """A record of a kind without more."""
    row = [0] * records.WIDTH
    row[records.KIND], row[records.RECEIVE_NS], row[records.MARKET] = kind, time_ns, market
    return row


def quote(time_ns: int, bid: int, ask: int, *, market: int = 0, lots: int = 10) -> list[int]:
    """A best bid and offer, numbered by its time."""
    row = record(records.QUOTE, time_ns, market)
    row[records.LAST_ID] = time_ns
    row[records.BID_PRICE], row[records.BID_QUANTITY] = bid, lots
    row[records.ASK_PRICE], row[records.ASK_QUANTITY] = ask, lots
    return row


def trade(time_ns: int, price: int, lots: int, side: int = BUY, *, market: int = 0, number: int = -1) -> list[int]:
    """A trade; without a number it never repeats another one."""
    row = record(records.TRADE, time_ns, market)
    row[records.PRICE], row[records.QUANTITY], row[records.AGGRESSOR], row[records.TRADE_ID] = price, lots, side, number
    return row


def batch_of(rows: Sequence[list[int]]) -> Batch:
    """The records as a decoded batch."""
    batch = Batch(max(len(rows), 1), 1)
    table: Rows = np.array(rows, dtype=np.int64).reshape(-1, records.WIDTH)
    batch.records[: len(rows)] = table
    batch.cursor[records.CURSOR_RECORDS] = len(rows)
    return batch
