"""Order books of the frame path against a model of a venue, over two lines that group and lose packets differently."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.book.ladder import ASK, BID
from market.errors import Fatal
from market.fastpath.books.status import BookState
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.reference.order_book import BookSide, CannotTake, OrderBook
from market.fastpath.specification import EngineSizes, Feed, Side, StepKind
from market.wire.sbe import decode
from tests.market.book.order_feeds import INSTRUMENT, TICK, Coinbase, Dialect, Resting, Starbase, Venue
from tests.market.fastpath.line_driver import LineDriver, Order, Quote

SIZES = EngineSizes(venues=2, instruments=1, order_books=1, book_orders=4_096, book_ticks=64)
BASE = 80 * TICK
DIALECTS: dict[Feed, Callable[[], Dialect]] = {Feed.STARBASE: Starbase, Feed.COINBASE_DERIVATIVES: Coinbase}
BOTH = pytest.mark.parametrize("feed", list(DIALECTS))


def venue_of(feed: Feed, seed: int, transactions: int) -> Venue:
    venue = Venue(DIALECTS[feed](), np.random.default_rng(seed))
    for _ in range(transactions):
        venue.transact()
    return venue


def driver_of(feed: Feed) -> LineDriver:
    return LineDriver(SIZES, feed, INSTRUMENT, TICK, exponent=-3)


def loadable(orders: dict[int, Resting]) -> list[Order]:
    sides = {BID: Side.BUY, ASK: Side.SELL}
    return [(number, sides[each.side], each.price * TICK, each.quantity) for number, each in orders.items()]


def stated(top: tuple[int, int, int, int]) -> Quote:
    """A model's top, prices in fifths of TICK, as a quote; none if a side is empty."""
    bid, bid_quantity, ask, ask_quantity = top
    if not bid_quantity or not ask_quantity:
        return Quote(False, 0, 0, 0, 0)
    return Quote(True, bid * TICK // 5, bid_quantity, ask * TICK // 5, ask_quantity)


@BOTH
@pytest.mark.parametrize("seed", range(4))
def test_the_quote_is_the_venues_top_after_every_transaction(feed: Feed, seed: int) -> None:
    venue, driver = venue_of(feed, seed, 400), driver_of(feed)
    driver.packet(venue.dialect.packet(venue.first, []))
    assert driver.load(BASE, [], venue.first - 1)
    compared = 0
    for last, packet in venue.line():
        driver.packet(packet)
        if last in venue.tops and packet[19 if feed is Feed.COINBASE_DERIVATIVES else 22]:
            assert driver.quote_now == stated(venue.tops[last])
            compared += 1
    assert compared > 100
    assert driver.book is BookState.LIVE
    assert set(driver.frames()) <= {"messages", "skippedMessages", "heartbeats"}


@BOTH
@pytest.mark.parametrize("seed", range(4))
def test_lines_that_group_messages_differently_make_no_gap(feed: Feed, seed: int) -> None:
    venue, driver = venue_of(feed, seed, 300), driver_of(feed)
    driver.packet(venue.dialect.packet(venue.first, []))
    assert driver.load(BASE, [], venue.first - 1)
    for number, packet in enumerate(venue.feed(lines=2)):
        driver.packet(packet, number % 2)
    assert driver.quote_now == stated(venue.tops[venue.last])
    frames = driver.frames()
    assert frames["duplicate"] > 50
    assert "gaps" not in frames


@BOTH
def test_a_lost_packet_withdraws_the_quote_until_the_host_has_loaded_the_book(feed: Feed) -> None:
    venue, driver = venue_of(feed, 9, 50), driver_of(feed)
    driver.packet(venue.dialect.packet(venue.first, []))
    assert driver.load(BASE, [], venue.first - 1)
    driver.packet(venue.dialect.packet(venue.first, venue.messages))
    driver.packet(venue.dialect.packet(venue.last + 2, []))
    assert (driver.book, driver.quote_now.valid) == (BookState.UNLOADED, False)
    assert (driver.frames()["gaps"], driver.count("rejectEmpty")) == (1, 1)
    # the host knows the messages that this engine missed
    number = venue.last + 1
    assert not driver.load(BASE, loadable(venue.orders), number - 1)
    assert driver.load(BASE, loadable(venue.orders), number)
    driver.packet(venue.dialect.packet(number + 1, [venue.dialect.other(2)]))
    assert driver.quote_now == stated(venue.top())


@BOTH
def test_a_host_can_load_while_other_messages_go_on(feed: Feed) -> None:
    venue, driver = venue_of(feed, 5, 100), driver_of(feed)
    driver.packet(venue.dialect.packet(venue.first, venue.messages))
    driver.apply("BookClear", book=0, base=BASE)
    sent = venue.last + 1
    for order, side, price, quantity in loadable(venue.orders):
        driver.apply("BookOrder", book=0, order=order, side=int(side), price=price, quantity=quantity)
        driver.packet(venue.dialect.packet(sent, [venue.dialect.other(0)]))
        sent += 1
    status = driver.engine.books[0]
    assert (status.state, status.passed, status.expected) == (BookState.LOADING, venue.last, sent)
    driver.apply("BookReady", book=0, number=venue.last)
    driver.packet(venue.dialect.packet(sent, [venue.dialect.other(2)]))
    assert driver.quote_now == stated(venue.top())


def test_the_event_log_carries_a_shadow_through_breaks_and_loading() -> None:
    venue, driver = venue_of(Feed.STARBASE, 3, 60), driver_of(Feed.STARBASE)
    driver.packet(venue.dialect.packet(venue.first, []))
    assert driver.load(BASE, [], venue.first - 1)
    for number, packet in enumerate(venue.feed(lines=1, loss=0.05)):
        driver.packet(packet, number % 2)
    assert driver.frames()["gaps"] > 0
    driver.load(BASE, loadable(venue.orders), venue.last)
    shadow = CpuEngine(SIZES)
    for message in driver.engine.event_log():
        step = decode(SCHEMA, message)
        payload = step.data["payload"]
        assert isinstance(payload, bytes)
        if step.fields["kind"] == StepKind.CONTROL:
            shadow.control(payload, step.fields["time"])
        else:
            shadow.push_datagram(payload, step.fields["channel"], step.fields["time"])
    assert (shadow.decision_hash, shadow.books) == (driver.engine.decision_hash, driver.engine.books)


_SIDES = st.sampled_from(list(BookSide))
_CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["put", "reduce", "delete"]),
        st.integers(1, 60),
        _SIDES,
        st.integers(-2, 66),
        st.integers(0, 9),
    ),
    max_size=120,
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(_CHANGES, st.booleans())
def test_loading_refuses_what_the_reference_refuses(
    changes: list[tuple[str, int, BookSide, int, int]], small: bool
) -> None:
    sizes = replace(SIZES, book_orders=16 if small else 64)
    driver = LineDriver(sizes, Feed.STARBASE, 5, 10)
    driver.apply("BookClear", book=0, base=1_000)
    model = OrderBook(sizes, 1_000, 10)
    for what, order, side, index, quantity in changes:
        amount = 0 if what == "delete" else max(1, quantity)
        price = 1_000 + 10 * index + (what == "reduce" and index % 7 == 0)
        fields = {"order": order, "side": int(side) + 1, "price": price, "quantity": amount}
        answer = driver.send("BookOrder", book=0, **fields)
        try:
            if amount:
                model.put(order, side, price, amount)
            else:
                model.delete(order, side)
            taken = True
        except CannotTake:
            taken = False
        assert (answer["result"] == 0) is taken


@pytest.mark.parametrize(("first", "step"), [(10**12, 1), (1, 1 << 20), (-(1 << 62), 997), (0, 64)])
def test_half_of_the_store_can_be_filled_with_any_ids(first: int, step: int) -> None:
    driver = LineDriver(replace(SIZES, book_orders=1_024), Feed.STARBASE, 5, 10)
    driver.packet(Starbase().packet(1, []))
    orders = [(first + step * number, Side.BUY, 1_000, 1) for number in range(512)]
    assert driver.load(1_000, orders, 0)


def test_the_sets_of_an_order_are_bits_of_its_crc() -> None:
    """Orders of one first set and one second set: 16 fit, whatever else is free."""
    sets = 64 // 16
    hashes = ((n, zlib.crc32(n.to_bytes(8, "little"))) for n in range(5_000))
    ids = [n for n, crc in hashes if (crc % sets, (crc >> 16) % sets) == (1, 3)]
    driver = LineDriver(replace(SIZES, book_orders=64), Feed.STARBASE, 5, 10)
    driver.apply("BookClear", book=0, base=1_000)
    answers = [driver.send("BookOrder", book=0, order=n, side=1, price=1_000, quantity=1)["result"] for n in ids[:20]]
    assert [answer == 0 for answer in answers] == [True] * 16 + [False] * 4


@pytest.mark.parametrize(
    "wrong",
    [
        {"lines": 0},
        {"lines": 65},
        {"books": 257},
        {"order_books": 17},
        {"books": 2, "order_books": 3},
        {"book_orders": 8},
        {"book_orders": 48},
        {"book_orders": 1 << 17},
        {"book_ticks": 32},
        {"book_ticks": 100},
        {"book_ticks": 8_192},
    ],
)
def test_sizes_outside_their_ranges_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(Fatal, match="engine size"):
        EngineSizes(**wrong)
