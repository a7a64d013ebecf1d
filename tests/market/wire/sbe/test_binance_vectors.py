"""Published Binance stream vectors decode to their values and encode to their bytes."""

from __future__ import annotations

from typing import Any

import pytest

from market.wire.sbe import decode, encode, load_schema
from market.wire.schemas import BINANCE_STREAM

SCHEMA = load_schema(BINANCE_STREAM)
MICROSECONDS = 1723161255208000

BEST_BID_ASK = bytes.fromhex(
    "32001127010000002a2e7fbe341f0600b22bcaa90b000000f8f8005856859e0500001081380900000000409a65859e050000284ded0100"
    "0000000742544355534454"
)
DEPTH_DIFF = bytes.fromhex(
    "1a0013270100000040e481be341f0600952bcaa90b000000a22bcaa90b000000f8f810000200c056f3709d050000000000000000000040"
    "487c449d050000000000000000000010000100007d0ec59f05000010813809000000000742544355534454"
)
TRADES = bytes.fromhex(
    "120010270100000040e481be341f06003fe481be341f0600f8f819000200000061e1eedd00000000005856859e050000e8030000000000"
    "000162e1eedd00000000c01547859e050000d007000000000000010742544355534454"
)


def mantissa(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(8, "0"))


VECTORS: list[tuple[str, bytes, dict[str, Any]]] = [
    (
        "BestBidAskStreamEvent",
        BEST_BID_ASK,
        {
            "eventTime": 1723161255030314,
            "bookUpdateId": 50093239218,
            "priceExponent": -8,
            "qtyExponent": -8,
            "bidPrice": mantissa("61784.00"),
            "bidQty": mantissa("1.54698"),
            "askPrice": mantissa("61784.01"),
            "askQty": mantissa("0.32329"),
            "symbol": "BTCUSDT",
        },
    ),
    (
        "DepthDiffStreamEvent",
        DEPTH_DIFF,
        {
            "eventTime": MICROSECONDS,
            "firstBookUpdateId": 50093239189,
            "lastBookUpdateId": 50093239202,
            "priceExponent": -8,
            "qtyExponent": -8,
            "bids": [{"price": mantissa("61737.63"), "qty": 0}, {"price": mantissa("61730.17"), "qty": 0}],
            "asks": [{"price": mantissa("61837.64"), "qty": mantissa("1.54698")}],
            "symbol": "BTCUSDT",
        },
    ),
    (
        "TradesStreamEvent",
        TRADES,
        {
            "eventTime": MICROSECONDS,
            "transactTime": MICROSECONDS - 1,
            "priceExponent": -8,
            "qtyExponent": -8,
            "trades": [
                {
                    "id": 3723420001,
                    "price": mantissa("61784.00"),
                    "qty": 1000,
                    "isBuyerMaker": 1,
                    "isBestMatch": 1,
                },
                {
                    "id": 3723420002,
                    "price": mantissa("61783.99"),
                    "qty": 2000,
                    "isBuyerMaker": 1,
                    "isBestMatch": 1,
                },
            ],
            "symbol": "BTCUSDT",
        },
    ),
]


@pytest.mark.parametrize(("name", "payload", "values"), VECTORS, ids=[vector[0] for vector in VECTORS])
def test_a_vector_decodes_to_its_values(name: str, payload: bytes, values: dict[str, Any]) -> None:
    decoded = decode(SCHEMA, payload)
    assert (decoded.name, decoded.length, decoded.values) == (name, len(payload), values)


@pytest.mark.parametrize(("name", "payload", "values"), VECTORS, ids=[vector[0] for vector in VECTORS])
def test_values_encode_to_the_vector(name: str, payload: bytes, values: dict[str, Any]) -> None:
    assert encode(SCHEMA, name, values) == payload


def test_enumerations_have_names_for_people() -> None:
    named = decode(SCHEMA, TRADES).named()
    assert [trade["isBuyerMaker"] for trade in named["trades"]] == ["TRUE", "TRUE"]


def test_a_message_decodes_inside_a_buffer() -> None:
    assert decode(SCHEMA, b"xyz" + TRADES + b"garbage", 3).values == decode(SCHEMA, TRADES).values
