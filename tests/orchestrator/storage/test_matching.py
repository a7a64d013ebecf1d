"""Profit by trade: first in, first out, to the last unit."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from market.orders.kinds import Side
from market.orders.machine import replay
from market.orders.order import Order, new_order
from market.risk.position import Position
from orchestrator.storage.matching import ClosedTrade, ProfitTracker
from tests.orchestrator.storage.worlds import S, T, fill, intent, sent


def order(number: int, side: Side, quantity: int, *, venue: int = 0, tag: str = "arb") -> Order:
    return replay(new_order(intent(number, side=side, quantity=quantity, venue=venue, tag=tag)), [sent()])


def book(tracker: ProfitTracker, placed: Order, quantity: int, price: int, *, fee: int = 0, fee_base: int = 0,
         seconds: int = 0) -> Sequence[ClosedTrade]:  # fmt: skip
    executed = fill(quantity, price, fee=fee, fee_base=fee_base, time_ns=T + seconds * S).fill
    return tracker.book(placed, executed, 1, f"order {placed.intent.cause.number}")


def test_a_purchase_and_a_sale_make_a_trade() -> None:
    tracker = ProfitTracker()
    assert book(tracker, order(1, Side.BUY, 10), 10, 100, fee=7) == []
    (trade,) = book(tracker, order(2, Side.SELL, 10), 10, 103, fee=8, seconds=5)
    assert (trade.quantity, trade.entry_notional, trade.exit_notional) == (10, 1_000, 1_030)
    assert (trade.gross, trade.fees, trade.net, trade.held_ns) == (30, 15, 15, 5 * S)
    assert (trade.entry_reason, trade.exit_reason) == ("order 1", "order 2")
    assert tracker.lots(("arb", 0)) == []


def test_legs_on_two_venues_make_a_trade_whichever_is_first() -> None:
    tracker = ProfitTracker()
    book(tracker, order(1, Side.SELL, 10, venue=1), 10, 103)
    (trade,) = book(tracker, order(2, Side.BUY, 10, venue=0), 10, 100)
    assert (trade.side, trade.entry_venue, trade.exit_venue, trade.gross) == (Side.SELL, 1, 0, 30)


def test_the_oldest_is_closed_first_and_what_is_left_turns_round() -> None:
    tracker = ProfitTracker()
    book(tracker, order(1, Side.BUY, 10), 10, 100)
    book(tracker, order(2, Side.BUY, 10), 10, 110)
    trades = book(tracker, order(3, Side.SELL, 25), 25, 120)
    assert [(trade.quantity, trade.gross) for trade in trades] == [(10, 200), (10, 100)]
    (left,) = tracker.lots(("arb", 0))
    assert (left.side, left.quantity, left.notional) == (Side.SELL, 5, 600)


def test_fees_are_shared_by_quantity_and_none_is_lost() -> None:
    tracker = ProfitTracker()
    book(tracker, order(1, Side.BUY, 3), 3, 100, fee=10)
    fees = [book(tracker, order(2 + turn, Side.SELL, 1), 1, 100)[0].fees for turn in range(3)]
    assert fees == [3, 3, 4]


def test_a_commission_in_base_leaves_less_to_be_closed() -> None:
    """Bought 10 at 100, 1 of them kept by the venue: 9 are there to be sold, and the fee is their worth."""
    tracker = ProfitTracker()
    book(tracker, order(1, Side.BUY, 10), 10, 100, fee=100, fee_base=1)
    (trade,) = book(tracker, order(2, Side.SELL, 9), 9, 120)
    assert (trade.quantity, trade.gross, trade.net) == (9, 180, 80)
    assert tracker.lots(("arb", 0)) == []


def test_strategies_do_not_close_each_others_lots() -> None:
    tracker = ProfitTracker()
    book(tracker, order(1, Side.BUY, 10), 10, 100)
    assert book(tracker, order(1, Side.SELL, 10, tag="mm"), 10, 120) == []
    assert tracker.books == [("arb", 0), ("mm", 0)]


PRICES = st.integers(1, 10**20)
FEES = st.integers(-100, 10**21)
FILLS = st.lists(
    st.tuples(st.sampled_from(list(Side)), st.integers(1, 50), PRICES, FEES, st.integers(0, 1)), max_size=30
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(FILLS)
def test_trades_and_open_lots_are_all_that_was_bought_sold_and_paid(
    fills: list[tuple[Side, int, int, int, int]],
) -> None:
    """To the last unit: quantities, money and fees; and the profit is that of positions once all is closed."""
    tracker, held = ProfitTracker(), Position()
    trades: list[ClosedTrade] = []
    for number, (side, quantity, price, fee, in_base) in enumerate(fills):
        fee_base = in_base if quantity > 1 else 0
        trades += book(tracker, order(number, side, quantity), quantity, price, fee=fee, fee_base=fee_base)
        held = held.traded(side, price, quantity, fee, fee_base)
    lots = tracker.lots(("arb", 0))
    assert len({lot.side for lot in lots}) <= 1
    assert sum(lot.side.sign * lot.quantity for lot in lots) == held.quantity
    assert sum(trade.fees for trade in trades) + sum(lot.fee for lot in lots) == held.fees
    open_notional = sum(lot.side.sign * lot.notional for lot in lots)
    assert sum(trade.gross for trade in trades) == held.cash + open_notional
    if not lots:
        assert sum(trade.gross for trade in trades) == held.realised
