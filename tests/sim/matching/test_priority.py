"""Who trades first, and what keeps or loses a place."""

from __future__ import annotations

import numpy as np
import pytest

from market.errors import Fatal
from sim.matching.book import MatchingBook, RestingOrder
from sim.matching.layout import ASK, BID, Event, EventKind, Prevention, Reason, Term


def makers(events: list[list[int]]) -> list[int]:
    return [event[Event.OTHER] for event in events if event[Event.KIND] == EventKind.TRADED]


@pytest.fixture
def book() -> MatchingBook:
    """Orders 1, 2, 3 bid 10 lots each at 100, order 4 bids 10 at 101; all of different owners."""
    book = MatchingBook(100)
    for identifier in (1, 2, 3):
        book.place(identifier, identifier, BID, 100, 10)
    book.place(4, 4, BID, 101, 10)
    return book


def test_the_better_price_first_then_the_older_order(book: MatchingBook) -> None:
    assert makers(book.place_market(9, 9, ASK, 40)) == [4, 1, 2, 3]


def test_trades_are_at_the_resting_orders_price(book: MatchingBook) -> None:
    events = book.place(9, 9, ASK, 90, 20)
    assert [event[Event.PRICE] for event in events if event[Event.KIND] == EventKind.TRADED] == [101, 100]


def test_fewer_lots_keep_the_place(book: MatchingBook) -> None:
    book.amend(1, 1, 0, 5)
    assert book.order(2) == RestingOrder(2, BID, 100, 10, 1, 5)
    assert makers(book.place_market(9, 9, ASK, 40)) == [4, 1, 2, 3]


def test_more_lots_lose_the_place(book: MatchingBook) -> None:
    book.amend(1, 1, 0, 11)
    assert book.order(1) == RestingOrder(1, BID, 100, 11, 2, 20)
    assert makers(book.place_market(9, 9, ASK, 40)) == [4, 2, 3, 1]


def test_another_price_and_back_loses_the_place(book: MatchingBook) -> None:
    book.amend(1, 1, 99, 10)
    book.amend(1, 1, 100, 10)
    assert makers(book.place_market(9, 9, ASK, 40)) == [4, 2, 3, 1]


def test_a_partial_fill_keeps_the_place(book: MatchingBook) -> None:
    book.place_market(8, 9, ASK, 13)
    assert book.order(1) == RestingOrder(1, BID, 100, 7, 0, 0)


def test_an_amended_price_may_trade_at_once(book: MatchingBook) -> None:
    book.place(5, 5, ASK, 105, 4)
    assert makers(book.amend(5, 5, 101, 4)) == [4]


def test_an_amended_post_only_order_may_not(book: MatchingBook) -> None:
    book.place(5, 5, ASK, 105, 4)
    assert book.amend(5, 5, 101, 4, Term.POST_ONLY)[0][Event.REASON] == Reason.WOULD_TRADE
    assert book.order(5) == RestingOrder(5, ASK, 105, 4, 0, 0)


def test_resting_says_how_much_is_ahead(book: MatchingBook) -> None:
    events = book.place(9, 9, BID, 100, 1)
    rested = next(event for event in events if event[Event.KIND] == EventKind.RESTED)
    assert rested[Event.OTHER_LEFT] == 30


def test_somebody_elses_order_is_not_cancelled(book: MatchingBook) -> None:
    assert book.cancel(1, 2)[0][Event.REASON] == Reason.UNKNOWN
    assert book.order(1) is not None


def test_fill_or_kill_trades_whole_or_not_at_all(book: MatchingBook) -> None:
    killed = book.place(9, 9, ASK, 100, 41, Term.FOK)
    assert [event[Event.KIND] for event in killed] == [EventKind.ACCEPTED, EventKind.EXPIRED]
    assert killed[1][Event.REASON] == Reason.NOT_WHOLE
    assert makers(book.place(9, 9, ASK, 100, 40, Term.FOK)) == [4, 1, 2, 3]


@pytest.mark.parametrize(
    ("prevention", "traded", "left_of_2", "expired"),
    [
        (Prevention.NONE, [4, 1, 2, 3], 0, []),
        (Prevention.EXPIRE_TAKER, [4, 1], 10, [(9, 20)]),
        (Prevention.EXPIRE_MAKER, [4, 1, 3], 0, [(2, 10), (9, 10)]),
        (Prevention.EXPIRE_BOTH, [4, 1], 0, [(2, 10), (9, 20)]),
    ],
)
def test_self_trade_prevention(
    book: MatchingBook, prevention: Prevention, traded: list[int], left_of_2: int, expired: list[tuple[int, int]]
) -> None:
    events = book.place(9, 2, ASK, 100, 40, Term.IOC, prevention)
    assert makers(events) == traded
    found = book.order(2)
    assert (found.lots if found else 0) == left_of_2
    ends = [(event[Event.ID], event[Event.LOTS]) for event in events if event[Event.KIND] == EventKind.EXPIRED]
    assert ends == expired


def test_a_fill_or_kill_order_does_not_count_its_owners_orders(book: MatchingBook) -> None:
    events = book.place(9, 2, ASK, 100, 40, Term.FOK, Prevention.EXPIRE_MAKER)
    assert events[1][Event.REASON] == Reason.NOT_WHOLE
    assert makers(book.place(9, 2, ASK, 100, 30, Term.FOK, Prevention.EXPIRE_MAKER)) == [4, 1, 3]


def test_commands_of_another_shape_are_refused(book: MatchingBook) -> None:
    with pytest.raises(Fatal, match="expected int64"):
        book.submit(np.zeros((1, 7), dtype=np.int64))
    with pytest.raises(Fatal, match="expected int64"):
        book.submit(np.zeros((1, 8), dtype=np.int32))


@pytest.mark.parametrize("capacity", [0, (1 << 20) + 1])
def test_a_capacity_has_bounds(capacity: int) -> None:
    with pytest.raises(Fatal, match="capacity"):
        MatchingBook(capacity)
