"""Listings know their venue's ticks, lots and limits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal, Rejected
from market.fixed_point import Scale
from market.instruments import Catalogue, Instrument, Listing

BTC = Instrument(0, "BTC", Scale(-2), Scale(-5))
SPOT = Listing(
    BTC, 0, "binance-spot", "BTCUSDT", tick=1, lot=10, minimum_quantity=10, maximum_quantity=900_000,
    minimum_notional=5 * 10**7,
)  # fmt: skip
INVERSE = Listing(BTC, 2, "binance-cm", "BTCUSD_PERP", tick=10, lot=1, contract_value=100 * 10**7)


def test_an_order_within_all_limits_passes() -> None:
    SPOT.check(6_170_000, 10_000)


@pytest.mark.parametrize(
    ("price", "quantity", "text"),
    [
        (0, 10_000, "price was 0; expected a positive multiple of 0.01"),
        (6_170_000, 10_001, "quantity was 0.10001; expected a multiple of 0.0001"),
        (6_170_000, 0, "from 0.0001 to 9"),
        (6_170_000, 900_010, "quantity was 9.0001"),
        (6_170_000, -10, "quantity was -0.0001"),
        (400, 100, "notional was 40000 counts of 1e-7; expected at least 50000000"),
    ],
)
def test_a_refusal_names_value_and_limit(price: int, quantity: int, text: str) -> None:
    with pytest.raises(Rejected, match=text):
        SPOT.check(price, quantity)


@given(price=st.integers(1_000, 10**7), contracts=st.integers(1, 10**6), lot=st.sampled_from([1, 10, 1000]))
@settings(derandomize=True, deadline=None)
def test_contracts_become_base_quantities_and_come_back(price: int, contracts: int, lot: int) -> None:
    listing = replace(INVERSE, lot=lot)
    quantity = listing.contracts_quantity(price, contracts)
    back = listing.contracts(price, quantity)
    assert back >= contracts
    assert listing.contracts_quantity(price, back) == quantity
    assert listing.contracts_quantity(price, back + 1) > quantity


def test_an_inverse_order_is_of_at_least_one_contract() -> None:
    assert INVERSE.contracts(5_000_000, 1_000_000) == 5_000
    INVERSE.check(6_170_010, INVERSE.contracts_quantity(6_170_010, 1))
    with pytest.raises(Rejected, match="less than one contract; expected at least"):
        INVERSE.check(6_170_010, 161)
    with pytest.raises(Rejected, match="no inverse contracts"):
        SPOT.contracts(1, 1)


@pytest.mark.parametrize("change", [{"tick": 0}, {"lot": 0}, {"minimum_quantity": 0}, {"maximum_quantity": 5}])
def test_contradicting_limits_are_refused(change: dict[str, int]) -> None:
    with pytest.raises(Fatal, match="BTCUSDT on binance-spot"):
        replace(SPOT, **change)  # type: ignore[arg-type]


def test_the_catalogue_finds_a_listing_or_says_what_there_is() -> None:
    catalogue = Catalogue((SPOT, INVERSE))
    assert catalogue.listing(0, 2) is INVERSE
    with pytest.raises(Rejected, match=r"venue 1; expected one of \(0, 0\), \(0, 2\)"):
        catalogue.listing(0, 1)
    with pytest.raises(Fatal, match="listed twice"):
        Catalogue((SPOT, SPOT))
