"""Control datagrams over the line: those to the board's port as they were sent, nothing of any other."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import Fragment

from hdl.ethernet.inbox import DEPTH, Inbox
from hdl.parameters import CoreParameters
from market.errors import Fatal
from tests.hdl.ethernet.inbox_bench import WRAPPING, frame, messages_of
from tests.hdl.ethernet.receiver_bench import Line


def taken(frames: list[bytes], *, ready_every: int = 1, hold: bool = False) -> tuple[list[bytes], int]:
    """As ``messages_of``, of a line with its smallest gap."""
    beats = [bus for bus, _ in Line(frames, gap=20).beats(1)]
    return messages_of(Inbox(CoreParameters(bus_bytes=1)), beats, 8, ready_every=ready_every, hold=hold)


@pytest.mark.parametrize("ready_every", [1, 5])
def test_payloads_come_as_they_were_sent(ready_every: int) -> None:
    generator = random.Random(1)
    payloads = [generator.randbytes(size) for size in (1, 8, 40, 300, 7)]
    assert taken([frame(payload) for payload in payloads], ready_every=ready_every) == (payloads, 0)


def test_frames_to_others_and_bad_frames_leave_nothing() -> None:
    spoiled = bytearray(frame(b"spoiled" * 9))
    spoiled[50] ^= 1
    frames = [
        frame(b"before"),
        frame(b"another port" * 5, port=WRAPPING.port + 1),
        bytes(spoiled),
        frame(b"")[:30],
        frame(b""),
        frame(b"after"),
    ]
    assert taken(frames) == ([b"before", b"after"], 0)


def test_a_datagram_without_room_is_lost_whole() -> None:
    generator = random.Random(2)
    payloads = [generator.randbytes(1_400) for _ in range(3)]
    assert 2 * 1_400 < DEPTH < 3 * 1_400
    small = b"still fits"
    assert taken([frame(payload) for payload in [*payloads, small]], hold=True) == ([*payloads[:2], small], 1)


def test_one_width_of_bus() -> None:
    with pytest.raises(Fatal, match="1 byte"):
        Fragment.get(Inbox(CoreParameters(bus_bytes=8)), None)
