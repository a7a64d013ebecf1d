"""A recording that arrives record by record in the time of its events, as a live feed does: nothing is there before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from market.protocols import FOREVER, FeedSource, FeedStatus
from market.wire import records
from market.wire.records import Batch
from sim.replay.feed import FeedSettings

_WITH_LEVELS = (records.DIFF, records.SNAPSHOT)


class ArrivingFeed:
    """A feed and the clock of its arrivals.

    Parameters
    ----------
    sources: the recordings.
    """

    def __init__(self, sources: Sequence[FeedSettings]) -> None:
        self._sources = tuple(sources)
        self._records = [_each(source) for source in sources]
        self._next = [next(each, None) for each in self._records]
        self._now_ns = 0

    @property
    def sources(self) -> Sequence[FeedSource]:
        """The recordings."""
        return self._sources

    def take(self, source: int) -> Batch | None:
        """The next record, once its time has come."""
        waiting = self._next[source]
        if waiting is None or _received_ns(waiting) > self._now_ns:
            return None
        self._next[source] = next(self._records[source], None)
        return waiting

    def status(self, source: int) -> FeedStatus:
        """FINISHED after the last record."""
        return FeedStatus.FINISHED if self._next[source] is None else FeedStatus.LIVE

    def request_snapshot(self, source: int, market: int) -> None:
        """Nothing: a recording has the snapshots that were asked for when it was made."""

    def now_ns(self) -> int:
        """The time."""
        return self._now_ns

    def wait_until(self, time_ns: int) -> int:
        """Go to a time, or to the next arrival before it."""
        arrivals = [_received_ns(waiting) for waiting in self._next if waiting is not None]
        until_ns = min([time_ns, *arrivals])
        if until_ns < FOREVER:
            self._now_ns = max(self._now_ns, until_ns)
        return self._now_ns


def _received_ns(batch: Batch) -> int:
    return int(batch.records[0, records.RECEIVE_NS])


def _each(source: FeedSettings) -> Iterator[Batch]:
    """The records of a recording, each in a batch of its own; refused ones, which have no time, are left out."""
    for batch in source.open().batches():
        for row in batch.filled():
            if row[records.KIND] in (records.REJECTED, records.IGNORED):
                continue
            bids = asks = batch.bids[:0]
            if row[records.KIND] in _WITH_LEVELS:
                first, count = row[records.BIDS_START], row[records.BIDS]
                bids = batch.bids[first : first + count]
                first, count = row[records.ASKS_START], row[records.ASKS]
                asks = batch.asks[first : first + count]
            single = Batch(1, max(len(bids), len(asks), 1))
            single.records[0] = row
            if row[records.KIND] in _WITH_LEVELS:
                single.records[0, [records.BIDS_START, records.ASKS_START]] = 0
            single.bids[: len(bids)], single.asks[: len(asks)] = bids, asks
            counts = (records.CURSOR_RECORDS, records.CURSOR_BIDS, records.CURSOR_ASKS)
            single.cursor[list(counts)] = 1, len(bids), len(asks)
            yield single
