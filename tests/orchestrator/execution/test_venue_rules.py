"""The venue's own rules of a market."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from market.errors import Fatal
from market.instruments import Listing
from orchestrator.execution.venue_rules import changed_rules, with_rules
from tests.orchestrator.execution.samples import SPOT


def information(**changes: Any) -> dict[str, Any]:
    return {
        "symbols": [
            {
                "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT",
                "filters": [
                    {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01000000"},
                    {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000",
                     "stepSize": "0.00001000"},
                    {"filterType": "NOTIONAL", "minNotional": "5.00000000"},
                ],
                **changes,
            }
        ]
    }  # fmt: skip


def test_limits_and_assets_come_from_the_venue() -> None:
    bare = replace(SPOT, base_asset="", quote_asset="", minimum_notional=0)
    (full,) = with_rules([bare], information())
    assert (full.base_asset, full.quote_asset) == ("BTC", "USDT")
    assert (full.minimum_quantity, full.maximum_quantity) == (1_000, 900_000_000_000)
    assert full.minimum_notional == 5 * 10**10


def test_futures_name_the_smallest_notional_otherwise() -> None:
    filters = [*information()["symbols"][0]["filters"][:2], {"filterType": "MIN_NOTIONAL", "notional": "100"}]
    (full,) = with_rules([SPOT], information(filters=filters))
    assert full.minimum_notional == 100 * 10**10


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"symbol": "ETHUSDT"}, "says unknown"), ({"status": "BREAK"}, "says BREAK")],
)
def test_a_market_that_is_not_traded_stops_the_run(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(Fatal, match=says):
        with_rules([SPOT], information(**changes))


def test_the_venue_s_lot_replaces_a_finer_one() -> None:
    (full,) = with_rules([replace(SPOT, lot=1)], information())
    assert full.lot == 1_000


@pytest.mark.parametrize("listing", [replace(SPOT, tick=10), replace(SPOT, lot=3_000)])
def test_other_steps_than_the_venues_stop_the_run(listing: Listing) -> None:
    with pytest.raises(Fatal, match="as the venue says"):
        with_rules([listing], information())


def filters(**changes: dict[str, str]) -> list[dict[str, str]]:
    """Those of the market, some with other values."""
    return [{**one, **changes.get(one["filterType"], {})} for one in information()["symbols"][0]["filters"]]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, ""),
        ({"status": "HALT"}, "BTCUSDT on binance-spot is HALT at the venue: no orders until it is TRADING again"),
        ({"symbol": "ETHUSDT"}, "is unknown at the venue"),
        ({"filters": filters(PRICE_FILTER={"tickSize": "0.10"})}, "tick was 0.01; expected 0.10, as the venue says"),
        ({"filters": filters(PRICE_FILTER={"tickSize": "0.00000000001"})}, "no orders until the run is started again"),
        ({"filters": filters(LOT_SIZE={"stepSize": "0.0001"})}, "lot 0.00001 -> 0.0001"),
        (
            {"filters": filters(LOT_SIZE={"minQty": "0.001", "maxQty": "10"})},
            "minimum_quantity 0.00001 -> 0.001, maximum",
        ),
        ({"filters": filters(NOTIONAL={"minNotional": "10"})}, "has new rules (minimum_notional 5 -> 10): no orders"),
    ],
)
def test_what_differs_from_the_start_is_named(changes: dict[str, Any], says: str) -> None:
    (listing,) = with_rules([SPOT], information())
    found = changed_rules(listing, information(**changes))
    assert says in found
    assert bool(found) == bool(says)
