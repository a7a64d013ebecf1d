"""Order-by-order feeds become books that are right at every quote, or say that they are not known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from market.book import order_book as header
from market.book.ladder import ASK, BID, NO_PRICE
from market.book.order_stream import OrderFormat, OrderStream
from market.wire import records
from market.wire.instruments import Instrument
from market.wire.packet_stream import pack_payloads
from market.wire.records import Batch, Kind, Reject
from tests.market.book.order_feeds import END, INSTRUMENT, START, TICK, Coinbase, Dialect, Resting, Starbase, Top, Venue

LINEAR = Instrument(INSTRUMENT, "BTC-PERPETUAL", 1, 3, wire_exponent=-3)
FORMATS: dict[OrderFormat, Callable[[], Dialect]] = {
    OrderFormat.STARBASE: Starbase,
    OrderFormat.COINBASE_DERIVATIVES: Coinbase,
}
ONLY = START | END
each_format = pytest.mark.parametrize("form", FORMATS, ids=[form.name for form in FORMATS])


def instrument_of(form: OrderFormat) -> Instrument:
    return LINEAR if form is OrderFormat.STARBASE else Instrument(INSTRUMENT, "BIT-29MAR24-CDE", 1, 0)


@dataclass
class Reader:
    """A stream, and what came out of it."""

    form: OrderFormat
    capacity: int = 4096
    instruments: tuple[Instrument, ...] = ()
    quotes: list[tuple[int, Top]] = field(default_factory=list)
    trades: list[list[int]] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    ignored: int = 0

    def __post_init__(self) -> None:
        self.stream = OrderStream(self.form, self.instruments or (instrument_of(self.form),), self.capacity)

    def read(self, packets: Sequence[bytes], room: int = 512) -> Reader:
        batch = Batch(room, 1)
        self.stream.take(pack_payloads(list(packets), range(1, len(packets) + 1), 1))
        used_up = False
        while not used_up:
            batch.restart()
            used_up = self.stream.fill(batch)
            for row in batch.filled():
                self._sort(row)
        return self

    def _sort(self, row: records.Words) -> None:
        kind = Kind(int(row[records.KIND]))
        values = row[records.BID_PRICE : records.ASK_QUANTITY + 1].tolist()
        if kind is Kind.QUOTE:
            self.quotes.append((int(row[records.LAST_ID]), (values[0], values[1], values[2], values[3])))
        elif kind is Kind.TRADE:
            self.trades.append(values)
        elif kind is Kind.REJECTED:
            self.rejects.append(Reject(int(row[records.REASON])))
        else:
            self.ignored += 1

    def __getitem__(self, word: int) -> int:
        return int(self.stream.book_headers[0, word])

    @property
    def synchronised(self) -> bool:
        return self[header.SYNCHRONISED] == 1


WITHDRAWN: Top = (NO_PRICE, 0, NO_PRICE, 0)


def random_venue(form: OrderFormat, seed: int, transactions: int, every: int) -> Venue:
    """A venue that publishes a snapshot now and then, the first before anything else but one transaction."""
    venue = Venue(FORMATS[form](), np.random.default_rng(seed))
    for number in range(transactions):
        venue.transact()
        if number % every == 0:
            venue.publish_snapshot()
    return venue


def assert_quotes_are_right(reader: Reader, venue: Venue) -> None:
    """Every quote is the venue's top after the message that it names; identifiers increase."""
    identifiers = [identifier for identifier, _ in reader.quotes]
    assert identifiers == sorted(set(identifiers))
    for identifier, top in reader.quotes:
        if identifier % 2:
            assert top == venue.tops[identifier // 2]
        else:
            assert top == WITHDRAWN


@each_format
@pytest.mark.parametrize("seed", range(6))
def test_two_lines_that_group_differently_give_every_change_of_the_top(form: OrderFormat, seed: int) -> None:
    venue = random_venue(form, seed, transactions=150, every=150)
    reader = Reader(form).read(venue.feed(lines=2))
    assert_quotes_are_right(reader, venue)
    first = reader.quotes[0][0] // 2
    changes = [top for number, top in sorted(venue.tops.items()) if number >= first]
    expected = [top for place, top in enumerate(changes) if place == 0 or top != changes[place - 1]]
    assert [top for _, top in reader.quotes] == expected
    assert reader.synchronised
    assert (reader[header.GAPS], reader.rejects) == (0, [])
    assert reader.stream.channels.duplicates > 0


@each_format
@pytest.mark.parametrize("seed", range(8))
def test_lost_packets_withdraw_the_quote_until_a_snapshot(form: OrderFormat, seed: int) -> None:
    venue = random_venue(form, seed, transactions=400, every=25)
    reader = Reader(form).read([*venue.feed(lines=1, loss=0.02), venue.dialect.packet(venue.last + 1, [])])
    assert_quotes_are_right(reader, venue)
    assert reader.stream.channels.gaps > 0
    assert reader[header.GAPS] > 0
    assert reader[header.RESYNCS] > 0
    withdrawn = sum(top == WITHDRAWN and identifier % 2 == 0 for identifier, top in reader.quotes)
    assert 0 < withdrawn <= reader[header.GAPS], "a book that is lost before it was quoted has nothing to withdraw"
    kinds = [identifier % 2 for identifier, _ in reader.quotes]
    assert (0, 0) not in pairwise(kinds)
    assert (reader[header.UNKNOWN_ORDERS], reader[header.IMPOSSIBLE], reader[header.OVERFLOWS]) == (0, 0, 0)


@each_format
def test_a_gap_at_the_end_leaves_the_book_unknown(form: OrderFormat) -> None:
    venue = random_venue(form, 1, transactions=30, every=30)
    reader = Reader(form).read([*venue.feed(lines=1), venue.dialect.packet(venue.last + 2, [])])
    assert not reader.synchronised
    assert reader.quotes[-1] == (2 * (venue.last + 1), WITHDRAWN)
    books = reader.stream.books
    assert (books.books, books.synchronised, books.gaps) == (1, False, 1)


@each_format
def test_small_batches_change_nothing(form: OrderFormat) -> None:
    packets = random_venue(form, 3, transactions=200, every=40).feed(lines=2, loss=0.01)
    whole, small = Reader(form).read(packets), Reader(form)
    for packet in packets:
        small.read([packet], room=3)
    assert (whole.quotes, whole.trades, whole.ignored) == (small.quotes, small.trades, small.ignored)


@each_format
def test_orders_of_a_book_survive_a_snapshot_and_updates(form: OrderFormat) -> None:
    venue = random_venue(form, 5, transactions=120, every=60)
    reader = Reader(form).read(venue.feed(lines=1))
    assert reader.quotes[-1][1] == venue.top()
    assert reader.stream.books.updates > 0


def line(venue: Venue, *messages: bytes) -> bytes:
    """The next messages of a venue as a packet."""
    first = venue.last + 1
    venue.messages += messages
    return venue.dialect.packet(first, list(messages))


@pytest.fixture(params=FORMATS, ids=[form.name for form in FORMATS])
def started(request: pytest.FixtureRequest) -> tuple[Reader, Venue]:
    """A reader whose book has a bid of 5 at 100 and an ask of 7 at 101, each an order."""
    form: OrderFormat = request.param
    venue = Venue(FORMATS[form](), np.random.default_rng(0))
    venue.orders = {1: Resting(BID, 100, 5, 10), 2: Resting(ASK, 101, 7, 10)}
    reader = Reader(form, capacity=8)
    reader.read([line(venue, venue.dialect.other(ONLY)), *venue.dialect.snapshot(venue.last, venue.orders, 9)])
    assert reader.quotes == [(2 * venue.last + 1, (500, 5, 505, 7))]
    return reader, venue


def test_nothing_is_quoted_within_a_transaction(started: tuple[Reader, Venue]) -> None:
    reader, venue = started
    order = Resting(BID, 100, 3, 20)
    reader.read([line(venue, venue.dialect.put(3, order, START))])
    assert len(reader.quotes) == 1
    reader.read([line(venue, venue.dialect.other(END))])
    assert reader.quotes[1:] == [(2 * venue.last + 1, (500, 8, 505, 7))]


def test_a_change_behind_the_top_is_no_quote(started: tuple[Reader, Venue]) -> None:
    reader, venue = started
    reader.read([line(venue, venue.dialect.put(3, Resting(ASK, 105, 3, 20), ONLY))])
    assert len(reader.quotes) == 1


def test_an_executed_order_leaves_by_its_own_message(started: tuple[Reader, Venue]) -> None:
    reader, venue = started
    maker = venue.orders[2]
    dialect = venue.dialect
    reader.read([line(venue, dialect.trade(maker, 7, START), dialect.delete(2, maker, END))])
    (trade,) = reader.trades
    assert trade == [505, 7, records.AGGRESSOR_BUY, venue.last - 1]
    assert reader.quotes[-1][1] == (500, 5, NO_PRICE, 0)


def test_a_partly_executed_order_is_put_anew(started: tuple[Reader, Venue]) -> None:
    reader, venue = started
    maker = Resting(BID, 100, 4, 30)
    reader.read([line(venue, venue.dialect.trade(maker, 1, START), venue.dialect.put(1, maker, END))])
    assert reader.trades[0][2] == records.AGGRESSOR_SELL
    assert reader.quotes[-1][1] == (500, 4, 505, 7)


def test_an_order_that_was_never_there_gives_the_book_up(started: tuple[Reader, Venue]) -> None:
    reader, venue = started
    reader.read([line(venue, venue.dialect.delete(99, Resting(BID, 100, 1, 1), ONLY))])
    assert reader.quotes[-1] == (2 * venue.last, WITHDRAWN)
    assert (reader[header.UNKNOWN_ORDERS], reader[header.GAPS]) == (1, 1)
    reader.read(venue.dialect.snapshot(venue.last, venue.orders, 3))
    assert reader.quotes[-1] == (2 * venue.last + 1, (500, 5, 505, 7))
    assert reader[header.RESYNCS] == 1


@pytest.mark.parametrize("started", [OrderFormat.STARBASE], indirect=True)
@pytest.mark.parametrize(("identifier", "quantity"), [(99, 1), (1, 6), (1, 0)])
def test_a_reduction_that_is_none_gives_the_book_up(
    started: tuple[Reader, Venue], identifier: int, quantity: int
) -> None:
    reader, venue = started
    reader.read([line(venue, venue.dialect.reduce(identifier, Resting(BID, 100, quantity, 1), ONLY))])
    assert reader.quotes[-1] == (2 * venue.last, WITHDRAWN)


def test_more_orders_than_there_is_room_for_give_the_book_up(started: tuple[Reader, Venue]) -> None:
    reader, venue = started
    for identifier in range(10, 17):
        venue.orders[identifier] = Resting(BID, 90, 1, identifier)
        reader.read([line(venue, venue.dialect.put(identifier, venue.orders[identifier], ONLY))])
    assert not reader.synchronised
    assert reader.stream.books.overflows == 1
    reader.read(venue.dialect.snapshot(venue.last, venue.orders, 3))
    assert not reader.synchronised, "the snapshot has no room either"
    reader.read([line(venue, *(venue.dialect.delete(10, venue.orders.pop(10), ONLY) for _ in range(1)))])
    reader.read(venue.dialect.snapshot(venue.last, venue.orders, 3))
    assert reader.synchronised


def test_a_price_between_the_ticks_gives_the_book_up(started: tuple[Reader, Venue]) -> None:
    reader, venue = started
    odd = line(venue, venue.dialect.put(3, Resting(BID, 100, 1, 1), ONLY)).replace(
        (100 * TICK).to_bytes(8, "little"), (100 * TICK + 1).to_bytes(8, "little")
    )
    reader.read([odd])
    assert reader.rejects == [Reject.PRECISION]
    assert not reader.synchronised


def test_a_gap_of_what_the_snapshot_holds_is_none(started: tuple[Reader, Venue]) -> None:
    reader, venue = started
    fresh = Reader(reader.form).read([line(venue, venue.dialect.other(ONLY))])
    line(venue, venue.dialect.other(ONLY))
    line(venue, venue.dialect.other(ONLY))
    fresh.read(venue.dialect.snapshot(venue.last, venue.orders, 9))
    if fresh.form is OrderFormat.COINBASE_DERIVATIVES:
        assert fresh.synchronised
    fresh.read([line(venue, venue.dialect.put(3, Resting(BID, 100, 1, 1), ONLY))])
    assert fresh.stream.channels.gaps == 1
    assert fresh.synchronised
    assert fresh.quotes[-1][1] == (500, 6, 505, 7)


def test_a_snapshot_that_a_gap_outran_does_not_join(started: tuple[Reader, Venue]) -> None:
    reader, venue = started
    old = venue.last
    line(venue, venue.dialect.other(ONLY))
    reader.read([line(venue, venue.dialect.other(ONLY))])
    assert not reader.synchronised
    reader.read(venue.dialect.snapshot(old, venue.orders, 9))
    assert not reader.synchronised
    assert reader[header.STALE_SNAPSHOTS] == 1
    reader.read(venue.dialect.snapshot(venue.last - 1, venue.orders, 9))
    assert reader.synchronised


def test_updates_before_a_snapshot_wait_for_it(started: tuple[Reader, Venue]) -> None:
    reader, venue = started
    line(venue, venue.dialect.other(ONLY))
    reader.read([line(venue, venue.dialect.put(3, Resting(BID, 100, 3, 1), ONLY))])
    snapshot = venue.dialect.snapshot(venue.last - 1, venue.orders, 9)
    reader.read([line(venue, venue.dialect.put(4, Resting(ASK, 101, 2, 1), ONLY)), *snapshot])
    assert reader.quotes[-1] == (2 * venue.last + 1, (500, 8, 505, 9))


def test_a_snapshot_from_before_any_update_does_not_join() -> None:
    venue = Venue(Starbase(), np.random.default_rng(0))
    reader = Reader(OrderFormat.STARBASE).read(venue.dialect.snapshot(venue.last, {}, 9))
    assert not reader.synchronised


def test_a_damaged_packet_is_refused_and_makes_a_gap(started: tuple[Reader, Venue]) -> None:
    reader, venue = started
    broken = line(venue, venue.dialect.other(ONLY))[:-8]
    reader.read([broken, line(venue, venue.dialect.other(ONLY))])
    assert reader.rejects == [Reject.MALFORMED]
    assert not reader.synchronised


def test_other_instruments_are_left_alone(started: tuple[Reader, Venue]) -> None:
    reader, venue = started
    stranger = Reader(reader.form, instruments=(Instrument(5, "ETH-PERPETUAL", 1, 3),))
    stranger.read([line(venue, venue.dialect.put(3, Resting(BID, 100, 1, 1), ONLY))])
    stranger.read(venue.dialect.snapshot(venue.last, venue.orders, 2))
    assert (stranger.quotes, stranger.rejects) == ([], [])


def test_a_snapshot_that_lacks_a_part_does_not_join() -> None:
    venue = Venue(Coinbase(), np.random.default_rng(0))
    venue.orders = {number: Resting(BID, 100, 1, 1) for number in range(6)}
    reader = Reader(OrderFormat.COINBASE_DERIVATIVES).read([line(venue, venue.dialect.other(ONLY))])
    packets = venue.dialect.snapshot(venue.last, venue.orders, 2)
    reader.read([*packets[:2], *packets[3:]])
    assert not reader.synchronised
    reader.read([packet for packet in packets for _ in range(2)])
    assert reader.synchronised, "two lines of one snapshot"


def test_a_missing_number_of_the_instrument_gives_the_book_up() -> None:
    dialect = Coinbase()
    venue = Venue(dialect, np.random.default_rng(0))
    reader = Reader(OrderFormat.COINBASE_DERIVATIVES).read([line(venue, dialect.other(ONLY))])
    reader.read(dialect.snapshot(venue.last, {}, 9))
    dialect.number += 1
    reader.read([line(venue, dialect.other(ONLY))])
    assert (reader.synchronised, reader.stream.channels.gaps) == (False, 0)


def test_the_numbers_of_an_instrument_begin_anew_on_another_day() -> None:
    dialect = Coinbase()
    venue = Venue(dialect, np.random.default_rng(0))
    reader = Reader(OrderFormat.COINBASE_DERIVATIVES).read([line(venue, dialect.other(ONLY))])
    reader.read(dialect.snapshot(venue.last, {}, 9))
    dialect.number, dialect.day = 1, dialect.day + 1
    reader.read([line(venue, dialect.other(ONLY))])
    assert reader.synchronised


def test_a_clear_book_flag_empties_the_book() -> None:
    venue = Venue(Coinbase(), np.random.default_rng(0))
    venue.orders = {1: Resting(BID, 100, 5, 10)}
    reader = Reader(OrderFormat.COINBASE_DERIVATIVES).read([line(venue, venue.dialect.other(ONLY))])
    reader.read(venue.dialect.snapshot(venue.last, venue.orders, 9))
    reader.read([line(venue, venue.dialect.put(7, Resting(ASK, 101, 2, 1), ONLY | 128))])
    assert reader.quotes[-1][1] == (NO_PRICE, 0, 505, 2)
    reader.read([line(venue, venue.dialect.other(ONLY | 128))])
    assert reader.quotes[-1][1] == WITHDRAWN
    assert reader.synchronised


def test_quantities_of_inverse_instruments_are_converted_at_the_top() -> None:
    inverse = Instrument(INSTRUMENT, "BTC-PERPETUAL", 1, 8, wire_exponent=-3, contract_value=Decimal(10))
    venue = Venue(Starbase(), np.random.default_rng(0))
    venue.orders = {1: Resting(BID, 100, 3000, 1), 2: Resting(BID, 100, 4000, 2)}
    reader = Reader(OrderFormat.STARBASE, instruments=(inverse,)).read([line(venue, venue.dialect.other(ONLY))])
    reader.read(venue.dialect.snapshot(venue.last, venue.orders, 9))
    assert reader.quotes[-1][1] == (500, 7 * 10 * 10**9 // 500, NO_PRICE, 0)
