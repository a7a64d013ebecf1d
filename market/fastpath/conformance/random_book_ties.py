"""Rounds of packets (see ``random_ties``): a line, its rows and its book are made anew, with numbers of every length.

Numbers of packets, identifiers, prices at the ends of a window and totals lie next to what they are compared with, or
differ from it in one bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from market.fastpath.conformance import packet_builder as wire
from market.fastpath.conformance.case import Control, Frame, Input
from market.fastpath.conformance.frame_builder import Wrapping, best_bid_ask, frame, trades
from market.fastpath.conformance.random_doubles import near_halves
from market.fastpath.conformance.random_table_ties import TableTieHost
from market.fastpath.reference import ReferenceEngine
from market.fastpath.reference.lines import Book
from market.fastpath.reference.order_book import BookSide
from market.fastpath.specification import NO_INSTRUMENT, Feed, Kind, Side

_NUMBER_BITS: Final = 61
_QUANTITY_BITS: Final = 49
_PACKETS: Final = 12
_PACKETS_OF_A_BOOK: Final = (4, 12, 12, 60)
_MOST_MESSAGES: Final = 20
_MOST_DEALS: Final = 57


class Stage(NamedTuple):
    """What a round of packets plays on: rows by number, the line's feed and channel, and where packets go to."""

    feed: Feed
    venue: int
    instrument: int
    line: int
    book: int
    channel: int
    wire_instrument: int
    address: int
    port: int


class BookTieHost(TableTieHost):
    """A few of the rounds of its base, and those of packets of these feeds.

    ``beyond``: how often an order has a quantity above the largest one, of one bit.
    """

    def __init__(self, engine: ReferenceEngine, seed: int, feeds: Sequence[Feed], beyond: float = 0.0) -> None:
        self._feeds, self._beyond = tuple(feeds), beyond
        super().__init__(engine, seed, with_frames=True)

    def _rounds(self) -> tuple[Callable[[], Iterator[Input]], ...]:
        return (*(self._packets,) * 6, *(self._one_message,) * 3, self._settled, self._named, self._status)

    def _carried(self, stage: Stage, payload: bytes) -> Input:
        """In a frame to where packets of the round go, or next to it."""
        market, address, port = self._market, stage.address, stage.port
        if market.chance(0.04):
            wrong = (address ^ 1 << market.below(32), port), (address, port ^ 1 << market.below(16))
            address, port = market.one_of(wrong)
        tags = (market.below(1 << 12),) if market.chance(0.2) else ()
        checksum = None if market.chance(0.5) else 0
        padding = bytes(market.below(20)) if market.chance(0.1) else b""
        return Frame(frame(payload, Wrapping(address, port, tags=tags, udp_checksum=checksum, padding=padding)))

    def _stage(self, feed: Feed) -> Stage:
        market, sizes = self._market, self._sizes
        instrument, venue = market.some_pair()
        signed = {Feed.STARBASE: 32, Feed.COINBASE_DERIVATIVES: 16, Feed.DERIBIT_LEGACY: 16}.get(feed, 16)
        bits = {Feed.STARBASE: 64, Feed.COINBASE_DERIVATIVES: 32, Feed.DERIBIT_LEGACY: 33}.get(feed, 33)
        channel = market.below(1 << signed) - ((1 << 31) if signed == 32 else 0)
        wire_instrument = market.below_any(1 << bits - 1)
        if feed is not Feed.DERIBIT_LEGACY and market.chance(0.5):
            wire_instrument -= 1 << bits - 1
        book = market.below(sizes.books if feed is Feed.DERIBIT_LEGACY else sizes.order_books)
        addressed = market.below(1 << 32), market.below(1 << 16)
        return Stage(feed, venue, instrument, market.below(sizes.lines), book, channel, wire_instrument, *addressed)

    def _channel(self, stage: Stage) -> Input:
        fields = {"address": stage.address, "port": stage.port, "channel": self._market.below(self._sizes.channels)}
        instrument = stage.instrument if stage.feed is Feed.BINANCE_SBE else NO_INSTRUMENT
        fields |= {"instrument": instrument, "venue": stage.venue, "feed": int(stage.feed), "enabled": 1}
        return self._sequenced(Control("ChannelRow", fields))

    def _one_message(self) -> Iterator[Input]:
        """A channel, and quotes and trades of any length in it."""
        stage = self._stage(Feed.BINANCE_SBE)
        pair = stage.instrument, stage.venue
        yield self._channel(stage)
        yield self._row(stage.instrument, Kind.IMBALANCE, {})
        for _ in range(4):
            exponents = self._market.exponents[pair]
            symbol = self._market.octets(self._market.below(32))
            quote = self._some_quote(*pair)
            numbers = quote.bid_price, quote.bid_quantity, quote.ask_price, quote.ask_quantity
            yield self._carried(stage, best_bid_ask(*exponents, quote.sequence, *numbers, symbol=symbol))
            deals = [self._some_deal(pair) for _ in range(self._market.below(_MOST_DEALS + 1))]
            entries = [(deal.price, deal.quantity, self._market.below(3)) for deal in deals]
            yield self._carried(stage, trades(*exponents, entries, symbol))

    # lines

    def _packets(self) -> Iterator[Input]:
        """A line from its first packet on."""
        stage = self._stage(self._market.one_of(self._feeds))
        pair = stage.instrument, stage.venue
        shifts = (0, 0) if self._market.chance(0.8) else (self._market.below(4), self._market.below(4))
        self._market.exponents[pair] = (-self._market.below(10), -self._market.below(10))
        yield self._sequenced(self._scaling(pair, shifts))
        yield self._channel(stage)
        fields = {"line": stage.line, "wireChannel": stage.channel, "venue": stage.venue}
        yield self._sequenced(Control("LineRow", fields | {"feed": int(stage.feed), "enabled": 1}))
        yield self._row(stage.instrument, Kind.IMBALANCE, {})
        usual = (self._sizes.top // self._sizes.book_ticks).bit_length()
        tick = 1 + (self._length(usual) if self._market.chance(0.9) else self._number(self._sizes.price_bits - 1))
        price_exponent, quantity_exponent = self._market.exponents[pair]
        row = {"book": stage.book, "line": stage.line, "wireInstrument": stage.wire_instrument}
        row |= {"instrument": stage.instrument, "tick": min(tick, self._sizes.top), "enabled": 1}
        row |= {"priceExponent": price_exponent, "quantityExponent": quantity_exponent}
        yield self._sequenced(Control("BookRow", row))
        if stage.feed is Feed.DERIBIT_LEGACY:
            yield from self._stated_prices(stage)
        else:
            yield from self._loaded_book(stage)
            for _ in range(self._market.one_of(_PACKETS_OF_A_BOOK)):
                yield self._changes(stage)
                if self._market.chance(0.05):
                    yield from self._loaded_book(stage)
        yield self._sequenced(self._scaling(pair, (0, 0)))

    def _expected(self, stage: Stage) -> int | None:
        return self._state.lines.lines[stage.line].expected

    def _book(self, stage: Stage) -> Book:
        return self._state.lines.books[stage.book]

    # Deribit

    def _stated_prices(self, stage: Stage) -> Iterator[Input]:
        for _ in range(_PACKETS):
            expected = self._expected(stage)
            number = self._length(32) if expected is None else self._near_number(expected)
            messages = [self._stated_message(stage) for _ in range(self._market.below(4))]
            channel = stage.channel if self._market.chance(0.95) else stage.channel ^ 1 << self._market.below(16)
            yield self._carried(stage, wire.deribit_packet(number, messages, channel=channel))

    def _near_number(self, expected: int) -> int:
        """The expected number, the ones beside it, or one that differs in a bit."""
        draw = self._market.below(20)
        if draw < 14:
            return expected
        return max(0, expected + draw - 16) if draw < 19 else expected ^ 1 << self._market.below(34)

    def _stated_message(self, stage: Stage) -> bytes:
        market, bits = self._market, self._sizes.price_bits
        price_exponent, quantity_exponent = self._market.exponents[stage.instrument, stage.venue]
        wire_instrument = stage.wire_instrument
        if market.chance(0.05):
            wire_instrument ^= 1 << market.below(32)

        def double(exponent: int, number: int) -> int:
            return near_halves(market, exponent, number)

        if market.chance(0.1):
            return wire.deribit_book(wire_instrument, market.below(4))
        if market.chance(0.4):
            entries = []
            for _ in range(market.below(5)):
                price, amount = 1 + self._number(bits - 1), self._number(bits)
                entries.append((market.below(4), double(price_exponent, price), double(quantity_exponent, amount)))
            return wire.deribit_trades(wire_instrument, entries)
        bid = 1 + self._number(bits - 2)
        ask = self._among(bid + 1 + self._number(bits - 2), bid + 1, self._sizes.top)
        prices = (double(price_exponent, price) for price in (bid, ask))
        amounts = (double(quantity_exponent, 1 + self._number(bits - 1)) for _ in range(2))
        return wire.deribit_ticker(wire_instrument, next(prices), next(amounts), next(prices), next(amounts))

    # order by order

    def _loaded_book(self, stage: Stage) -> Iterator[Input]:
        """A packet where the line has none yet; the book cleared, a few orders, and ready."""
        if self._expected(stage) is None:
            yield self._carried(stage, self._packet(stage, self._length(_NUMBER_BITS), []))
        if self._expected(stage) is None:
            return
        height = self._book(stage).tick * self._sizes.book_ticks
        top = self._sizes.top
        base = self._market.below_any((top if height > top else top - height + 1) + 1)
        yield self._sequenced(Control("BookClear", {"book": stage.book, "base": base}))
        for _ in range(self._market.below(12)):
            is_ask, order, price, quantity = self._some_order(stage)
            fields = {"book": stage.book, "order": order, "price": price, "quantity": quantity}
            yield self._sequenced(Control("BookOrder", fields | {"side": int(Side.SELL if is_ask else Side.BUY)}))
        if self._market.chance(0.2):
            yield self._changes(stage)
        passed, expected = self._book(stage).passed, self._expected(stage) or 0
        numbers = (passed - 1, expected, expected ^ 1 << self._market.below(_NUMBER_BITS), passed)
        for number in numbers if self._market.chance(0.3) else numbers[-1:]:
            yield self._sequenced(Control("BookReady", {"book": stage.book, "number": number}))

    def _packet(self, stage: Stage, number: int, messages: list[bytes]) -> bytes:
        market, channel = self._market, stage.channel
        if market.chance(0.03):
            channel ^= 1 << market.below(16)
        kind = wire.SNAPSHOT if market.chance(0.02) else wire.INCREMENTAL
        build = wire.starbase_packet if stage.feed is Feed.STARBASE else wire.coinbase_packet
        return build(number, messages, channel=channel, kind=kind)

    def _changes(self, stage: Stage) -> Input:
        """A packet of changes, mostly the next one; of those before it some may be repeated at its head."""
        market, expected = self._market, self._expected(stage) or 0
        most = _MOST_MESSAGES if market.chance(0.2) else 4
        messages = [self._change(stage) for _ in range(market.below(most + 1))]
        draw = market.below(24)
        old = market.below(len(messages) + 2) if draw == 0 else 0
        number = max(0, expected - old) + (1 if draw == 1 else 0)
        if draw == 2:
            number = expected ^ 1 << market.below(_NUMBER_BITS)
        return self._carried(stage, self._packet(stage, number, messages))

    def _change(self, stage: Stage) -> bytes:
        """A put, a reduction, a deletion or a trade."""
        market, known = self._market, self._known(stage)
        wire_instrument = stage.wire_instrument
        if market.chance(0.03):
            wire_instrument ^= 1 << market.below(31)
        flags = wire.END if market.chance(0.7) else 0
        coinbase = stage.feed is Feed.COINBASE_DERIVATIVES
        if market.chance(0.08):
            deal = self._some_deal((stage.instrument, stage.venue))
            if coinbase:
                quantity = deal.quantity if abs(deal.quantity) < 1 << 31 else market.below(1 << 31)
                return wire.coinbase_trade(wire_instrument, market.below(3) - 1, deal.price, quantity, flags)
            return wire.starbase_trade(wire_instrument, market.chance(0.5), deal.price, deal.quantity, flags)
        if not known or market.chance(0.5):
            is_ask, order, price, quantity = self._some_order(stage)
            if coinbase:
                quantity = quantity if abs(quantity) < 1 << 31 else market.below(1 << 31)
                return wire.coinbase_put(order, wire_instrument, -1 if is_ask else 1, price, quantity, flags)
            return wire.starbase_put(order, wire_instrument, is_ask, price, quantity, flags)
        order, is_ask, quantity = self._one_known(stage, known)
        if market.chance(0.08):
            order = _signed(order ^ 1 << market.below(64))
        if coinbase:
            return wire.coinbase_delete(order, wire_instrument, -1 if is_ask else 1, flags)
        if market.chance(0.4):
            less = quantity + market.one_of((0, 1)) if market.chance(0.1) else 1 + market.below_any(quantity)
            return wire.starbase_reduce(order, wire_instrument, is_ask, less, flags)
        return wire.starbase_delete(order, wire_instrument, is_ask, flags)

    def _known(self, stage: Stage) -> list[int]:
        book = self._book(stage).orders
        return list(book.orders) if book is not None else []

    def _one_known(self, stage: Stage, known: list[int]) -> tuple[int, bool, int]:
        """An order, rather one of the best: its id, whether it is an ask, its quantity."""
        book = self._book(stage).orders
        assert book is not None
        best = book.top()
        tops = [number for number in known if book.orders[number].price in (best.bid, best.ask)]
        number = self._market.one_of(tuple(tops if tops and self._market.chance(0.6) else known))
        order = book.orders[number]
        return number, order.side is BookSide.ASK, order.quantity

    def _some_order(self, stage: Stage) -> tuple[bool, int, int, int]:
        """Side, id, price and quantity of an order, new or known: mostly bids below the asks, inside the window."""
        market, sizes, book = self._market, self._sizes, self._book(stage).orders
        base, tick = (book.base, book.tick) if book is not None else (0, 1)
        order = _signed(market.below_any(1 << 64))
        known, is_ask = self._known(stage), market.chance(0.5)
        if book is not None and known and market.chance(0.2):
            order = market.one_of(tuple(known))
            is_ask = (book.orders[order].side is BookSide.ASK) != market.chance(0.03)
            if market.chance(0.3):
                order = _signed(order ^ 1 << market.below(64))
        half = sizes.book_ticks // 2
        index = market.below(half) + half * is_ask if market.chance(0.7) else half + market.one_of((-1, 0)) - is_ask
        if market.chance(0.05):
            index = market.one_of((0, sizes.book_ticks - 1, -1, sizes.book_ticks, 1 << market.below(20)))
        price = base + index * tick
        if market.chance(0.03):
            price += market.one_of((1, -1, 1 << market.below(62), tick // 2))
        if stage.feed is Feed.COINBASE_DERIVATIVES:
            quantity = 1 + self._length(30)
        else:
            quantity = 1 + self._number(sizes.price_bits - market.one_of((1, 2, 4, 8)))
        if book is not None and market.chance(0.1):
            total = sum(each.quantity for each in book.orders.values() if each.price == price)
            quantity = sizes.top - total + market.below(2)
        if market.chance(0.02):
            quantity = market.one_of((0, -1, -1 << market.below(64), sizes.top, sizes.top + 1, 1 << market.below(63)))
        if self._beyond and market.chance(self._beyond):
            quantity = 1 << sizes.price_bits + market.below(_QUANTITY_BITS - sizes.price_bits)
        price, quantity = (self._among(number, -(1 << 63), (1 << 63) - 1) for number in (price, quantity))
        return is_ask, order, price, quantity


def _signed(number: int) -> int:
    """The signed number of the same 64 bits."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)
