"""Changes of a book, gathered for an interval: what the streams of diff depth send."""

from __future__ import annotations

from dataclasses import dataclass

from sim.exchange.venue.events import BookChanged
from sim.exchange.venue.records import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthChange:
    """All changes of a book in an interval.

    Parameters
    ----------
    first_id, last_id: of its updates. previous_id: last id of the change before.
    bids, asks: new lots of each changed price, 0 where nothing is left; best first.
    """

    symbol: str
    first_id: int
    last_id: int
    previous_id: int
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    time_ns: int


class DepthFeed:
    """Gathers the changes of one book.

    Parameters
    ----------
    last_id: id of the book's last update before the first one that is gathered.
    """

    def __init__(self, symbol: str, last_id: int) -> None:
        self._symbol = symbol
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}
        self._previous_id = last_id
        self._first_id = 0
        self._last_id = last_id
        self._time_ns = 0

    def add(self, event: BookChanged) -> None:
        """One more change."""
        self._first_id = self._first_id or event.first_id
        self._last_id = event.last_id
        self._time_ns = event.time_ns
        self._bids.update(event.bids)
        self._asks.update(event.asks)

    def take(self) -> DepthChange | None:
        """What was gathered since the last call; None if nothing changed."""
        if not self._first_id:
            return None
        change = DepthChange(
            symbol=self._symbol,
            first_id=self._first_id,
            last_id=self._last_id,
            previous_id=self._previous_id,
            bids=tuple(sorted(self._bids.items(), reverse=True)),
            asks=tuple(sorted(self._asks.items())),
            time_ns=self._time_ns,
        )
        self._previous_id = self._last_id
        self._first_id = 0
        self._bids.clear()
        self._asks.clear()
        return change
