"""Settings as table rows: the integers of the specification's worked examples, and rounding to the safe side."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from config.loading import load_settings
from config.settings import Settings
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import FEE_LIMIT, EngineSizes, Result
from market.wire.sbe import decode
from orchestrator.engine.tables import (
    ceiling_count,
    control_messages,
    engine_sizes,
    fee_count,
    floor_count,
    instrument_numbers,
    venue_numbers,
)


@pytest.fixture(scope="module")
def demo() -> Settings:
    return load_settings("demo")


def rows(settings: Settings, name: str) -> Iterator[dict[str, Any]]:
    """Fields and groups of all rows of one message name."""
    for message in control_messages(settings):
        decoded = decode(SCHEMA, message)
        if decoded.name == name:
            yield dict(decoded.fields) | {"groups": decoded.groups}


def with_btc(**values: str) -> dict[str, Any]:
    """The BTC row of the demo profile with some settings changed."""
    environment = {f"TICKWIRE__INSTRUMENTS__BTC__{name}": value for name, value in values.items()}
    return next(rows(load_settings("demo", environment=environment), "InstrumentRow"))


def test_numbers_follow_the_order_of_the_profile(demo: Settings) -> None:
    assert {str(name): number for name, number in venue_numbers(demo).items()} == {
        "binance-spot": 0,
        "binance-usdm": 1,
        "binance-cm": 2,
    }
    assert instrument_numbers(demo) == {"BTC": 0, "ETH": 1}
    assert engine_sizes(demo) == EngineSizes(venues=4, instruments=16, price_bits=48)


def test_rows_are_numbered_without_a_gap(demo: Settings) -> None:
    messages = [decode(SCHEMA, message) for message in control_messages(demo, first_sequence=41)]
    names = [message.name for message in messages]
    assert names == ["EngineRow"] + ["VenueRow"] * 3 + (["InstrumentRow"] + ["ScalingRow"] * 3) * 2
    assert [message.fields["sequence"] for message in messages] == list(range(41, 41 + len(names)))


def test_engine_row(demo: Settings) -> None:
    (row,) = rows(demo, "EngineRow")
    assert (row["rateInterval"], row["rateTolerance"], row["lease"]) == (10_000_000, 90_000_000, 1_000_000_000)


@pytest.mark.parametrize("profile", ["demo", "live"])
def test_the_engine_applies_every_row_of_a_shipped_profile(profile: str) -> None:
    settings = load_settings(profile, environment={"BINANCE_API_KEY": "a", "BINANCE_API_SECRET": "b"})
    engine = CpuEngine(engine_sizes(settings))
    messages = control_messages(settings)
    for message in messages:
        engine.control(message, 1)
    answers = [decode(SCHEMA, output) for output in engine.outputs()]
    results = [answer.fields["result"] for answer in answers if answer.name == "Acknowledge"]
    assert results == [Result.APPLIED] * len(messages)


def test_fees_of_the_worked_example(demo: Settings) -> None:
    assert [row["fee"] for row in rows(demo, "VenueRow")] == [1049, 525, 525]
    assert fee_count(Decimal(-1)) == -104
    assert fee_count(Decimal(0)) == 0


def test_venue_rows(demo: Settings) -> None:
    first, *_ = rows(demo, "VenueRow")
    assert (first["venue"], first["enabled"]) == (0, 1)
    assert (first["maximumAge"], first["maximumSilence"]) == (1_000_000_000, 1_000_000_000)
    disabled = load_settings("demo", environment={"TICKWIRE__VENUES__BINANCE_CM__ENABLED": "false"})
    assert [row["enabled"] for row in rows(disabled, "VenueRow")] == [1, 1, 0]


def test_instrument_row(demo: Settings) -> None:
    row = next(rows(demo, "InstrumentRow"))
    groups = row.pop("groups")
    assert [entry["mask"] for entry in groups["leads"]] == [0b100, 0b100, 0, 0]
    assert row == {
        "sequence": 5,
        "instrument": 0,
        "enabled": 1,
        "kinds": 0b011,
        "basisShift": 10,
        "imbalanceThreshold": 32_736,
        "minimumEdge": 3_085_000_000,
        "basisThreshold": 37_020_000_000,
        "basisInterval": 10_000_000,
        "maximumSpread": 617_000_000,
        "minimumQuantity": 1_000_000,
        "maximumQuantity": 50_000_000,
        "priceLow": 59_849_000_000_000,
        "priceHigh": 63_551_000_000_000,
        "maximumNotionalLow": 3_200 * 10**18 % 2**64,
        "maximumNotionalHigh": 3_200 * 10**18 // 2**64,
        "basisWarmUp": 500,
        "cooldown": 50_000_000,
        "positionLimit": 500_000_000,
    }


def test_scaling_rows(demo: Settings) -> None:
    found = [
        tuple(row[key] for key in ("instrument", "venue", "priceExponent", "priceShift", "quantityShift"))
        for row in rows(demo, "ScalingRow")
    ]
    assert found == [(instrument, venue, -8, 1, 1) for instrument in (0, 1) for venue in (0, 1, 2)]


def test_rounding_is_to_the_safe_side() -> None:
    row = with_btc(
        PRICE_EXPONENT="0",
        QUANTITY_EXPONENT="0",
        REFERENCE_PRICE="1000.5",
        MINIMUM_QUANTITY="1",
        MAXIMUM_QUANTITY="2",
        POSITION_LIMIT="3",
        MAXIMUM_NOTIONAL_QUOTE="9000.9",
        MINIMUM_EDGE_BPS="-14.5",
        BASIS_THRESHOLD_BPS="0.001",
        MAXIMUM_SPREAD_BPS="19.9",
        **{
            f"MARKETS__BINANCE_{venue}__MESSAGE_{what}_EXPONENT": "0"
            for venue in ("SPOT", "USDM", "CM")
            for what in ("PRICE", "QUANTITY")
        },
        **{
            f"MARKETS__BINANCE_{venue}__{what}_DECIMALS": "0"
            for venue in ("SPOT", "USDM", "CM")
            for what in ("PRICE", "QUANTITY")
        },
    )
    # 3 % around 1000.5 is 970.485 to 1030.515; -14.5 bps are -1.450725, 19.9 bps 1.990995.
    assert (row["priceLow"], row["priceHigh"]) == (971, 1030)
    assert (row["minimumEdge"], row["basisThreshold"], row["maximumSpread"]) == (-1, 1, 1)
    assert (row["maximumNotionalLow"], row["maximumNotionalHigh"]) == (9000, 0)


def test_the_largest_imbalance_threshold_stays_below_one() -> None:
    assert with_btc(IMBALANCE_THRESHOLD="0.99996")["imbalanceThreshold"] == 32_767
    assert with_btc(IMBALANCE_THRESHOLD="0.0000001")["imbalanceThreshold"] == 1


bps = st.decimals("-624.99", "624", places=6, allow_nan=False)
values = st.decimals("-100000000000", "100000000000", places=12, allow_nan=False)


@given(fee=bps)
@hypothesis_settings(derandomize=True, deadline=None)
def test_a_fee_is_the_least_count_that_covers_it(fee: Decimal) -> None:
    count = fee_count(fee)
    exact = Fraction(fee) / 10_000 * 2**20
    assert 0 <= count - exact < 1
    assert abs(count) < FEE_LIMIT


@given(value=values, exponent=st.integers(-18, 0))
@hypothesis_settings(derandomize=True, deadline=None)
def test_counts_enclose_the_value(value: Decimal, exponent: int) -> None:
    exact = Fraction(value) / Fraction(10) ** exponent
    assert 0 <= exact - floor_count(value, exponent) < 1
    assert 0 <= ceiling_count(value, exponent) - exact < 1
