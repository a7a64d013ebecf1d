"""A feed that ends at a time, whatever its recordings still hold."""

from __future__ import annotations

from collections.abc import Sequence

from market.protocols import FOREVER, Feed, FeedSource, FeedStatus
from market.wire import records
from market.wire.records import CURSOR_RECORDS, Batch


class EndingFeed:
    """Another feed without what it received at a time or later.

    Parameters
    ----------
    until_ns: FOREVER leaves the feed as it is.
    """

    def __init__(self, feed: Feed, until_ns: int) -> None:
        self._feed = feed
        self._until_ns = until_ns
        self._ended = [False] * len(feed.sources)

    @property
    def sources(self) -> Sequence[FeedSource]:
        """Those of the feed."""
        return self._feed.sources

    def take(self, source: int) -> Batch | None:
        """The next batch, cut at the time; None after it."""
        if self._ended[source]:
            return None
        batch = self._feed.take(source)
        if batch is None or self._until_ns >= FOREVER:
            return batch
        late = batch.filled()[:, records.RECEIVE_NS] >= self._until_ns
        if late.any():
            self._ended[source] = True
            batch.cursor[CURSOR_RECORDS] = int(late.argmax())
        return batch

    def status(self, source: int) -> FeedStatus:
        """FINISHED after the cut."""
        return FeedStatus.FINISHED if self._ended[source] else self._feed.status(source)

    def request_snapshot(self, source: int, market: int) -> None:
        """As the feed."""
        self._feed.request_snapshot(source, market)
