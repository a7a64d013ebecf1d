"""Numbers, stream names, and what is gathered from events before it is sent."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.exchange.aggregate_trades import AggregateTrades
from sim.exchange.day_statistics import DayStatistics
from sim.exchange.depth_feed import DepthFeed
from sim.exchange.numbers import decimals_of, eight, fixed, quotient, rate
from sim.exchange.stream_names import Category, Encoding, Stream, Topic, parse_sbe_stream, parse_stream
from sim.exchange.symbols import Symbols
from sim.exchange.venue.events import BookChanged, Traded
from sim.exchange.venue.kinds import MarketKind
from sim.exchange.venue.model import UNIT
from sim.exchange.venue.records import ExchangeInfo, Level, PublicTrade
from sim.exchange.writing import FuturesNumbers, SpotNumbers
from tests.sim.exchange.stage import futures_model, spot_model

SPOT, FUTURES = MarketKind.SPOT, MarketKind.USD_MARGINED
MONEY = st.integers(-(10**18), 10**18)


@settings(derandomize=True, deadline=None)
@given(MONEY)
def test_money_has_eight_decimals(units: int) -> None:
    text = eight(units)
    assert Decimal(text) * UNIT == units
    assert len(text.partition(".")[2]) == 8


@settings(derandomize=True, deadline=None)
@given(st.integers(-(10**9), 10**9), st.integers(0, 8))
def test_steps_have_the_decimals_that_they_need(count: int, decimals: int) -> None:
    step = 10 ** (8 - decimals)
    assert decimals_of(step) == decimals
    text = fixed(count * step, decimals)
    assert Decimal(text) * UNIT == count * step
    assert len(text.partition(".")[2]) == decimals


@settings(derandomize=True, deadline=None)
@given(MONEY, MONEY, st.integers(0, 11))
def test_quotients_are_rounded_to_the_nearest(numerator: int, denominator: int, decimals: int) -> None:
    text = quotient(numerator, denominator, decimals)
    if denominator == 0:
        assert Decimal(text) == 0
    else:
        error = abs(Decimal(text) * 10**decimals * denominator - numerator * 10**decimals)
        assert error * 2 <= abs(denominator)


def test_rates() -> None:
    assert (rate(1_000_000), rate(100_000), rate(-5)) == ("0.00100000", "0.00010000", "-0.00000001")


def test_markets_write_differently() -> None:
    spot = SpotNumbers(Symbols(ExchangeInfo(kind=SPOT, symbols=spot_model().symbols)))
    futures = FuturesNumbers(Symbols(ExchangeInfo(kind=FUTURES, symbols=futures_model().symbols)))
    assert (spot.price("BTCUSDT", 6_000_001), spot.quantity("BTCUSDT", 12)) == ("60000.01000000", "0.00012000")
    assert (futures.price("BTCUSDT", 600_001), futures.quantity("BTCUSDT", -12)) == ("60000.1", "-0.012")
    assert futures.levels("BTCUSDT", [(600_000, 1)]) == [["60000.0", "0.001"]]


def json_stream(symbol: str, topic: Topic, levels: int = 0, ms: int = 0) -> Stream:
    return Stream(symbol=symbol, topic=topic, encoding=Encoding.JSON, levels=levels, interval_ns=ms * 10**6)


@pytest.mark.parametrize(
    ("name", "kind", "stream"),
    [
        ("btcusdt@trade", SPOT, json_stream("BTCUSDT", Topic.TRADE)),
        ("btcusdt@aggTrade", FUTURES, json_stream("BTCUSDT", Topic.AGGREGATE)),
        ("btcusdt@bookTicker", SPOT, json_stream("BTCUSDT", Topic.TOP)),
        ("btcusdt@depth", SPOT, json_stream("BTCUSDT", Topic.DEPTH, ms=1_000)),
        ("btcusdt@depth@100ms", SPOT, json_stream("BTCUSDT", Topic.DEPTH, ms=100)),
        ("btcusdt@depth", FUTURES, json_stream("BTCUSDT", Topic.DEPTH, ms=250)),
        ("btcusdt@depth@0ms", FUTURES, json_stream("BTCUSDT", Topic.DEPTH)),
        ("btcusdt@depth20@100ms", SPOT, json_stream("BTCUSDT", Topic.BOOK, 20, 100)),
        ("btcusdt@depth5", FUTURES, json_stream("BTCUSDT", Topic.BOOK, 5, 250)),
        ("btcusdt@markPrice@1s", FUTURES, json_stream("BTCUSDT", Topic.MARK, ms=1_000)),
        ("btcusdt@depth@0ms", SPOT, None),
        ("btcusdt@depth7", SPOT, None),
        ("btcusdt@depth@250ms", SPOT, None),
        ("btcusdt@trade@100ms", SPOT, None),
        ("btcusdt@trade20", SPOT, None),
        ("btcusdt@markPrice", SPOT, None),
        ("btcusdt@bestBidAsk", SPOT, None),
        ("BTCUSDT@trade", SPOT, None),
        ("btcusdt", SPOT, None),
        ("", SPOT, None),
    ],
)
def test_names_of_streams(name: str, kind: MarketKind, stream: Stream | None) -> None:
    assert parse_stream(name, kind) == stream


def test_paths_of_futures_have_their_streams() -> None:
    for name, category in (("x@depth", Category.PUBLIC), ("x@trade", Category.PUBLIC), ("x@aggTrade", Category.MARKET)):
        other = Category.MARKET if category is Category.PUBLIC else Category.PUBLIC
        assert parse_stream(name, FUTURES, category) is not None
        assert parse_stream(name, FUTURES, other) is None
        assert parse_stream(name, FUTURES, Category.PRIVATE) is None


def test_names_of_sbe_streams() -> None:
    names = {"x@bestBidAsk": Topic.TOP, "x@trade": Topic.TRADE, "x@depth": Topic.DEPTH, "x@depth20": Topic.BOOK}
    for name, topic in names.items():
        stream = parse_sbe_stream(name)
        assert stream is not None
        assert (stream.topic, stream.encoding) == (topic, Encoding.SBE)
    for name in ("x@bookTicker", "x@aggTrade", "x@depth5", "x@depth@100ms", "x@markPrice", "x"):
        assert parse_sbe_stream(name) is None


def changed(first: int, last: int, bids: tuple[Level, ...] = (), asks: tuple[Level, ...] = ()) -> BookChanged:
    return BookChanged(symbol="X", first_id=first, last_id=last, bids=bids, asks=asks, time_ns=last)


def test_changes_of_an_interval_become_one() -> None:
    feed = DepthFeed("X", last_id=4)
    assert feed.take() is None
    feed.add(changed(5, 6, bids=((100, 1), (101, 2))))
    feed.add(changed(7, 7, bids=((101, 0),), asks=((103, 5), (102, 4))))
    change = feed.take()
    assert change is not None
    assert (change.first_id, change.last_id, change.previous_id, change.time_ns) == (5, 7, 4, 7)
    assert (change.bids, change.asks) == (((101, 0), (100, 1)), ((102, 4), (103, 5)))
    assert feed.take() is None
    feed.add(changed(8, 8, asks=((102, 0),)))
    change = feed.take()
    assert change is not None
    assert (change.first_id, change.previous_id, change.bids, change.asks) == (8, 7, (), ((102, 0),))


def traded(number: int, *, taker: int, price: int = 100, lots: int = 1, symbol: str = "X") -> Traded:
    trade = PublicTrade(
        symbol=symbol,
        trade_id=number,
        price_ticks=price,
        quantity_lots=lots,
        quote_units=price * lots,
        buyer_order_id=taker,
        seller_order_id=number,
        buyer_is_maker=False,
        time_ns=number,
    )
    return Traded(trade=trade)


def test_trades_of_one_order_at_one_price_are_put_together() -> None:
    aggregates = AggregateTrades()
    first, second, third = aggregates.take(
        [traded(1, taker=7, lots=2), traded(2, taker=7, lots=3), traded(3, taker=7, price=101), traded(4, taker=8)]
    )
    assert (first.number, first.quantity_lots, first.first_trade_id, first.last_trade_id) == (1, 5, 1, 2)
    assert (second.number, second.price_ticks, second.first_trade_id) == (2, 101, 3)
    assert (third.number, third.taker_order_id) == (3, 8)
    (other,) = aggregates.take([traded(5, taker=9, symbol="Y")])
    assert other.number == 1
    assert [trade.number for trade in aggregates.recent("X", 2)] == [2, 3]
    assert aggregates.take([]) == []


def test_a_day_is_counted_by_minutes() -> None:
    minute_ns = 60 * 10**9
    day = DayStatistics()
    assert day.of("X", 0) is None
    prices = [100, 105, 95, 101]
    for number, price in enumerate(prices):
        at = msgspec.structs.replace(traded(number, taker=1, price=price, lots=2).trade, time_ns=number * minute_ns)
        day.hear([Traded(trade=at)], 0)
    whole = day.of("X", 3 * minute_ns)
    assert whole is not None
    assert (whole.open, whole.high, whole.low, whole.close) == (100, 105, 95, 101)
    assert (whole.lots, whole.worth, whole.first_id, whole.last_id) == (8, 2 * sum(prices), 0, 3)
    later = day.of("X", 1_442 * minute_ns)
    assert later is not None
    assert (later.open, later.lots, later.first_id) == (95, 4, 2)
    assert day.of("X", 2_000 * minute_ns) is None
