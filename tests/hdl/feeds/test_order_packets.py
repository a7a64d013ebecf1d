"""Packets of Starbase and Coinbase Derivatives become the operations of the reference, on both buses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.sim import Simulator

from hdl.books.records import BookSide, OperationKind
from hdl.feeds.order_packets import OrderPackets
from hdl.parameters import CoreParameters
from hdl.toolchain.verilog import verilog_of
from market.fastpath.conformance import packet_builder as wire
from market.fastpath.specification import Feed, Side
from tests.hdl.feeds.order_bench import Bench, Said, Sent, assert_as_the_reference_says
from tests.market.wire.packet_samples import random_packet
from tests.market.wire.sbe.sample import mutated
from tests.market.wire.test_packet_decoders import COINBASE as COINBASE_SAMPLES
from tests.market.wire.test_packet_decoders import STARBASE as STARBASE_SAMPLES

STARBASE, COINBASE = Feed.STARBASE, Feed.COINBASE_DERIVATIVES
both_buses = pytest.mark.parametrize("bus_bytes", [8, 1])
each_feed = pytest.mark.parametrize("feed", [STARBASE, COINBASE])
EXTREMES = (0, 1, -1, (1 << 63) - 1, -(1 << 63), (1 << 31) - 1, -(1 << 31))


def run(bus_bytes: int, sent: Sequence[Sent], seed: int = 0, *, idle: float = 0.1, late: int = 0) -> list[Said]:
    bench = Bench(bus_bytes, seed=seed)
    said = bench.run(sent, idle=idle, late=late)
    assert not bench.overrun
    assert_as_the_reference_says(sent, said, bench.operations)
    return said


def number(random: np.random.Generator, bits: int = 64) -> int:
    """Any number of so many bits, with its sign."""
    high = 1 << bits - 1
    if random.random() < 0.3:
        return max(-high, min(high - 1, int(random.choice(EXTREMES))))
    return int(random.integers(-high, high, dtype=np.int64))


def any_message(feed: Feed, random: np.random.Generator) -> bytes:
    flags, other = int(random.integers(256)), random.bytes(int(random.integers(70)))
    if feed is STARBASE:
        is_ask = bool(random.integers(2))
        order, instrument, price, quantity = (number(random) for _ in range(4))
        return [
            wire.starbase_put(order, instrument, is_ask, price, quantity, flags),
            wire.starbase_reduce(order, instrument, is_ask, quantity, flags),
            wire.starbase_delete(order, instrument, is_ask, flags),
            wire.starbase_trade(instrument, is_ask, price, quantity, flags),
            wire.starbase_message(
                int(random.choice((16, 19, 26, 30, 32))), random.bytes(int(random.integers(70))), flags
            ),
        ][random.integers(5)]
    side = int(random.choice((1, 1, -1, -1, 0, 2, -128, 127)))
    order, price = number(random), number(random)
    instrument, quantity = number(random, 32), number(random, 32)
    return [
        wire.coinbase_put(order, instrument, side, price, quantity, flags),
        wire.coinbase_delete(order, instrument, side, flags),
        wire.coinbase_trade(instrument, side, price, quantity, flags),
        wire.coinbase_other(instrument, flags),
        wire.coinbase_message(int(random.choice((19, 22, 29, 31, 124))), other),
    ][random.integers(5)]


def packet(feed: Feed, number_of_first: int, messages: Sequence[bytes], channel: int = 7, kind: int = 1) -> bytes:
    build = wire.starbase_packet if feed is STARBASE else wire.coinbase_packet
    return build(number_of_first, messages, channel=channel, kind=kind)


def any_packet(feed: Feed, random: np.random.Generator, most: int = 6) -> bytes:
    """A whole packet; its number may be one that none has."""
    bits = 32 if feed is STARBASE else 16
    channel = number(random, bits) if feed is STARBASE else int(random.integers(1 << 16))
    first = number(random) if random.random() < 0.3 else int(random.integers(1 << 62))
    messages = [any_message(feed, random) for _ in range(random.integers(most + 1))]
    return packet(feed, first, messages, channel, int(random.integers(4)))


@both_buses
def test_an_example_of_starbase(bus_bytes: int) -> None:
    messages = [wire.starbase_put(11, 5, False, 91_000, 25), wire.starbase_delete(9, 5, True, 0)]
    bench = Bench(bus_bytes)
    (said,) = bench.run([Sent(STARBASE, packet(STARBASE, 1_001, messages, -3))])
    assert (said.header, said.entries, said.good, said.heartbeat) == ((1_001, 2, -3, 0), 2, True, False)
    put = {"kind": OperationKind.PUT, "side": BookSide.BID, "order": 11, "wire": 5, "price": 91_000, "quantity": 25}
    delete = {"kind": OperationKind.DELETE, "side": BookSide.ASK, "order": 9, "wire": 5}
    flags = {"clears": 0, "counts": 1}
    assert bench.operations == [put | flags | {"ends": 1}, delete | flags | {"ends": 0}]


@both_buses
def test_an_example_of_coinbase_derivatives(bus_bytes: int) -> None:
    messages = [wire.coinbase_trade(-5, -1, 91_000, 25, wire.END), wire.coinbase_other(6, wire.CLEAR)]
    bench = Bench(bus_bytes)
    (said,) = bench.run([Sent(COINBASE, packet(COINBASE, 7, messages, 40_000, wire.SNAPSHOT))])
    assert (said.header, said.entries, said.good) == ((7, 2, 40_000, 1), 2, True)
    trade = {"kind": OperationKind.TRADE, "wire": -5, "price": 91_000, "quantity": 25, "aggressor": Side.SELL}
    touch = {"kind": OperationKind.TOUCH, "wire": 6}
    assert bench.operations == [
        trade | {"clears": 0, "ends": 1, "counts": 1},
        touch | {"clears": 1, "ends": 0, "counts": 1},
    ]


@both_buses
def test_the_header_is_there_one_cycle_after_its_last_byte(bus_bytes: int) -> None:
    (said,) = run(bus_bytes, [Sent(STARBASE, packet(STARBASE, 1, [wire.starbase_delete(9, 5, True)]))], idle=0.3)
    assert said.header_cycle == said.beat_cycles[23 // bus_bytes] + 1


@each_feed
@both_buses
def test_random_packets(bus_bytes: int, feed: Feed) -> None:
    random = np.random.default_rng(1)
    said = run(bus_bytes, [Sent(feed, any_packet(feed, random)) for _ in range(12 * bus_bytes)])
    assert {one.bad_header for one in said} == {True, False}


@both_buses
def test_feeds_take_turns(bus_bytes: int) -> None:
    random = np.random.default_rng(2)
    feeds = [STARBASE if random.integers(2) else COINBASE for _ in range(16 * bus_bytes)]
    run(bus_bytes, [Sent(feed, any_packet(feed, random)) for feed in feeds], 3, idle=0.0)


@each_feed
@both_buses
def test_every_template_of_the_schema(bus_bytes: int, feed: Feed) -> None:
    samples = STARBASE_SAMPLES if feed is STARBASE else COINBASE_SAMPLES
    random = np.random.default_rng(4)
    names = samples.decoded + samples.skipped
    run(bus_bytes, [Sent(feed, random_packet(samples, random, names, 4)) for _ in range(10 * bus_bytes)])


@each_feed
@both_buses
def test_random_damage(bus_bytes: int, feed: Feed) -> None:
    said = run(bus_bytes, damaged(feed, 15 * bus_bytes, 5))
    assert {one.bad_messages for one in said} == {True, False}


@each_feed
@both_buses
@pytest.mark.long
def test_much_random_damage(bus_bytes: int, feed: Feed) -> None:
    run(bus_bytes, damaged(feed, 400 * bus_bytes, 6))


def damaged(feed: Feed, count: int, seed: int) -> list[Sent]:
    """Packets with spoiled bytes, cut or lengthened; half of them of one message that is read."""
    random = np.random.default_rng(seed)
    payloads = []
    for index in range(count):
        whole = any_packet(feed, random, 3) if index % 2 else packet(feed, 5, [any_message(feed, random)])
        payloads.append(mutated(whole, random))
    return [Sent(feed, payload) for payload in payloads]


@each_feed
@both_buses
def test_each_byte_that_says_what_follows_is_checked(bus_bytes: int, feed: Feed) -> None:
    """Every length, block, template, schema and count next to the right one, of each message that is read."""
    more = wire.starbase_delete(1, 2, True), wire.starbase_trade(2, True, 3, 4)
    messages = {
        STARBASE: [wire.starbase_put(1, 2, True, 3, 4), wire.starbase_reduce(1, 2, False, 3), *more],
        COINBASE: [wire.coinbase_put(1, 2, 1, 3, 4), wire.coinbase_delete(1, 2, 1), wire.coinbase_trade(2, 1, 3, 4)],
    }[feed]
    payloads = []
    for message in messages:
        good = packet(feed, 1, [message, message])
        places = (19, 22, 24, 25, 26, 27, 28, 29, 30, 31)
        for at in places:
            payloads += [good[:at] + bytes([good[at] ^ change]) + good[at + 1 :] for change in (1, 2, 8, 128)]
    chosen = payloads[::2] if bus_bytes == 8 else payloads[::5]
    said = run(bus_bytes, [Sent(feed, payload) for payload in chosen], idle=0.0)
    assert any(one.bad_messages for one in said)


@each_feed
@both_buses
def test_the_header_says_how_many_messages_there_are(bus_bytes: int, feed: Feed) -> None:
    counts = (2, 0, 1, 3, 130, 258, 32_770) if feed is STARBASE else (2, 0, 1, 3, 130)
    if feed is STARBASE:
        payloads = [wire.starbase_packet(1, [wire.starbase_delete(9, 5, True)] * 2, count=count) for count in counts]
    else:
        payloads = [wire.coinbase_packet(1, [wire.coinbase_delete(9, 5, 1)] * 2, count=count) for count in counts]
    said = run(bus_bytes, [Sent(feed, payload) for payload in payloads], idle=0.0)
    assert [one.good for one in said] == [count == 2 for count in counts]


@each_feed
@both_buses
def test_every_length_of_a_block_that_is_not_read(bus_bytes: int, feed: Feed) -> None:
    """A block that ends inside its message is good, and touches an instrument from 22 bytes on."""
    if feed is STARBASE:
        payloads = [packet(feed, 1, [wire.starbase_message(99, bytes(size), 2)]) for size in range(0, 40, 8)]
    else:
        whole = wire.coinbase_message(99, wire.instrument_header(5, 1, wire.END | wire.CLEAR) + bytes(8))
        blocks = range(12, 42) if bus_bytes == 8 else (21, 22, 30, 31)
        payloads = [packet(feed, 1, [whole[:2] + bytes([block]) + whole[3:]]) for block in blocks]
    run(bus_bytes, [Sent(feed, payload) for payload in payloads], idle=0.0)


@each_feed
@both_buses
def test_headers_that_are_cut(bus_bytes: int, feed: Feed) -> None:
    heartbeat = packet(feed, 9, [])
    payloads = [heartbeat, *(heartbeat[:length] for length in (0, 1, 8, 16, 23)), heartbeat + bytes(1), heartbeat]
    said = run(bus_bytes, [Sent(feed, payload) for payload in payloads])
    assert [one.bad_header for one in said] == [False, True, True, True, True, True, False, False]
    assert [one.good for one in said] == [True, *[False] * 6, True]


@each_feed
@both_buses
@pytest.mark.parametrize("length", [16, 24, 32, 40, 64, 90])
def test_a_packet_that_breaks_off_leaves_nothing_behind(bus_bytes: int, feed: Feed, length: int) -> None:
    random = np.random.default_rng(7)
    whole = [packet(feed, 5, [any_message(feed, random) for _ in range(3)]) for _ in range(2)]
    sent = [Sent(feed, whole[0]), Sent(feed, whole[0][:length], breaks_off=True), Sent(feed, whole[1])]
    bench = Bench(bus_bytes)
    said = bench.run(sent)
    assert not bench.overrun
    assert_as_the_reference_says([sent[0], sent[2]], [said[0], said[2]], bench.operations)


@each_feed
@both_buses
def test_a_packet_that_does_not_count_is_forgotten(bus_bytes: int, feed: Feed) -> None:
    random = np.random.default_rng(8)
    payloads = [packet(feed, 5, [any_message(feed, random) for _ in range(4)]) for _ in range(6)]
    run(bus_bytes, [Sent(feed, payload, accepted=index % 3 == 0) for index, payload in enumerate(payloads)], late=3)


@both_buses
def test_a_full_packet_of_the_shortest_messages(bus_bytes: int) -> None:
    full = packet(STARBASE, 5, [wire.starbase_message(99, b"", index % 4) for index in range(90)])
    (said, _) = run(bus_bytes, [Sent(STARBASE, full), Sent(STARBASE, packet(STARBASE, 5, []))], idle=0.0)
    assert said.entries == 90


@both_buses
def test_payloads_of_other_feeds_leave_nothing_behind(bus_bytes: int) -> None:
    whole = packet(STARBASE, 5, [wire.starbase_delete(9, 5, True)])
    sent = [Sent(STARBASE, whole), Sent(Feed.BINANCE_SBE, whole), Sent(STARBASE, whole)]
    bench = Bench(bus_bytes)
    said = bench.run(sent)
    assert [(one.bad_header, one.header is None, one.entries) for one in said] == [
        (False, False, 1),
        (True, True, 0),
        (False, False, 1),
    ]
    assert len(bench.operations) == 2


def test_a_queue_without_a_reader_overruns() -> None:
    full = packet(STARBASE, 5, [wire.starbase_message(99, b"", 0) for _ in range(90)])
    bench = Bench(8)
    said = bench.run([Sent(STARBASE, full)] * 5, idle=0.0, reads=False)
    assert [one.entries for one in said] == [90] * 5
    assert not bench.overrun
    bench = Bench(8)
    bench.run([Sent(STARBASE, full)] * 6, idle=0.0, reads=False)
    assert bench.overrun


@each_feed
@both_buses
def test_a_build_for_one_feed_has_the_other_as_bad(bus_bytes: int, feed: Feed) -> None:
    other = COINBASE if feed is STARBASE else STARBASE
    random = np.random.default_rng(9)
    sent = [Sent(feed, any_packet(feed, random)) for _ in range(4)]
    bench = Bench(bus_bytes, feeds=frozenset({feed}))
    said = bench.run([*sent, Sent(other, any_packet(other, random))])
    assert said[-1].bad_header
    assert_as_the_reference_says(sent, said[:-1], bench.operations)


def test_a_build_without_them_has_all_as_bad() -> None:
    packets = OrderPackets(CoreParameters(bus_bytes=8, feeds=frozenset({Feed.BINANCE_SBE})))

    async def bench(ctx: Any) -> None:
        ctx.set(packets.feed, STARBASE)
        ctx.set(packets.length, 56)
        assert ctx.get(packets.bad_header)

    simulator = Simulator(packets)
    simulator.add_testbench(bench)
    simulator.run()


@both_buses
def test_the_verilog_has_no_signal_without_bits(bus_bytes: int) -> None:
    text = verilog_of(OrderPackets(CoreParameters(bus_bytes=bus_bytes)), "packets")
    assert "module packets" in text
    assert "[-1:0]" not in text
