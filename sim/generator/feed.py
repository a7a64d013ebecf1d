"""What a venue publishes: quotes, trades, depth and a snapshot, as lines that reach the recorder in order."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final, NamedTuple

from config.venues import VenueName
from sim.generator.book import OrderBook
from sim.generator.dialect import Top
from sim.generator.models import VenueModel
from sim.generator.network import Connection
from sim.generator.settings import Coin

_MS: Final = 10**6
_NO_TOP: Final = (0, 0, 0, 0)


class Line(NamedTuple):
    """One line of a recording: ``<receive ns> <JSON>`` and a newline."""

    receive_ns: int
    source: VenueName
    text: str
    coin: Coin


class Outbox:
    """Lines on their way to the recorder, in the order of their arrival."""

    __slots__ = ("_entered", "_lines")

    def __init__(self) -> None:
        self._entered = 0
        self._lines: list[tuple[int, int, Line]] = []

    def put(self, line: Line) -> None:
        """Add a line."""
        self._entered += 1
        heappush(self._lines, (line.receive_ns, self._entered, line))

    def arrived(self, now_ns: int) -> bool:
        """Whether a line has arrived by now."""
        return bool(self._lines) and self._lines[0][0] <= now_ns

    def take(self) -> Line:
        """The line that arrives first."""
        return heappop(self._lines)[2]

    def __len__(self) -> int:
        return len(self._lines)


class Feed:
    """One venue's streams of one book."""

    def __init__(
        self, model: VenueModel, book: OrderBook, connection: Connection, outbox: Outbox, trade_id: int
    ) -> None:
        self._source = model.venue
        self._coin = model.coin
        self._dialect = model.dialect
        self._book = book
        self._connection = connection
        self._outbox = outbox
        self._trade_id = trade_id
        self._top: Top = _NO_TOP
        self._event_ns = 0
        self._answer = ""

    def quote(self, now_ns: int) -> None:
        """State the best bid and offer if they changed."""
        self._event_ns = now_ns
        top = self._book.top()
        if top != self._top:
            self._top = top
            published, received = self._connection.send(now_ns)
            text = self._dialect.quote(self._book.update_id, top, now_ns // _MS, published // _MS)
            self._send(received, text)

    def trade(self, now_ns: int, tick: int, lots: int, is_sell: bool) -> None:
        """Report a fill."""
        self._trade_id += 1
        published, received = self._connection.send(now_ns)
        text = self._dialect.trade(self._trade_id, tick, lots, is_sell, now_ns // _MS, published // _MS)
        self._send(received, text)

    def depth(self, now_ns: int) -> None:
        """Publish the levels that changed since the last time, if any did."""
        book = self._book
        if book.first_id == 0:
            return
        published, received = self._connection.send(now_ns)
        ids = (book.first_id, book.update_id, book.previous_id)
        bids, asks = book.bids.take_changes(), book.asks.take_changes()
        self._send(received, self._dialect.depth(ids, bids, asks, self._event_ns // _MS, published // _MS))
        book.previous_id, book.first_id = book.update_id, 0

    def photograph(self, now_ns: int) -> None:
        """Prepare the answer to a request for the whole book, as it is now."""
        book = self._book
        self._answer = self._dialect.snapshot(book.update_id, book.bids.ranked(), book.asks.ranked(), now_ns // _MS)

    def answer(self, now_ns: int) -> None:
        """Deliver that answer."""
        _, received = self._connection.send(now_ns)
        self._send(received, self._answer)

    def _send(self, received_ns: int, text: str) -> None:
        self._outbox.put(Line(received_ns, self._source, f"{received_ns} {text}\n", self._coin))
