"""Control datagrams from a bus of eight bytes: those to the board as they were sent, nothing of any other frame."""

from __future__ import annotations

import random
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import Fragment

from hdl.boards.beat_inbox import BEATS, BeatInbox
from hdl.parameters import CoreParameters
from market.errors import Fatal
from tests.hdl.ethernet.inbox_bench import WRAPPING, frame, messages_of
from tests.hdl.ethernet.receiver_bench import Line

PATIENCE = 6_000
"""Cycles without a byte after which an inbox has nothing left: it reads 1,500 bytes twice in that time."""


def taken(
    frames: list[bytes], *, ready_every: int = 1, hold: bool = False, patience: int = 700, **line: Any
) -> tuple[list[bytes], int]:
    """As ``messages_of``, of a line with these pauses."""
    beats = [bus for bus, _ in Line(frames, **{"gap": 7, "beats_apart": 2, **line}).beats(8)]
    return messages_of(BeatInbox(CoreParameters(bus_bytes=8)), beats, patience, ready_every=ready_every, hold=hold)


@pytest.mark.parametrize(("ready_every", "tags"), [(1, ()), (5, (7,))], ids=["without a tag", "slowly, with a tag"])
def test_payloads_come_as_they_were_sent(ready_every: int, tags: tuple[int, ...]) -> None:
    generator = random.Random(1)
    payloads = [generator.randbytes(size) for size in (1, 8, 40, 150, 7, 2, 3, 4, 5, 6)]
    frames = [frame(payload, tags=tags) for payload in payloads]
    assert taken(frames, ready_every=ready_every) == (payloads, 0)


def test_frames_to_others_and_bad_frames_leave_nothing() -> None:
    spoiled = bytearray(frame(b"spoiled" * 9))
    spoiled[50] ^= 1
    frames = [
        frame(b"before"),
        frame(b"another port" * 5, port=WRAPPING.port + 1),
        frame(b"another host" * 5, address=int(WRAPPING.address) ^ 1),
        frame(b"a host far away" * 5, address=int(WRAPPING.address) ^ 1 << 31),
        bytes(spoiled),
        b"",
        frame(b"")[:30],
        frame(b""),
        frame(b"in error"),
        frame(b"after"),
    ]
    assert taken(frames, errors=frozenset({8})) == ([b"before", b"after"], 0)


def test_a_full_line_to_others_holds_nothing_up() -> None:
    others = [frame(bytes(18), port=WRAPPING.port + 1)] * 40
    frames = [*others, frame(b"one"), *others, frame(b"two"), *others]
    assert taken(frames) == ([b"one", b"two"], 0)


@pytest.mark.long
def test_a_frame_without_room_is_lost_whole() -> None:
    generator = random.Random(2)
    payloads = [generator.randbytes(1_400) for _ in range(3)]
    assert 2 * 1_450 < 8 * BEATS < 3 * 1_400
    small = b"still fits"
    frames = [frame(payload) for payload in [*payloads, small]]
    assert taken(frames, hold=True, patience=PATIENCE) == ([*payloads[:2], small], 1)


def test_one_width_of_bus() -> None:
    with pytest.raises(Fatal, match="8 bytes"):
        Fragment.get(BeatInbox(CoreParameters(bus_bytes=1)), None)
