"""Every length, every cut, every flipped bit: dealt with as by the CPU engine, and the next good frame is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final

import numpy as np
import pytest

from hdl.parameters import BUS_BYTES
from market.fastpath.conformance.frame_builder import Wrapping, frame, trades, with_fcs
from tests.sim.rtl.side_by_side import PORTS, SideBySide

LONGEST: Final = 1_600
HEADERS: Final = 42
FCS: Final = 4
TAG: Final = (7,)
BATCH: Final = 64
"""Frames of a sweep between two comparisons, each with good ones behind it."""
SKIPPED: Final = bytes((0, 0, 0x12, 0x27, 1, 0, 0, 0))
"""Header of a message that is skipped: template 10002."""

Make = Callable[[], bytes]

both_buses = pytest.mark.parametrize("bus_bytes", BUS_BYTES, ids=lambda bus_bytes: f"{8 * bus_bytes}-bit bus")


def sweep(pair: SideBySide, frames: Iterable[bytes]) -> int:
    """Each frame, then good ones of which the first makes a trigger; returns how many frames there were."""
    batch: list[bytes] = []
    count = 0

    def compare() -> None:
        before = pair.triggers
        pair.push(list(chain.from_iterable((each, *pair.probe()) for each in batch)))
        assert pair.differences() == [], f"in frames {count - len(batch)} to {count - 1} of the sweep"
        assert pair.triggers >= before + len(batch)
        batch.clear()
        pair.forget()

    for each in frames:
        batch.append(each)
        count += 1
        if len(batch) == BATCH:
            compare()
    compare()
    return count


def of_length(lengths: Iterable[int]) -> Iterator[bytes]:
    """For each length: noise, also with its check sequence; datagrams of ours, also with a tag, with padding."""
    noise = np.random.default_rng(11).bytes(LONGEST)
    for length in lengths:
        yield noise[:length]
        if length >= FCS:
            yield with_fcs(noise[: length - FCS])
        for tags in ((), TAG):
            room = length - HEADERS - FCS - 4 * len(tags)
            if room >= 0:
                payload = (SKIPPED + noise)[:room]
                yield frame(payload, Wrapping(port=PORTS[0], tags=tags, udp_checksum=None))
                padding = bytes(max(0, room - 20))
                yield frame(payload[: room - len(padding)], Wrapping(port=PORTS[0], tags=tags, padding=padding))


def targets(pair: SideBySide) -> dict[str, Make]:
    """Frames to be spoiled, with a new update each: quotes that make a trigger if they are let through, and trades."""
    tagged = Wrapping(port=PORTS[0], tags=TAG)
    padded = Wrapping(port=PORTS[0], padding=bytes(9))
    entries = [(1_000 + number, 10 + number, number % 2) for number in range(3)]
    traded = frame(trades(-9, -9, entries), Wrapping(port=PORTS[0], udp_checksum=None))
    return {
        "a quote": lambda: pair.quote(0, 1_010),
        "a quote with a tag, without checksum": lambda: pair.quote(0, 1_010, tagged),
        "a quote with padding": lambda: pair.quote(0, 1_010, padded, b""),
        "trades": lambda: traded,
    }


def with_flipped(octets: bytes, bits: Iterable[int]) -> bytes:
    changed = bytearray(octets)
    for bit in bits:
        changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def every_bit(make: Make, every: int = 1) -> Iterator[bytes]:
    """Each bit wrong on the wire, and wrong when the frame was built."""
    bits = 8 * len(make())
    for bit in range(0, bits, every):
        yield with_flipped(make(), [bit])
    for bit in range(0, bits - 8 * FCS, every):
        yield with_fcs(with_flipped(make()[:-FCS], [bit]))


def many_bits(make: Make, seed: int, count: int) -> Iterator[bytes]:
    """Some bits anywhere, or within a burst, on the wire or when the frame was built."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        octets, built = make(), bool(rng.integers(2))
        size = 8 * (len(octets) - (FCS if built else 0))
        width = int(rng.choice((2, 8, 32, 64, size)))
        start = int(rng.integers(size - width + 1))
        bits = {start + int(bit) for bit in rng.integers(width, size=int(rng.integers(2, 24)))}
        yield with_fcs(with_flipped(octets[:-FCS], bits)) if built else with_flipped(octets, bits)


def every_cut(make: Make, every: int = 1) -> Iterator[bytes]:
    """Cut off at every byte on the wire, and when the frame was built."""
    for length in range(0, len(make()), every):
        yield make()[:length]
        yield with_fcs(make()[:length])


@both_buses
def test_frames_of_many_lengths(bus_bytes: int) -> None:
    lengths = (*range(0, 130, 3), *range(130, LONGEST, 97), 1_516, 1_517, 1_518, 1_519, 1_522, 1_523, LONGEST)
    assert sweep(SideBySide(bus_bytes), of_length(lengths)) > 300


@pytest.mark.long
@both_buses
def test_frames_of_every_length(bus_bytes: int) -> None:
    assert sweep(SideBySide(bus_bytes), of_length(range(LONGEST + 1))) > 9_000


@both_buses
def test_some_bits_of_a_frame(bus_bytes: int) -> None:
    pair = SideBySide(bus_bytes)
    for number, make in enumerate(targets(pair).values()):
        assert sweep(pair, every_bit(make, 11)) > 150
        assert sweep(pair, many_bits(make, number, 60)) == 60


@pytest.mark.long
@both_buses
def test_every_bit_of_a_frame(bus_bytes: int) -> None:
    pair = SideBySide(bus_bytes)
    for number, make in enumerate(targets(pair).values()):
        assert sweep(pair, every_bit(make)) > 1_600
        assert sweep(pair, many_bits(make, 50 + number, 5_000)) == 5_000


@both_buses
def test_a_frame_cut_at_many_bytes(bus_bytes: int) -> None:
    pair = SideBySide(bus_bytes)
    for make in targets(pair).values():
        assert sweep(pair, every_cut(make, 3)) > 70


@pytest.mark.long
@both_buses
def test_a_frame_cut_at_every_byte(bus_bytes: int) -> None:
    pair = SideBySide(bus_bytes)
    entries = [(1_000, number + 1, number % 3) for number in range(57)]
    longest = frame(trades(-9, -9, entries, b"S" * 14), Wrapping(port=PORTS[0], udp_checksum=None))
    makes: list[Make] = [*targets(pair).values(), lambda: longest]
    for make in makes:
        assert sweep(pair, every_cut(make)) == 2 * len(make())
