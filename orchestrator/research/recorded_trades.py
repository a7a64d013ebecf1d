"""Trades of recordings, with the best bid and offer that the venue had stated before each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gpu.columns import Trades
from market.wire import records
from market.wire.records import Rows
from orchestrator.research.trade_parts import TradedMarket
from sim.replay.feed import FeedMarket, FeedSettings

PART_ROWS = 1 << 17
"""Records that are gathered before trades are handed on."""


class RecordedTrades:
    """The trades of one recording, market by market.

    As in a replay, refused messages are left out, a source's time never steps back, and a trade whose id was there
    before is dropped. Quotes are those of the venue's own stream of best bids and offers; depth is not looked at.

    Members
    -------
    damage: damaged places that the last reading found.
    """

    def __init__(self, settings: FeedSettings) -> None:
        self._settings = settings
        self.damage = 0

    @property
    def path(self) -> Path:
        """The file."""
        return self._settings.path

    def parts(self) -> Iterator[tuple[TradedMarket, Trades]]:
        """See ``TradeSource``."""
        recording = self._settings.open()
        markets = [_Market(self._settings.name, market) for market in self._settings.markets]
        clock_ns, waiting, rows = 0, list[Rows](), 0
        for batch in recording.batches():
            filled = batch.filled()
            kept = filled[filled[:, records.KIND] != records.REJECTED].copy()
            if len(kept):
                times_ns = np.maximum(kept[:, records.RECEIVE_NS], clock_ns)
                kept[:, records.RECEIVE_NS] = np.maximum.accumulate(times_ns)
                clock_ns = int(kept[-1, records.RECEIVE_NS])
                waiting.append(kept)
                rows += len(kept)
            if rows >= PART_ROWS:
                yield from _split(np.concatenate(waiting), markets)
                waiting, rows = [], 0
        if waiting:
            yield from _split(np.concatenate(waiting), markets)
        self.damage = len(recording.damage)


def _split(rows: Rows, markets: list[_Market]) -> Iterator[tuple[TradedMarket, Trades]]:
    for number, market in enumerate(markets):
        own = rows[rows[:, records.MARKET] == number]
        trades = market.trades(own)
        if len(trades):
            yield market.market, trades


class _Market:
    """One market's state from part to part."""

    def __init__(self, source: str, market: FeedMarket) -> None:
        self.market = TradedMarket(f"{source} {market.symbol}", market.price_decimals, market.quantity_decimals)
        self._last_id = -1
        self._quote: Rows = np.zeros((1, 2), dtype=np.int64)

    def trades(self, rows: Rows) -> Trades:
        kinds = rows[:, records.KIND]
        is_quote, is_trade = kinds == records.QUOTE, kinds == records.TRADE
        quotes: Rows = np.concatenate([self._quote, self._tops(rows[is_quote])])
        before = np.cumsum(is_quote)[is_trade]
        self._quote = quotes[-1:]
        trades = rows[is_trade]
        fresh = self._fresh(trades[:, records.TRADE_ID])
        possible = (trades[:, records.PRICE] > 0) & (trades[:, records.QUANTITY] > 0)
        kept = trades[fresh & possible]
        tops = quotes[before[fresh & possible]]
        return Trades(
            times_ns=kept[:, records.RECEIVE_NS],
            prices=kept[:, records.PRICE],
            quantities=kept[:, records.QUANTITY],
            aggressors=kept[:, records.AGGRESSOR].astype(np.int8),
            bids=tops[:, 0],
            asks=tops[:, 1],
        )

    def _tops(self, quotes: Rows) -> Rows:
        """Bid and ask of each quote; both 0 where one side is withdrawn."""
        tops: Rows = quotes[:, [records.BID_PRICE, records.ASK_PRICE]]
        whole = (quotes[:, records.BID_QUANTITY] > 0) & (quotes[:, records.ASK_QUANTITY] > 0)
        kept: Rows = np.where(whole[:, None], tops, 0)
        return kept

    def _fresh(self, ids: records.Words) -> np.typing.NDArray[np.bool_]:
        """Which trades are new; ids below 0 say nothing."""
        highest = np.maximum.accumulate(np.concatenate([[self._last_id], ids]))
        self._last_id = int(highest[-1])
        fresh: np.typing.NDArray[np.bool_] = (ids < 0) | (ids > highest[:-1])
        return fresh
