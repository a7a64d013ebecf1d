"""The compiled packet decoders agree with the schemas' own, on random packets and on damaged ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from market.wire import coinbase_derivatives, deribit_legacy, deribit_starbase
from market.wire.binary import PACKET_REASON, PACKET_ROWS, PACKET_SKIPPED, BinaryBatch, BinaryReject, pack
from market.wire.compiled import deribit_multicast
from market.wire.sbe import decode_packet, encode, encode_packet, load_schema
from market.wire.schemas import COINBASE_DERIVATIVES, DERIBIT_MULTICAST, DERIBIT_STARBASE
from tests.market.wire.packet_samples import (
    PacketFormat,
    assert_damage_is_refused_alike,
    assert_packet_equals,
    random_packet,
)

LEGACY = PacketFormat(
    schema=load_schema(DERIBIT_MULTICAST),
    decode_packets=deribit_legacy.decode_packets,
    decoded=("Book", "Trades", "Ticker", "Snapshot"),
    skipped=("Instrument", "SnapshotStart", "SnapshotEnd", "ComboLegs", "PriceIndex", "Rfq", "InstrumentV2"),
    slots={"changes": 0, "levels": 1, "trades": 2},
    sequence="sequence",
)
STARBASE = PacketFormat(
    schema=load_schema(DERIBIT_STARBASE),
    decode_packets=deribit_starbase.decode_packets,
    decoded=(
        *("BidPut", "AskPut", "BidQtyReduced", "AskQtyReduced", "BidDelete", "AskDelete", "TradeSummary", "Trade"),
        *("InstrumentInfo", "InstrumentStatusUpdate", "SnapshotHeader", "SnapshotTrailer"),
    ),
    skipped=("InstrumentDefinition", "IndexDefinition", "InstrumentRef", "BlockTrade", "EndOfCycle"),
    slots={},
    sequence="seqNum",
)
COINBASE = PacketFormat(
    schema=load_schema(COINBASE_DERIVATIVES),
    decode_packets=coinbase_derivatives.decode_packets,
    decoded=(
        *("OrderPut", "OrderDelete", "ImpliedOrderUpdate", "Trade", "TradeAmend", "TradeBust", "TradeSummary"),
        *("TradingStatusUpdate", "OrderSnapshot"),
    ),
    skipped=("OutrightInstrumentDefinition", "EndOfSnapshot", "MarketStat", "OpenInterest", "EndOfCycle"),
    slots={},
    sequence="seqNum",
)
FORMATS = [LEGACY, STARBASE, COINBASE]
NEW_BATCH: dict[str, Callable[[int, int], BinaryBatch]] = {
    "deribit.multicast": deribit_legacy.new_batch,
    "deribit.starbase": deribit_starbase.new_batch,
    "coinbase.derivatives": coinbase_derivatives.new_batch,
}
each_format = pytest.mark.parametrize("form", FORMATS, ids=[form.schema.package for form in FORMATS])


def new_batch(form: PacketFormat, packets: int, rows: int) -> BinaryBatch:
    return NEW_BATCH[form.schema.package](packets, rows)


@each_format
def test_random_packets_decode_as_the_schema_says(form: PacketFormat) -> None:
    random = np.random.default_rng(11)
    names = form.decoded * 3 + form.skipped
    payloads = [random_packet(form, random, names, 8) for _ in range(3000)]
    batch = new_batch(form, 3000, 30_000)
    buffer, bounds = pack(payloads)
    assert form.decode_packets(buffer, bounds, batch) == 3000
    for index, payload in enumerate(payloads):
        assert_packet_equals(form, batch, index, int(bounds[index]), decode_packet(form.schema, payload))
    rows = int(batch.packets[:, PACKET_ROWS].sum())
    seen = np.unique(batch.rows[:rows, 1], return_counts=True)
    assert set(seen[0].tolist()) == {form.schema.message(name).template_id for name in form.decoded}
    assert rows >= 2000
    assert batch.packets[:, PACKET_SKIPPED].sum() > 1000


@each_format
def test_damage_is_refused_alike(form: PacketFormat) -> None:
    reasons = assert_damage_is_refused_alike(form, new_batch(form, 1, 100), 12, 4000)
    assert reasons >= {BinaryReject.NONE, BinaryReject.TRUNCATED}
    assert len(reasons) >= 5


@each_format
def test_what_follows_a_packet_in_the_buffer_changes_nothing(form: PacketFormat) -> None:
    random = np.random.default_rng(13)
    for _ in range(200):
        payload = random_packet(form, random, form.decoded)
        batches = [new_batch(form, 1, 10) for _ in range(2)]
        for batch in batches:
            buffer, _ = pack([payload, random.bytes(100)])
            assert form.decode_packets(buffer, np.array([0, len(payload)]), batch) == 1
        assert (batches[0].packets == batches[1].packets).all()
        assert (batches[0].rows == batches[1].rows).all()


@each_format
def test_a_full_batch_stops_at_a_packet_boundary(form: PacketFormat) -> None:
    random = np.random.default_rng(14)
    payloads = [random_packet(form, random, form.decoded[:1]) for _ in range(40)]
    counts = [len(decode_packet(form.schema, payload).messages) for payload in payloads]
    buffer, bounds = pack(payloads)
    done, rows = 0, 0
    while done < 40:
        batch = new_batch(form, 16, 7)
        taken = form.decode_packets(buffer, bounds[done:].copy(), batch)
        assert 1 <= taken <= 16
        assert batch.packets[:taken, PACKET_ROWS].tolist() == counts[done : done + taken]
        assert batch.packets[:taken, PACKET_REASON].max() == BinaryReject.NONE
        done += taken
        rows += int(batch.packets[:taken, PACKET_ROWS].sum())
    assert rows == sum(counts)


@each_format
def test_a_packet_beyond_an_empty_batch_is_refused(form: PacketFormat) -> None:
    random = np.random.default_rng(15)
    payloads = [random_packet(form, random, form.decoded[:1]) for _ in range(20)]
    longest = max(payloads, key=len)
    batch = new_batch(form, 2, 1)
    buffer, bounds = pack([longest, longest])
    assert form.decode_packets(buffer, bounds, batch) == 2
    assert batch.packets[:, PACKET_REASON].tolist() == [BinaryReject.TOO_LONG] * 2
    assert batch.packets[:, PACKET_ROWS].sum() == 0


@each_format
def test_bounds_outside_the_buffer_are_refused(form: PacketFormat) -> None:
    buffer, _ = pack([random_packet(form, np.random.default_rng(16), form.decoded)])
    batch = new_batch(form, 3, 10)
    assert form.decode_packets(buffer, np.array([-8, 5, 2, len(buffer) + 1]), batch) == 3
    assert batch.packets[:, PACKET_REASON].tolist() == [BinaryReject.MESSAGE_LENGTH] * 3


def test_narrow_arrays_are_refused() -> None:
    buffer, bounds = pack([b"x" * 40])
    for module in (deribit_starbase, coinbase_derivatives):
        batch = module.new_batch(2, 2)
        assert module.decode_batch(buffer, bounds, batch.packets[:, :7].copy(), batch.rows) == -1
        assert module.decode_batch(buffer, bounds, batch.packets, batch.rows[:, :13].copy()) == -1
    batch = deribit_legacy.new_batch(2, 2, 2)
    changes, levels, trades = batch.entries
    arrays = (batch.packets, batch.rows, changes, levels, trades, batch.sink)
    for position in range(6):
        narrow = [item[:, :-1].copy() if item.ndim == 2 else item[:-1] for item in arrays]
        mixed = [narrow[index] if index == position else item for index, item in enumerate(arrays)]
        assert deribit_legacy.decode_batch(buffer, bounds, *mixed) == -1


def test_a_heartbeat_is_a_packet_without_messages() -> None:
    header = {"sendingTime": 5, "seqNum": 77, "channelId": 3, "type": 1, "flags": 1, "snapshotInstrumentId": 0}
    for form in (STARBASE, COINBASE):
        payload = encode_packet(form.schema, header, [])
        batch = new_batch(form, 1, 1)
        assert form.decode_packets(*pack([payload]), batch) == 1
        assert batch.packets[0].tolist() == [BinaryReject.NONE, 5, 77, 3, 1, 0, 0, 0]


def test_a_wrong_message_count_refuses_the_packet() -> None:
    header = {"sendingTime": 5, "seqNum": 77, "channelId": 3, "type": 1}
    put = encode(STARBASE.schema, "BidDelete", {"orderId": 1, "instrumentId": 2}, {"flags": 0, "transactTime": 5})
    payload = bytearray(encode_packet(STARBASE.schema, header, [put, put]))
    payload[22] = 3
    batch = new_batch(STARBASE, 1, 9)
    assert STARBASE.decode_packets(*pack([bytes(payload)]), batch) == 1
    assert (batch.packets[0, PACKET_REASON], batch.packets[0, PACKET_ROWS]) == (BinaryReject.MESSAGE_COUNT, 0)


def test_doubles_are_their_bits_and_an_absent_one_is_minus_one() -> None:
    names = LEGACY.schema.message("Ticker").fields
    values: dict[str, float | int | None] = dict.fromkeys(names, 2.5)
    values |= {"instrumentId": 7, "instrumentState": 1, "timestampMs": 9, "openInterest": None}
    payload = encode_packet(LEGACY.schema, {"channelId": 1, "sequence": 2}, [encode(LEGACY.schema, "Ticker", values)])
    batch = new_batch(LEGACY, 1, 1)
    assert LEGACY.decode_packets(*pack([payload]), batch) == 1
    row = batch.rows[0]
    assert row[deribit_multicast.TICKER_OPEN_INTEREST] == -1
    assert row.view(np.float64)[deribit_multicast.TICKER_BEST_BID_PRICE] == 2.5
