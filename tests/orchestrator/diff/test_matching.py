"""Which orders belong together, what follows from what, and money that adds up."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal
from market.orders.cause import Cause as OrderCause
from market.orders.cause import Origin
from market.orders.events import Cancelled, CancelRequested, Filled, OrderEvent, Sent
from market.orders.kinds import Liquidity, OrderType, Side, TimeInForce
from market.orders.machine import advance
from market.orders.order import Fill, OrderIntent, new_order
from market.risk.position import Position
from orchestrator.diff.causes import Category, Cause, Explanation, roots
from orchestrator.diff.matching import Likeness, match
from orchestrator.diff.money import check_gains, gain_of
from orchestrator.diff.story import Line, Told

KEY = (0, 1)
MS = 1_000_000


def told(number: int, at_ms: int, price: int = 100, *, fills: Sequence[Fill] = (), side: Side = Side.BUY) -> Told:
    """An order that was decided at a record, sent, filled and cancelled."""
    intent = OrderIntent(
        cause=OrderCause(strategy="maker", origin=Origin.DECISION, epoch=1, number=number),
        decided_ns=at_ms * MS,
        instrument=KEY[0],
        venue=KEY[1],
        side=side,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=1_000,
        limit_price=price,
    )
    events: list[OrderEvent] = [
        Sent(time_ns=at_ms * MS),
        *(Filled(fill=fill) for fill in fills),
        CancelRequested(time_ns=at_ms * MS),
    ]
    order = new_order(intent)
    for event in (*events, Cancelled(time_ns=at_ms * MS)):
        order = advance(order, event)
    lines = tuple(Line(number + place, at_ms * MS, event) for place, event in enumerate(events))
    return Told(order, number, at_ms * MS, lines)


def likenesses(run: Sequence[Told], backtest: Sequence[Told]) -> list[tuple[int | None, int | None, Likeness]]:
    """Numbers of the decisions of each pair."""
    return [(_number(pair.run), _number(pair.backtest), pair.likeness) for pair in match(run, backtest)]


def _number(one: Told | None) -> int | None:
    return None if one is None else one.intent.cause.number


def test_numbers_do_not_count_only_what_was_decided_when() -> None:
    found = likenesses([told(1, 10), told(2, 20)], [told(1, 5, price=90), told(2, 10), told(3, 20)])
    assert set(found) == {
        (1, 2, Likeness.SAME),
        (2, 3, Likeness.SAME),
        (None, 1, Likeness.ONLY_BACKTEST),
    }


def test_other_terms_at_the_same_record_come_before_the_same_terms_at_another() -> None:
    found = likenesses([told(1, 10)], [told(1, 10, price=101), told(2, 11)])
    assert (1, 1, Likeness.OTHER_TERMS) in found


def test_the_same_terms_near_by_are_one_order_decided_at_another_time() -> None:
    assert likenesses([told(1, 10)], [told(1, 700)]) == [(1, 1, Likeness.OTHER_TIME)]


def test_decisions_further_apart_are_different_ones() -> None:
    found = likenesses([told(1, 10)], [told(1, 1_011)])
    assert found == [(1, None, Likeness.ONLY_RUN), (None, 1, Likeness.ONLY_BACKTEST)]


def test_buying_is_never_selling() -> None:
    found = likenesses([told(1, 10)], [told(1, 10, side=Side.SELL)])
    assert {likeness for _, _, likeness in found} == {Likeness.ONLY_RUN, Likeness.ONLY_BACKTEST}


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(99, 101)), max_size=12),
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(99, 101)), max_size=12),
)
def test_every_order_is_in_exactly_one_pair(run: list[tuple[int, int]], backtest: list[tuple[int, int]]) -> None:
    ours = [told(number, *each) for number, each in enumerate(run, 1)]
    theirs = [told(number, *each) for number, each in enumerate(backtest, 1)]
    pairs = match(ours, theirs)
    assert sorted(pair.run.place for pair in pairs if pair.run) == [each.place for each in ours]
    assert sorted(pair.backtest.place for pair in pairs if pair.backtest) == [each.place for each in theirs]


def test_what_follows_leads_back_to_where_it_began_and_circles_end() -> None:
    explained = [
        Explanation(Category.FILLS, Cause.QUEUE),
        Explanation(Category.DECISION, Cause.POSITION, because=0),
        Explanation(Category.ONLY_RUN, Cause.WORKING, because=1),
        Explanation(Category.DECISION, Cause.WORKING, because=4),
        Explanation(Category.DECISION, Cause.WORKING, because=3),
    ]
    assert roots(explained) == [0, 0, 0, 4, 3]


FILLS = st.builds(
    Fill,
    fill_id=st.uuids().map(str),
    price=st.integers(1, 10**12),
    quantity=st.integers(1, 10**9),
    fee=st.integers(-(10**15), 10**15),
    liquidity=st.sampled_from(Liquidity),
    venue_ns=st.just(0),
    receive_ns=st.just(1),
    fee_base=st.integers(-1, 1),
)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(st.lists(st.tuples(FILLS, st.sampled_from(Side)), max_size=20), st.integers(1, 10**12))
def test_what_fills_brought_is_the_equity_of_the_position_to_the_count(
    traded: list[tuple[Fill, Side]], mark: int
) -> None:
    position = Position()
    for fill, side in traded:
        position = position.traded(side, fill.price, fill.quantity, fill.fee, fill.fee_base)
    assert sum(gain_of(fill, side, mark) for fill, side in traded) == position.equity(mark)


def test_positions_that_say_anything_else_end_the_comparison() -> None:
    fill = Fill(
        fill_id="1", price=100, quantity=5, fee=3, liquidity=Liquidity.MAKER, venue_ns=1, receive_ns=1
    )  # fmt: skip
    orders, after = [told(1, 10, fills=[fill])], {KEY: Position().traded(Side.BUY, 100, 5, 3)}
    assert check_gains(orders, {}, after, {KEY: 110}, "run") == {KEY: 47}
    with pytest.raises(Fatal, match="by its positions and 47 by its fills"):
        check_gains(orders, {}, {KEY: Position().traded(Side.BUY, 100, 5, 4)}, {KEY: 110}, "run")
