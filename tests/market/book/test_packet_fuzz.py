"""Whatever packets say, streams of records hold: arbitrary and damaged messages of known instruments."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from market.book.order_stream import OrderFormat, OrderStream
from market.wire import records
from market.wire.deribit_stream import DeribitStream
from market.wire.instruments import Instrument
from market.wire.packet_stream import LEVELS_PER_BATCH, RECORDS_PER_BATCH, PacketStream, pack_payloads
from market.wire.records import Batch, Kind
from market.wire.sbe import Schema, encode, encode_packet, load_schema
from market.wire.schemas import COINBASE_DERIVATIVES, DERIBIT_MULTICAST, DERIBIT_STARBASE
from tests.market.wire.sbe.sample import mutated, random_leaf, random_values

INSTRUMENTS = tuple(Instrument(number, str(number), 2, 3) for number in range(4))
IDENTITIES = ("instrumentId", "instrHeader.instrumentId")
SMALL = ("orderId", "price", "quantityMantissa", "quantity", "fillPrice", "fillQtyMantissa", "side", "change", "amount")
EDGES = ("orderCount", "incrementalSeqNum", "incrementSeqNum", "changeId", "prevChangeId", "instrHeader.side")


@dataclass(frozen=True)
class Form:
    """One format: its schema, a fresh stream, and the packet header of a number."""

    schema: Schema
    stream: Callable[[], PacketStream]
    header: Callable[[int, int], dict[str, int]]


FORMS = {
    "deribit": Form(
        load_schema(DERIBIT_MULTICAST),
        lambda: DeribitStream(INSTRUMENTS),
        lambda number, kind: {"channelId": 1 + 100 * (kind == 2), "sequence": number},
    ),
    "starbase": Form(
        load_schema(DERIBIT_STARBASE),
        lambda: OrderStream(OrderFormat.STARBASE, INSTRUMENTS, 6),
        lambda number, kind: {"sendingTime": 0, "seqNum": number, "channelId": 1, "type": kind},
    ),
    "coinbase-derivatives": Form(
        load_schema(COINBASE_DERIVATIVES),
        lambda: OrderStream(OrderFormat.COINBASE_DERIVATIVES, INSTRUMENTS, 6),
        lambda number, kind: {
            **{"sendingTime": 0, "seqNum": number, "channelId": 1, "flags": kind},
            **{"snapshotInstrumentId": number % 5},
        },
    ),
}


def some_message(schema: Schema, random: np.random.Generator) -> bytes:
    """A message of any template, mostly about few instruments, orders and prices."""
    name = str(random.choice(list(schema.messages)))
    layout = schema.message(name)
    values = random_values(layout, random)
    for block in (values, *itertools.chain.from_iterable(v for v in values.values() if isinstance(v, list))):
        for field in block:
            if field in IDENTITIES:
                block[field] = int(random.integers(0, 5))
            elif field in SMALL and random.random() < 0.9:
                block[field] = int(random.integers(0, 4)) * (10_000_000 if "rice" in field else 1)
            elif field in EDGES and random.random() < 0.9:
                block[field] = int(random.choice([-1, 0, 1, 2, 3]) if "side" in field else random.integers(0, 9))
    members = {key: leaf for key, leaf in schema.header.fields.items() if key not in ("version", "blockLength")}
    return encode(schema, name, values, {key: random_leaf(leaf, random) for key, leaf in members.items()})


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("seed", range(4))
def test_any_packets(name: str, seed: int) -> None:
    form, random = FORMS[name], np.random.default_rng(seed)
    stream, number = form.stream(), 1
    payloads: list[bytes] = []
    for _ in range(400):
        messages = [some_message(form.schema, random) for _ in range(int(random.integers(0, 5)))]
        kind = 2 if random.random() < 0.3 else 1
        packet = encode_packet(form.schema, form.header(number, kind), messages)
        payloads.append(mutated(packet, random) if random.random() < 0.2 else packet)
        number += len(messages) + int(random.choice([0, 0, 0, 0, 1, -2]))
    batch = Batch(RECORDS_PER_BATCH, LEVELS_PER_BATCH)
    stream.take(pack_payloads(payloads, range(len(payloads)), 1))
    seen: set[Kind] = set()
    done = False
    while not done:
        batch.restart()
        done = stream.fill(batch)
        for row in batch.filled():
            kind_of_record = Kind(int(row[records.KIND]))
            seen.add(kind_of_record)
            if kind_of_record in (Kind.QUOTE, Kind.TRADE, Kind.DIFF, Kind.SNAPSHOT):
                assert 0 <= row[records.MARKET] < len(INSTRUMENTS)
                assert row[records.QUANTITY] >= 0
            assert 1 <= row[records.LINE] <= len(payloads)
    assert {Kind.IGNORED, Kind.REJECTED} <= seen
    assert stream.channels.packets + stream.channels.duplicates <= len(payloads)
