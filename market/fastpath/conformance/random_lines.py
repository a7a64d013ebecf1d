"""Random packets of lines, and a host that loads their books: coherent enough that books live and break by turns.

Like ``random_host`` it looks into a reference engine for what a venue and a host would know.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from market.fastpath.conformance import packet_builder as wire
from market.fastpath.conformance.case import Control
from market.fastpath.conformance.frame_builder import ADDRESS
from market.fastpath.conformance.market_model import HIGHEST, LOWEST, POWERS_OF_TEN, MarketModel
from market.fastpath.reference.lines import Book, BookState
from market.fastpath.reference.order_book import BookSide, Order
from market.fastpath.reference.state import State
from market.fastpath.specification import Feed, Side

FIRST_PORT = 31_000
FIRST_CHANNEL = 40
FIRST_WIRE_INSTRUMENT = 1_000
LINE_FEEDS = (Feed.STARBASE, Feed.COINBASE_DERIVATIVES, Feed.DERIBIT_LEGACY)
LINES = 3
CHANNEL_ROWS = 2 * LINES
"""An A and a B destination of every line."""
NEAR = 12
"""Ticks around the mid price in which orders are put."""


class RandomLines:
    """Three lines with two books each, of the feeds given, in turn."""

    def __init__(self, market: MarketModel, state: State, feeds: Sequence[Feed] = LINE_FEEDS) -> None:
        self._feeds = [feeds[line % len(feeds)] for line in range(LINES)]
        self._market, self._state, self._sizes = market, state, state.sizes
        self._numbers = [market.one_of((0, 1, 1_000, (1 << 32) - 40, (1 << 61))) for _ in range(LINES)]
        self._last: list[bytes] = [b""] * LINES
        self._identifier = 1 + market.below(1 << 30)
        self._pairs = [(market.below(self._sizes.instruments), line % self._sizes.venues) for line in range(LINES)]

    def rows(self) -> Iterator[Control]:
        """Line rows, book rows and channel rows."""
        for line in range(LINES):
            yield self.line_row(line)
            for destination in (0, 1):
                yield Control(
                    "ChannelRow",
                    {
                        "address": ADDRESS,
                        "port": FIRST_PORT + 2 * line + destination,
                        "channel": self._sizes.channels - 1 - 2 * line - destination,
                        "instrument": 65_535,
                        "venue": self._pairs[line][1],
                        "feed": int(self._feeds[line]),
                        "enabled": 1,
                    },
                )
        for book in range(min(2 * LINES, self._sizes.books)):
            yield self.book_row(book)

    def line_row(self, line: int | None = None) -> Control:
        """The row of a line, always as it was."""
        line = self._market.below(LINES) if line is None else line
        fields = {"line": line, "wireChannel": FIRST_CHANNEL + line, "venue": self._pairs[line][1]}
        return Control("LineRow", fields | {"feed": int(self._feeds[line]), "enabled": 1})

    def book_row(self, book: int | None = None) -> Control:
        """The row of a book; the second book of a line is another instrument of the same number, if there is one."""
        book = self._market.below(min(2 * LINES, self._sizes.books)) if book is None else book
        line = book % LINES
        instrument = (self._pairs[line][0] + book // LINES) % self._sizes.instruments
        price_exponent, quantity_exponent = self._market.exponents[instrument, self._pairs[line][1]]
        return Control(
            "BookRow",
            {
                "book": book,
                "line": line,
                "wireInstrument": FIRST_WIRE_INSTRUMENT + book,
                "instrument": instrument,
                "tick": self._tick(line, instrument),
                "priceExponent": price_exponent,
                "quantityExponent": quantity_exponent,
                "enabled": int(not self._market.chance(0.02)),
            },
        )

    @property
    def pairs(self) -> set[tuple[int, int]]:
        """The (instrument, venue) pairs of the books."""
        return {(book.instrument, self._pairs[book.line][1]) for book in self._state.lines.books.values()}

    def some_row(self) -> Control:
        """A row, now and then with a number that it cannot have."""
        control = self.line_row() if self._market.chance(0.3) else self.book_row()
        if self._market.chance(0.4):
            changes = {"line": (16, 63), "venue": (self._sizes.venues,), "feed": (0, 1, 5), "enabled": (2,)}
            changes |= {"book": (self._sizes.books,), "instrument": (self._sizes.instruments,)}
            changes |= {"tick": (0, -1, self._sizes.top + 1), "priceExponent": (-10, 1), "quantityExponent": (-10, 1)}
            field = self._market.one_of(tuple(name for name in changes if name in control.fields))
            control = Control(control.message, {**control.fields, field: self._market.one_of(changes[field])})
        return control

    def load(self) -> Control:
        """The next message of loading some book that is not live; sometimes one that makes no sense."""
        number = self._market.below(self._sizes.order_books + self._market.chance(0.05))
        book = self._state.lines.books.get(number)
        if book is None or self._market.chance(0.1):
            some = self._clear(number, None), self._order(number, None), self._ready(number, None)
            return self._market.one_of(some)
        return self._next_of_loading(number, book)

    def load_in_one_go(self) -> Iterator[Control]:
        """The messages that load a book, made one by one, with nothing between them."""
        number = self._market.below(min(self._sizes.order_books, 2 * LINES))
        for _ in range(40):
            book = self._state.lines.books[number]
            if book.state is BookState.LIVE:
                return
            yield self._next_of_loading(number, book)

    def _next_of_loading(self, number: int, book: Book) -> Control:
        if book.state is not BookState.LOADING or self._market.chance(0.02):
            return self._clear(number, book)
        loaded = book.orders is not None and len(book.orders.orders) >= 8
        return self._ready(number, book) if loaded and self._market.chance(0.4) else self._order(number, book)

    def packet(self) -> tuple[int, bytes]:
        """A packet and the port that it comes to."""
        market, line = self._market, self._market.below(LINES)
        port = FIRST_PORT + 2 * line + market.below(2)
        if market.chance(0.05) and self._last[line]:
            return port, self._last[line]
        number = self._next_number(line)
        if market.chance(0.01):
            number += 1 + market.below(4)
        old = min(number, market.below(3)) if market.chance(0.06) else 0
        messages = [self._message(line) for _ in range(old + market.below(5))]
        first = number - old
        kind = wire.SNAPSHOT if market.chance(0.02) else wire.INCREMENTAL
        channel = FIRST_CHANNEL + line + (LINES if market.chance(0.02) else 0)
        if self._feeds[line] is Feed.DERIBIT_LEGACY:
            self._numbers[line] = number + 1
            payload = wire.deribit_packet(first, messages, channel=channel)
        else:
            build = wire.starbase_packet if self._feeds[line] is Feed.STARBASE else wire.coinbase_packet
            if kind == wire.INCREMENTAL and channel == FIRST_CHANNEL + line:
                self._numbers[line] = max(number, first + len(messages))
            payload = build(first, messages, channel=channel, kind=kind)
        self._last[line] = payload
        return port, payload

    def _next_number(self, line: int) -> int:
        """The line's next number; of one that a damaged packet sent far ahead, mostly what is expected there."""
        row = self._state.lines.lines.get(line)
        if row is not None and row.expected is not None and row.expected > self._numbers[line]:
            return row.expected if self._market.chance(0.5) else self._numbers[line]
        return self._numbers[line]

    def _scale(self, line: int, instrument: int) -> int:
        return POWERS_OF_TEN[self._market.shifts[instrument, self._pairs[line][1]][0]]

    def _tick(self, line: int, instrument: int) -> int:
        return max(1, self._market.steps[instrument] // 2 // self._scale(line, instrument))

    def _mid(self, book: Book) -> int:
        return self._market.mids[book.instrument] // self._scale(book.line, book.instrument)

    def _clear(self, number: int, book: Book | None) -> Control:
        base = self._market.one_of((-1, LOWEST, HIGHEST, self._sizes.top + 1))
        if book is not None:
            half = self._sizes.book_ticks // 2 * book.tick
            base = max(0, min(self._sizes.top, self._mid(book) - half + self._market.below(3)))
        return Control("BookClear", {"book": number, "base": base})

    def _ready(self, number: int, book: Book | None) -> Control:
        expected = self._state.lines.lines[book.line].expected if book is not None else None
        said = (expected or 0) - self._market.one_of((1, 1, 1, 1, 0, 2, 5))
        return Control("BookReady", {"book": number, "number": said})

    def _order(self, number: int, book: Book | None) -> Control:
        if book is None or book.orders is None:
            side, price, quantity, identifier = 1, 5, 5, 5
        else:
            is_ask, identifier, price, quantity = self._some_put(book)
            side = int(Side.SELL if is_ask else Side.BUY)
        if self._market.chance(0.05):
            quantity = self._market.one_of((0, 0, -1, self._sizes.top, self._sizes.top + 1))
        if self._market.chance(0.02):
            side = self._market.below(4)
        fields = {"book": number, "order": identifier, "side": side, "price": price, "quantity": quantity}
        return Control("BookOrder", fields)

    def _new_identifier(self) -> int:
        self._identifier += 1 + self._market.below(3)
        return self._identifier if self._market.chance(0.9) else self._market.below(1 << 62) - (1 << 61)

    def _some_put(self, book: Book) -> tuple[bool, int, int, int]:
        """Side, id, price and quantity of an order, new or known, that a book can mostly take."""
        market = self._market
        assert book.orders is not None
        known = list(book.orders.orders.items())
        is_ask, identifier = market.chance(0.5), self._new_identifier()
        if known and market.chance(0.25):
            identifier, order = known[market.below(len(known))]
            is_ask = (order.side is BookSide.ASK) != market.chance(0.02)
        index = (self._mid(book) - book.orders.base) // book.tick
        away = market.below(NEAR) if market.chance(0.95) else market.below(2 * self._sizes.book_ticks)
        index = index + 1 + away if is_ask else index - away
        price = book.orders.base + index * book.tick
        if market.chance(0.01):
            price = market.one_of((price + 1, LOWEST, HIGHEST, 0, self._sizes.top))
        quantity = market.quantity()
        if market.chance(0.01):
            quantity = market.one_of((0, -1, self._sizes.top, self._sizes.top + 1, HIGHEST))
        return is_ask, identifier, price, quantity

    def _message(self, line: int) -> bytes:
        market = self._market
        books = [(n, book) for n, book in self._state.lines.books.items() if book.line == line]
        number, book = books[market.below(len(books))] if books else (99, None)
        wire_instrument = FIRST_WIRE_INSTRUMENT + (number if market.chance(0.95) else 77)
        flags = wire.END if market.chance(0.6) else 0
        if self._feeds[line] is Feed.DERIBIT_LEGACY:
            return self._stated(wire_instrument, book)
        if book is None or market.chance(0.05):
            return self._other(self._feeds[line], wire_instrument, flags)
        if market.chance(0.08):
            price, quantity = self._mid(book), market.quantity() - market.chance(0.05)
            if self._feeds[line] is Feed.STARBASE:
                return wire.starbase_trade(wire_instrument, market.chance(0.5), price, quantity, flags)
            return wire.coinbase_trade(wire_instrument, market.below(3) - 1, price, quantity, flags)
        return self._change(self._feeds[line], wire_instrument, book, flags)

    def _other(self, feed: Feed, wire_instrument: int, flags: int) -> bytes:
        if feed is Feed.STARBASE:
            return wire.starbase_message(self._market.one_of((16, 30, 119)), bytes(self._market.below(60)), flags)
        if self._market.chance(0.3):
            return wire.coinbase_message(124, bytes(self._market.below(21)))
        return wire.coinbase_other(wire_instrument, flags | (wire.CLEAR if self._market.chance(0.05) else 0))

    def _change(self, feed: Feed, wire_instrument: int, book: Book, flags: int) -> bytes:
        """A put, or a reduction or deletion of a known order, rather one that stands in the way of the mid price."""
        market = self._market
        known = list(book.orders.orders.items()) if book.orders is not None else []
        if book.orders is None or not known or market.chance(0.5 if len(known) < 30 else 0.2):
            is_ask, identifier, price, quantity = (
                self._some_put(book) if book.orders is not None else (False, 5, self._mid(book), 5)
            )
            if feed is Feed.STARBASE:
                return wire.starbase_put(identifier, wire_instrument, is_ask, price, quantity, flags)
            quantity = max(-(1 << 31), min((1 << 31) - 1, quantity))
            wire_side = market.one_of((0, 2)) if market.chance(0.02) else -1 if is_ask else 1
            return wire.coinbase_put(identifier, wire_instrument, wire_side, price, quantity, flags)
        identifier, order = self._chosen(book, known)
        is_ask = (order.side is BookSide.ASK) != market.chance(0.02)
        identifier = identifier if market.chance(0.95) else self._new_identifier()
        if feed is Feed.COINBASE_DERIVATIVES:
            return wire.coinbase_delete(identifier, wire_instrument, -1 if is_ask else 1, flags)
        if market.chance(0.4):
            quantity = 1 + market.below(order.quantity) if market.chance(0.99) else order.quantity + 1
            return wire.starbase_reduce(identifier, wire_instrument, is_ask, quantity, flags)
        return wire.starbase_delete(identifier, wire_instrument, is_ask, flags)

    def _chosen(self, book: Book, known: list[tuple[int, Order]]) -> tuple[int, Order]:
        mid = self._mid(book)
        wrong = [(n, each) for n, each in known if (each.price > mid) == (each.side is BookSide.BID)]
        among = wrong if wrong and self._market.chance(0.8) else known
        return among[self._market.below(len(among))]

    def _stated(self, wire_instrument: int, book: Book | None) -> bytes:
        """A ticker, trades or a book message."""
        market = self._market
        if book is None or market.chance(0.1):
            return wire.deribit_book(wire_instrument, market.below(4))
        bid = self._mid(book) - market.below(NEAR) * book.tick
        ask = bid + (1 + market.below(4)) * book.tick
        price, quantity = 10.0**book.price_exponent, 10.0**book.quantity_exponent
        if market.chance(0.1):
            entries = [
                (market.below(4), self._some_double(bid * price), self._some_double(market.quantity() * quantity))
                for _ in range(market.below(4))
            ]
            return wire.deribit_trades(wire_instrument, entries)
        numbers = bid * price, market.quantity() * quantity, ask * price, market.quantity() * quantity
        bid_bits, bid_amount, ask_bits, ask_amount = (self._some_double(value) for value in numbers)
        return wire.deribit_ticker(wire_instrument, bid_bits, bid_amount, ask_bits, ask_amount)

    def _some_double(self, value: float) -> int:
        """The bits of a double, now and then of another one."""
        if self._market.chance(0.98):
            return wire.double(value)
        wild: int = struct.unpack("<Q", self._market.octets(8))[0]
        specials = (wire.ABSENT, 0, 1 << 63, wire.double(-value), wire.double(float("inf")), wire.ABSENT - 1, wild)
        return self._market.one_of((*specials, wire.double(value * 1e9), wire.double(5e-10), wire.double(0.5)))
