"""The venue's own rules of a market."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from market.errors import Fatal
from market.instruments import Listing
from orchestrator.execution.venue_rules import with_rules
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
