"""The schemas we ship lay their messages out as the venues' own schema files do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from market.wire.sbe import (
    DataLayout,
    FieldLayout,
    GroupLayout,
    MessageLayout,
    decode,
    decode_packet,
    encode,
    encode_packet,
    load_schema,
    offset_of,
    reencode,
    stride_of,
)
from market.wire.schemas import BINANCE_STREAM, COINBASE_DERIVATIVES, DERIBIT_MULTICAST, DERIBIT_STARBASE

PUBLISHED = [
    (BINANCE_STREAM, "stream_1_0.xml"),
    (DERIBIT_STARBASE, "Coinbase.Deribit.MarketDataApi.Sbe.v1.0.xml"),
    (COINBASE_DERIVATIVES, "Coinbase.Derivatives.MarketDataApi.Sbe.v1.7.xml"),
]
STARBASE = load_schema(DERIBIT_STARBASE)

STARBASE_PACKET = bytes.fromhex(
    "158d3d4efad57918e90300000000000007000000010002003800140001000100158d3d4efad579180b000000000000009637030000000000"
    "a86100000000000000b9f62ffa5200000b000000000000002000180001000200158d3d4efad57918090000000000000096370300000000"
    "00"
)


def leaf(layout: FieldLayout) -> tuple[Any, ...]:
    values = None if layout.enum is None else sorted(layout.enum.values.values())
    bits = None if layout.choices is None else sorted(layout.choices.choices.values())
    return (
        *(layout.name, layout.offset, layout.primitive, layout.array_length, layout.constant, layout.null),
        *(layout.since_version, layout.exponent, layout.exponent_field),
        *(values, bits),
    )


def leaves(fields: Mapping[str, FieldLayout]) -> list[tuple[Any, ...]]:
    return [leaf(layout) for layout in fields.values()]


def data_parts(data: Mapping[str, DataLayout]) -> list[tuple[Any, ...]]:
    return [(item.name, item.prefix, item.length_field.primitive, item.encoding) for item in data.values()]


def group_parts(group: GroupLayout) -> tuple[Any, ...]:
    nested = [group_parts(inner) for inner in group.groups.values()]
    dimension = (group.dimension.size, leaves(group.dimension.fields))
    return group.name, group.stride, dimension, leaves(group.fields), nested, data_parts(group.data)


def shape(message: MessageLayout) -> tuple[Any, ...]:
    groups = [group_parts(group) for group in message.groups.values()]
    identity = message.name, message.template_id, message.block_length, message.since_version
    return identity, leaves(message.fields), groups, data_parts(message.data)


@pytest.mark.parametrize(("ours", "published"), PUBLISHED, ids=[name for _, name in PUBLISHED])
def test_every_message_equals_the_published_layout(ours: Path, published: str, data: Path) -> None:
    mine, theirs = load_schema(ours), load_schema(data / "schemas" / published)
    assert set(mine.messages) == set(theirs.messages)
    assert (mine.id, mine.version, mine.byte_order) == (theirs.id, theirs.version, theirs.byte_order)
    for name, message in mine.messages.items():
        assert shape(message) == shape(theirs.message(name))


def test_older_blocks_are_prefixes_of_newer_ones(data: Path) -> None:
    older = load_schema(data / "schemas" / "Coinbase.Derivatives.MarketDataApi.Sbe.v1.2.xml")
    newer = load_schema(COINBASE_DERIVATIVES)
    for message in older.messages.values():
        places = [(item.offset, item.primitive, item.array_length) for item in message.fields.values()]
        extended = list(newer.by_template(message.template_id).fields.values())[: len(places)]
        assert [(item.offset, item.primitive, item.array_length) for item in extended] == places


def test_starbase_field_ids_are_their_end_offsets(data: Path) -> None:
    path = data / "schemas" / "Coinbase.Deribit.MarketDataApi.Sbe.v1.0.xml"
    schema = load_schema(path)
    checked = 0
    for element in ElementTree.parse(path).getroot():
        for member in element.findall("field"):
            layout = schema.message(element.attrib["name"]).fields[member.attrib["name"]]
            assert layout.end == int(member.attrib["id"])
            checked += 1
    assert checked == 86


@pytest.mark.parametrize(
    "published",
    [
        "Coinbase.Deribit.OrdersApi.Sbe.v1.3.xml",
        "Coinbase.Derivatives.OrdersApi.Sbe.v1.4.xml",
        "Coinbase.Derivatives.OrdersApi.Sbe.v1.5.xml",
        "Coinbase.Derivatives.Session.Sbe.v1.2.xml",
    ],
)
def test_published_schemas_beyond_market_data_compile(published: str, data: Path) -> None:
    schema = load_schema(data / "schemas" / published)
    assert all(schema.by_template(message.template_id) is message for message in schema.messages.values())


def test_block_lengths_of_the_multicast_schema() -> None:
    schema = load_schema(DERIBIT_MULTICAST)
    lengths = {message.template_id: message.block_length for message in schema.messages.values()}
    assert lengths == {
        1000: 140, 1001: 29, 1002: 4, 1003: 133, 1004: 22, 1005: 4, 1006: 0, 1007: 4, 1008: 32, 1009: 22, 1010: 139,
    }  # fmt: skip
    strides = [
        stride_of(schema, *names) for names in (("Book", "changes"), ("Trades", "trades"), ("Snapshot", "levels"))
    ]
    assert strides == [18, 83, 17]


def test_offsets_that_kernels_freeze() -> None:
    multicast = load_schema(DERIBIT_MULTICAST)
    tops = ["bestBidPrice", "bestBidAmount", "bestAskPrice", "bestAskAmount"]
    assert [offset_of(multicast, "Ticker", name) for name in tops] == [61, 69, 77, 85]
    assert offset_of(multicast, "Trades", "comboTradeId", "trades") == 75
    assert offset_of(STARBASE, "BidPut", "sortOrderId") == 32
    assert offset_of(load_schema(COINBASE_DERIVATIVES), "OrderPut", "instrHeader.instrSeqNum") == 6


def test_the_starbase_example_packet() -> None:
    packet = decode_packet(STARBASE, STARBASE_PACKET)
    assert (packet.header["seqNum"], packet.header["channelId"], packet.header["messageCount"]) == (1001, 7, 2)
    put, delete = packet.messages
    assert (put.name, put.length, delete.name, delete.length) == ("BidPut", 56, "BidDelete", 32)
    assert put.fields == {
        "orderId": 11,
        "instrumentId": 210838,
        "quantityMantissa": 25_000,
        "price": 91_234_500_000_000,
        "sortOrderId": 11,
    }
    assert put.layout.fields["price"].exponent == -9
    assert delete.fields == {"orderId": 9, "instrumentId": 210838}
    assert reencode(STARBASE, packet) == STARBASE_PACKET


def test_a_longer_body_of_a_newer_version_is_skipped_by_length() -> None:
    values = dict.fromkeys(STARBASE.message("BlockTrade").fields, 1)
    first = encode(STARBASE, "BlockTrade", values, {"version": 2, "flags": 0, "transactTime": 5})
    longer = (104).to_bytes(2, "little") + first[2:94] + bytes(range(10))
    after = encode(STARBASE, "BidDelete", {"orderId": 1, "instrumentId": 2}, {"flags": 0, "transactTime": 5})
    header = {"sendingTime": 1, "seqNum": 1, "channelId": 1, "type": 1}
    block, delete = decode_packet(STARBASE, encode_packet(STARBASE, header, [longer, after])).messages
    assert (block.length, block.fields) == (104, values)
    assert delete.name == "BidDelete"


def test_an_unknown_template_with_a_length_is_skipped() -> None:
    known = encode(STARBASE, "BidDelete", {"orderId": 1, "instrumentId": 2}, {"flags": 0, "transactTime": 5})
    unknown = known[:2] + (9999).to_bytes(2, "little") + known[4:]
    header = {"sendingTime": 1, "seqNum": 1, "channelId": 1, "type": 1}
    packet = decode_packet(STARBASE, encode_packet(STARBASE, header, [unknown, known]))
    assert ([message.name for message in packet.messages], packet.skipped) == (["BidDelete"], 1)


def test_body_sizes_of_coinbase_derivatives() -> None:
    schema = load_schema(COINBASE_DERIVATIVES)
    expected = {20: 42, 21: 30, 22: 46, 30: 58, 31: 62, 32: 46, 33: 58, 17: 39, 40: 31, 41: 34, 42: 26, 120: 30}
    assert {number: schema.by_template(number).block_length for number in expected} == expected
    put = dict.fromkeys(schema.message("OrderPut").fields, 1)
    assert decode(schema, encode(schema, "OrderPut", put)).length == 56
