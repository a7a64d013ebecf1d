"""The receive loop round by round: what a datagram does, where the answers go, what is counted."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from market.fastpath import state
from market.fastpath.engine import split_records
from market.fastpath.event_log import PAYLOAD_LIMIT
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Refusal, Result, StepKind
from market.receive import layout, libc
from market.receive.layout import Counter, SocketCounter
from market.receive.loop import CONTROL_EVERY, Ended
from market.receive.words import stop
from market.wire.sbe import decode
from tests.market.fastpath.engine_driver import UNIT
from tests.market.fastpath.frame_builder import best_bid_ask
from tests.market.receive.bench import Bench, open_bench, open_socket

LOW, HIGH = 100 * UNIT, 110 * UNIT
YEAR_2020_NS = 1_577_836_800_000_000_000


def cheap(sequence: int) -> bytes:
    return best_bid_ask(sequence, LOW - 1, LOW, UNIT, UNIT)


def rich(sequence: int) -> bytes:
    return best_bid_ask(sequence, HIGH, HIGH + 1, UNIT, UNIT)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Venue 1 can be bought at LOW; the lease is renewed at the time of the wall clock."""
    with open_bench(event_log=True) as bench:
        bench.send_control("Heartbeat")
        bench.run()
        bench.send(1, cheap(1))
        bench.run()
        bench.answers_received()
        bench.ring.take()
        yield bench


def fill(opened: socket.socket) -> None:
    """Send until there is no room for the smallest message."""
    while True:
        opened.send(bytes(64))


def test_a_datagram_makes_the_trigger_that_its_frame_would_make(bench: Bench) -> None:
    bench.send(0, rich(10))
    assert bench.run() is Ended.ROUNDS_DONE
    (payload,) = bench.triggers_received()
    trigger = decode(SCHEMA, payload).fields
    assert (trigger["firstVenue"], trigger["secondVenue"], trigger["causeSequence"]) == (0, 1, 10)
    assert bench.count(Counter.TRIGGERS_SENT) == 1
    assert bench.engine.outputs() == []


def test_the_step_has_the_kernels_receive_time(bench: Bench) -> None:
    bench.send(0, rich(10))
    receiver = bench.channels[0]
    _, ancillary, _, _ = receiver.recvmsg(2_048, 256, socket.MSG_PEEK)
    (stamp,) = [data for _, kind, data in ancillary if kind == libc.SO_TIMESTAMPNS]
    seconds, nanoseconds = (int.from_bytes(stamp[at : at + 8], "little") for at in (0, 8))
    bench.run()
    assert bench.engine.state[state.TIME] == seconds * 1_000_000_000 + nanoseconds
    assert bench.socket_count(0, SocketCounter.UNSTAMPED) == 0


def test_without_a_kernel_time_the_loops_own_clock_stands_in() -> None:
    with open_bench(options=False) as bench:
        bench.send(0, rich(10))
        bench.run()
        assert bench.engine.state[state.TIME] > YEAR_2020_NS
        assert bench.socket_count(0, SocketCounter.UNSTAMPED) == 1


def test_one_datagram_of_each_socket_is_taken_per_round(bench: Bench) -> None:
    for sequence in (10, 11, 12):
        bench.send(0, rich(sequence))
        bench.send(1, cheap(sequence))
    before = bench.socket_count(1, SocketCounter.DATAGRAMS)
    bench.run(rounds=2)
    assert bench.socket_count(0, SocketCounter.DATAGRAMS) == 2
    assert bench.socket_count(1, SocketCounter.DATAGRAMS) == before + 2
    bench.run(rounds=1)
    assert bench.socket_count(0, SocketCounter.DATAGRAMS) == 3
    assert bench.socket_count(0, SocketCounter.BYTES) == 3 * len(rich(10))


def test_every_trigger_is_counted_in_both_histograms(bench: Bench) -> None:
    for sequence in range(10, 14):
        bench.send(0, rich(sequence) if sequence % 2 == 0 else best_bid_ask(sequence, LOW - 9, LOW - 8, UNIT, UNIT))
        bench.run()
    triggers = bench.count(Counter.TRIGGERS_SENT)
    assert triggers == len(bench.triggers_received()) == 4
    assert bench.latencies(layout.FROM_KERNEL) == bench.latencies(layout.FROM_ENTRY) == triggers


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "badMessage"),
        (b"\x00", "badMessage"),
        (rich(10)[:-1], "badMessage"),
        (rich(10) + b"\x00", "badMessage"),
        (bytes(PAYLOAD_LIMIT), "badMessage"),
        (bytes(PAYLOAD_LIMIT + 1), "badIp"),
        (rich(10) + bytes(9_000), "badIp"),
    ],
)
def test_a_malformed_datagram_is_counted_and_changes_nothing(bench: Bench, payload: bytes, reason: str) -> None:
    step = int(bench.engine.state[state.STEP])
    bench.send(0, payload)
    bench.run()
    assert bench.drops() == {reason: 1}
    assert bench.engine.state[state.STEP] == step
    assert bench.socket_count(0, SocketCounter.TRUNCATED) == (len(payload) > PAYLOAD_LIMIT)
    assert bench.socket_count(0, SocketCounter.BYTES) == len(payload)
    bench.send(0, rich(10))
    bench.run()
    assert len(bench.triggers_received()) == 1


def test_a_short_datagram_does_not_borrow_the_bytes_of_the_last_one(bench: Bench) -> None:
    bench.send(0, rich(10))
    bench.run()
    step = int(bench.engine.state[state.STEP])
    bench.send(0, rich(11)[:40])
    bench.run()
    assert bench.engine.state[state.STEP] == step


def test_a_datagram_whose_channel_row_is_off_is_not_ours(bench: Bench) -> None:
    address, port = bench.channels[0].getsockname()
    row = {"address": int.from_bytes(socket.inet_aton(address), "big"), "port": port, "channel": 0, "instrument": 0}
    bench.send_control("ChannelRow", **row, venue=0, feed=1, enabled=0)
    bench.run()
    bench.send(0, rich(10))
    bench.run()
    assert bench.drops() == {"notOurs": 1}
    assert bench.triggers_received() == []


def test_answers_go_to_the_host(bench: Bench) -> None:
    bench.send_control("StatusRequest")
    bench.run()
    acknowledge, status = bench.answers_received()
    assert (acknowledge["name"], acknowledge["result"]) == ("Acknowledge", Result.APPLIED)
    assert (status["name"], status["killed"]) == ("Status", 0)
    assert bench.triggers_received() == []


def test_a_refused_control_message_is_answered_with_the_reason(bench: Bench) -> None:
    bench.send_control("EngineRow", rateInterval=1, rateTolerance=0, lease=0)
    bench.run()
    acknowledge = bench.answers_received()[0]
    assert (acknowledge["result"], acknowledge["refusal"]) == (Result.REFUSED, Refusal.BAD_VALUE)


@pytest.mark.parametrize("length", [0, 15, PAYLOAD_LIMIT, PAYLOAD_LIMIT + 1, 9_000])
def test_a_malformed_control_message_changes_no_table(bench: Bench, length: int) -> None:
    armed = int(bench.engine.state[state.ARMED])
    content = bench.driver.next_control.to_bytes(16, "little") + bytes(max(length - 16, 0))
    bench.host.sendto((bytes(8) + content)[:length], bench.control.getsockname())
    bench.run()
    answers = [answer for answer in bench.answers_received() if answer["name"] == "Acknowledge"]
    assert all(answer["result"] != Result.APPLIED for answer in answers)
    assert len(answers) == (length >= 16)
    assert bench.engine.state[state.ARMED] == armed == 1


def test_control_from_another_sender_is_counted_and_not_looked_at(bench: Bench) -> None:
    step = int(bench.engine.state[state.STEP])
    with open_socket() as stranger:
        stranger.sendto(bytes(64), bench.control.getsockname())
        bench.run()
    assert bench.count(Counter.FOREIGN_CONTROL) == 1
    assert bench.engine.state[state.STEP] == step
    assert bench.answers_received() == []


def test_a_kill_holds_from_the_next_datagram_on(bench: Bench) -> None:
    bench.send_control("Kill")
    bench.run()
    bench.send(0, rich(10))
    bench.run()
    assert bench.triggers_received() == []
    assert bench.engine.counters["gateKill"] == 1


def test_control_is_looked_at_in_every_eighth_round(bench: Bench) -> None:
    bench.loop[layout.COUNTERS + Counter.ROUNDS] = 0
    bench.send_control("StatusRequest")
    bench.run(rounds=CONTROL_EVERY - 1)
    assert bench.answers_received() == []
    bench.run(rounds=1)
    assert len(bench.answers_received()) == 2


def test_what_the_kernel_dropped_is_counted_with_the_next_datagram() -> None:
    with open_bench(receive_bytes=4_096) as bench:
        for sequence in range(200):
            bench.send(0, rich(sequence))
        bench.run(rounds=200)
        received = bench.socket_count(0, SocketCounter.DATAGRAMS)
        assert 0 < received < 200
        bench.send(0, rich(200))
        bench.run()
        assert bench.socket_count(0, SocketCounter.DATAGRAMS) == received + 1
        assert bench.socket_count(0, SocketCounter.KERNEL_DROPS) == 200 - received


def test_a_full_send_buffer_is_counted_as_blocked(bench: Bench) -> None:
    """A TCP connection that nobody reads stands in: UDP on loopback never fills its send buffer."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as blocked:
        reader, _ = server.accept()
        with reader:
            blocked.setblocking(False)
            with pytest.raises(BlockingIOError):
                fill(blocked)
            bench.loop[layout.TRIGGER_FD] = blocked.fileno()
            bench.send(0, rich(10))
            bench.run()
    assert bench.count(Counter.TRIGGERS_SENT) == bench.latencies(layout.FROM_ENTRY) == 0
    assert (bench.count(Counter.TRIGGERS_BLOCKED), bench.count(Counter.LAST_SEND_ERROR)) == (1, libc.EAGAIN)


def test_a_trigger_that_cannot_be_sent_is_counted_with_its_error(bench: Bench) -> None:
    closed = os.open(os.devnull, os.O_RDONLY)
    os.close(closed)
    bench.loop[layout.TRIGGER_FD] = closed
    bench.send(0, rich(10))
    bench.run()
    assert bench.count(Counter.TRIGGERS_FAILED) == 1
    assert bench.count(Counter.LAST_SEND_ERROR) == 9
    assert bench.latencies(layout.FROM_KERNEL) == 0
    assert bench.engine.outputs() == []


def test_a_gateway_that_does_not_listen_costs_no_later_trigger(bench: Bench) -> None:
    with open_socket() as gone:
        address, port = gone.getsockname()
    to = layout.TRIGGER_TO
    bench.loop[to] = bench.loop[to] & ~(0xFFFF << 16) | int.from_bytes(port.to_bytes(2, "big"), "little") << 16
    assert address == "127.0.0.1"
    for sequence in range(10, 20):
        bench.send(0, rich(sequence) if sequence % 2 == 0 else best_bid_ask(sequence, LOW - 9, LOW - 8, UNIT, UNIT))
        bench.run()
    assert bench.count(Counter.TRIGGERS_SENT) == 10
    assert bench.count(Counter.TRIGGERS_FAILED) == 0


def test_a_socket_that_fails_is_counted(bench: Bench) -> None:
    closed = os.open(os.devnull, os.O_RDONLY)
    os.close(closed)
    bench.loop[layout.socket_slot(0) + layout.FD] = closed
    bench.run(rounds=3)
    assert bench.socket_count(0, SocketCounter.RECEIVE_ERRORS) == 3
    assert bench.count(Counter.LAST_RECEIVE_ERROR) == 9


def test_a_stopped_loop_returns_at_once(bench: Bench) -> None:
    bench.send(0, rich(10))
    stop(bench.loop)
    assert bench.run(rounds=-1) is Ended.STOPPED
    assert bench.socket_count(0, SocketCounter.DATAGRAMS) == 0


def test_an_idle_loop_that_may_sleep_wakes_by_itself() -> None:
    with open_bench(wait_ms=1) as bench:
        assert bench.run(rounds=3 * CONTROL_EVERY) is Ended.ROUNDS_DONE
        assert bench.count(Counter.SLEEPS) == 3


def test_the_log_has_every_step(bench: Bench) -> None:
    bench.send(0, rich(10))
    control = bench.send_control("StatusRequest")
    bench.run()
    steps = [decode(SCHEMA, record) for record in split_records(bench.ring.take())]
    kinds = [step.fields["kind"] for step in steps]
    assert sorted(kinds) == [StepKind.DATAGRAM, StepKind.CONTROL]
    assert {bytes(step.values["payload"]) for step in steps} == {rich(10), control}
    assert bench.ring.take() == b""


def test_a_log_that_nobody_drains_ends_the_loop_before_a_step_is_lost() -> None:
    with open_bench(event_log=True, ring_bytes=4_096) as bench:
        bench.engine.state[state.EVENT_LOG_CAPACITY] = 4_096
        records = b""
        for sequence in range(100):
            bench.send(0, rich(sequence))
        while bench.run(rounds=200) is Ended.LOG_FULL:
            records += bench.ring.take()
        records += bench.ring.take()
        assert bench.count(Counter.LOG_OVERRUNS) > 0
        payloads = [bytes(decode(SCHEMA, record).values["payload"]) for record in split_records(records)]
        assert [payload for payload in payloads if payload in {rich(at) for at in range(100)}] == [
            rich(sequence) for sequence in range(100)
        ]


def test_a_loop_without_a_log_keeps_none() -> None:
    with open_bench() as bench:
        bench.send(0, rich(10))
        bench.run()
        assert bench.ring.take() == b""
        assert bench.engine.event_log() == []
