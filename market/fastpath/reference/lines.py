"""Lines and their books (docs/fastpath.md, rules 53 to 72 and 76): what a packet does, as events in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from market.fastpath.reference import coinbase, deribit, starbase
from market.fastpath.reference.events import QuoteEvent, TradeEvent
from market.fastpath.reference.feed_messages import BadPacket, Change, ChangeKind, Deal, Header, Message
from market.fastpath.reference.order_book import CannotTake, OrderBook, Top
from market.fastpath.specification import DropReason, Feed

READERS = {
    Feed.STARBASE: starbase,
    Feed.COINBASE_DERIVATIVES: coinbase,
    Feed.DERIBIT_LEGACY: deribit,
}


class BookState(Enum):
    """How far a book is."""

    UNLOADED = 0
    LOADING = 1
    LIVE = 2


@dataclass(slots=True)
class Line:
    """A channel that is followed; ``expected`` is None before its first packet."""

    venue: int
    feed: Feed
    wire_channel: int
    enabled: bool
    expected: int | None = None


@dataclass(slots=True)
class Book:
    """A wire instrument and what is known of its book; ``sent`` is None until it has made an event."""

    line: int
    wire_instrument: int
    instrument: int
    tick: int
    price_exponent: int
    quantity_exponent: int
    enabled: bool
    state: BookState = BookState.UNLOADED
    passed: int = 0
    orders: OrderBook | None = None
    sent: Top | None = None

    def quote(self, venue: int, sequence: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int) -> QuoteEvent:
        """A quote event of this instrument."""
        exponents = self.price_exponent, self.quantity_exponent
        return QuoteEvent(self.instrument, venue, *exponents, sequence, bid, bid_quantity, ask, ask_quantity)

    def apply(self, change: Change) -> None:
        """Let a change of an order take effect. Raises ``CannotTake``."""
        assert self.orders is not None
        if change.kind is ChangeKind.PUT:
            self.orders.put(change.order, change.side, change.price, change.quantity)
        elif change.kind is ChangeKind.REDUCE:
            self.orders.reduce(change.order, change.side, change.quantity)
        else:
            self.orders.delete(change.order, change.side)


class Withdrawal(NamedTuple):
    """The event of a book that broke."""

    event: QuoteEvent


LineEvent = QuoteEvent | TradeEvent | Withdrawal


@dataclass(slots=True)
class Packet:
    """A packet that is to be a step."""

    venue: int
    feed: Feed
    header: Header
    messages: list[Message]
    line: int | None


@dataclass(slots=True)
class Outcome:
    """What a packet did; filled while its events are taken."""

    applied: int = 0
    skipped: int = 0
    gaps: int = 0


class Lines:
    """All lines and books of an engine, by the numbers of their rows."""

    def __init__(self) -> None:
        self.lines: dict[int, Line] = {}
        self.books: dict[int, Book] = {}

    def read(self, venue: int, feed: Feed, payload: bytes) -> Packet | DropReason:
        """The packet, or why its frame is dropped; changes nothing."""
        reader = READERS[feed]
        try:
            header = reader.read_header(payload)
            line = self._line_of(venue, feed, header)
            if line is not None and self._is_old(self.lines[line], header):
                return DropReason.DUPLICATE
            return Packet(venue, feed, header, reader.read_messages(payload), line)
        except BadPacket:
            return DropReason.BAD_MESSAGE

    def take(self, packet: Packet, outcome: Outcome) -> Iterator[LineEvent]:
        """Place the packet and let its messages take effect; the events must be used as they come."""
        if packet.line is None:
            outcome.skipped += len(packet.messages)
        elif packet.feed is Feed.DERIBIT_LEGACY:
            yield from self._take_stated(packet, packet.line, outcome)
        else:
            yield from self._take_orders(packet, packet.line, outcome)

    def of_line(self, number: int) -> list[Book]:
        """The books of a line in the order of their rows."""
        return [book for _, book in sorted(self.books.items()) if book.line == number]

    def _line_of(self, venue: int, feed: Feed, header: Header) -> int | None:
        key = (venue, feed, header.channel, True)
        matching = [n for n, row in self.lines.items() if (row.venue, row.feed, row.wire_channel, row.enabled) == key]
        return min(matching) if matching and header.in_sequence else None

    def _book_of(self, line: int, message: Message) -> Book | None:
        if message.wire_instrument is None:
            return None
        books = (book for book in self.of_line(line) if book.enabled)
        return next((book for book in books if book.wire_instrument == message.wire_instrument), None)

    @staticmethod
    def _position(line: Line, header: Header) -> int:
        """Deribit: the packet's number, going on where it begins again from 0."""
        if line.expected is None:
            return header.number
        candidates = [(line.expected >> 32) + turn for turn in (-1, 0, 1)]
        positions = [(turn << 32) + header.number for turn in candidates]
        return next(at for at in positions if -(1 << 31) <= at - line.expected < 1 << 31)

    def _is_old(self, line: Line, header: Header) -> bool:
        if line.expected is None:
            return False
        if line.feed is Feed.DERIBIT_LEGACY:
            return self._position(line, header) < line.expected
        return header.number + max(header.count, 1) <= line.expected

    def _take_stated(self, packet: Packet, number: int, outcome: Outcome) -> Iterator[LineEvent]:
        line = self.lines[number]
        position = self._position(line, packet.header)
        outcome.gaps += line.expected is not None and position > line.expected
        line.expected = position + 1
        for index, message in enumerate(packet.messages):
            book = self._book_of(number, message)
            if book is None:
                outcome.skipped += 1
                continue
            outcome.applied += 1
            if message.quoted is not None:
                bid, bid_amount, ask, ask_amount = message.quoted.doubles
                yield book.quote(
                    packet.venue,
                    position * 256 + index,
                    deribit.mantissa(bid, book.price_exponent),
                    deribit.mantissa(bid_amount, book.quantity_exponent),
                    deribit.mantissa(ask, book.price_exponent),
                    deribit.mantissa(ask_amount, book.quantity_exponent),
                )
            for deal in message.deals or ():
                price = deribit.mantissa(deal.price, book.price_exponent)
                amount = deribit.mantissa(deal.quantity, book.quantity_exponent)
                yield _trade(book, packet.venue, Deal(price, amount, deal.aggressor))

    def _take_orders(self, packet: Packet, number: int, outcome: Outcome) -> Iterator[LineEvent]:
        line, header = self.lines[number], packet.header
        expected, line.expected = line.expected, header.number + header.count
        if expected is None or header.number > expected:
            outcome.gaps += expected is not None
            yield from self._lose(number, packet.venue, header.number)
        for at, message in enumerate(packet.messages, start=header.number):
            if expected is not None and at < expected:
                outcome.skipped += 1
                continue
            book = self._book_of(number, message)
            events = [] if book is None else self._take_message(book, packet.venue, at, message)
            outcome.applied += events is not None and book is not None
            outcome.skipped += events is None or book is None
            yield from events or ()
            if message.ends:
                yield from self._end_transaction(number, packet.venue, at)

    def _lose(self, number: int, venue: int, first: int) -> Iterator[LineEvent]:
        for book in self.of_line(number):
            if book.state is BookState.LIVE:
                yield _broken(book, venue)
            book.passed = first - 1

    @staticmethod
    def _take_message(book: Book, venue: int, number: int, message: Message) -> list[LineEvent] | None:
        """The events of a message about a book, or None if the message is skipped."""
        events: list[LineEvent] = []
        applied = False
        if message.clears or message.change is not None:
            book.passed = number
        if message.clears and book.state is BookState.LIVE:
            events.append(_broken(book, venue))
            applied = True
        if message.change is not None and book.state is BookState.LIVE:
            applied = True
            try:
                book.apply(message.change)
            except CannotTake:
                events.append(_broken(book, venue))
        for deal in message.deals or ():
            events.append(_trade(book, venue, deal))
            applied = True
        return events if applied else None

    def _end_transaction(self, number: int, venue: int, sequence: int) -> Iterator[LineEvent]:
        for book in self.of_line(number):
            if book.state is BookState.LIVE:
                assert book.orders is not None
                top = book.orders.top()
                if top != book.sent:
                    book.sent = top
                    yield book.quote(venue, sequence, *top)


def _trade(book: Book, venue: int, deal: Deal) -> TradeEvent:
    exponents = book.price_exponent, book.quantity_exponent
    return TradeEvent(book.instrument, venue, *exponents, deal.aggressor, deal.price, deal.quantity)


def _broken(book: Book, venue: int) -> Withdrawal:
    book.state = BookState.UNLOADED
    return Withdrawal(book.quote(venue, 0, 0, 0, 0, 0))
