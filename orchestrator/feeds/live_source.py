"""The loop's side of a source: what arrived becomes records, is checked, and what is missing is asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import numpy as np

from market.book.book import BOOK_WORDS, GAPS, SYNCHRONISED
from market.book.listing import read_depths
from market.protocols import FeedMarket, FeedRoute, FeedStatus
from market.wire.records import Batch, Words
from market.wire.timeliness import Statistic, new_statistics, note_records
from orchestrator.feeds.account import MessageAccount, counted
from orchestrator.feeds.arrivals import Arrival, ArrivalKind, Arrivals, Times
from orchestrator.feeds.decoding import Decoder
from orchestrator.feeds.health import HealthMetrics, Interval, SourceState, depth_columns, interval
from orchestrator.feeds.limits import NS_PER_S, FeedLimits
from orchestrator.feeds.link import Link, LinkState
from orchestrator.feeds.reissue import Reissue

METRICS_EVERY_NS: Final = NS_PER_S
_NONE: Final[Words] = np.zeros(0, dtype=np.int64)
DIFFERENCES_ALLOWED: Final = 3
"""Differences in a row between two streams after which both books are fetched."""


class SourceSettings(Protocol):
    """What a source carries, the same live and in the replay of its capture."""

    @property
    def name(self) -> str: ...

    @property
    def numbered(self) -> bool: ...

    @property
    def markets(self) -> Sequence[FeedMarket]: ...

    @property
    def routes(self) -> Sequence[FeedRoute | None]: ...

    def new_books(self) -> Words: ...


Tap = Callable[[Sequence[Arrival]], None]
"""Who is given a copy of what a source takes, in order."""


class LiveSource:
    """One source of a live feed, a ``market.protocols.FeedSource``; all of it runs in the loop's thread.

    Parameters
    ----------
    post: calls a function in the network's thread.
    is_checked: whether fetched books are compared with those that the stream made.
    has_reserve: whether a second stream is followed and compared.
    """

    def __init__(
        self,
        settings: SourceSettings,
        index: int,
        arrivals: Arrivals,
        decoder: Decoder,
        link: Link,
        limits: FeedLimits,
        clock: Times,
        post: Callable[[Callable[[], None]], None],
        note: Callable[[str], None],
        *,
        is_checked: bool = False,
        has_reserve: bool = False,
    ) -> None:
        self.settings = settings
        self.link = link
        self.tap: Tap | None = None
        self._index = index
        self._arrivals = arrivals
        self._decoder = decoder
        self._limits = limits
        self._clock = clock
        self._post = post
        self._note = note
        self._held: deque[Arrival] = deque()
        self._books = settings.new_books()
        self._reissue = Reissue(settings, decoder, limits, is_checked=is_checked, has_reserve=has_reserve)
        self._statistics = new_statistics(len(settings.markets), times_snapshots=not is_checked)
        self._looked = self._statistics.copy()
        self._looked_ns = clock.now_ns()
        self._interval = Interval(0.0, None, None, None)
        self._note_records = note_records.direct()
        self._asked_ns = [self._looked_ns] * len(settings.markets)
        self._is_unsure = True
        self._is_late = False
        self._is_restarting = False
        self._is_closed = False
        self._has_begun = False
        self._taken = 0
        self._standby = 0
        self._given = 0

    @property
    def name(self) -> str:
        """As in the settings."""
        return self.settings.name

    @property
    def numbered(self) -> bool:
        """As in the settings."""
        return self.settings.numbered

    @property
    def markets(self) -> Sequence[FeedMarket]:
        """As in the settings."""
        return self.settings.markets

    @property
    def routes(self) -> Sequence[FeedRoute | None]:
        """As in the settings."""
        return self.settings.routes

    @property
    def has_updates(self) -> bool:
        """Whether its records are updates of books; else they are quotes of books that its format keeps."""
        return self._decoder.has_updates

    @property
    def books(self) -> Words:
        """The books that the loop keeps of this source; not to be written."""
        return self._books

    def new_books(self) -> Words:
        """Fresh books, one per market, which the source watches from then on."""
        self._books = self.settings.new_books()
        return self._books

    def take(self) -> Batch | None:
        """The next batch; the records of those before are in the books."""
        batch = self._decoder.next_batch()
        while batch is None:
            if self._is_unsure:
                self._ask_for_missing()
            script = self._next_script()
            if script is None:
                return None
            if script:
                if self.tap is not None:
                    self.tap(script)
                self._given += sum(map(_is_message, script))
                self._decoder.begin(script)
                batch = self._decoder.next_batch()
        self._look_at(batch)
        return batch

    @property
    def status(self) -> FeedStatus:
        """FINISHED once it is closed and everything that had arrived was taken."""
        if self._is_closed and not self._held and not self._arrivals.waiting(self._index):
            return FeedStatus.FINISHED
        return FeedStatus.LIVE if self._has_begun else FeedStatus.CONNECTING

    @property
    def state(self) -> SourceState:
        """Whether it may be traded on."""
        link = self.link.state
        if self._is_closed:
            return SourceState.CLOSED
        if link is LinkState.GIVEN_UP:
            return SourceState.GIVEN_UP
        if self._is_late:
            return SourceState.LATE
        if link is not LinkState.UP:
            return SourceState.CONNECTING
        return SourceState.SYNCHRONISING if len(self._missing()) else SourceState.LIVE

    def watch_recording(self) -> None:
        """A recording begins: fetch all books, so that it can be replayed by itself."""
        link = self.link
        for market in range(len(self.markets)):
            self._post(lambda market=market: link.request_snapshot(market))  # type: ignore[misc]

    def close(self) -> None:
        """Nothing more is coming: what has arrived can still be taken."""
        self._is_closed = True

    def request_snapshot(self, market: int) -> None:
        """Ask for a whole book; not more often than the limits say."""
        self._is_unsure = True
        now_ns = self._clock.now_ns()
        if now_ns - self._asked_ns[market] < self._limits.snapshot_pause_s * NS_PER_S:
            return
        self._asked_ns[market] = now_ns
        link = self.link
        self._post(lambda: link.request_snapshot(market))

    def metrics(self) -> HealthMetrics:
        """Its numbers now; rates and latencies over the last full second or since."""
        now_ns = self._clock.now_ns()
        if now_ns - self._looked_ns >= METRICS_EVERY_NS:
            self._interval = interval(self._looked, self._statistics, now_ns - self._looked_ns)
            self._looked, self._looked_ns = self._statistics.copy(), now_ns
        count = len(self.markets)
        snapshot_ns = int(self._statistics[Statistic.SNAPSHOT_NS])
        bids, asks = depth_columns(read_depths(self._books, count).tolist())
        return HealthMetrics(
            source=self.name,
            time_ns=now_ns,
            state=self.state,
            messages_per_second=self._interval.messages_per_second,
            latency_mean_ns=self._interval.latency_mean_ns,
            latency_p50_ns=self._interval.latency_p50_ns,
            latency_p99_ns=self._interval.latency_p99_ns,
            records=int(self._statistics[Statistic.RECORDS]),
            rejected=int(self._statistics[Statistic.REJECTED]),
            gaps=int(self._books.reshape(-1, BOOK_WORDS)[:count, GAPS].sum()),
            reconnections=self.link.reconnections,
            regressions=int(self._statistics[Statistic.REGRESSIONS]),
            books_checked=self._reissue.checked,
            books_corrupted=self._reissue.corrupted,
            switches=self.link.switches,
            cross_checks=self._reissue.cross_checks,
            cross_differences=self._reissue.cross_differences,
            bid_levels=bids,
            ask_levels=asks,
            snapshot_age_ns=now_ns - snapshot_ns if snapshot_ns else None,
            queued=self._arrivals.queued,
        )

    def account(self) -> MessageAccount:
        """Where every message is; exact in the loop's thread."""
        decoded, rejected = counted(self._statistics)
        return MessageAccount(
            source=self.name,
            received=self._arrivals.messages[self._index],
            waiting=self._arrivals.waiting(self._index) + sum(map(_is_message, self._held)),
            taken=self._taken,
            standby=self._standby,
            repeated=self._given - self._taken,
            decoded=decoded,
            rejected=rejected,
        )

    def _missing(self) -> Words:
        """Numbers of the markets whose books are not known."""
        if not self._decoder.has_updates:
            return _NONE
        return np.flatnonzero(self._books.reshape(-1, BOOK_WORDS)[: len(self.markets), SYNCHRONISED] == 0)

    def _next_script(self) -> list[Arrival] | None:
        """What is decoded next, None when nothing waits.

        It ends before a fetched book, which is compared with the books that all before it made.
        """
        held = self._held
        if not held:
            held.extend(self._arrivals.take(self._index))
            if not held:
                return None
        script = self._reissue.take_overdue(self._books, held[0].stamp_ns)
        if script:
            return self._noted(script)
        while held and held[0].kind is ArrivalKind.MESSAGE:
            script.append(held.popleft())
        self._taken += len(script)
        if not script:
            script = self._special(held.popleft())
        self._reissue.keep(script)
        return script

    def _special(self, arrival: Arrival) -> list[Arrival]:
        """What is decoded for an arrival that is no plain message."""
        kind = arrival.kind
        if kind is ArrivalKind.STANDBY:
            self._standby += 1
            self._reissue.take_standby(arrival, self._books)
            if self._reissue.disagrees(DIFFERENCES_ALLOWED):
                self._note(f"{self.name}: the two streams make different books; both are fetched")
                for market in range(len(self.markets)):
                    self._asked_ns[market] = 0
                    self.request_snapshot(market)
            return []
        if kind is ArrivalKind.SNAPSHOT:
            return self._noted(self._reissue.take_snapshot(arrival, self._books))
        self._is_unsure = True
        self._is_restarting = False
        # Books are on their way by themselves when a stream begins.
        self._asked_ns = [self._clock.now_ns()] * len(self.markets)
        return [arrival] if kind is ArrivalKind.BROKEN else self._reissue.switch(arrival)

    def _noted(self, script: list[Arrival]) -> list[Arrival]:
        """The same fetched books; says which of them are given because the live ones were wrong."""
        self._is_unsure = True
        for arrival in script:
            if arrival.kind is ArrivalKind.BROKEN:
                symbol = self.markets[arrival.market].symbol
                self._note(f"{self.name}: the book of {symbol} was not what the venue says; it was made anew")
        return script

    def _look_at(self, batch: Batch) -> None:
        """Count a batch's records, and see whether they are too late."""
        self._has_begun = True
        smallest_ns = self._note_records(batch.records, batch.count, self._limits.clock_ahead_ns, self._statistics)
        limit_ns = self._limits.delay_ns
        if smallest_ns < 0 or not limit_ns:
            return
        if smallest_ns <= limit_ns:
            self._is_late = False
        elif not self._is_restarting:
            self._is_late = self._is_restarting = True
            reason = f"the newest message was {smallest_ns / 1e6:.0f} ms old, more than {limit_ns / 1e6:.0f} ms"
            link = self.link
            self._post(lambda: link.restart(reason))

    def _ask_for_missing(self) -> None:
        """Ask for every book that is not known, again after the pause; sure once all are."""
        missing = self._missing()
        if not len(missing):
            self._is_unsure = False
        elif self.link.state is LinkState.UP:
            for market in missing.tolist():
                self.request_snapshot(market)


def _is_message(arrival: Arrival) -> bool:
    return arrival.kind <= ArrivalKind.STANDBY
