"""A resting order on paper waits its turn: what was displayed before it trades first."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from market.book.book import new_books
from market.book.continuity import Rule
from market.orders.kinds import Liquidity, OrderState, Side
from market.protocols import MarketKey
from market.wire import records
from market.wire.records import Batch
from sim.feed.mirrored_feed import MirroredFeed
from sim.replay.source import Route
from tests.sim.gateway.test_paper import KEY, Desk

BIDS, ASKS = {"99.99": "0.5", "99.98": "1"}, {"100.01": "0.2", "100.02": "0.3"}


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.lay(BIDS, ASKS)
    return made


def trade(desk: Desk, aggressor: Side, price: str, quantity: str) -> None:
    """Somebody trades at the live venue."""
    now_ns = desk.clock.now_ns()
    desk.gateway.trade(KEY, aggressor, int(Decimal(price) * 100), int(Decimal(quantity) * 10**8), now_ns)
    desk.settle()


def rest(desk: Desk, side: Side, quantity: str, price: str) -> str:
    name = desk.send(side, quantity, price, resting=True)
    desk.settle()
    assert desk.orders[name].state is OrderState.OPEN
    return name


def test_what_was_displayed_before_trades_first(desk: Desk) -> None:
    name = rest(desk, Side.BUY, "0.3", "99.99")
    trade(desk, Side.SELL, "99.99", "0.4")
    assert desk.fills(name) == []
    trade(desk, Side.SELL, "99.99", "0.2")
    assert desk.fills(name) == [("99.99", "0.1")]
    trade(desk, Side.SELL, "99.99", "5")
    assert desk.fills(name) == [("99.99", "0.1"), ("99.99", "0.2")]
    assert desk.orders[name].state is OrderState.FILLED
    assert {fill.liquidity for fill in desk.orders[name].fills} == {Liquidity.MAKER}


def test_who_cancels_stood_behind_but_no_more_is_ahead_than_is_displayed(desk: Desk) -> None:
    name = rest(desk, Side.BUY, "0.3", "99.99")
    desk.lay({**BIDS, "99.99": "0.9"}, ASKS)
    desk.lay({**BIDS, "99.99": "0.6"}, ASKS)
    trade(desk, Side.SELL, "99.99", "0.3")
    assert desk.fills(name) == []
    desk.lay({**BIDS, "99.99": "0.1"}, ASKS)
    trade(desk, Side.SELL, "99.99", "0.1")
    assert desk.fills(name) == []
    trade(desk, Side.SELL, "99.99", "0.1")
    assert desk.fills(name) == [("99.99", "0.1")]


def test_the_other_side_s_best_price_fills_whole(desk: Desk) -> None:
    first, second = rest(desk, Side.BUY, "0.3", "99.99"), rest(desk, Side.BUY, "0.4", "99.98")
    desk.lay({"99.97": "1"}, {"99.98": "0.01"})
    desk.settle()
    assert desk.fills(first) == [("99.99", "0.3")]
    assert desk.fills(second) == [("99.98", "0.4")]


def test_who_comes_later_stands_behind(desk: Desk) -> None:
    name = rest(desk, Side.BUY, "0.1", "99.99")
    desk.lay({**BIDS, "99.99": "9"}, ASKS)
    trade(desk, Side.SELL, "99.99", "0.6")
    assert desk.orders[name].state is OrderState.FILLED


def test_inside_of_the_market_nobody_is_ahead(desk: Desk) -> None:
    name = rest(desk, Side.SELL, "0.1", "100.00")
    trade(desk, Side.BUY, "100.00", "0.04")
    trade(desk, Side.BUY, "100.00", "0.06")
    assert desk.fills(name) == [("100", "0.04"), ("100", "0.06")]


def test_a_trade_beyond_the_price_has_passed_the_whole_queue(desk: Desk) -> None:
    name = rest(desk, Side.BUY, "0.3", "99.99")
    trade(desk, Side.SELL, "99.98", "0.2")
    assert desk.fills(name) == [("99.99", "0.3")]
    assert desk.orders[name].state is OrderState.FILLED


def test_trades_at_better_prices_and_of_the_other_side_do_not_count(desk: Desk) -> None:
    name = rest(desk, Side.BUY, "0.1", "99.98")
    trade(desk, Side.SELL, "99.99", "7")
    trade(desk, Side.BUY, "99.98", "7")
    assert desk.fills(name) == []


def test_two_orders_share_a_trade_in_their_turn(desk: Desk) -> None:
    first = rest(desk, Side.BUY, "0.1", "99.99")
    desk.lay({**BIDS, "99.99": "0.2"}, ASKS)
    second = rest(desk, Side.BUY, "0.1", "99.99")
    trade(desk, Side.SELL, "99.99", "0.2")
    assert desk.fills(first) == desk.fills(second) == []
    trade(desk, Side.SELL, "99.99", "0.15")
    assert desk.fills(first) == [("99.99", "0.1")]
    assert desk.fills(second) == [("99.99", "0.05")]


def test_parts_of_a_lot_are_gathered(desk: Desk) -> None:
    name = rest(desk, Side.SELL, "0.0001", "100.00")
    for _ in range(5):
        trade(desk, Side.BUY, "100.00", "0.000004")
    assert desk.fills(name) == [("100", "0.00001"), ("100", "0.00001")]


def test_out_of_sight_nothing_is_filled_until_the_queue_is_seen() -> None:
    desk = Desk()
    deep = {f"{100 - level / 100:.2f}": "1" for level in range(1, 21)}
    desk.lay(deep, ASKS)
    name = rest(desk, Side.BUY, "0.1", "99.70")
    trade(desk, Side.SELL, "99.70", "50")
    assert desk.fills(name) == []
    desk.lay({"99.71": "1", "99.70": "2"}, ASKS)
    trade(desk, Side.SELL, "99.70", "2")
    assert desk.fills(name) == []
    trade(desk, Side.SELL, "99.70", "0.1")
    assert desk.orders[name].state is OrderState.FILLED


def test_a_trade_before_the_order_came_does_not_fill_it(desk: Desk) -> None:
    before_ns = desk.clock.now_ns()
    name = rest(desk, Side.BUY, "0.1", "100.00")
    desk.gateway.trade(KEY, Side.SELL, 100_00, 10**8, before_ns)
    desk.settle()
    assert desk.fills(name) == []


def test_the_book_is_as_it_was_after_a_fill(desk: Desk) -> None:
    rest(desk, Side.BUY, "0.1", "99.98")
    trade(desk, Side.SELL, "99.97", "0.1")
    taker = desk.send(Side.SELL, "0.7", "99.98")
    desk.settle()
    assert desk.fills(taker) == [("99.99", "0.5"), ("99.98", "0.2")]


class _Told:
    """A mirror that remembers."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def book(self, market: MarketKey, bids: dict[int, int], asks: dict[int, int], whole: object = None) -> None:
        self.told.append(("book", market))

    def trade(self, market: MarketKey, aggressor: Side, tick: int, lots: int, received_ns: int) -> None:
        self.told.append(("trade", market, aggressor, tick, lots, received_ns))


class _OneBatch:
    """A feed of one source that has one batch."""

    name, numbered, has_updates = "binance-spot", True, True
    markets, routes = (None,), (Route(3, 1, -2, -8),)

    def __init__(self, batch: Batch) -> None:
        self._batch: Batch | None = batch
        self.sources = [self]

    def new_books(self) -> records.Words:
        return new_books([Rule.OVERLAPPING])

    def take(self, source: int) -> Batch | None:
        batch, self._batch = self._batch, None
        return batch


def test_the_trades_of_a_batch_are_told_before_its_books() -> None:
    batch = Batch(8, 8)
    rows = np.zeros((3, records.WIDTH), dtype=np.int64)
    for row, aggressor in zip(
        rows, (records.AGGRESSOR_SELL, records.AGGRESSOR_NONE, records.AGGRESSOR_BUY), strict=True
    ):
        row[[records.KIND, records.RECEIVE_NS, records.PRICE, records.QUANTITY, records.AGGRESSOR]] = (
            records.TRADE,
            77,
            9_999,
            5,
            aggressor,
        )
    batch.records[:3] = rows
    batch.records[3, [records.KIND, records.RECEIVE_NS]] = (records.GAP, 78)
    batch.cursor[records.CURSOR_RECORDS] = 4
    told = _Told()
    MirroredFeed(_OneBatch(batch), told).take(0)  # type: ignore[arg-type]
    key = (3, 1)
    assert told.told == [
        ("trade", key, Side.SELL, 9_999, 5, 77),
        ("trade", key, Side.BUY, 9_999, 5, 77),
        ("book", key),
    ]
