"""What messages look like on the wire, and what readers refuse."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from orchestrator.bus import messages
from orchestrator.bus.envelope import (
    LONGEST_MESSAGE,
    VERSION,
    Codec,
    UnknownVersion,
    command_codec,
    data_codec,
    response_codec,
)
from orchestrator.bus.messages import CommandMessage, DataMessage, ResponseMessage, topic_of
from orchestrator.bus.sequences import Sequences
from tests.orchestrator.bus.parts import NEW_ORDER, order_record

SNAPSHOT = messages.OrderBookSnapshot(
    venue="binance-spot",
    symbol="BTCUSDT",
    bids=((Decimal("61700.1"), Decimal("0.5")),),
    asks=(),
    timestamp_ns=5,
    last_update_id=9,
)
# The fields that the table of messages of the documentation names.
FIELDS = {
    "OrderBookSnapshot": "symbol bids asks timestamp last_update_id",
    "Trade": "symbol trade_id price quantity side timestamp exchange_timestamp",
    "HealthMetrics": "timestamp msgs_per_second feed_latency_ms feed_latency_p50_ms feed_latency_p99_ms gap_count "
    "reconnection_count orderbook_depth_bids orderbook_depth_asks last_snapshot_age_seconds",
    "StateChange": "timestamp old_state new_state reason",
    "PlaceOrder": "command_id order",
    "CancelOrder": "command_id client_order_id symbol",
    "QueryOrder": "command_id client_order_id",
    "QueryOpenOrders": "command_id symbol",
    "RequestSnapshot": "command_id symbol",
    "Shutdown": "command_id",
    "ReloadConfig": "command_id",
    "Halt": "command_id",
    "OrderPlaced": "command_id client_order_id exchange_order_id timestamp",
    "OrderCanceled": "command_id client_order_id timestamp",
    "OrderStatus": "command_id order",
    "OpenOrders": "command_id orders",
    "OrderExecution": "client_order_id exchange_order_id status filled_quantity price timestamp",
    "Error": "command_id error_type message timestamp",
    "Success": "command_id message timestamp",
}
CHANNELS: list[tuple[Codec[object], object]] = [
    (data_codec(), DataMessage),  # type: ignore[list-item]
    (command_codec(), CommandMessage),  # type: ignore[list-item]
    (response_codec(), ResponseMessage),  # type: ignore[list-item]
]


@pytest.mark.parametrize("name", FIELDS)
def test_every_message_has_the_fields_that_are_promised(name: str) -> None:
    fields = {field.encode_name for field in msgspec.structs.fields(getattr(messages, name))}
    assert set(FIELDS[name].split()) <= fields


def test_the_three_channels_carry_every_message() -> None:
    carried = {kind.__name__ for _, union in CHANNELS for kind in get_args(union)}
    assert set(FIELDS) <= carried
    order_fields = {field.encode_name for field in msgspec.structs.fields(type(NEW_ORDER))}
    assert {"client_order_id", "symbol", "side", "order_type", "price", "quantity"} <= order_fields


def test_numbers_arrive_exactly_and_under_their_wire_names() -> None:
    codec = data_codec()
    data = codec.encode(SNAPSHOT, "run-7", 3)
    envelope, message = codec.decode(data)
    assert (envelope.version, envelope.publisher, envelope.sequence) == (VERSION, "run-7", 3)
    assert message == SNAPSHOT
    raw = msgspec.msgpack.decode(data)
    assert raw["body"] == {
        "type": "OrderBookSnapshot",
        "venue": "binance-spot",
        "symbol": "BTCUSDT",
        "bids": [["61700.1", "0.5"]],
        "asks": [],
        "timestamp": 5,
        "last_update_id": 9,
    }


def test_topics_begin_with_the_type_and_name_the_market() -> None:
    assert topic_of(SNAPSHOT) == b"OrderBookSnapshot/binance-spot/BTCUSDT/"
    assert topic_of(messages.OrderStatus(command_id="1", order=order_record())) == b"OrderStatus/"


def test_an_unknown_version_is_refused_naming_both() -> None:
    codec = command_codec()
    raw = msgspec.msgpack.decode(codec.encode(messages.Resume(command_id="a"), "x", 1))
    later = msgspec.msgpack.encode({**raw, "version": VERSION + 1, "what_else": 1})
    with pytest.raises(UnknownVersion, match=f"had version {VERSION + 1}; expected {VERSION}"):
        codec.decode(later)


@pytest.mark.parametrize(
    "body",
    [
        {"type": "Nonsense", "command_id": "a"},
        {"type": "Halt"},
        {"type": "Halt", "command_id": 5},
        {"type": "Halt", "command_id": "a", "force": True},
        {"type": "PlaceOrder", "command_id": "a", "order": {"symbol": "X", "side": "up"}},
        {"type": "Success", "command_id": "a", "message": "", "timestamp": 1},
        [],
    ],
)
def test_what_is_no_command_is_refused_whole(body: object) -> None:
    codec = command_codec()
    data = msgspec.msgpack.encode({"version": VERSION, "publisher": "x", "sequence": 1, "body": body})
    with pytest.raises(Rejected, match="no message of this channel"):
        codec.decode(data)


def test_the_id_of_a_command_that_does_not_decode_can_still_be_answered() -> None:
    codec = command_codec()
    body = {"type": "Halt", "command_id": "a-7", "force": True}
    data = msgspec.msgpack.encode({"version": VERSION, "publisher": "x", "sequence": 1, "body": body})
    assert codec.command_id(data) == "a-7"
    assert codec.command_id(b"\xc1") == ""


def test_messages_beyond_all_measure_are_refused_unread() -> None:
    with pytest.raises(Rejected, match=f"expected at most {LONGEST_MESSAGE}"):
        command_codec().decode(b"\x00" * (LONGEST_MESSAGE + 1))


VALID = [
    data_codec().encode(SNAPSHOT, "run-7", 1),
    command_codec().encode(messages.PlaceOrder(command_id="a", order=NEW_ORDER), "x", 1),
    response_codec().encode(messages.OpenOrders(command_id="a", orders=(order_record(),)), "x", 1),
]


def decodes_or_refuses(data: bytes) -> None:
    for codec, _ in CHANNELS:
        try:
            envelope, message = codec.decode(data)
        except Rejected:
            codec.command_id(data)
            continue
        assert codec.decode(codec.encode(message, envelope.publisher, envelope.sequence))[1] == message


@settings(derandomize=True, deadline=None, max_examples=400)
@given(st.binary(max_size=300))
@example(b"\x91" * 100_000)
@example(b"\x81\xa7version\x01")
def test_no_bytes_crash_a_reader(data: bytes) -> None:
    decodes_or_refuses(data)


@settings(derandomize=True, deadline=None, max_examples=600)
@given(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4),
    st.integers(0, 400),
)
def test_no_damaged_message_crashes_a_reader(data: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(data)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    decodes_or_refuses(bytes(damaged))
    decodes_or_refuses(bytes(damaged[:cut]))


MARKET_TEXT = st.text(max_size=8)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=4)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(MARKET_TEXT, MARKET_TEXT, st.lists(st.tuples(DECIMALS, DECIMALS), max_size=4), st.integers(0, 2**63 - 1))
def test_every_book_comes_through(venue: str, symbol: str, levels: list[tuple[Decimal, Decimal]], number: int) -> None:
    update = messages.OrderBookUpdate(
        venue=venue,
        symbol=symbol,
        bids=tuple(levels),
        asks=(),
        timestamp_ns=number,
        previous_update_id=number,
        last_update_id=number,
    )
    codec = data_codec()
    assert codec.decode(codec.encode(update, "p", number))[1] == update


def test_lost_messages_show_in_the_numbers() -> None:
    numbers = Sequences()
    assert [numbers.take("a", b"x", sequence) for sequence in (5, 6, 9, 7, 10)] == [0, 0, 2, -1, 0]
    assert numbers.take("b", b"x", 1) == 0, "another publisher counts for itself"
    assert numbers.take("a", b"y", 1) == 0, "and so does another topic"
    assert (numbers.lost, numbers.repeated) == (2, 1)
