"""The event log in order again, and its holes."""

from __future__ import annotations

import pytest

from market.errors import Rejected
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import StepKind
from market.wire.sbe import encode
from orchestrator.fpga.log_order import OVERTAKEN_NS, LogOrder, steps_of


def step(number: int, payload: bytes, kind: StepKind = StepKind.CONTROL) -> bytes:
    return encode(SCHEMA, "LogStep", {"number": number, "time": 1, "kind": int(kind), "channel": 0, "payload": payload})


def datagram(*steps: bytes) -> bytes:
    return b"".join(one + bytes(-len(one) % 8) for one in steps)


def test_steps_of_a_datagram() -> None:
    steps = [step(number, bytes(number)) for number in (1, 2, 6, 8)]
    assert list(steps_of(datagram(*steps))) == steps
    assert list(steps_of(b"")) == []


def test_what_is_no_log_is_refused() -> None:
    good = step(1, b"content")
    heartbeat = encode(SCHEMA, "Heartbeat", {"sequence": 1})
    for bad in (b"\0", heartbeat, good[:-1], datagram(good) + b"\1\2", step(1, b"", StepKind.QUOTE)):
        with pytest.raises(Rejected, match="event log"):
            list(steps_of(bad))


def test_order_is_restored_and_what_comes_twice_is_dropped() -> None:
    order = LogOrder()
    found = [message for number in (2, 1, 1, 4, 3, 2, 5) for message in order.add(number, bytes([number]), 0)]
    assert found == [bytes([number]) for number in range(1, 6)]
    assert not order.waits
    assert order.hole(10**12) == ""
    assert order.add(0, b"", 0) == order.add(-3, b"", 0) == []


def test_a_hole_is_one_when_what_overtook_it_has_waited_long_enough() -> None:
    order = LogOrder()
    order.add(1, b"", 0)
    order.add(3, b"", 100)
    order.add(4, b"", OVERTAKEN_NS)
    assert order.waits
    assert order.hole(100 + OVERTAKEN_NS - 1) == ""
    assert "step 2 of its event log is missing, and 3 came" in order.hole(100 + OVERTAKEN_NS)
