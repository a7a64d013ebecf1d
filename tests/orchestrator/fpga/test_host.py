"""A board's host: numbered messages that arrive once, answers told apart, and what is said when there are none."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from hdl.control.seal import seal, siphash
from hdl.control.stuffing import stuffed
from market.errors import Fatal, MissingInput, Retry
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Refusal, Result
from market.wire.sbe import decode, encode
from orchestrator.clock import SystemClock
from orchestrator.fpga.host import BoardHost
from orchestrator.fpga.serial_line import SerialLine
from tests.orchestrator.fpga.stand_in import at, open_bench
from tests.orchestrator.loop.rig import bound


class StoppedClock(SystemClock):
    """Shows one wall time."""

    NOW_NS = 1_000

    def now_ns(self) -> int:
        return self.NOW_NS


def test_numbers_are_adopted_and_statuses_belong_to_their_requests() -> None:
    with open_bench() as bench:
        host = bench.host
        assert host.adopt().expected == 1
        assert [host.hello(7).step, host.apply("Heartbeat").step] == [1, 2]
        status, answer = host.status()
        assert (status["step"], answer.step, status["epoch"]) == (3, 3, 7)
        assert answer.round_trip_ns > 0
        host.next_sequence = 1
        assert host.adopt().expected == host.next_sequence == 4
        assert host.status("Heartbeat")[0]["step"] == 4


def test_a_message_whose_answer_was_lost_is_applied_once_and_the_host_is_told() -> None:
    with open_bench() as bench:
        host = bench.host
        host.hello(1)
        host.wait_for("Status")
        numbers = itertools.count()
        bench.board.outgoing = lambda message: None if next(numbers) == 0 else message
        with pytest.raises(Retry, match="an answer was lost"):
            host.apply("Kill")
        assert host.status()[0]["controlApplied"] == 3


def test_a_message_that_was_lost_is_sent_again() -> None:
    with open_bench() as bench:
        host = bench.host
        numbers = itertools.count()
        bench.board.incoming = lambda message: None if next(numbers) == 0 else message
        assert host.hello(1).result is Result.APPLIED


def test_another_host_is_noticed() -> None:
    with open_bench() as bench:
        host = bench.host
        host.hello(1)
        host.next_sequence += 5
        with pytest.raises(Retry, match="the board waits for message 2, 7 was sent"):
            host.apply("Kill")
        assert host.apply("Kill").sequence == 2


def test_a_refusal_is_an_answer() -> None:
    with open_bench() as bench:
        host = bench.host
        host.hello(1)
        answer = host.send("Rearm", statusNumber=99)
        assert (answer.result, answer.refusal) == (Result.REFUSED, Refusal.WRONG_STATUS)
        with pytest.raises(Fatal, match="refused Rearm: WRONG_STATUS"):
            host.apply("Rearm", statusNumber=99)


def test_nobody_answers() -> None:
    with bound() as own, bound() as board, bound() as stranger:
        host = BoardHost(own, at(board), SystemClock(), patience_s=0.05)
        answer = dict.fromkeys(SCHEMA.message("Acknowledge").fields, 0)
        stranger.sendto(encode(SCHEMA, "Acknowledge", answer), own.getsockname())
        with pytest.raises(Retry, match="no answer from 127"):
            host.adopt()
        assert [decode(SCHEMA, board.recv(100)).name for _ in range(3)] == ["StatusRequest"] * 3


def test_an_answer_that_is_there_counts_however_late_the_host_looks() -> None:
    with bound() as own, bound() as board:
        host = BoardHost(own, at(board), SystemClock(), patience_s=0.0)
        answer = dict.fromkeys(SCHEMA.message("Acknowledge").fields, 0) | {"expected": 9}
        board.sendto(encode(SCHEMA, "Acknowledge", answer), own.getsockname())
        assert host.adopt().expected == 9


def test_seals_have_growing_counters_of_the_wall_clock() -> None:
    key = bytes(range(16))
    with bound() as own, bound() as board:
        host = BoardHost(own, at(board), SystemClock(), key)
        before = SystemClock().now_ns()
        for _ in range(3):
            host.post(b"a message")
        counters = []
        for _ in range(3):
            sealed = board.recv(100)
            assert int.from_bytes(sealed[:8], "little") == siphash(key, sealed[8:])
            assert sealed[16:] == b"a message"
            counters.append(int.from_bytes(sealed[8:16], "little"))
        assert before <= counters[0] < counters[1] < counters[2]


def test_messages_over_a_serial_line_are_sealed_and_stuffed() -> None:
    key, message = bytes(range(16)), encode(SCHEMA, "Kill", {"sequence": 3})
    leader, follower = os.openpty()
    try:
        with bound() as own, SerialLine(Path(os.ttyname(follower))) as line:
            host = BoardHost(own, at(own), StoppedClock(), key, way=line.send)
            host.post(message)
            assert os.read(leader, 1_000) == stuffed(seal(key, StoppedClock.NOW_NS, message))
    finally:
        os.close(leader)
        os.close(follower)


def test_what_is_no_serial_device(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="cannot be opened"):
        SerialLine(tmp_path / "none")
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(MissingInput, match="no serial device"):
        SerialLine(file)
