"""What happens on a venue, written once per stream and given to all who have subscribed to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

from sim.exchange.aggregate_trades import AggregateTrades
from sim.exchange.depth_feed import DepthChange, DepthFeed
from sim.exchange.outbox import Message
from sim.exchange.stream_names import Encoding, Stream, Topic
from sim.exchange.symbols import Symbols
from sim.exchange.venue.events import BookChanged, TopChanged, Traded, VenueEvent
from sim.exchange.venue.records import Depth, Funding, PublicTrade
from sim.exchange.venue.venue import SimulatedVenue
from sim.exchange.writing import AggregateTrade


class StreamWriter(Protocol):
    """How messages are written; ``server_ns`` is the time that the server states."""

    def top(self, event: TopChanged, server_ns: int) -> Message:
        """Best prices."""

    def trades(self, trades: list[PublicTrade], server_ns: int) -> Iterable[Message]:
        """Trades of one moment."""

    def change(self, change: DepthChange, server_ns: int) -> Message:
        """Changes of the book."""

    def book(self, depth: Depth, server_ns: int) -> Message:
        """Best levels of the book."""


class JsonWriter(StreamWriter, Protocol):
    """How messages are written of which there are none in SBE."""

    def aggregate(self, trade: AggregateTrade, server_ns: int) -> Message:
        """Trades of one taker order."""


class MarkWriter(Protocol):
    """How what only futures have is written."""

    def mark(self, funding: Funding, server_ns: int) -> Message:
        """Mark price and funding."""


Subscriber: TypeAlias = Callable[[Message], None]


class StreamHub:
    """The streams of one venue; nothing is written that nobody has subscribed to."""

    def __init__(
        self,
        venue: SimulatedVenue,
        symbols: Symbols,
        aggregates: AggregateTrades,
        server_ns: Callable[[int], int],
        *,
        json: JsonWriter,
        sbe: StreamWriter | None = None,
        mark: MarkWriter | None = None,
    ) -> None:
        self._venue = venue
        self._names = {model.symbol for model in symbols}
        self._json = json
        self._mark = mark
        self._writers: dict[Encoding, StreamWriter] = {Encoding.JSON: json}
        if sbe is not None:
            self._writers[Encoding.SBE] = sbe
        self._aggregates = aggregates
        self._server_ns = server_ns
        self._subscribers: dict[Stream, list[Subscriber]] = {}
        self._feeds: dict[Stream, DepthFeed] = {}
        self._due_ns: dict[Stream, int] = {}

    def knows(self, stream: Stream) -> bool:
        """Whether the venue has a stream."""
        if stream.encoding not in self._writers or (stream.topic is Topic.MARK and self._mark is None):
            return False
        return stream.symbol in self._names

    def join(self, stream: Stream, subscriber: Subscriber) -> None:
        """Subscribe."""
        if stream not in self._subscribers:
            self._subscribers[stream] = []
            if stream.topic is Topic.DEPTH:
                self._feeds[stream] = DepthFeed(stream.symbol, self._venue.depth(stream.symbol, 1).last_update_id)
            if stream.interval_ns:
                self._due_ns[stream] = 0
        self._subscribers[stream].append(subscriber)

    def leave(self, stream: Stream, subscriber: Subscriber) -> None:
        """Unsubscribe."""
        subscribers = self._subscribers[stream]
        subscribers.remove(subscriber)
        if not subscribers:
            del self._subscribers[stream]
            self._feeds.pop(stream, None)
            self._due_ns.pop(stream, None)

    def hear(self, events: list[VenueEvent], now_ns: int) -> None:
        """Send what is sent at once, keep the rest."""
        aggregates = self._aggregates.take(events)
        if not self._subscribers:
            return
        server_ns = self._server_ns(now_ns)
        trades: dict[str, list[PublicTrade]] = {}
        for event in events:
            if isinstance(event, BookChanged):
                self._change(event)
            elif isinstance(event, TopChanged):
                self._top(event, server_ns)
            elif isinstance(event, Traded):
                trades.setdefault(event.symbol, []).append(event.trade)
        for symbol, of_symbol in trades.items():
            self._trades(symbol, of_symbol, server_ns)
        for aggregate in aggregates:
            stream = Stream(symbol=aggregate.symbol, topic=Topic.AGGREGATE, encoding=Encoding.JSON)
            if stream in self._subscribers:
                self._send(stream, self._json.aggregate(aggregate, server_ns))
        for stream, feed in self._feeds.items():
            if not stream.interval_ns:
                self._flush(stream, feed, server_ns)

    def pulse(self, now_ns: int) -> None:
        """Send what is sent at intervals, where one is over."""
        for stream, due_ns in self._due_ns.items():
            if now_ns >= due_ns:
                self._due_ns[stream] = now_ns - now_ns % stream.interval_ns + stream.interval_ns
                self._periodic(stream, self._server_ns(now_ns))

    def _periodic(self, stream: Stream, server_ns: int) -> None:
        writer = self._writers[stream.encoding]
        if stream.topic is Topic.DEPTH:
            self._flush(stream, self._feeds[stream], server_ns)
        elif stream.topic is Topic.BOOK:
            self._send(stream, writer.book(self._venue.depth(stream.symbol, stream.levels), server_ns))
        elif self._mark is not None:
            self._send(stream, self._mark.mark(self._venue.funding(stream.symbol), server_ns))

    def _flush(self, stream: Stream, feed: DepthFeed, server_ns: int) -> None:
        change = feed.take()
        if change is not None:
            self._send(stream, self._writers[stream.encoding].change(change, server_ns))

    def _change(self, event: BookChanged) -> None:
        for stream, feed in self._feeds.items():
            if stream.symbol == event.symbol:
                feed.add(event)

    def _top(self, event: TopChanged, server_ns: int) -> None:
        for encoding, writer in self._writers.items():
            stream = Stream(symbol=event.symbol, topic=Topic.TOP, encoding=encoding)
            if stream in self._subscribers:
                self._send(stream, writer.top(event, server_ns))

    def _trades(self, symbol: str, trades: list[PublicTrade], server_ns: int) -> None:
        for encoding, writer in self._writers.items():
            stream = Stream(symbol=symbol, topic=Topic.TRADE, encoding=encoding)
            if stream in self._subscribers:
                for message in writer.trades(trades, server_ns):
                    self._send(stream, message)

    def _send(self, stream: Stream, message: Message) -> None:
        for subscriber in tuple(self._subscribers[stream]):
            subscriber(message)
