"""The host in the loop's own process: its heartbeats renew the lease, and it recovers from a lost message."""

from __future__ import annotations

import pytest

from market.errors import Fatal
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Refusal, Result
from market.wire.sbe import decode, encode
from orchestrator.loop.host import LocalHost
from orchestrator.loop.sockets import endpoint_of
from tests.orchestrator.loop.rig import bound


def acknowledge(sequence: int, expected: int, result: Result, refusal: Refusal = Refusal.NONE) -> bytes:
    fields = {"sequence": sequence, "expected": expected, "step": 1, "template": 16, "result": result}
    return encode(SCHEMA, "Acknowledge", {**fields, "refusal": refusal})


def test_heartbeats_are_numbered() -> None:
    with bound() as own, bound() as loop:
        host = LocalHost(own, endpoint_of(loop), 7)
        host.beat()
        host.beat()
        numbers = [decode(SCHEMA, loop.recv(100)).fields["sequence"] for _ in range(2)]
        assert (numbers, host.heartbeats) == ([7, 8], 2)


def test_after_a_lost_message_it_goes_on_with_the_number_that_is_expected() -> None:
    with bound() as own, bound() as loop:
        host = LocalHost(own, endpoint_of(loop), 9)
        loop.sendto(acknowledge(8, 5, Result.OUT_OF_ORDER), own.getsockname())
        host.listen(0.001)
        assert host.next_sequence == 5


def test_a_refused_heartbeat_is_an_error() -> None:
    with bound() as own, bound() as loop:
        host = LocalHost(own, endpoint_of(loop), 9)
        loop.sendto(acknowledge(8, 9, Result.REFUSED, Refusal.BAD_MESSAGE), own.getsockname())
        with pytest.raises(Fatal, match="BAD_MESSAGE"):
            host.listen(10)
