"""What our own orders tell: what they cost, and where they stand in their queues."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from market.book import book as header
from market.book.book import apply_levels, new_books
from market.book.continuity import Rule
from market.native.kernel import entry
from market.native.memory import address_of
from market.orders.kinds import Side
from market.orders.order import Order
from market.protocols import Trade, Traded
from market.wire.records import Rows, Words
from orchestrator.risk.book_levels import best_levels
from orchestrator.risk.conditions import Conditions
from orchestrator.risk.guard import Reason
from orchestrator.risk.own_costs import HORIZONS_NS, OwnCosts, size_ppm
from orchestrator.risk.own_size import OwnSize
from orchestrator.risk.queue_position import QueuePositions
from tests.orchestrator.risk.floor import BTC, MS, SECOND, SPOT, Floor, floor

KEY: Final = (BTC, SPOT)
LOTS: Final = 10**8


@entry("void(int64[::1], int64[:, ::1], int64[:, ::1])")
def _apply(book: Words, bids: Rows, asks: Rows) -> None:
    """Set levels of a book."""
    apply_levels(address_of(book), address_of(bids), bids.shape[0], address_of(asks), asks.shape[0])


def rows(*levels: tuple[str, str]) -> Rows:
    """Levels of the spot market in ticks of 0.01 and lots of 1e-8."""
    made: Rows = np.array(
        [(round(float(price) * 100), round(float(size) * LOTS)) for price, size in levels], dtype=np.int64
    ).reshape(-1, 2)
    return made


def book_of(bids: Rows, asks: Rows) -> Words:
    book = new_books([Rule.CONSECUTIVE])
    _apply(book, bids, asks)
    book[header.SYNCHRONISED] = book[header.STARTED] = 1
    return book


def with_book(small: Floor, bids: Rows, asks: Rows) -> None:
    small.books[KEY] = book_of(bids, asks)


def count(small: Floor, quantity: str) -> int:
    return small.listing(*KEY).instrument.quantity_scale.count(quantity)


def test_the_best_levels_come_best_first_and_in_counts() -> None:
    small = floor()
    market = small.limits.market(KEY)
    price, quantity = market.listing.instrument.price_scale, market.listing.instrument.quantity_scale
    bids = rows(("61700", "0.5"), ("61699.5", "1"), ("50000", "7"))
    book = book_of(bids, rows(("61700.1", "0.25")))
    levels = best_levels(book, 2, market)
    assert levels is not None
    assert levels.bids == (
        (price.count("61700"), quantity.count("0.5")),
        (price.count("61699.5"), quantity.count("1")),
    )
    assert levels.notional == sum(at * size for at, size in (*levels.bids, *levels.asks))
    deep = best_levels(book, 20, market)
    assert deep is not None
    assert deep.bids[2] == (price.count("50000"), quantity.count("7"))
    book[header.SYNCHRONISED] = 0
    assert best_levels(book, 2, market) is None


def test_a_thin_book_is_found() -> None:
    small = floor(guards={"minimum_liquidity_quote": 100_000}, instruments={"BTC": {"quote_worth": 2}})
    with_book(small, rows(("61700", "0.4")), rows(("61700.1", "0.4")))
    findings = {
        finding.reason: finding.detail
        for finding in Conditions(small.limits).markets(small)
        if finding.scope.venue == 0
    }
    assert "were worth 98720.08; expected at least 100000" in findings[Reason.LIQUIDITY]
    with_book(small, rows(("61700", "0.5")), rows(("61700.1", "0.4")))
    assert not [f for f in Conditions(small.limits).markets(small) if f.reason is Reason.LIQUIDITY and f.detail]


def costs_of(small: Floor) -> OwnCosts:
    costs = OwnCosts(small.limits, 100)
    small.checks = [costs]
    return costs


def fill(small: Floor, costs: OwnCosts, order: Order, price: str) -> None:
    filled = small.fill(order, price=small.listing(*KEY).instrument.price_scale.count(price))
    costs.filled(order.client_order_id, filled.fills[-1])


def test_slippage_is_against_the_mid_at_the_decision() -> None:
    small = floor()
    costs = costs_of(small)
    assert costs.slippage_ppb(KEY) is None
    small.set_quote("61699", "61701")
    order = small.place(small.intent(price="61800"))
    small.set_quote("61750", "61752")
    fill(small, costs, order, "61761.7")
    costs.look(small.access, small.now_ns)
    assert costs.slippage_ppb(KEY) == 1_000_000  # ten basis points of 61,700
    sale = small.place(small.intent(Side.SELL, price="61700"))
    fill(small, costs, sale, "61751")
    costs.look(small.access, small.now_ns)
    assert costs.slippage_ppb(KEY) == 500_000


def test_fills_of_orders_that_were_not_seen_are_passed_over() -> None:
    small = floor()
    costs = OwnCosts(small.limits, 100)
    fill(small, costs, small.place(small.intent()), "61700")
    costs.look(small.access, small.now_ns)
    assert costs.slippage_ppb(KEY) is None


def test_markouts_follow_the_mid_after_own_fills() -> None:
    small = floor()
    costs = costs_of(small)
    small.set_quote("61699", "61701")
    costs.look(small.access, small.now_ns)
    fill(small, costs, small.place(small.intent()), "61700")
    small.now_ns += 100 * MS
    costs.look(small.access, small.now_ns)
    small.set_quote("61637.3", "61639.3")  # ten basis points down, against who bought
    small.now_ns += 100 * MS
    costs.look(small.access, small.now_ns)
    assert costs.markout_ppb(KEY, 0) is None, "a second has not passed"
    small.now_ns += SECOND
    costs.look(small.access, small.now_ns)
    markout = costs.markout_ppb(KEY, 0)
    assert markout is not None
    assert markout == pytest.approx(-1_001_000, rel=1e-3)
    assert costs.markout_ppb(KEY, 1) is None
    assert HORIZONS_NS[0] == SECOND


def test_orders_become_smaller_where_trading_is_dear() -> None:
    small = floor(sizing={"full_cost_bps": 1, "least_cost_bps": 10, "least_size_pct": 25})
    costs = costs_of(small)
    assert costs.size_ppm(KEY) == 1_000_000
    small.set_quote("61699", "61701")
    fill(small, costs, small.place(small.intent(price="61800")), "61733.935")  # 5.5 basis points
    costs.look(small.access, small.now_ns)
    assert costs.size_ppm(KEY) == 625_000
    assert costs.sized(KEY, 1_001, 10) == 620


def test_an_order_is_the_smaller_the_more_volume_it_would_stand_behind() -> None:
    small = floor(sizing={"full_queue_multiple": 10, "least_queue_multiple": 40, "least_size_pct": 25})
    costs = costs_of(small)
    size = OwnSize(small.limits, costs, QueuePositions(small.limits))
    wanted, price = count(small, "0.01"), small.listing(*KEY).instrument.price_scale.count("61700")

    def resting(ahead: str) -> int:
        with_book(small, rows(("61700", ahead), ("61699", "1")), rows(("61700.1", "0.25")))
        return size.resting(KEY, Side.BUY, price, wanted, 10, small)

    assert [resting(ahead) for ahead in ("0.1", "0.25", "0.4", "3")] == [
        wanted,
        wanted * 5 // 8,
        wanted // 4,
        wanted // 4,
    ]
    assert size.taking(KEY, wanted, 10) == wanted, "who takes does not queue"
    small.set_quote("61699", "61701")
    fill(small, costs, small.place(small.intent(price="61800")), "61761.7")  # ten basis points
    costs.look(small.access, small.now_ns)
    assert size.taking(KEY, wanted, 10) == resting("0.1") == wanted // 4


@pytest.mark.parametrize(
    ("cost", "size"),
    [(-5, 1_000_000), (100, 1_000_000), (101, 992_500), (150, 625_000), (200, 250_000), (999, 250_000)],
)
def test_size_falls_evenly_between_two_costs(cost: int, size: int) -> None:
    assert size_ppm(cost, 100, 200, 250_000) == size


def traded(small: Floor, queues: QueuePositions, price: str, size: str, aggressor: Side | None) -> None:
    scale = small.listing(*KEY).instrument.price_scale
    trade = Trade(
        instrument=BTC,
        venue=SPOT,
        aggressor=aggressor,
        price=scale.count(price),
        quantity=count(small, size),
        time_ns=small.now_ns,
    )
    assert list(queues.wake(Traded(trade=trade), small)) == []


def test_an_order_moves_forward_as_volume_before_it_trades() -> None:
    small = floor()
    queues = QueuePositions(small.limits)
    assert queues.wakes.trades == frozenset(small.limits.markets)
    small.checks = [queues]
    with_book(small, rows(("61700", "0.5"), ("61699", "1")), rows(("61700.1", "0.25")))
    order = small.acknowledge(small.place(small.intent(quantity="0.01")))
    with_book(small, rows(("61700", "0.51"), ("61699", "1")), rows(("61700.1", "0.25")))
    assert queues.ahead(order.client_order_id, small) == count(small, "0.5")
    traded(small, queues, "61700", "0.2", Side.SELL)
    traded(small, queues, "61700", "0.1", Side.BUY)
    assert queues.ahead(order.client_order_id, small) == count(small, "0.3")
    with_book(small, rows(("61700", "0.11"), ("61699", "1")), rows(("61700.1", "0.25")))
    assert queues.ahead(order.client_order_id, small) == count(small, "0.1"), "others have cancelled"
    traded(small, queues, "61699", "0.1", Side.SELL)
    assert queues.ahead(order.client_order_id, small) == 0, "it traded behind us"
    small.end(order)
    assert queues.ahead(order.client_order_id, small) is None


def test_an_order_inside_the_spread_is_first_and_one_beyond_sight_is_unknown() -> None:
    small = floor()
    queues = QueuePositions(small.limits)
    small.checks = [queues]
    many = [(f"{61_600 - step}", "1") for step in range(64)]
    with_book(small, rows(*many), rows(("61700.1", "0.25")))
    first = small.place(small.intent(price="61650"))
    assert queues.ahead(first.client_order_id, small) == 0
    far = small.place(small.intent(price="60000"))
    assert queues.ahead(far.client_order_id, small) is None
    assert queues.ahead("unknown", small) is None
    small.end(first)
    queues.forget_ended(small)
    assert queues.ahead(first.client_order_id, small) is None
