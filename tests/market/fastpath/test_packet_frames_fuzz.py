"""Packets of numbered feeds, cut at every byte and changed in every byte: both engines do the same."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from market.engine import Engine
from market.fastpath.conformance import packet_builder as wire
from market.fastpath.conformance.case import SCHEMA, Control
from market.fastpath.engine import CpuEngine
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import NO_INSTRUMENT, EngineSizes, Feed
from market.wire.sbe import Decoded, decode
from tests.market.fastpath.frame_builder import GROUP, PORT, Frame

SIZES = EngineSizes(venues=1, instruments=1, order_books=1, book_orders=64, book_ticks=64)
WIRE = 500
NUMBER = 7
PACKETS = {
    Feed.STARBASE: [
        wire.starbase_put(11, WIRE, False, 990, 5, flags=0),
        wire.starbase_reduce(1, WIRE, False, 4),
        wire.starbase_trade(WIRE, True, 990, 3),
        wire.starbase_delete(2, WIRE, True),
        wire.starbase_message(16, bytes(9)),
    ],
    Feed.COINBASE_DERIVATIVES: [
        wire.coinbase_put(11, WIRE, 1, 990, 5, flags=0),
        wire.coinbase_trade(WIRE, -1, 990, 3),
        wire.coinbase_delete(2, WIRE, -1),
        wire.coinbase_other(WIRE, wire.END),
    ],
    Feed.DERIBIT_LEGACY: [
        wire.deribit_trades(WIRE, [(0, wire.double(1e-6), wire.double(2e-9)), (1, wire.ABSENT, 5)]),
        wire.deribit_ticker(WIRE, wire.double(9.9e-7), wire.double(5e-9), wire.double(1.1e-6), wire.double(6e-9)),
        wire.deribit_book(WIRE, 2),
        wire.deribit_message(1_010, bytes(20), [(16, bytes(32))], [b"BTC-PERPETUAL"]),
    ],
}
FEEDS = pytest.mark.parametrize("feed", list(PACKETS))


def decoded(payload: bytes) -> Decoded:
    return decode(SCHEMA, payload)


def packet(feed: Feed, messages: Sequence[bytes], number: int = NUMBER) -> bytes:
    if feed is Feed.STARBASE:
        return wire.starbase_packet(number, messages)
    if feed is Feed.COINBASE_DERIVATIVES:
        return wire.coinbase_packet(number, messages)
    return wire.deribit_packet(number, messages)


def start(feed: Feed) -> Iterator[Control]:
    """Everything from hello to a live book, the number 7 expected next."""
    yield Control("Hello", {"epoch": 1})
    yield Control("VenueRow", {"venue": 0, "enabled": 1, "fee": 0, "maximumAge": 10**12, "maximumSilence": 10**12})
    scaling = {"priceExponent": -9, "quantityExponent": -9, "priceShift": 0, "quantityShift": 0}
    yield Control("ScalingRow", {"instrument": 0, "venue": 0, **scaling})
    row = {"address": GROUP, "port": PORT, "channel": 0, "instrument": NO_INSTRUMENT, "venue": 0}
    yield Control("ChannelRow", {**row, "feed": int(feed), "enabled": 1})
    yield Control("LineRow", {"line": 0, "venue": 0, "wireChannel": 7, "feed": int(feed), "enabled": 1})
    row = {"book": 0, "line": 0, "wireInstrument": WIRE, "instrument": 0, "tick": 10}
    yield Control("BookRow", {**row, "priceExponent": -9, "quantityExponent": -9, "enabled": 1})
    if feed is Feed.DERIBIT_LEGACY:
        return
    yield Control("BookClear", {"book": 0, "base": 700})
    for order, side, price in ((1, 1, 980), (2, 2, 1_100), (3, 2, 1_110)):
        yield Control("BookOrder", {"book": 0, "order": order, "side": side, "price": price, "quantity": 5})


def begun(engine: Engine, feed: Feed) -> Engine:
    for sequence, control in enumerate(start(feed), start=1):
        engine.control(Control(control.message, {**control.fields, "sequence": sequence}).payload(), 1_000)
    engine.push([Frame(packet(feed, [], NUMBER - (feed is Feed.DERIBIT_LEGACY))).bytes()], [1_000])
    ready = Control("BookReady", {"sequence": sequence + 1, "book": 0, "number": NUMBER - 1})
    if feed is not Feed.DERIBIT_LEGACY:
        engine.control(ready.payload(), 1_000)
    refused = [each.fields["refusal"] for each in map(decoded, engine.outputs()) if each.name == "Acknowledge"]
    assert not any(refused)
    return engine


def assert_agreement(feed: Feed, payloads: Sequence[bytes]) -> None:
    """Each payload on fresh engines, since one may break a book or move the sequence."""
    fresh = CpuEngine(SIZES)
    begun(fresh, feed)
    beginning = fresh.state.copy()
    for payload in payloads:
        fresh.state[:] = beginning
        reference = begun(ReferenceEngine(SIZES), feed)
        frames = [Frame(payload).bytes(), Frame(packet(feed, PACKETS[feed][:1], NUMBER + 4)).bytes()]
        for engine in (fresh, reference):
            engine.push(frames, [2_000, 3_000])
        assert fresh.frame_counters() == reference.frame_counters(), payload.hex()
        assert fresh.counters == reference.counters, payload.hex()
        assert fresh.outputs() == reference.outputs()


@FEEDS
def test_cut_at_every_byte(feed: Feed) -> None:
    whole = packet(feed, PACKETS[feed])
    assert_agreement(feed, [whole[:length] for length in range(len(whole) + 1)])


@FEEDS
def test_every_byte_changed(feed: Feed) -> None:
    whole, randomly = packet(feed, PACKETS[feed]), random.Random(feed)
    changed = []
    for position in range(len(whole)):
        values = {0, 255, whole[position] ^ 1 << randomly.randrange(8)} - {whole[position]}
        changed += [whole[:position] + bytes([value]) + whole[position + 1 :] for value in values]
    assert_agreement(feed, changed)


@FEEDS
def test_messages_left_out_repeated_and_reordered(feed: Feed) -> None:
    randomly = random.Random(feed)
    shuffled = [randomly.choices(PACKETS[feed], k=randomly.randrange(8)) for _ in range(100)]
    assert_agreement(feed, [packet(feed, messages) for messages in shuffled])


@FEEDS
def test_random_bytes_behind_a_header(feed: Feed) -> None:
    generator = np.random.default_rng(int(feed))
    header = packet(feed, PACKETS[feed])[: 8 if feed is Feed.DERIBIT_LEGACY else 24]
    payloads = []
    for length in range(0, 300, 3):
        content = generator.bytes(length)
        start_of = header if feed is not Feed.DERIBIT_LEGACY else len(content).to_bytes(2, "little") + header[2:]
        payloads.append(start_of + content)
    assert_agreement(feed, payloads)
