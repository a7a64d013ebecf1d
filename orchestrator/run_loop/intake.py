"""A feed's batches as events of the fast loop: merged by receive time, applied to their books, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from market.book import book as header
from market.pipeline import layout
from market.pipeline.pacing import NOT_YET, next_event
from market.pipeline.sources import Sources
from market.protocols import Feed, FeedStatus, MarketKey
from market.wire.records import Words

NOTHING_WAITS: Final = -3
"""What ``next`` returns when every record that has arrived was taken and more may come."""
FINISHED: Final = layout.DONE
"""What ``next`` returns when no record will ever come again."""

Find = Callable[[Words, int, Words, int], int]
"""Finds the next event; as ``pacing.next_event``."""

__all__ = ["FINISHED", "NOTHING_WAITS", "NOT_YET", "Find", "Intake"]


class Intake:
    """Sources, books and routes as the compiled code reads them.

    Parameters
    ----------
    feed: its sources must have routes whose exponents carry their ticks and lots; raises Fatal else.

    Members
    -------
    event: int64[EVENT_WORDS], the event that ``next`` found.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self.event: Words = np.zeros(layout.EVENT_WORDS, dtype=np.int64)
        self._sources = Sources(feed.sources)
        self._idle = set(range(len(self._sources)))
        self._find: Find = next_event.direct()
        self._book_of: dict[MarketKey, Words] = {}
        for index, source in enumerate(feed.sources):
            for market, route in enumerate(source.routes):
                if route is not None:
                    self._book_of[route.instrument, route.venue] = self._sources.books(index)[market]

    def start_ns(self) -> int | None:
        """Receive time of the first readable record among those that have arrived first; None when there is none."""
        self._poll_idle()
        return self._sources.start_ns()

    def next(self, before_ns: int) -> int:
        """Apply records that were received before a time until one makes an event.

        Returns the source of the event, NOT_YET when the next record came later, NOTHING_WAITS or FINISHED.
        """
        if self._idle:
            self._poll_idle()
        count = len(self._sources)
        while True:
            found = self._find(self._sources.words, count, self.event, before_ns)
            if found >= NOT_YET:
                return found
            if found == layout.DONE:
                return NOTHING_WAITS if self._idle else FINISHED
            self._refill(-3 - found)

    def find_with(self, find: Find) -> None:
        """Let something else than ``pacing.next_event`` find the next event from here on."""
        self._find = find

    def book(self, instrument: int, venue: int) -> Words | None:
        """The flat state of a market's book, laid out by ``market.book.book``; None when no source has the market."""
        return self._book_of.get((instrument, venue))

    def request_lost_book(self, source: int) -> None:
        """Ask for a snapshot if the book of the source's last record has lost its sequence."""
        market = self._sources.last_market(source)
        if market is None:
            return
        book = self._sources.books(source)[market]
        if book[header.STARTED] and not book[header.SYNCHRONISED]:
            self._feed.request_snapshot(source, market)

    def _poll_idle(self) -> None:
        for index in sorted(self._idle):
            self._refill(index)

    def _refill(self, index: int) -> None:
        """Give a source its next batch; one that has none is left out until it has."""
        batch = self._feed.take(index)
        self._sources.give(index, batch)
        if batch is None and self._feed.status(index) is not FeedStatus.FINISHED:
            self._idle.add(index)
        else:
            self._idle.discard(index)
