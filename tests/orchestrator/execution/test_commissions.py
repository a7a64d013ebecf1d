"""Commissions in counts."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.fixed_point import Scale
from market.instruments import Instrument
from orchestrator.execution.commissions import commission, is_exact
from orchestrator.execution.requests import MarketKind
from tests.orchestrator.execution.samples import SPOT

COARSE = replace(SPOT, instrument=Instrument(0, "BTC", Scale(-2), Scale(-5)))


def text(units: int) -> str:
    return f"{Decimal(units).scaleb(-8):f}"


@given(units=st.integers(1, 10**15), price=st.integers(1, 10**9))
@settings(derandomize=True, deadline=None)
def test_eight_decimals_are_exact_where_the_scales_hold_them(units: int, price: int) -> None:
    assert is_exact(SPOT, MarketKind.SPOT)
    assert commission(SPOT, price, text(units), "USDT") == (units * 100, 0, "")
    assert commission(SPOT, price, text(units), "BTC") == (units * price, units, "")


@given(units=st.integers(1, 10**15), price=st.integers(1, 10**9))
@settings(derandomize=True, deadline=None)
def test_parts_of_a_count_are_against_us(units: int, price: int) -> None:
    assert not is_exact(COARSE, MarketKind.SPOT)
    fee, kept, _ = commission(COARSE, price, text(units), "BTC")
    assert 0 <= kept * 1_000 - units < 1_000
    assert fee == kept * price
    assert 0 <= commission(COARSE, price, text(units), "USDT").fee * 10 - units < 10


@pytest.mark.parametrize(("amount", "kept"), [("-0.00000040", -40), ("0.00000000", 0), ("0", 0)])
def test_rebates_and_nothing(amount: str, kept: int) -> None:
    assert commission(SPOT, 6_000_010, amount, "BTC") == (kept * 6_000_010, kept, "")


def test_a_third_asset_has_no_price_here() -> None:
    assert commission(SPOT, 6_000_010, "0.00075", "BNB") == (0, 0, "0.00075 BNB")
