"""The compiled engine does what the obvious book does, event by event, and what every market must."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.matching.book import MatchingBook
from sim.matching.layout import ASK, BID, Command, CommandKind, Event, EventKind, Prevention, Reason, Term
from tests.sim.matching.reference_book import ReferenceBook, best_first

CAPACITY = 12

identifiers = st.integers(1, 16)
owners = st.integers(1, 3)
sides = st.sampled_from([BID, ASK])
prices = st.integers(95, 105)
lots = st.integers(1, 9)
preventions = st.sampled_from([int(each) for each in Prevention])

limit = st.tuples(
    st.just(int(CommandKind.LIMIT)), identifiers, owners, sides, prices, lots, st.sampled_from(list(Term)), preventions
)
resting = st.tuples(
    st.just(int(CommandKind.LIMIT)), identifiers, owners, sides, prices, lots, st.just(int(Term.GTC)), preventions
)
market = st.tuples(
    st.just(int(CommandKind.MARKET)),
    identifiers,
    owners,
    sides,
    st.just(0),
    lots,
    st.sampled_from([int(Term.IOC), int(Term.FOK)]),
    preventions,
)
cancel = st.tuples(
    st.just(int(CommandKind.CANCEL)), identifiers, owners, st.just(0), st.just(0), st.just(0), st.just(0), st.just(0)
)
amend = st.tuples(
    st.just(int(CommandKind.AMEND)),
    identifiers,
    owners,
    st.just(0),
    st.one_of(st.just(0), prices),
    lots,
    st.sampled_from([int(Term.GTC), int(Term.POST_ONLY)]),
    preventions,
)
nonsense = st.tuples(*(st.integers(-2, 7) for _ in range(8)))
command = st.one_of(resting, resting, resting, limit, market, cancel, amend, nonsense)
batches = st.lists(command, min_size=1, max_size=60)


def as_rows(batch: Sequence[tuple[int, ...]]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.array(batch, dtype=np.int64).reshape(-1, len(Command))


@settings(derandomize=True, deadline=None, max_examples=400)
@given(batches)
def test_the_same_events_and_the_same_book(batch: list[tuple[int, ...]]) -> None:
    book, reference = MatchingBook(CAPACITY), ReferenceBook(CAPACITY)
    expected = []
    for index, each in enumerate(batch):
        expected += [[*row[: Event.COMMAND], index] for row in reference.do([int(word) for word in each])]
    assert book.submit(as_rows(batch)).tolist() == expected
    for side in (BID, ASK):
        shown = [(level.price, level.lots) for level in book.levels(side)]
        assert shown == [
            (price, reference.held(side, price))
            for price in dict.fromkeys(order.price for order in reference.queue(side))
        ]
    assert book.orders == len(reference.orders)
    for order in reference.orders:
        found = book.order(order.identifier)
        ahead = [
            other.lots
            for other in reference.queue(order.side)
            if other.price == order.price and best_first(other) < best_first(order)
        ]
        assert found == (order.owner, order.side, order.price, order.lots, len(ahead), sum(ahead))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(batches)
def test_volume_is_conserved_and_the_book_is_never_crossed(batch: list[tuple[int, ...]]) -> None:
    book = MatchingBook(CAPACITY)
    taken_in: dict[int, int] = {}
    for each in batch:
        events = book.submit(as_rows([each])).tolist()
        for event in events:
            kind, identifier = event[Event.KIND], event[Event.ID]
            if kind == EventKind.ACCEPTED or kind == EventKind.AMENDED:
                taken_in[identifier] = event[Event.LOTS]
            elif kind == EventKind.TRADED:
                taken_in[identifier] -= event[Event.LOTS]
                taken_in[event[Event.OTHER]] -= event[Event.LOTS]
                assert taken_in[identifier] == event[Event.LEFT]
                assert taken_in[event[Event.OTHER]] == event[Event.OTHER_LEFT]
            elif kind in (EventKind.CANCELLED, EventKind.EXPIRED):
                assert taken_in.pop(identifier) == event[Event.LOTS]
        standing = {identifier: left for identifier, left in taken_in.items() if left}
        assert sum(level.lots for side in (BID, ASK) for level in book.levels(side)) == sum(standing.values())
        assert book.orders == len(standing)
        bid, ask = book.best(BID), book.best(ASK)
        assert bid is None or ask is None or bid.price < ask.price


@settings(derandomize=True, deadline=None, max_examples=150)
@given(batches, st.sampled_from([BID, ASK]), st.one_of(st.just(0), prices), st.integers(1, 60))
def test_reach_says_what_an_order_then_trades(batch: list[tuple[int, ...]], side: int, price: int, size: int) -> None:
    book = MatchingBook(CAPACITY)
    book.submit(as_rows(batch))
    reach = book.reach(side, price, size)
    events = book.place(99, 99, side, price, size, Term.IOC) if price else book.place_market(99, 99, side, size)
    trades = [event for event in events if event[Event.KIND] == EventKind.TRADED]
    assert reach.lots == sum(event[Event.LOTS] for event in trades)
    assert reach.money == sum(event[Event.LOTS] * event[Event.PRICE] for event in trades)
    assert reach.worst_price == (trades[-1][Event.PRICE] if trades else 0)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(batches, st.integers(0, 3_000))
def test_reach_keeps_to_the_money(batch: list[tuple[int, ...]], money: int) -> None:
    book = MatchingBook(CAPACITY)
    book.submit(as_rows(batch))
    reach = book.reach(BID, 0, 10**6, money)
    assert reach.money <= money
    more = book.reach(BID, 0, reach.lots + 1)
    assert more.money > money or more.lots == reach.lots


@settings(derandomize=True, deadline=None, max_examples=100)
@given(batches)
def test_one_by_one_gives_what_a_batch_gives(batch: list[tuple[int, ...]]) -> None:
    whole, single = MatchingBook(CAPACITY), MatchingBook(CAPACITY)
    parts = [single.submit(as_rows([each]))[:, : Event.COMMAND].tolist() for each in batch]
    assert whole.submit(as_rows(batch))[:, : Event.COMMAND].tolist() == [row for part in parts for row in part]


def test_a_batch_larger_than_the_room_for_events_is_done_in_parts() -> None:
    book = MatchingBook(4)
    pair = [(1, 1, 1, BID, 100, 5, 0, 0), (1, 2, 2, ASK, 100, 5, 0, 0)]
    events = book.submit(as_rows(pair * 3_000))
    trades = events[events[:, Event.KIND] == EventKind.TRADED]
    assert trades[:, Event.COMMAND].tolist() == list(range(1, 6_000, 2))
    assert book.orders == 0
    assert book.trades == 3_000


def test_a_thousand_levels_come_and_go_in_any_order() -> None:
    book = MatchingBook(2_000)
    order = np.random.Generator(np.random.PCG64(5)).permutation(1_000)
    for price in order.tolist():
        book.place(price + 1, 1, BID, price + 1, 1)
        book.place(price + 10_001, 1, ASK, price + 2_001, 1)
    assert [level.price for level in book.levels(BID)] == list(range(1_000, 0, -1))
    assert [level.price for level in book.levels(ASK)] == list(range(2_001, 3_001))
    for price in order[::-1].tolist():
        book.cancel(price + 1, 1)
    assert book.levels(BID) == []
    assert len(book.levels(ASK, 10)) == 10


@pytest.mark.parametrize("full", [Term.GTC, Term.POST_ONLY])
def test_a_full_book_refuses_what_may_rest(full: Term) -> None:
    book = MatchingBook(1)
    book.place(1, 1, BID, 100, 1)
    assert book.place(2, 1, BID, 99, 1, full)[0][Event.REASON] == Reason.FULL
    assert book.place(3, 2, ASK, 100, 1, Term.IOC)[1][Event.KIND] == EventKind.TRADED
