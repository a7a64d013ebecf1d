"""Measures of a backtest, against numbers reckoned by hand."""

from __future__ import annotations

import math
from decimal import Decimal

import pytest

from market.fixed_point import Scale
from market.instruments import Catalogue, Instrument, Listing
from market.orders.cause import Cause, Origin
from market.orders.kinds import Liquidity, OrderType, Side, TimeInForce
from market.orders.order import Fill, Order, OrderIntent
from market.risk.position import Position
from orchestrator.backtest.performance import (
    SECONDS_PER_YEAR,
    attribution,
    closings,
    equity_curves,
    fee_breakdown,
    performance,
)

SECOND = 10**9
LISTING = Listing(Instrument(0, "AB", Scale(0), Scale(0)), 0, "venue", "ABQ", tick=1, lot=1, quote_asset="Q")
LISTINGS = Catalogue([LISTING])


def curve(*equities: int) -> list[tuple[int, Decimal]]:
    return [(number * SECOND, Decimal(equity)) for number, equity in enumerate(equities)]


def order(number: int, side: Side, price: int, quantity: int, fee: int, liquidity: Liquidity) -> Order:
    """An order that was filled whole at a time that is its number."""
    intent = OrderIntent(
        cause=Cause(strategy="one", origin=Origin.DECISION, epoch=1, number=number),
        decided_ns=number,
        instrument=0,
        venue=0,
        side=side,
        type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=quantity,
        limit_price=price,
    )
    fill = Fill(
        fill_id="1",
        price=price,
        quantity=quantity,
        fee=fee,
        liquidity=liquidity,
        venue_ns=number,
        receive_ns=number,
    )
    return Order(intent=intent, client_order_id=intent.client_order_id, filled=quantity, fills=(fill,))


ORDERS = [
    order(1, Side.BUY, 100, 2, 1, Liquidity.MAKER),
    order(2, Side.SELL, 110, 1, 2, Liquidity.TAKER),
    order(3, Side.SELL, 90, 2, 3, Liquidity.TAKER),
    order(4, Side.BUY, 80, 1, -1, Liquidity.MAKER),
]


def test_the_largest_fall_is_from_the_highest_before() -> None:
    found = performance(curve(0, 5, 3, 9, 4, 6, 2, 8))
    assert (found.gain, found.drawdown, found.drawdown_s) == (Decimal(8), Decimal(7), 3.0)
    assert performance(curve(0, -4, -1)).drawdown == 4


def test_ratios_are_annualised_by_the_samples_in_a_year() -> None:
    found = performance(curve(0, 3, 2, 5))
    year = math.sqrt(SECONDS_PER_YEAR)
    mean, deviation = 5 / 3, math.sqrt(((3 - 5 / 3) ** 2 + (-1 - 5 / 3) ** 2 + (3 - 5 / 3) ** 2) / 2)
    assert found.sharpe == pytest.approx(mean / deviation * year)
    assert found.sortino == pytest.approx(mean / math.sqrt(1 / 3) * year)
    assert (found.samples, found.interval_s) == (3, 1.0)


def test_what_cannot_be_divided_is_not_there() -> None:
    flat = performance(curve(0, 0, 0))
    assert (flat.sharpe, flat.sortino) == (None, None)
    assert performance(curve(7)).sharpe is None
    steady = performance([(n * 10**9, Decimal(n) / 10) for n in range(50)])
    assert steady.sharpe is None
    rising = performance(curve(0, 1, 3))
    assert rising.sharpe is not None
    assert rising.sortino is None


def test_equity_is_that_of_all_markets_of_a_currency() -> None:
    rows = [
        {"time_ns": 1, "market": "a", "equity": Decimal(1)},
        {"time_ns": 1, "market": "b", "equity": Decimal(10)},
        {"time_ns": 1, "market": "c", "equity": Decimal(5)},
        {"time_ns": 2, "market": "a", "equity": Decimal(2)},
    ]
    found = equity_curves(rows, {"a": "Q", "b": "Q", "c": "R"})
    assert found == {"Q": [(1, Decimal(11)), (2, Decimal(12))], "R": [(1, Decimal(5))]}


def test_closings_are_what_makes_a_position_smaller() -> None:
    found = closings(ORDERS, LISTINGS, "Q")
    gains = [110 - 100 - 2, 90 - 100 - 3, 90 - 80 + 1]
    assert (found.count, found.wins) == (3, 2)
    assert (found.average_win, found.average_loss) == (Decimal(gains[0] + gains[2]) / 2, Decimal(gains[1]))
    assert found.win_rate == 2 / 3
    assert closings(ORDERS, LISTINGS, "R").win_rate is None


def test_fees_are_told_apart() -> None:
    assert fee_breakdown(ORDERS, LISTINGS, "Q") == {"MAKER": 0, "TAKER": 5}


def test_a_strategy_has_what_it_made() -> None:
    position = Position().traded(Side.BUY, 100, 2, 1).traded(Side.SELL, 110, 1, 2)
    (row,) = attribution({("one", (0, 0)): position, ("two", (1, 0)): Position()}, {(0, 0): 105}, LISTINGS)
    assert row["strategy"] == "one"
    assert (row["realised"], row["unrealised"], row["fees"], row["equity"]) == (10, 5, 3, 12)
