"""Intents that no venue could carry out are refused, and ids follow from causes."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from market.fastpath.specification import Side as EngineSide
from market.orders.cause import LARGEST_EPOCH, LARGEST_LEG, LARGEST_NUMBER, Cause, Origin, parse_client_order_id
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from tests.market.orders.samples import filled, intent

BINANCE = re.compile(r"[A-Za-z0-9_-]{1,36}")
causes = st.builds(
    Cause,
    strategy=st.from_regex(r"[A-Za-z0-9_]{1,10}", fullmatch=True).filter(str.isascii),
    origin=st.sampled_from(Origin),
    epoch=st.integers(0, LARGEST_EPOCH),
    number=st.integers(0, LARGEST_NUMBER),
    leg=st.integers(0, LARGEST_LEG),
)


@given(cause=causes)
@settings(derandomize=True, deadline=None)
def test_an_id_is_valid_at_binance_and_tells_its_cause(cause: Cause) -> None:
    assert BINANCE.fullmatch(cause.client_order_id)
    assert parse_client_order_id(cause.client_order_id) == cause


@given(first=causes, second=causes)
@settings(derandomize=True, deadline=None)
def test_different_causes_have_different_ids(first: Cause, second: Cause) -> None:
    assert (first == second) == (first.client_order_id == second.client_order_id)


@pytest.mark.parametrize("text", ["", "x-TKT5PX2F1234", "arb-t01-2s-0", "arb-t1-2s", "arb-x1-2s-0", "arb-tzzzzzzz-1-0"])
def test_another_programs_id_is_refused(text: str) -> None:
    with pytest.raises(Rejected):
        parse_client_order_id(text)


@pytest.mark.parametrize(
    "change",
    [{"strategy": "has-hyphen"}, {"strategy": "elevenchars"}, {"epoch": -1}, {"number": 1 << 64}, {"leg": 1296}],
)
def test_causes_outside_their_ranges_are_refused(change: dict[str, Any]) -> None:
    values: dict[str, Any] = {"strategy": "arb", "origin": Origin.DECISION, "epoch": 1, "number": 1, **change}
    with pytest.raises(Rejected):
        Cause(**values)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"quantity": 0}, "quantity was 0"),
        ({"limit_price": 0}, "limit_price was 0"),
        ({"stop_price": 5}, "expected 0 for a LIMIT order"),
        ({"type": OrderType.STOP_LIMIT}, "stop_price was 0"),
        ({"type": OrderType.STOP}, "expected 0 for a STOP order"),
        ({"type": OrderType.MARKET, "limit_price": 0}, "never rests"),
        ({"post_only": True, "time_in_force": TimeInForce.IOC}, "post_only was set on LIMIT IOC"),
    ],
)
def test_impossible_orders_are_refused_by_name(change: dict[str, Any], text: str) -> None:
    with pytest.raises(Rejected, match=f"arb-t1-2s-0: .*{text}"):
        intent(**change)


@pytest.mark.parametrize(
    "change",
    [
        {"post_only": True},
        {"type": OrderType.MARKET, "limit_price": 0, "time_in_force": TimeInForce.IOC},
        {"type": OrderType.STOP, "limit_price": 0, "stop_price": 90, "reduce_only": True},
        {"type": OrderType.STOP_LIMIT, "stop_price": 90},
        {"time_in_force": TimeInForce.FOK},
    ],
)
def test_intents_survive_being_written_down(change: dict[str, Any]) -> None:
    wanted = intent(**change)
    assert msgspec.json.decode(msgspec.json.encode(wanted), type=OrderIntent) == wanted


@pytest.mark.parametrize("change", [{"fill_id": ""}, {"price": 0}, {"quantity": 0}])
def test_a_fill_without_id_price_or_quantity_is_refused(change: dict[str, Any]) -> None:
    values: dict[str, Any] = {"fill_id": "1", "quantity": 1, "price": 1, **change}
    with pytest.raises(Rejected, match="expected an id"):
        filled(**values)


def test_sides_are_those_of_the_fast_loop() -> None:
    assert [(side.name, int(side)) for side in Side] == [
        (side.name, int(side)) for side in EngineSide if side is not EngineSide.NONE
    ]
    assert Side.BUY.opposite is Side.SELL
    assert Side.SELL.opposite is Side.BUY
