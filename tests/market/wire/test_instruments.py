"""Instruments are found by the venue's number; their definitions give names, ticks and lots."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from market.errors import Fatal
from market.native.kernel import entry
from market.native.memory import address_of
from market.wire.definitions import coinbase_definitions, deribit_definitions, starbase_definitions
from market.wire.instruments import Instrument, find_instrument, instrument_table
from market.wire.sbe import encode, encode_packet, load_schema
from market.wire.schemas import COINBASE_DERIVATIVES, DERIBIT_MULTICAST, DERIBIT_STARBASE

Words = NDArray[np.int64]


@entry("int64(int64[::1], int64)")
def _find(table: Words, identity: int) -> int:
    return find_instrument(address_of(table), identity)


NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 300)


@given(st.lists(NUMBERS, unique=True, max_size=60), st.lists(NUMBERS, max_size=10))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_every_number_is_found(identities: list[int], others: list[int]) -> None:
    table = instrument_table(tuple(Instrument(identity, "X", 2, 3) for identity in identities))
    for index, identity in enumerate(identities):
        assert _find(table, identity) == index
    for other in set(others) - set(identities):
        assert _find(table, other) == -1


def test_contracts_of_linear_instruments_become_lots() -> None:
    nano = Instrument(1, "BIT-28AUG26-CDE", 0, 2, contract_size=Decimal("0.01"))
    assert (nano.wire_decimals, nano.contract_factor) == (0, 0)
    assert Instrument(2, "X", 2, 3, contract_size=Decimal(100)).wire_decimals == 5
    inverse = Instrument(3, "BTC-PERPETUAL", 1, 8, Decimal(1))
    assert (inverse.wire_decimals, inverse.contract_factor) == (0, 10**9)


def test_a_number_twice_is_refused() -> None:
    with pytest.raises(Fatal, match="twice"):
        instrument_table((Instrument(1, "A", 0, 0), Instrument(1, "B", 0, 0)))


@pytest.mark.parametrize(
    "values",
    [
        {"price_decimals": 13},
        {"quantity_decimals": -1},
        {"contract_value": Decimal(-1)},
        {"contract_value": Decimal("0.00001")},
        {"wire_exponent": 13},
        {"contract_size": Decimal("0.001")},
        {"contract_size": Decimal("0.05")},
        {"contract_size": Decimal(10), "contract_value": Decimal(10)},
        {"contract_size": Decimal(10**11)},
    ],
)
def test_numbers_that_kernels_cannot_hold_are_refused(values: dict[str, int | Decimal]) -> None:
    with pytest.raises(Fatal):
        Instrument(**{"identity": 1, "symbol": "A", "price_decimals": 2, "quantity_decimals": 2} | values)  # type: ignore[arg-type]


def test_deribit_definitions_give_the_finest_tick() -> None:
    schema = load_schema(DERIBIT_MULTICAST)
    texts = dict.fromkeys(
        ("baseCurrency", "quoteCurrency", "counterCurrency", "settlementCurrency", "sizeCurrency"), "BTC"
    )
    numbers = dict.fromkeys(
        (
            *("instrumentState", "kind", "optionType", "rfq", "settlementPeriod", "settlementPeriodCount"),
            *("creationTimestampMs", "expirationTimestampMs"),
        ),
        0,
    )
    message = encode(
        schema,
        "InstrumentV2",
        {
            **texts,
            **numbers,
            "instrumentId": 210838,
            "tickSize": 0.5,
            "contractSize": 10.0,
            "minTradeAmount": 0.1,
            "tickSteps": [{"abovePrice": 0.005, "tickSize": 0.0005}],
            "instrumentName": b"BTC-PERPETUAL",
        },
    )
    packet = encode_packet(schema, {"channelId": 101, "sequence": 1}, [message])
    (definition,) = deribit_definitions([b"damaged", packet])
    assert definition.instrument() == Instrument(210838, "BTC-PERPETUAL", 4, 1)


def test_starbase_definitions_give_the_exponent_of_quantities() -> None:
    schema = load_schema(DERIBIT_STARBASE)
    layout = schema.message("InstrumentDefinition")
    numbers = {name: 0 for name, leaf in layout.fields.items() if leaf.array_length == 1}
    texts = dict.fromkeys(("name", "underlying", "quantityAsset", "priceAsset"), "BTC-PERPETUAL")
    values = numbers | texts | {"instrumentId": 5, "tickSize": 500_000_000, "quantityExponent": -4}
    values |= {"underlying": "BTC", "quantityAsset": "BTC", "priceAsset": "USD"}
    header = {"sendingTime": 0, "seqNum": 1, "channelId": 1, "type": 1}
    packet = encode_packet(schema, header, [encode(schema, layout.name, values, {"flags": 3, "transactTime": 0})])
    (definition,) = starbase_definitions([packet])
    assert definition.instrument() == Instrument(5, "BTC-PERPETUAL", 1, 4, wire_exponent=-4)


def test_coinbase_definitions_come_with_heads_of_snapshots_too() -> None:
    schema = load_schema(COINBASE_DERIVATIVES)
    layout = schema.message("StartOfOutrightInstrumentSnapshot")
    values = {name: 0 for name, leaf in layout.fields.items() if leaf.array_length == 1}
    values |= dict.fromkeys(("productCode", "description", "cfiCode", "currency"), "X")  # type: ignore[arg-type]
    values |= {"symbol": "BIT-29MAR24-CDE", "tickSize": 5_000_000_000}  # type: ignore[dict-item]
    header = {"sendingTime": 0, "seqNum": 1, "channelId": 1, "flags": 2, "snapshotInstrumentId": 77}
    packet = encode_packet(schema, header, [encode(schema, layout.name, values)])
    (definition,) = coinbase_definitions([packet])
    assert definition.instrument() == Instrument(77, "BIT-29MAR24-CDE", 0, 0)
