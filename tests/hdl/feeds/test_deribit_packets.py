"""Packets of Deribit's legacy multicast become the operations of the reference, on the bus of one byte."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from hdl.books.records import OperationKind
from hdl.feeds.deribit_legacy import FEED_CYCLES
from market.fastpath.conformance import packet_builder as wire
from market.fastpath.specification import Feed, Side
from sim.capture import read_datagrams
from tests.hdl.feeds.order_bench import Bench, Operation, Said, Sent, assert_as_the_reference_says
from tests.market.wire.sbe.sample import mutated

DERIBIT = Feed.DERIBIT_LEGACY
TICKER, TRADES, BOOK = 1_003, 1_002, 1_001


def run(payloads: Sequence[bytes], seed: int = 0, *, idle: float = 0.1, late: int = 0) -> list[Said]:
    bench = Bench(1, seed=seed)
    sent = [Sent(DERIBIT, payload) for payload in payloads]
    said = bench.run(sent, idle=idle, late=late)
    assert not bench.overrun
    assert_as_the_reference_says(sent, said, bench.operations)
    return said


def bits(random: np.random.Generator) -> int:
    return int.from_bytes(random.bytes(8), "little")


def any_message(random: np.random.Generator) -> bytes:
    instrument = int(random.integers(1 << 32))
    entries = [(int(random.integers(4)), bits(random), bits(random)) for _ in range(random.integers(4))]
    choice = random.integers(4)
    if choice == 0:
        return wire.deribit_ticker(instrument, bits(random), bits(random), bits(random), bits(random))
    if choice == 1:
        return wire.deribit_trades(instrument, entries)
    if choice == 2:
        return wire.deribit_book(instrument, int(random.integers(4)))
    return other_message(random)


def other_message(random: np.random.Generator) -> bytes:
    """A message of another template, with any block, groups and texts, some of them empty."""
    block = random.bytes(int(random.choice((0, 0, 1, 5, 133))))
    groups = []
    for _ in range(random.integers(3)):
        stride = int(random.choice((0, 1, 2, 9)))
        groups.append((stride, random.bytes(stride * int(random.integers(4)))))
    texts = [random.bytes(int(random.choice((0, 0, 1, 7)))) for _ in range(random.integers(3))]
    return wire.deribit_message(int(random.choice((1_000, 1_004, 1_005))), block, groups, texts)


def any_packet(random: np.random.Generator, most: int = 4) -> bytes:
    messages = [any_message(random) for _ in range(random.integers(most + 1))]
    return wire.deribit_packet(int(random.integers(1 << 32)), messages, channel=int(random.integers(1 << 16)))


def test_an_example() -> None:
    messages = [wire.deribit_ticker(5, 11, 12, 13, 14), wire.deribit_trades(6, [(1, 21, 22), (0, 31, 32)])]
    bench = Bench(1)
    (said,) = bench.run([Sent(DERIBIT, wire.deribit_packet((1 << 32) - 1, messages, channel=60_000))])
    assert (said.header, said.entries, said.good) == (((1 << 32) - 1, 0, 60_000, 0), 4, True)
    flags = {"clears": 0, "ends": 0}
    ticker: Operation = {"kind": OperationKind.TICKER, "wire": 5, "counts": 1}
    deal: Operation = {"kind": OperationKind.DEAL, "wire": 6, "counts": 0}
    assert bench.operations == [
        ticker | flags | {"order": 11, "price": 12, "quantity": 13, "last_double": 14},
        deal | flags | {"price": 21, "quantity": 22, "aggressor": Side.SELL},
        deal | flags | {"price": 31, "quantity": 32, "aggressor": Side.BUY},
        {"kind": OperationKind.KNOWN, "wire": 6, "counts": 1} | flags,
    ]


@pytest.mark.parametrize("messages", [[], [wire.deribit_message(1_000, b"")], [wire.deribit_ticker(1, 2, 3, 4, 5)]])
def test_the_header_is_told_when_the_feed_is_known(messages: list[bytes]) -> None:
    (said,) = run([wire.deribit_packet(5, messages)], idle=0.0)
    assert said.header_cycle == FEED_CYCLES


def test_random_packets() -> None:
    random = np.random.default_rng(1)
    said = run([any_packet(random) for _ in range(25)])
    assert all(one.good for one in said)


def test_random_damage() -> None:
    said = run(damaged(40, 2))
    assert {one.bad_messages for one in said} == {True, False}


@pytest.mark.long
def test_much_random_damage() -> None:
    run(damaged(300, 3))


def damaged(count: int, seed: int) -> list[bytes]:
    """Packets with spoiled bytes, cut or lengthened; the packet's own length mostly follows."""
    random = np.random.default_rng(seed)
    payloads = []
    for _ in range(count):
        payload = mutated(any_packet(random, 2), random)
        if random.random() < 0.8 and len(payload) >= 8:
            payload = struct.pack("<H", len(payload) - 8) + payload[2:]
        payloads.append(payload)
    return payloads


def test_heartbeats_and_headers_that_are_cut() -> None:
    heartbeat = wire.deribit_packet(9, [])
    payloads = [heartbeat, *(heartbeat[:length] for length in (0, 1, 7)), heartbeat + bytes(1), heartbeat]
    said = run(payloads)
    assert [one.bad_header for one in said] == [False, True, True, True, False, False]
    assert [one.heartbeat for one in said] == [True, False, False, False, False, True]


def test_a_packet_has_the_length_that_it_announces() -> None:
    good = wire.deribit_packet(9, [wire.deribit_message(1_000, b"12")])
    wrong = [bytes([good[0] ^ 1]) + good[1:], good[:1] + bytes([1]) + good[2:], bytes([good[0] - 8]) + good[1:]]
    assert [one.good for one in run([*wrong, good])] == [False, False, False, True]


def message(template: int, block: int, strides: Sequence[int], texts: int = 0, schema: int = 1) -> bytes:
    """A message that is whole, whatever its shape."""
    groups = [(stride, bytes(2 * stride)) for stride in strides]
    return wire.deribit_message(template, bytes(block), groups, [b"a"] * texts, schema)


def test_known_templates_have_the_known_shape() -> None:
    good = [message(TICKER, 133, []), message(BOOK, 29, [18]), message(TRADES, 4, [83]), message(1_000, 30, [18, 1], 1)]
    bad = [
        *(message(TICKER, block, []) for block in (132, 134)),
        message(TICKER, 133, [1]),
        message(TICKER, 133, [], 1),
        *(
            message(BOOK, *shape)
            for shape in ((28, [18]), (30, [18]), (29, []), (29, [18, 18]), (29, [17]), (29, [83]))
        ),
        *(message(TRADES, *shape) for shape in ((3, [83]), (5, [83]), (4, []), (4, [83, 83]), (4, [82]), (4, [18]))),
        message(BOOK, 29, [18], 1),
        message(TRADES, 4, [83], 1),
        message(1_000, 4, [], schema=2),
        message(1_000, 4, [], schema=257),
    ]
    said = run([wire.deribit_packet(1, [one, good[0]]) for one in [*good, *bad]], idle=0.0)
    assert [one.good for one in said] == [True] * len(good) + [False] * len(bad)


def group(stride: int, count: int, groups: int = 0, texts: int = 0, content: bytes = b"") -> bytes:
    """A message of a template that is not known, with one group."""
    header = struct.pack("<6H", 0, 1_000, 1, 2, 1, 0)
    return header + struct.pack("<4H", stride, count, groups, texts) + content


def test_groups_and_texts_lie_inside_the_packet() -> None:
    good = [
        group(0, 0),
        group(65_535, 0),
        group(3, 2, content=bytes(6)),
        wire.deribit_message(9, b"", (), [b"", b"a", b""]),
    ]
    bad = [
        *(group(0, 1), group(1, 0, 1), group(1, 0, 0, 1), group(1, 0, 256)),
        *(group(3, 2, content=bytes(length)) for length in (5, 7)),
        *(group(2_049, 1, content=bytes(1)), group(1, 2_049, content=bytes(1)), group(65_535, 65_535)),
        wire.deribit_message(9, b"", (), [b"ab"])[:-1],
        wire.deribit_message(9, b"", (), [b"ab", b""])[:-1],
        struct.pack("<6H", 2_048, 9, 1, 2, 0, 0),
        struct.pack("<6H", 2_049, 9, 1, 2, 0, 0) + bytes(1),
        struct.pack("<6H", 0, 9, 1, 2, 2_048, 0),
        struct.pack("<6H", 0, 9, 1, 2, 2_049, 0) + bytes(8),
        struct.pack("<6H", 0, 9, 1, 2, 0, 2_048),
        struct.pack("<6H", 0, 9, 1, 2, 0, 2_049) + bytes(1),
    ]
    said = run([wire.deribit_packet(1, [one]) for one in [*good, *bad]], idle=0.0)
    assert [one.good for one in said] == [True] * len(good) + [False] * len(bad)


def test_a_packet_that_breaks_off_leaves_nothing_behind() -> None:
    random = np.random.default_rng(4)
    whole = wire.deribit_packet(1, [wire.deribit_trades(5, [(0, bits(random), bits(random))] * 3)])
    sent = []
    for length in (4, 8, 15, 40, 80, 150, 250):
        sent += [Sent(DERIBIT, whole), Sent(DERIBIT, whole[:length], breaks_off=True)]
    sent.append(Sent(DERIBIT, whole))
    bench = Bench(1)
    said = bench.run(sent)
    assert not bench.overrun
    assert_as_the_reference_says(sent[::2], said[::2], bench.operations)


def test_a_full_packet_of_the_shortest_messages() -> None:
    messages = [wire.deribit_message(1_000, b"")] * 122
    (said,) = run([wire.deribit_packet(1, messages)], idle=0.0)
    assert said.entries == 122


def test_feeds_take_turns() -> None:
    random = np.random.default_rng(5)
    sent = []
    for number in range(6):
        delete = wire.starbase_delete(int(random.integers(1 << 40)), 5, True)
        sent += [
            Sent(DERIBIT, any_packet(random)),
            Sent(Feed.STARBASE, wire.starbase_packet(number, [delete])),
            Sent(Feed.COINBASE_DERIVATIVES, wire.coinbase_packet(number, [wire.coinbase_delete(number, 5, -1)])),
            Sent(DERIBIT, any_packet(random), accepted=False),
        ]
    bench = Bench(1)
    said = bench.run(sent, idle=0.0)
    assert_as_the_reference_says(sent, said, bench.operations)


def test_a_build_for_this_feed_alone() -> None:
    random = np.random.default_rng(6)
    bench = Bench(1, feeds=frozenset({DERIBIT}))
    sent = [Sent(DERIBIT, any_packet(random)) for _ in range(3)]
    said = bench.run([*sent, Sent(Feed.STARBASE, wire.starbase_packet(1, []))])
    assert said[-1].bad_header
    assert_as_the_reference_says(sent, said[:-1], bench.operations)


def test_the_wide_bus_has_no_decoder() -> None:
    bench = Bench(8)
    (said,) = bench.run([Sent(DERIBIT, wire.deribit_packet(1, []))])
    assert said.bad_header


def captured(data: Path) -> list[bytes]:
    path = data / "deribit-multicast" / "sample_capture_v1_6.pcapng"
    return [datagram.payload for datagram in read_datagrams(path)]


def test_a_capture(data: Path) -> None:
    payloads = captured(data)
    chosen = payloads[:10] + payloads[:: len(payloads) // 20]
    assert all(one.good for one in run(chosen, idle=0.0))


@pytest.mark.long
def test_much_of_a_capture(data: Path) -> None:
    assert all(one.good for one in run(captured(data)[::16], idle=0.0))
