"""An L3 book is a list of orders in order of priority, and its ladders are their sums."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from market.book import order_book
from market.book.ladder import ASK, BID, NO_PRICE, SIDE_WORDS, WINDOW, collect
from market.book.order_book import (
    best_orders,
    clear_orders,
    delete_order,
    keep_best_in_window,
    new_order_books,
    put_order,
    reduce_quantity,
    side_of,
    store_of,
)
from market.book.order_store import LARGEST_LEVEL, NONE, Outcome, find_order, queue_ahead
from market.native.kernel import entry
from market.native.memory import address_of

Words = NDArray[np.int64]
CAPACITY = 24


@entry("int64(int64[::1], int64, int64, int64, int64, int64, boolean)")
def _put(book: Words, identifier: int, side: int, tick: int, lots: int, priority: int, keeps: bool) -> int:
    return put_order(address_of(book), identifier, side, tick, lots, priority, keeps)


@entry("int64(int64[::1], int64, int64, int64)")
def _reduce(book: Words, identifier: int, side: int, lots: int) -> int:
    return reduce_quantity(address_of(book), identifier, side, lots)


@entry("int64(int64[::1], int64, int64)")
def _delete(book: Words, identifier: int, side: int) -> int:
    return delete_order(address_of(book), identifier, side)


@entry("void(int64[::1])")
def _clear(book: Words) -> None:
    clear_orders(address_of(book))


@entry("void(int64[::1], int64[::1])")
def _best(book: Words, out: Words) -> None:
    keep_best_in_window(address_of(book))
    out[0], out[1], out[2], out[3] = best_orders(address_of(book))


@entry("int64(int64[::1], int64, int64[:, ::1])")
def _ladder(book: Words, side: int, rows: Words) -> int:
    return collect(side_of(address_of(book), side), rows)


@entry("int64(int64[::1], int64, int64[::1])")
def _ahead(book: Words, identifier: int, out: Words) -> int:
    order = find_order(store_of(address_of(book)), identifier)
    if order != NONE:
        out[0], out[1] = queue_ahead(store_of(address_of(book)), order)
    return order


@dataclass
class Order:
    """One order of the model; ``arrival`` orders those of equal priority."""

    side: int
    tick: int
    lots: int
    priority: int
    arrival: int


@dataclass
class Book:
    """An L3 book beside the dictionary that it must equal."""

    words: Words = field(default_factory=lambda: new_order_books(1, CAPACITY))
    orders: dict[int, Order] = field(default_factory=dict)
    arrivals: int = 0

    def put(self, identifier: int, side: int, tick: int, lots: int, priority: int, keeps: bool = False) -> Outcome:
        outcome = Outcome(_put(self.words, identifier, side, tick, lots, priority, keeps))
        assert outcome == self.expected_put(identifier, side, tick, lots)
        if outcome is Outcome.DONE:
            self.arrivals += 1
            old = self.orders.get(identifier)
            if old and keeps and old.tick == tick and lots <= old.lots:
                old.lots = lots
            else:
                self.orders[identifier] = Order(side, tick, lots, priority, self.arrivals)
        return outcome

    def expected_put(self, identifier: int, side: int, tick: int, lots: int) -> Outcome:
        old = self.orders.get(identifier)
        if old and old.side != side:
            return Outcome.UNKNOWN
        if lots <= 0 or tick <= 0:
            return Outcome.WRONG
        return Outcome.FULL if old is None and len(self.orders) == CAPACITY else Outcome.DONE

    def reduce(self, identifier: int, side: int, lots: int) -> None:
        old = self.orders.get(identifier)
        expected = Outcome.UNKNOWN if old is None or old.side != side else Outcome.DONE
        if old and expected is Outcome.DONE and not 0 < lots <= old.lots:
            expected = Outcome.WRONG
        assert Outcome(_reduce(self.words, identifier, side, lots)) is expected
        if old and expected is Outcome.DONE:
            old.lots = lots

    def delete(self, identifier: int, side: int) -> None:
        old = self.orders.get(identifier)
        known = old is not None and old.side == side
        assert _delete(self.words, identifier, side) == (Outcome.DONE if known else Outcome.UNKNOWN)
        if known:
            del self.orders[identifier]

    def levels(self, side: int) -> dict[int, int]:
        sums: dict[int, int] = {}
        for order in self.orders.values():
            if order.side == side:
                sums[order.tick] = sums.get(order.tick, 0) + order.lots
        return sums

    def check(self) -> None:
        """Tops, ladders and every queue position."""
        top = np.zeros(4, dtype=np.int64)
        _best(self.words, top)
        bids, asks = self.levels(BID), self.levels(ASK)
        bid, ask = max(bids, default=NO_PRICE), min(asks, default=NO_PRICE)
        assert top.tolist() == [bid, bids.get(bid, 0), ask, asks.get(ask, 0)]
        rows = np.zeros((WINDOW + SIDE_WORDS, 2), dtype=np.int64)
        for side, levels in ((BID, bids), (ASK, asks)):
            count = _ladder(self.words, side, rows)
            assert dict(rows[:count].tolist()) == levels
        for identifier, order in self.orders.items():
            before = [
                other.lots
                for other in self.orders.values()
                if (other.side, other.tick) == (order.side, order.tick)
                and (other.priority, other.arrival) < (order.priority, order.arrival)
            ]
            out = np.zeros(2, dtype=np.int64)
            assert _ahead(self.words, identifier, out) != NONE
            assert out.tolist() == [len(before), sum(before)]


IDS = st.integers(1, 30)
SIDES = st.sampled_from([BID, ASK])
TICKS = st.integers(1000, 1006) | st.sampled_from([1, WINDOW * 5, 10**9, 0, -3])
LOTS = st.integers(0, 5)
PUTS = st.tuples(st.just("put"), IDS, SIDES, TICKS, LOTS, st.integers(0, 9), st.booleans())
CHANGES = st.tuples(st.sampled_from(["reduce", "delete"]), IDS, SIDES, LOTS)
STEPS = st.lists(PUTS | PUTS | CHANGES, max_size=80)


@given(STEPS)
@settings(derandomize=True, deadline=None, max_examples=150)
def test_equals_a_dictionary_of_orders(steps: list[tuple]) -> None:  # type: ignore[type-arg]
    book = Book()
    for step in steps:
        if step[0] == "put":
            book.put(*step[1:])
        elif step[0] == "reduce":
            book.reduce(*step[1:])
        else:
            book.delete(*step[1:3])
    book.check()
    _clear(book.words)
    book.orders.clear()
    book.check()


def test_priority_decides_and_not_arrival() -> None:
    book = Book()
    for identifier, priority in ((1, 50), (2, 40), (3, 45), (4, 50)):
        book.put(identifier, BID, 100, 10 * identifier, priority)
    out = np.zeros(2, dtype=np.int64)
    positions = {}
    for identifier in (1, 2, 3, 4):
        _ahead(book.words, identifier, out)
        positions[identifier] = tuple(out.tolist())
    assert positions == {2: (0, 0), 3: (1, 20), 1: (2, 50), 4: (3, 60)}


def test_a_put_moves_an_order_to_its_new_priority_and_a_reduction_does_not() -> None:
    book = Book()
    book.put(1, ASK, 100, 5, 1)
    book.put(2, ASK, 100, 5, 2)
    book.reduce(1, ASK, 3)
    book.check()
    book.put(1, ASK, 100, 3, 3)
    book.check()
    out = np.zeros(2, dtype=np.int64)
    _ahead(book.words, 1, out)
    assert out.tolist() == [1, 5]


def test_a_full_book_says_so_and_a_place_is_given_back() -> None:
    book = Book()
    for identifier in range(CAPACITY):
        book.put(identifier, BID, 100 + identifier, 1, 0)
    assert book.put(99, BID, 100, 1, 0) is Outcome.FULL
    book.delete(3, BID)
    assert book.put(99, BID, 100, 1, 0) is Outcome.DONE
    book.check()


@pytest.mark.parametrize("lots", [LARGEST_LEVEL + 1, LARGEST_LEVEL])
def test_sums_that_cannot_be_held_are_refused(lots: int) -> None:
    book = new_order_books(1, CAPACITY)
    assert _put(book, 1, BID, 100, 1, 0, False) == Outcome.DONE
    assert _put(book, 2, BID, 100, lots, 0, False) == Outcome.WRONG
    assert order_book.order_book_words(CAPACITY) == len(book)
