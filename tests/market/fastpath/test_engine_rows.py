"""Table rows: the ranges of every field, the order of refusals, and rows of other build sizes."""

from __future__ import annotations

from typing import Any

import pytest

from market.fastpath.specification import EngineSizes, Refusal
from tests.market.fastpath.engine_driver import Driver, refusal_of

WRAP = 1 << 64
DURATION = 1 << 56
PRICE = 1 << 48


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"rateInterval": 2_047}, Refusal.BAD_VALUE),
        ({"rateInterval": 2_048, "rateTolerance": 62 * 2_048 + 1}, Refusal.BAD_VALUE),
        ({"rateTolerance": -1}, Refusal.BAD_VALUE),
        ({"rateInterval": DURATION}, Refusal.BAD_VALUE),
        ({"lease": DURATION}, Refusal.BAD_VALUE),
        ({"lease": -1}, Refusal.BAD_VALUE),
        ({"rateInterval": DURATION - 1, "rateTolerance": DURATION - 1, "lease": DURATION - 1}, Refusal.NONE),
        ({"rateInterval": DURATION - 1, "rateTolerance": DURATION}, Refusal.BAD_VALUE),
    ],
)
def test_engine_row(changes: dict[str, int], refusal: Refusal) -> None:
    row = {"rateInterval": 2_048, "rateTolerance": 62 * 2_048, "lease": 0}
    assert refusal_of(Driver(), "EngineRow", **{**row, **changes}) == refusal


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"venue": 4}, Refusal.UNKNOWN_ROW),
        ({"venue": 255, "fee": 1 << 20}, Refusal.UNKNOWN_ROW),
        ({"fee": 65_535}, Refusal.NONE),
        ({"fee": -65_535}, Refusal.NONE),
        ({"fee": 65_536}, Refusal.BAD_VALUE),
        ({"fee": -65_536}, Refusal.BAD_VALUE),
        ({"fee": -(1 << 31)}, Refusal.BAD_VALUE),
        ({"enabled": 2}, Refusal.BAD_VALUE),
        ({"maximumAge": DURATION}, Refusal.BAD_VALUE),
        ({"maximumSilence": -1}, Refusal.BAD_VALUE),
    ],
)
def test_venue_row(changes: dict[str, int], refusal: Refusal) -> None:
    row = {"venue": 0, "enabled": 1, "fee": 0, "maximumAge": 0, "maximumSilence": DURATION - 1}
    assert refusal_of(Driver(), "VenueRow", **{**row, **changes}) == refusal


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, Refusal.NONE),
        ({"instrument": 16}, Refusal.UNKNOWN_ROW),
        ({"venue": 4}, Refusal.UNKNOWN_ROW),
        ({"priceShift": 4}, Refusal.BAD_VALUE),
        ({"quantityShift": 255}, Refusal.BAD_VALUE),
        ({"instrument": 16, "priceShift": 4}, Refusal.UNKNOWN_ROW),
    ],
)
def test_scaling_row(changes: dict[str, int], refusal: Refusal) -> None:
    row = {"instrument": 15, "venue": 3, "priceExponent": -128, "quantityExponent": 127}
    row |= {"priceShift": 3, "quantityShift": 3}
    assert refusal_of(Driver(), "ScalingRow", **{**row, **changes}) == refusal


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, Refusal.NONE),
        ({"instrument": 65_535}, Refusal.NONE),
        ({"instrument": 16}, Refusal.UNKNOWN_ROW),
        ({"venue": 4}, Refusal.UNKNOWN_ROW),
        ({"channel": 64}, Refusal.UNKNOWN_ROW),
        ({"feed": 0}, Refusal.BAD_VALUE),
        ({"feed": 5}, Refusal.BAD_VALUE),
        ({"enabled": 2}, Refusal.BAD_VALUE),
    ],
)
def test_channel_row(changes: dict[str, int], refusal: Refusal) -> None:
    row = {"address": 0xE0000001, "port": 65_535, "channel": 63, "instrument": 0, "venue": 0, "feed": 1, "enabled": 1}
    assert refusal_of(Driver(), "ChannelRow", **{**row, **changes}) == refusal


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"instrument": 16, "kinds": 8}, Refusal.UNKNOWN_ROW),
        ({"kinds": 8}, Refusal.BAD_VALUE),
        ({"enabled": 2}, Refusal.BAD_VALUE),
        ({"basisShift": 16}, Refusal.NONE),
        ({"basisShift": 17}, Refusal.BAD_VALUE),
        ({"imbalanceThreshold": 0}, Refusal.BAD_VALUE),
        ({"imbalanceThreshold": 32_768}, Refusal.BAD_VALUE),
        ({"minimumEdge": 4 * PRICE - 1}, Refusal.NONE),
        ({"minimumEdge": 4 * PRICE}, Refusal.BAD_VALUE),
        ({"minimumEdge": -4 * PRICE}, Refusal.BAD_VALUE),
        ({"minimumEdge": -(1 << 63)}, Refusal.BAD_VALUE),
        ({"basisThreshold": 0}, Refusal.BAD_VALUE),
        ({"basisThreshold": 4 * PRICE - 1}, Refusal.NONE),
        ({"basisThreshold": 4 * PRICE}, Refusal.BAD_VALUE),
        ({"basisInterval": DURATION}, Refusal.BAD_VALUE),
        ({"basisInterval": -1}, Refusal.BAD_VALUE),
        ({"maximumSpread": -1}, Refusal.BAD_VALUE),
        ({"maximumSpread": PRICE}, Refusal.BAD_VALUE),
        ({"minimumQuantity": -1}, Refusal.BAD_VALUE),
        ({"minimumQuantity": 0}, Refusal.QUANTITY_ORDER),
        ({"minimumQuantity": 6, "maximumQuantity": 5}, Refusal.QUANTITY_ORDER),
        ({"minimumQuantity": 5, "maximumQuantity": 5}, Refusal.NONE),
        ({"maximumQuantity": PRICE}, Refusal.BAD_VALUE),
        ({"priceLow": -1}, Refusal.BAD_VALUE),
        ({"priceLow": PRICE - 1, "priceHigh": 1}, Refusal.NONE),
        ({"priceHigh": PRICE}, Refusal.BAD_VALUE),
        ({"priceHigh": PRICE - 1, "maximumQuantity": PRICE - 1}, Refusal.NONE),
        ({"cooldown": DURATION}, Refusal.BAD_VALUE),
        ({"cooldown": -1}, Refusal.BAD_VALUE),
        ({"positionLimit": -1}, Refusal.BAD_VALUE),
        ({"positionLimit": PRICE}, Refusal.BAD_VALUE),
        ({"leads": [{"mask": 0}] * 3}, Refusal.BAD_VALUE),
        ({"leads": [{"mask": 0}] * 5}, Refusal.BAD_VALUE),
        ({"leads": [{"mask": (1 << 64) - 1}] * 4}, Refusal.NONE),
        ({"minimumQuantity": 0, "basisShift": 17}, Refusal.BAD_VALUE),
        ({"minimumQuantity": 0, "maximumNotionalHigh": 0}, Refusal.QUANTITY_ORDER),
        ({"maximumNotionalHigh": 0, "maximumNotionalLow": 5}, Refusal.NOTIONAL),
    ],
)
def test_instrument_row(changes: dict[str, Any], refusal: Refusal) -> None:
    driver = Driver()
    assert refusal_of(driver, "InstrumentRow", **driver.instrument_row(**changes)) == refusal


@pytest.mark.parametrize(("more", "refusal"), [(0, Refusal.NONE), (-1, Refusal.NOTIONAL)])
@pytest.mark.parametrize(("high", "quantity"), [(PRICE - 1, PRICE - 1), (1 << 33, 1 << 31), (3, 5), (1 << 47, 1 << 33)])
def test_notional(high: int, quantity: int, more: int, refusal: Refusal) -> None:
    limit = high * quantity + more
    notional = {"maximumNotionalLow": limit % WRAP, "maximumNotionalHigh": limit // WRAP}
    driver = Driver()
    row = driver.instrument_row(priceHigh=high, maximumQuantity=quantity, **notional)
    assert refusal_of(driver, "InstrumentRow", **row) == refusal


def test_ranges_follow_the_price_bits() -> None:
    driver = Driver(EngineSizes(price_bits=20))
    row = {"positionLimit": 5, "maximumQuantity": 5, "priceHigh": 1 << 20, "maximumSpread": 5}
    row |= {"minimumEdge": 0, "basisThreshold": 1}
    assert refusal_of(driver, "InstrumentRow", **driver.instrument_row(**row)) == Refusal.BAD_VALUE
    row["priceHigh"] -= 1
    assert refusal_of(driver, "InstrumentRow", **driver.instrument_row(**row)) == Refusal.NONE
    row["basisThreshold"] = 1 << 22
    assert refusal_of(driver, "InstrumentRow", **driver.instrument_row(**row)) == Refusal.BAD_VALUE
