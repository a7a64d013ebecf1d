"""The compiled Binance decoder and encoders agree with the schema's own, and refuse what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from market.errors import Rejected
from market.wire import binance_sbe
from market.wire.binance_sbe import decode_messages, encode_best_bid_ask, encode_trades, new_batch
from market.wire.binary import FIRST_FIELD, ROW_LENGTH, ROW_TEMPLATE, BinaryBatch, BinaryReject, pack
from market.wire.sbe import Decoded, Schema, decode, encode, load_schema
from market.wire.schemas import BINANCE_STREAM
from tests.market.wire.guarded import GuardedBuffer
from tests.market.wire.sbe.sample import mutated, random_values, row_of
from tests.market.wire.sbe.test_binance_vectors import BEST_BID_ASK, DEPTH_DIFF, TRADES

SCHEMA = load_schema(BINANCE_STREAM)
SLOTS = {"bids": 0, "asks": 1, "trades": 2}


def random_messages(seed: int, count: int) -> list[bytes]:
    random = np.random.default_rng(seed)
    names = list(SCHEMA.messages)
    return [
        encode(SCHEMA, name, random_values(SCHEMA.message(name), random, 20)) for name in random.choice(names, count)
    ]


def assert_row_equals(batch: BinaryBatch, index: int, start: int, message: bytes, decoded: Decoded) -> None:
    """Row ``index`` and the entries that it refers to are the decoded message, which begins at ``start``."""
    layout = decoded.layout
    row = batch.rows[index].tolist()
    assert (row[ROW_TEMPLATE], row[ROW_LENGTH]) == (decoded.template_id, decoded.length)
    expected = row_of(layout.fields, decoded.fields)
    assert row[FIRST_FIELD : FIRST_FIELD + len(expected)] == expected
    column = FIRST_FIELD + len(expected)
    for name, group in layout.groups.items():
        first, count = row[column : column + 2]
        entries = batch.entries[SLOTS[name]][first : first + count].tolist()
        assert entries == [row_of(group.fields, entry) for entry in decoded.groups[name]]
        column += 2
    offset, length = row[column : column + 2]
    symbol = decoded.data["symbol"]
    assert isinstance(symbol, str)
    assert message[offset - start : offset - start + length] == symbol.encode("latin-1")


def test_random_messages_decode_as_the_schema_says() -> None:
    messages = random_messages(1, 8000)
    buffer, bounds = pack(messages)
    batch = new_batch(rows=8000, entries=100_000)
    assert decode_messages(buffer, bounds, batch) == 8000
    templates = set()
    for index, message in enumerate(messages):
        assert batch.rows[index, 0] == BinaryReject.NONE
        decoded = decode(SCHEMA, message)
        assert decoded.length == len(message)
        assert_row_equals(batch, index, int(bounds[index]), message, decoded)
        templates.add(decoded.template_id)
    assert templates == set(SCHEMA.templates)


@pytest.fixture(scope="module")
def any_letters(tmp_path_factory: pytest.TempPathFactory) -> Schema:
    """The schema with symbols of any bytes: a compiled decoder does not look at the letters of a symbol."""
    path = tmp_path_factory.mktemp("schema") / "any_letters.xml"
    path.write_text(BINANCE_STREAM.read_text(encoding="utf-8").replace('UTF-8"/>', 'ISO-8859-1"/>'), encoding="utf-8")
    return load_schema(path)


def decoded_or_none(schema: Schema, payload: bytes) -> Decoded | None:
    """The message, or None if the schema's own decoder refuses it."""
    try:
        return decode(schema, payload)
    except Rejected:
        return None


def test_random_damage_is_refused_exactly_where_the_schema_refuses_it(any_letters: Schema) -> None:
    random = np.random.default_rng(2)
    guarded = GuardedBuffer(4096)
    batch = new_batch(rows=1, entries=1000)
    reasons = set()
    for message in random_messages(3, 6000):
        payload = mutated(message, random)
        assert decode_messages(guarded.holding(payload), np.array([0, len(payload)]), batch) == 1
        reason = BinaryReject(int(batch.rows[0, 0]))
        reasons.add(reason)
        decoded = decoded_or_none(any_letters, payload)
        if decoded is not None:
            assert_row_equals(batch, 0, 0, payload, decoded)
        assert (decoded is None) == (reason != BinaryReject.NONE)
    assert reasons >= {BinaryReject.TRUNCATED, BinaryReject.BLOCK_LENGTH, BinaryReject.STRIDE, BinaryReject.COUNT}
    assert reasons >= {BinaryReject.NONE, BinaryReject.SCHEMA, BinaryReject.TEMPLATE}


@pytest.mark.parametrize("message", [BEST_BID_ASK, DEPTH_DIFF, TRADES], ids=["best bid ask", "diff", "trades"])
def test_a_message_cut_anywhere_is_refused_without_reading_behind_it(message: bytes) -> None:
    guarded = GuardedBuffer(4096)
    batch = new_batch(rows=1, entries=10)
    for length in range(len(message)):
        payload = guarded.holding(message[:length])
        assert decode_messages(payload, np.array([0, length]), batch) == 1
        assert batch.rows[0, 0] != BinaryReject.NONE
        assert [batch.used(slot) for slot in SLOTS.values()] == [0, 0, 0]


def test_what_follows_a_message_changes_nothing() -> None:
    random = np.random.default_rng(4)
    batches = [new_batch(rows=300, entries=10_000) for _ in range(2)]
    messages = random_messages(5, 300)
    for batch in batches:
        buffer, bounds = pack([message + random.bytes(30) for message in messages])
        assert decode_messages(buffer, bounds, batch) == 300
    assert (batches[0].rows == batches[1].rows).all()
    assert all((first == second).all() for first, second in zip(batches[0].entries, batches[1].entries, strict=True))


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (0, 49, BinaryReject.BLOCK_LENGTH),
        (0, 60, BinaryReject.BLOCK_LENGTH),
        (2, 1, BinaryReject.TEMPLATE),
        (4, 2, BinaryReject.SCHEMA),
        (58, 8, BinaryReject.TRUNCATED),
    ],
)
def test_reasons_of_a_quote(place: int, value: int, reason: BinaryReject) -> None:
    payload = bytearray(BEST_BID_ASK)
    payload[place : place + 2] = value.to_bytes(2, "little") if place < 58 else bytes([value]) + b"B"
    batch = new_batch(rows=1, entries=1)
    assert decode_messages(*pack([bytes(payload)]), batch) == 1
    assert batch.rows[0, 0] == reason


def test_a_full_batch_stops_before_the_message_that_does_not_fit() -> None:
    batch = new_batch(rows=10, entries=3)
    buffer, bounds = pack([DEPTH_DIFF, BEST_BID_ASK, DEPTH_DIFF, DEPTH_DIFF])
    assert decode_messages(buffer, bounds, batch) == 2
    assert (batch.used(0), batch.used(1)) == (2, 1)
    assert decode_messages(buffer, bounds[2:], batch) == 1
    assert decode_messages(buffer, bounds[3:], batch) == 1
    assert batch.rows[0, 0] == BinaryReject.NONE


def test_a_message_beyond_an_empty_batch_is_refused() -> None:
    batch = new_batch(rows=10, entries=1)
    assert decode_messages(*pack([DEPTH_DIFF, BEST_BID_ASK]), batch) == 2
    assert batch.rows[:2, 0].tolist() == [BinaryReject.TOO_LONG, BinaryReject.NONE]


def test_rows_bound_the_messages_of_a_call() -> None:
    assert decode_messages(*pack([BEST_BID_ASK] * 5), new_batch(rows=3, entries=1)) == 3


def test_bounds_outside_the_buffer_are_refused() -> None:
    buffer, _ = pack([BEST_BID_ASK])
    batch = new_batch(rows=3, entries=1)
    assert decode_messages(buffer, np.array([-8, 66, 10, 99]), batch) == 3
    assert batch.rows[:, 0].tolist() == [BinaryReject.MESSAGE_LENGTH] * 3


def test_narrow_arrays_are_refused() -> None:
    batch = new_batch(rows=3, entries=1)
    bids, asks, trades = batch.entries
    buffer, bounds = pack([BEST_BID_ASK])
    narrow = np.zeros((3, 4), dtype=np.int64)
    assert binance_sbe.decode_batch(buffer, bounds, narrow, bids, asks, trades, batch.sink) == -1
    assert binance_sbe.decode_batch(buffer, bounds, batch.rows, narrow, asks, trades, batch.sink) == -1
    assert binance_sbe.decode_batch(buffer, bounds, batch.rows, bids, asks, bids, batch.sink) == -1
    assert binance_sbe.decode_batch(buffer, bounds, batch.rows, bids, asks, trades, batch.sink[:8]) == -1


def fields_of(decoded: Decoded) -> Any:
    return np.array(row_of(decoded.layout.fields, decoded.fields), dtype=np.int64)


def symbol_of(decoded: Decoded) -> bytes:
    symbol = decoded.data["symbol"]
    assert isinstance(symbol, str)
    return symbol.encode()


def test_encoders_write_what_the_schema_says() -> None:
    out = np.zeros(4096, dtype=np.uint8)
    written = {"BestBidAskStreamEvent": 0, "TradesStreamEvent": 0}
    for message in [BEST_BID_ASK, TRADES, *random_messages(6, 4000)]:
        decoded = decode(SCHEMA, message)
        if decoded.name == "BestBidAskStreamEvent":
            length = encode_best_bid_ask(fields_of(decoded), symbol_of(decoded), out)
        elif decoded.name == "TradesStreamEvent":
            layout = decoded.layout.groups["trades"].fields
            rows = [row_of(layout, entry) for entry in decoded.groups["trades"]]
            trades = np.array(rows, dtype=np.int64).reshape(len(rows), 4)
            length = encode_trades(fields_of(decoded), trades, symbol_of(decoded), out)
        else:
            continue
        written[decoded.name] += 1
        assert out[:length].tobytes() == message
    assert min(written.values()) > 900


def test_encoders_refuse_what_does_not_fit() -> None:
    fields, trades = np.zeros(8, dtype=np.int64), np.zeros((2, 4), dtype=np.int64)
    guarded = GuardedBuffer(4096)
    for room in range(66):
        assert encode_best_bid_ask(fields, b"BTCUSDT", guarded.holding(bytes(room))) == 0
    assert encode_best_bid_ask(fields, b"BTCUSDT", guarded.holding(bytes(66))) == 66
    for room in range(90):
        assert encode_trades(fields, trades, b"BTCUSDT", guarded.holding(bytes(room))) == 0
    assert encode_trades(fields, trades, b"BTCUSDT", guarded.holding(bytes(90))) == 90
    out = np.zeros(4096, dtype=np.uint8)
    assert encode_best_bid_ask(fields, b"x" * 256, out) == 0
    assert encode_best_bid_ask(fields[:7], b"x", out) == 0
    assert encode_trades(fields[:3], trades, b"x", out) == 0
    assert encode_trades(fields, trades[:, :3].copy(), b"x", out) == 0
    assert encode_trades(fields, trades, b"x" * 256, out) == 0
