"""Garbage on the line and in control messages: counted as by the CPU engine, and good frames among it are decided."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

import numpy as np
import pytest

from hdl.parameters import BUS_BYTES
from market.fastpath import layout
from market.fastpath.conformance.frame_builder import Wrapping, best_bid_ask, frame, with_fcs
from tests.sim.rtl.side_by_side import PORTS, SideBySide

LONGEST: Final = 1_700
BATCH: Final = 40
SHORT_CYCLES: Final = 60_000
LONG_CYCLES: Final = 1_000_000
LINE: Final = Wrapping(port=PORTS[0], udp_checksum=None)
REFUSED: Final = ("EngineRow", "VenueRow", "ScalingRow", "ChannelRow", "InstrumentRow", "Settle", "LoadBasis", "Kill")
Noise = Callable[[np.random.Generator], bytes]

both_buses = pytest.mark.parametrize("bus_bytes", BUS_BYTES, ids=lambda bus_bytes: f"{8 * bus_bytes}-bit bus")


def length(rng: np.random.Generator, most: int = LONGEST) -> int:
    """Short ones as often as long ones."""
    return int(rng.integers(int(rng.choice((8, 70, 200, most)))))


def raw(rng: np.random.Generator) -> bytes:
    """Nothing but noise; also a frame without bytes."""
    return rng.bytes(length(rng))


def checked(rng: np.random.Generator) -> bytes:
    """Noise with its check sequence."""
    return with_fcs(rng.bytes(length(rng)))


def delivered(rng: np.random.Generator) -> bytes:
    """Noise in a datagram of ours, headers and checksums right."""
    return frame(rng.bytes(length(rng, 1_500)), LINE)


def titled(rng: np.random.Generator) -> bytes:
    """Noise behind the header of a message."""
    block_length, template = ((50, 10_001), (18, 10_000), (0, 10_002))[int(rng.integers(3))]
    return frame(struct.pack("<HHHH", block_length, template, 1, 0) + rng.bytes(length(rng, 300)), LINE)


def quoted(rng: np.random.Generator) -> bytes:
    """A quote of any numbers at all."""
    drawn = [int(number) >> int(rng.integers(64)) for number in rng.integers(-(1 << 63), (1 << 63) - 1, 5)]
    update, bid, bid_quantity, ask, ask_quantity = drawn
    price, quantity = (int(exponent) for exponent in rng.choice((-9, -9, 5, -128), 2))
    return frame(best_bid_ask(price, quantity, update, bid, bid_quantity, ask, ask_quantity), LINE)


NOISES: Final[tuple[Noise, ...]] = (raw, checked, delivered, titled, quoted)


def flood(pair: SideBySide, noises: tuple[Noise, ...], cycles: int, seed: int) -> None:
    """Noise on a full line for so many cycles, with good frames among it that are decided."""
    rng = np.random.default_rng(seed)
    end = pair.soft.cycles + cycles
    while pair.soft.cycles < end:
        frames = []
        for _ in range(BATCH):
            frames += [noises[int(rng.integers(len(noises)))](rng), *pair.probe()]
        before = pair.triggers
        pair.fill_the_line(frames)
        assert pair.differences(log_may_miss_steps=True) == []
        assert pair.triggers > before
        pair.forget()


@both_buses
@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.__name__)
def test_garbage_on_the_line(bus_bytes: int, noise: Noise) -> None:
    flood(SideBySide(bus_bytes), (noise,), SHORT_CYCLES // 4, 1)


@both_buses
def test_garbage_of_all_sorts(bus_bytes: int) -> None:
    flood(SideBySide(bus_bytes), NOISES, SHORT_CYCLES, 2)


@pytest.mark.long
@both_buses
@pytest.mark.parametrize("noise", [*NOISES, None], ids=lambda noise: noise.__name__ if noise else "all sorts")
def test_garbage_for_a_million_cycles(bus_bytes: int, noise: Noise | None) -> None:
    flood(SideBySide(bus_bytes), (noise,) if noise else NOISES, LONG_CYCLES, 3)


def noisy_control(pair: SideBySide, rng: np.random.Generator) -> None:
    """A control message that nobody would send, then frames that are decided."""
    draw = int(rng.integers(3))
    if draw == 0:
        pair.control_bytes(rng.bytes(1 + length(rng, 400)))
    elif draw == 1:
        # a number that is not expected
        header = rng.bytes(2) + bytes((int(rng.integers(11, 25)), 0)) + struct.pack("<HH", layout.SCHEMA_ID, 1)
        pair.control_bytes(header + rng.bytes(length(rng, 300)))
    else:
        message = layout.SCHEMA.message(REFUSED[int(rng.integers(len(REFUSED)))])
        header = struct.pack(
            "<HHHH", message.block_length, message.template_id, layout.SCHEMA_ID, layout.SCHEMA_VERSION
        )
        # too short or too long: never the length of any message with these headers
        lengths = (9, message.block_length - 1, 145, 400)
        pair.control_bytes(header, then=rng.bytes(lengths[int(rng.integers(4))]))


def disturb(bus_bytes: int, messages: int, seed: int) -> None:
    pair, rng = SideBySide(bus_bytes), np.random.default_rng(seed)
    for _ in range(messages):
        noisy_control(pair, rng)
        before = pair.triggers
        pair.push(list(pair.probe()))
        assert pair.differences() == []
        assert pair.triggers > before


@both_buses
def test_garbage_in_control_messages(bus_bytes: int) -> None:
    disturb(bus_bytes, 150, 4)


@pytest.mark.long
@both_buses
def test_much_garbage_in_control_messages(bus_bytes: int) -> None:
    disturb(bus_bytes, 8_000, 5)
