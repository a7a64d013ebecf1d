"""The packet dispatcher reads what the compiled decoders read, and refuses what they refuse, on both buses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from hdl.sbe.formats import coinbase_derivatives_format, starbase_format
from hdl.sbe.packet_format import PacketFormat, packet_format
from market.errors import Fatal
from market.wire.sbe import load_schema
from market.wire.schemas import BINANCE_STREAM, DERIBIT_MULTICAST
from tests.hdl.sbe.packet_bench import Bench, assert_equal, expected, fields_of
from tests.market.wire import packet_samples
from tests.market.wire.packet_samples import random_packet
from tests.market.wire.sbe.sample import mutated
from tests.market.wire.test_packet_decoders import COINBASE, STARBASE, new_batch

HOT = {"starbase": starbase_format(), "coinbase": coinbase_derivatives_format()}
SAMPLES = {"starbase": STARBASE, "coinbase": COINBASE}
each_format = pytest.mark.parametrize("name", ["starbase", "coinbase"])
both_buses = pytest.mark.parametrize("bus_bytes", [8, 1])
EXAMPLE = bytes.fromhex(
    "158d3d4efad57918e90300000000000007000000010002003800140001000100158d3d4efad579180b000000000000009637030000000000"
    "a86100000000000000b9f62ffa5200000b000000000000002000180001000200158d3d4efad5791809000000000000009637030000000000"
)


def every_message(samples: packet_samples.PacketFormat) -> PacketFormat:
    """A format with every field of every message that the compiled decoder has rows for."""
    packet = ("sendingTime", "seqNum")
    return packet_format(samples.schema, packet, (), fields_of(samples.schema, samples.decoded))


def run(bus_bytes: int, form: PacketFormat, samples: packet_samples.PacketFormat, payloads: Sequence[bytes]) -> int:
    """Compare every packet; gives how many were whole."""
    names = [item.name for item in form.messages]
    batch = new_batch(samples, 1, 200)
    found = Bench(bus_bytes, form, seed=len(payloads)).run(payloads)
    for payload, packet in zip(payloads, found, strict=True):
        assert_equal(packet, expected(samples, batch, payload, names), payload)
    return sum(packet.whole for packet in found)


@both_buses
def test_an_example(bus_bytes: int) -> None:
    (packet,) = Bench(bus_bytes, HOT["starbase"]).run([EXAMPLE], idle=0.3)
    assert (packet.whole, packet.sequence, packet.skipped) == (True, 1001, 0)
    put = {"orderId": 11, "instrumentId": 210838, "quantityMantissa": 25_000, "price": 91_234_500_000_000}
    assert packet.messages == [
        ("BidPut", put | {"sortOrderId": 11}),
        ("BidDelete", {"orderId": 9, "instrumentId": 210838}),
    ]


@both_buses
def test_a_message_is_there_one_cycle_after_its_last_byte(bus_bytes: int) -> None:
    (packet,) = Bench(bus_bytes, HOT["starbase"]).run([EXAMPLE], idle=0.3)
    ends = [packet.beat_cycles[(end - 1) // bus_bytes] for end in (80, 112)]
    assert packet.strobes == [end + 1 for end in ends]


@each_format
@both_buses
def test_random_packets(bus_bytes: int, name: str) -> None:
    samples = SAMPLES[name]
    random = np.random.default_rng(1)
    messages = samples.decoded * 6 + samples.skipped
    payloads = [random_packet(samples, random, messages, 6) for _ in range(10 * bus_bytes)]
    assert run(bus_bytes, HOT[name], samples, payloads) == len(payloads)


@each_format
@both_buses
def test_random_damage(bus_bytes: int, name: str) -> None:
    samples = SAMPLES[name]
    payloads = damaged(samples, 20 * bus_bytes)
    assert 0 < run(bus_bytes, every_message(samples), samples, payloads) < len(payloads)


@each_format
@both_buses
@pytest.mark.long
def test_much_random_damage(bus_bytes: int, name: str) -> None:
    samples = SAMPLES[name]
    run(bus_bytes, every_message(samples), samples, damaged(samples, 300 * bus_bytes))


def damaged(samples: packet_samples.PacketFormat, count: int) -> list[bytes]:
    random = np.random.default_rng(2)
    return [mutated(random_packet(samples, random, samples.decoded, 3), random) for _ in range(count)]


@each_format
@both_buses
def test_every_field_that_says_what_follows_is_checked(bus_bytes: int, name: str) -> None:
    samples = SAMPLES[name]
    random = np.random.default_rng(3)
    good = random_packet(samples, random, samples.decoded[:1], 1)
    while len(good) == 24:
        good = random_packet(samples, random, samples.decoded[:1], 1)
    payloads = [good, good[:24], good[:23], good[:16], good[:1], b"", good + bytes(8), good + bytes(3), good[:-8]]
    values = (0, 1, 2, 8, 16, 24, 32, 255) if bus_bytes == 8 else (1, 24)
    payloads += [good[:at] + bytes([value]) + good[at + 1 :] for at in range(16, 34) for value in values]
    assert run(bus_bytes, every_message(samples), samples, payloads) >= 6


@both_buses
def test_a_heartbeat_is_whole_and_empty(bus_bytes: int) -> None:
    heartbeat = EXAMPLE[:22] + bytes(2)
    found = Bench(bus_bytes, HOT["starbase"]).run([heartbeat, EXAMPLE, heartbeat])
    assert [(packet.whole, len(packet.messages)) for packet in found] == [(True, 0), (True, 2), (True, 0)]


@pytest.mark.parametrize("length", [20, 24, 40, 64, 112])
@both_buses
def test_a_packet_that_breaks_off_leaves_nothing_behind(bus_bytes: int, length: int) -> None:
    payloads = [EXAMPLE, EXAMPLE[:length], EXAMPLE]
    _, broken, whole = Bench(bus_bytes, HOT["starbase"]).run(payloads, broken_off=[1])
    assert not broken.whole
    assert whole.whole
    assert [name for name, _ in whole.messages] == ["BidPut", "BidDelete"]


FORMATS_THAT_DO_NOT_FIT: Mapping[str, str] = {
    "without packets": "must begin at multiples",
    "unaligned": "must begin at multiples",
}


@pytest.mark.parametrize("case", FORMATS_THAT_DO_NOT_FIT)
def test_formats_that_do_not_lie_in_words_are_refused(case: str) -> None:
    path = BINANCE_STREAM if case == "without packets" else DERIBIT_MULTICAST
    with pytest.raises(Fatal, match=FORMATS_THAT_DO_NOT_FIT[case]):
        packet_format(load_schema(path), (), (), {})
