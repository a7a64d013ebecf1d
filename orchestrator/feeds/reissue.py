"""What a source gives the loop again: a book that was found to be wrong, and those of a stream that takes over."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, Protocol

from market.book.book import BOOK_WORDS, LAST_ID, SYNCHRONISED
from market.wire.records import Words
from orchestrator.feeds.arrivals import Arrival, ArrivalKind
from orchestrator.feeds.decoding import Decoder
from orchestrator.feeds.limits import NS_PER_S, FeedLimits
from orchestrator.feeds.verification import CrossCheck, Shadow

_REQUEST_NS: Final = 5 * NS_PER_S
"""A fetched book is at most this old when it arrives."""


class _Books(Protocol):
    @property
    def markets(self) -> Sequence[object]: ...

    def new_books(self) -> Words: ...


class Reissue:
    """Keeps recent updates of both streams, and compares books.

    Parameters
    ----------
    decoder: of the source; others of the same markets are made from it.

    Members
    -------
    checked, corrupted: fetched books that were compared with the stream's, and those that differed.
    """

    def __init__(
        self, settings: _Books, decoder: Decoder, limits: FeedLimits, *, is_checked: bool, has_reserve: bool
    ) -> None:
        self.checked = 0
        self.corrupted = 0
        self._decoder = decoder
        self._is_kept = is_checked
        self._recent: deque[Arrival] = deque()
        self._standby: deque[Arrival] = deque()
        self._snapshots: dict[int, Arrival] = {}
        self._ahead: dict[int, int] = {}
        self._shadow = Shadow(settings.new_books, decoder.fresh()) if is_checked else None
        self._cross = CrossCheck(settings.new_books, decoder.fresh(), len(settings.markets)) if has_reserve else None
        self._standby_ns = round(limits.snapshot_every_s * NS_PER_S) + _REQUEST_NS

    @property
    def cross_checks(self) -> int:
        """Comparisons of the two streams' books."""
        return 0 if self._cross is None else self._cross.checks

    @property
    def cross_differences(self) -> int:
        """Those that were not equal."""
        return 0 if self._cross is None else self._cross.differences

    def keep(self, script: Sequence[Arrival]) -> None:
        """Remember what is about to be decoded."""
        if not self._is_kept or not script:
            return
        is_book, recent = self._decoder.is_book, self._recent
        for arrival in script:
            if arrival.kind is ArrivalKind.MESSAGE and is_book(arrival.content):
                recent.append(arrival)
        _drop_before(self._recent, script[-1].stamp_ns - _REQUEST_NS)

    def take_snapshot(self, snapshot: Arrival, live: Words) -> list[Arrival]:
        """What to decode for a fetched book: itself, or where it shows the live one to be wrong, all that makes it.

        Nothing where it is ahead of the stream: taken at once it would hide what is wrong; see ``take_overdue``. If the
        stream has not reached the one before either, it has lost what came since, and the book is made anew.
        """
        market = snapshot.market
        self._snapshots[market] = snapshot
        was_ahead = self._ahead.pop(market, None) is not None
        if self._cross is not None and not self._cross.is_synchronised():
            self._cross.take([snapshot])
        script = self._compared(snapshot, live, snapshot.stamp_ns)
        if was_ahead and self._ahead.pop(market, None) is not None:
            self.corrupted += 1
            return [Arrival(snapshot.stamp_ns, ArrivalKind.BROKEN, b"", market), snapshot]
        return script

    def take_overdue(self, live: Words, stamp_ns: int) -> list[Arrival]:
        """What to decode for fetched books that the stream has caught up with since, or that are missed by now.

        ``stamp_ns`` is the receive time of what is decoded next.
        """
        script: list[Arrival] = []
        for market, update in list(self._ahead.items()):
            if not _is_known(live, market) or live[BOOK_WORDS * market + LAST_ID] >= update:
                del self._ahead[market]
                script += self._compared(self._snapshots[market], live, stamp_ns)
        return script

    def _compared(self, snapshot: Arrival, live: Words, stamp_ns: int) -> list[Arrival]:
        """A fetched book as it is to be decoded at a time, after a comparison with the live one where that is due."""
        market, shadow = snapshot.market, self._shadow
        taken = _now([snapshot], stamp_ns)
        if shadow is None or not _is_known(live, market):
            return taken
        differences = shadow.differences(snapshot, self._recent, live)
        if differences is None:
            if shadow.reached <= live[BOOK_WORDS * market + LAST_ID]:
                return taken
            self._ahead[market] = shadow.reached
            return []
        self.checked += 1
        if not differences:
            return taken
        self.corrupted += 1
        forget = Arrival(stamp_ns, ArrivalKind.BROKEN, b"", market)
        return [forget, *taken, *_now(self._recent, stamp_ns)]

    def take_standby(self, arrival: Arrival, live: Words) -> None:
        """A message of the stream in reserve."""
        if self._decoder.is_book(arrival.content):
            self._standby.append(arrival)
            _drop_before(self._standby, arrival.stamp_ns - self._standby_ns)
        if self._cross is not None:
            self._cross.follow(live)
            self._cross.take([arrival])

    def disagrees(self, allowed: int) -> bool:
        """Whether the two streams' books differed more often in a row than allowed; says so once."""
        if self._cross is None or self._cross.in_a_row <= allowed:
            return False
        self._cross.in_a_row = 0
        return True

    def switch(self, arrival: Arrival) -> list[Arrival]:
        """What to decode when the other stream takes over: a break, the last fetched books, and its updates since."""
        forget = Arrival(arrival.stamp_ns, ArrivalKind.BROKEN, b"")
        updates = _now(self._standby, arrival.stamp_ns)
        books = _now(list(self._snapshots.values()), arrival.stamp_ns)
        self._recent = deque(self._standby)
        self._standby.clear()
        if self._cross is not None:
            self._cross.forget()
        return [forget, *books, *updates]


def _is_known(books: Words, market: int) -> bool:
    return bool(books[BOOK_WORDS * market + SYNCHRONISED])


def _now(arrivals: Sequence[Arrival] | deque[Arrival], stamp_ns: int) -> list[Arrival]:
    """Arrivals as if they came now, as messages of the stream that is followed."""
    return [
        Arrival(
            stamp_ns,
            ArrivalKind.SNAPSHOT if arrival.kind is ArrivalKind.SNAPSHOT else ArrivalKind.MESSAGE,
            arrival.content,
            arrival.market,
        )
        for arrival in arrivals
    ]


def _drop_before(arrivals: deque[Arrival], before_ns: int) -> None:
    while arrivals and arrivals[0].stamp_ns < before_ns:
        arrivals.popleft()
