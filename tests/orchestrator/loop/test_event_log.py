"""The drain of the event log: order, a full ring, a sink that fails."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from market.errors import Fatal
from market.receive import log_ring
from market.receive.log_ring import LogRing
from orchestrator.loop.event_log import LogDrain
from tests.orchestrator.loop.rig import PATIENCE_S

CAPACITY = 1 << 10


def write(ring: LogRing, message: bytes) -> None:
    """A record as the loop writes it, wrapping around the ring's end."""
    padded = len(message).to_bytes(8, "little") + message + bytes(-len(message) % 8)
    written, room = int(ring.words[log_ring.WRITTEN]), int(ring.words[log_ring.MASK]) + 1
    for word in np.frombuffer(padded, dtype=np.int64):
        ring.words[log_ring.RECORDS + written % room] = word
        written += 1
    ring.words[log_ring.WRITTEN] = written


def test_everything_comes_out_in_order_around_the_end_of_the_ring() -> None:
    ring, taken = LogRing(CAPACITY), list[bytes]()
    drain = LogDrain(ring, taken.extend)
    messages = [bytes([number % 256]) * (number % 61 + 1) for number in range(300)]
    drain.start([b"before"])
    for message in messages:
        drain.relieve()
        write(ring, message)
    drain.close([b"after"])
    assert taken == [b"before", *messages, b"after"]


def test_the_thread_drains_without_being_told() -> None:
    ring, taken, seen = LogRing(CAPACITY), list[bytes](), threading.Event()

    def sink(messages: list[bytes]) -> None:
        taken.extend(messages)
        if b"step" in taken:
            seen.set()

    drain = LogDrain(ring, sink)
    drain.start([])
    write(ring, b"step")
    assert seen.wait(PATIENCE_S)
    drain.close([])
    assert taken == [b"step"]


def test_the_error_of_a_sink_is_raised_where_it_is_asked_for() -> None:
    failed = threading.Event()

    def sink(messages: list[bytes]) -> None:
        if messages:
            failed.set()
            raise OSError(28, "No space left on device")

    ring = LogRing(CAPACITY)
    drain = LogDrain(ring, sink)
    drain.start([])
    drain.check()
    write(ring, b"step")
    assert failed.wait(PATIENCE_S)
    with pytest.raises(OSError, match="No space left"):
        drain.close([])
    with pytest.raises(OSError, match="No space left"):
        drain.check()


@pytest.mark.parametrize("capacity", [8, 56, 100, 96, 1 << 10 | 8])
def test_the_capacity_is_a_power_of_two(capacity: int) -> None:
    with pytest.raises(Fatal, match="power of two"):
        LogRing(capacity)
