"""What a venue does not take, in Binance's words."""

from __future__ import annotations

from typing import Any

import pytest

from market.errors import Fatal
from market.orders.kinds import Side
from sim.exchange.venue.kinds import MarketKind, OrderKind, TimeInForce
from sim.exchange.venue.model import UNIT, SymbolModel
from sim.exchange.venue.refusals import VenueRefusal
from sim.exchange.venue.venue import SimulatedVenue
from tests.sim.exchange.venue.venues import BUY, SELL, START_NS, request, symbol_model, venue_model

STRICT: dict[str, Any] = {
    "minimum_ticks": 100,
    "maximum_ticks": 100_000,
    "minimum_lots": 5,
    "maximum_lots": 1_000,
    "market_maximum_lots": 500,
    "minimum_notional_units": UNIT,
    "up_percent": 120,
    "down_percent": 80,
    "maximum_orders": 2,
    "maximum_stops": 1,
}


def strict(kind: MarketKind) -> SimulatedVenue:
    return SimulatedVenue(venue_model(kind, symbol_model(**STRICT)))


def refusal(venue: SimulatedVenue, side: Side, kind: OrderKind, lots: int, price: int = 0, **more: Any) -> str:
    with pytest.raises(VenueRefusal) as raised:
        venue.place(request("alice", side, kind, lots, price, **more), START_NS)
    return str(raised.value)


LIMIT, MARKET = OrderKind.LIMIT, OrderKind.MARKET


@pytest.mark.parametrize(
    ("kind", "lots", "price", "spot", "futures"),
    [
        (LIMIT, 100, 99, "-1013: Filter failure: PRICE_FILTER", "-4013: Price less than min price. Minimum is 1."),
        (LIMIT, 100, 100_001, "-1013: Filter failure: PRICE_FILTER", "-4002: Price greater than max price."),
        (LIMIT, 4, 10_000, "-1013: Filter failure: LOT_SIZE", "-4004: Quantity less than min quantity."),
        (LIMIT, 1_001, 10_000, "-1013: Filter failure: LOT_SIZE", "-4005: Quantity greater than max quantity."),
        (MARKET, 501, 0, "-1013: Filter failure: MARKET_LOT_SIZE", "-4005: Quantity greater than max quantity."),
        (MARKET, 1_001, 0, "-1013: Filter failure: LOT_SIZE", "-4005: Quantity greater than max quantity."),
        (
            LIMIT,
            100,
            12_001,
            "-1013: Filter failure: PERCENT_PRICE_BY_SIDE",
            "-4016: Limit price can't be higher than 120.",
        ),
        (
            LIMIT,
            200,
            7_999,
            "-1013: Filter failure: PERCENT_PRICE_BY_SIDE",
            "-4024: Limit price can't be lower than 80.",
        ),
        (
            LIMIT,
            99,
            10_000,
            "-1013: Filter failure: NOTIONAL",
            "-4164: Order's notional must be no smaller than 1 (unless you choose reduce only).",
        ),
        (
            MARKET,
            99,
            0,
            "-1013: Filter failure: NOTIONAL",
            "-4164: Order's notional must be no smaller than 1 (unless you choose reduce only).",
        ),
    ],
)
def test_filters(kind: OrderKind, lots: int, price: int, spot: str, futures: str) -> None:
    assert refusal(strict(MarketKind.SPOT), BUY, kind, lots, price) == spot
    assert refusal(strict(MarketKind.USD_MARGINED), BUY, kind, lots, price) == futures


@pytest.mark.parametrize(("lots", "price"), [(5, 12_000), (1_000, 8_000), (100, 10_000)])
def test_the_bounds_themselves_pass(lots: int, price: int) -> None:
    symbol = symbol_model(**(STRICT | {"minimum_notional_units": 5 * 12 * UNIT // 1_000}))
    venue = SimulatedVenue(venue_model(MarketKind.SPOT, symbol))
    venue.place(request("alice", SELL, LIMIT, lots, price), START_NS)


def test_an_account_has_so_many_orders_and_so_many_stops() -> None:
    for kind, orders, stops in (
        (MarketKind.SPOT, "-1013: Filter failure: MAX_NUM_ORDERS", "-1013: Filter failure: MAX_NUM_ALGO_ORDERS"),
        (MarketKind.USD_MARGINED, "-2025: Reach max open order limit.", "-4045: Reach max stop order limit."),
    ):
        venue = strict(kind)
        venue.place(request("alice", SELL, OrderKind.STOP_LOSS, 110, stop_ticks=9_900), START_NS)
        assert refusal(venue, SELL, OrderKind.STOP_LOSS, 110, stop_ticks=9_900) == stops
        venue.place(request("alice", SELL, LIMIT, 100, 10_000), START_NS)
        assert refusal(venue, SELL, LIMIT, 100, 10_000) == orders
    spot = SimulatedVenue(venue_model(MarketKind.SPOT, symbol_model(maximum_orders=1)))
    spot.place(request("alice", SELL, LIMIT, 100, 10_000), START_NS)
    assert refusal(spot, SELL, OrderKind.STOP_LOSS, 110, stop_ticks=9_900) == "-1013: Filter failure: MAX_NUM_ORDERS"


@pytest.mark.parametrize(
    ("market", "kind", "more", "code"),
    [
        (MarketKind.SPOT, LIMIT, {"lots": 10}, -1102),
        (MarketKind.SPOT, LIMIT, {"price": 10_000}, -1102),
        (MarketKind.SPOT, LIMIT, {"lots": 10, "price": 10_000, "stop_ticks": 9_000}, -1106),
        (MarketKind.SPOT, MARKET, {"lots": 10, "price": 10_000}, -1106),
        (MarketKind.SPOT, MARKET, {"lots": 10, "time_in_force": TimeInForce.IOC}, -1106),
        (MarketKind.SPOT, MARKET, {"lots": 10, "quote_units": UNIT}, -1014),
        (MarketKind.SPOT, LIMIT, {"lots": 10, "price": 10_000, "time_in_force": TimeInForce.GTX}, -1115),
        (MarketKind.SPOT, LIMIT, {"lots": 10, "price": 10_000, "reduce_only": True}, -1014),
        (MarketKind.SPOT, OrderKind.STOP_LOSS, {"lots": 10}, -1102),
        (
            MarketKind.SPOT,
            OrderKind.LIMIT_MAKER,
            {"lots": 10, "price": 10_000, "time_in_force": TimeInForce.IOC},
            -1106,
        ),
        (MarketKind.USD_MARGINED, OrderKind.LIMIT_MAKER, {"lots": 10, "price": 10_000}, -1116),
        (MarketKind.USD_MARGINED, MARKET, {"quote_units": UNIT}, -1014),
        (MarketKind.USD_MARGINED, MARKET, {"close_position": True}, -4136),
    ],
)
def test_parameters_that_do_not_go_together(
    market: MarketKind, kind: OrderKind, more: dict[str, Any], code: int
) -> None:
    assert refusal(strict(market), BUY, kind, **({"lots": 0} | more)).startswith(f"{code}: ")


def test_numbers_are_read_exactly_or_refused() -> None:
    symbol = symbol_model()
    assert symbol.price_ticks("100.01") == 10_001
    assert symbol.price_ticks("100.0100") == 10_001
    assert symbol.quantity_lots("0.0012") == 12
    for read, text, code in (
        (symbol.price_ticks, "100.015", -1013),
        (symbol.price_ticks, "0.000000001", -1111),
        (symbol.price_ticks, "ten", -1100),
        (symbol.price_ticks, "-1", -1100),
        (symbol.price_ticks, "NaN", -1100),
        (symbol.quantity_lots, "0.00015", -1013),
    ):
        with pytest.raises(VenueRefusal) as raised:
            read(text)
        assert raised.value.code == code
    with pytest.raises(VenueRefusal, match="-4014"):
        symbol.price_ticks("100.015", MarketKind.USD_MARGINED)
    with pytest.raises(VenueRefusal, match="-1111"):
        symbol.quantity_lots("0.00015", MarketKind.USD_MARGINED)
    assert (symbol.price_text(10_010), symbol.quantity_text(12)) == ("100.1", "0.0012")


def test_a_symbol_comes_from_texts() -> None:
    symbol = SymbolModel.of("BTCUSDT", "BTC", "USDT", tick="0.01", lot="0.00001", price="61700")
    assert (symbol.tick_units, symbol.lot_units, symbol.reference_ticks) == (10**6, 10**3, 6_170_000)
    assert symbol.quote_units(6_170_000, 100_000) == 61_700 * UNIT


@pytest.mark.parametrize(
    "changed",
    [
        {"tick_units": 1, "lot_units": 1},
        {"tick_units": 0},
        {"reference_ticks": 0},
        {"minimum_lots": 10, "maximum_lots": 9},
        {"leverage": 126},
        {"maximum_lots": 10**10},
    ],
)
def test_a_symbol_that_cannot_be(changed: dict[str, Any]) -> None:
    with pytest.raises(Fatal):
        symbol_model(**changed)


def test_a_venue_that_cannot_be() -> None:
    twice = (symbol_model(), symbol_model())
    with pytest.raises(Fatal, match="each once"):
        venue_model(MarketKind.SPOT, symbol_model(), symbols=twice)
    other = (symbol_model(), symbol_model(symbol="BTCUSDC", quote_asset="USDC"))
    with pytest.raises(Fatal, match="one quote asset"):
        venue_model(MarketKind.USD_MARGINED, symbol_model(), symbols=other)
