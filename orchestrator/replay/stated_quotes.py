"""The best bids and offers that venues state themselves, of several recordings in order of receive time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from market.wire import records
from market.wire.records import Rows, Words
from orchestrator.replay.quoted_mids import QuotedMids, joined
from sim.replay.feed import FeedMarket, FeedSettings, Route


def stated_quotes(sources: Sequence[FeedSettings]) -> Iterator[QuotedMids]:
    """Quotes of all recordings merged by receive time; ties go to the first source.

    Quotes are those of the venue's own stream of best bids and offers (bookTicker); depth is not looked at. As in
    a replay, a source's time never steps back, refused messages are left out and a lag counts. Holds a few
    batches per source, whatever the length of the recordings.
    """
    buffers = [_Buffer(source) for source in sources]
    while True:
        unfinished = [buffer for buffer in buffers if not buffer.finished]
        for buffer in unfinished:
            buffer.fill()
        # A source that goes on may still bring quotes of its newest time: only what lies before is settled.
        limits = [buffer.newest_ns for buffer in unfinished if not buffer.finished]
        taken = joined([buffer.take_before(min(limits, default=None)) for buffer in buffers])
        if len(taken):
            yield taken.where(np.argsort(taken.times_ns, kind="stable"))
        elif not limits:
            return


class _Buffer:
    """Quotes of one source that are decoded and not yet merged."""

    def __init__(self, settings: FeedSettings) -> None:
        self._batches = settings.open().batches()
        self._markets = _Markets(settings.markets, settings.routes)
        self._clock_ns = 0
        self._waiting = joined([])
        self.finished = False

    @property
    def newest_ns(self) -> int:
        return int(self._waiting.times_ns[-1])

    def fill(self) -> None:
        """Decode until there is a newer quote than those that wait, or the recording ends."""
        newest_ns = self.newest_ns if len(self._waiting) else -1
        while not self.finished and (not len(self._waiting) or self.newest_ns == newest_ns):
            batch = next(self._batches, None)
            if batch is None:
                self.finished = True
            else:
                self._waiting = joined([self._waiting, self._quotes(batch.filled())])

    def take_before(self, limit_ns: int | None) -> QuotedMids:
        """Remove and return the quotes before a time, all of them when it is None."""
        waiting = self._waiting
        count = len(waiting) if limit_ns is None else int(np.searchsorted(waiting.times_ns, limit_ns))
        positions = np.arange(len(waiting))
        self._waiting = waiting.where(positions[count:])
        return waiting.where(positions[:count])

    def _quotes(self, rows: Rows) -> QuotedMids:
        readable = rows[rows[:, records.KIND] != records.REJECTED]
        if not len(readable):
            return joined([])
        times_ns = np.maximum.accumulate(np.maximum(readable[:, records.RECEIVE_NS], self._clock_ns))
        self._clock_ns = int(times_ns[-1])
        is_quote = readable[:, records.KIND] == records.QUOTE
        return self._markets.quotes(times_ns[is_quote], readable[is_quote])


class _Markets:
    """What turns a source's rows into quotes of instruments; markets without a route are left out."""

    def __init__(self, markets: Sequence[FeedMarket], routes: Sequence[Route | None]) -> None:
        self._instruments = np.array([-1 if route is None else route.instrument for route in routes], dtype=np.int64)
        self._venues = np.array([-1 if route is None else route.venue for route in routes], dtype=np.int64)
        self._half_ticks = np.array([0.5 * 10.0**-market.price_decimals for market in markets])

    def quotes(self, times_ns: Words, rows: Rows) -> QuotedMids:
        market = rows[:, records.MARKET]
        mids = (rows[:, records.BID_PRICE] + rows[:, records.ASK_PRICE]) * self._half_ticks[market]
        mids[(rows[:, records.BID_QUANTITY] <= 0) | (rows[:, records.ASK_QUANTITY] <= 0)] = np.nan
        found = QuotedMids(times_ns, self._instruments[market], self._venues[market], mids)
        return found.where(found.instruments >= 0)
