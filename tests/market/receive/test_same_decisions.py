"""Random traffic on loopback: the loop sends what an engine makes of its log, and of frames with the same payloads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from market.fastpath import state
from market.fastpath.engine import CpuEngine, split_records
from market.fastpath.event_log import PAYLOAD_LIMIT
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import StepKind
from market.receive.layout import Counter
from market.wire.sbe import decode
from tests.market.fastpath.engine_driver import UNIT, control_message
from tests.market.fastpath.frame_builder import Frame, best_bid_ask, trades
from tests.market.receive.bench import Bench, endpoint_of, open_bench

CHANNELS = 3
DATAGRAMS = 300


@dataclass(frozen=True)
class Datagram:
    """What is sent on a channel, or to the control socket."""

    payload: bytes
    channel: int | None


@dataclass(frozen=True)
class Step:
    """A step of the log."""

    kind: int
    payload: bytes
    channel: int
    time_ns: int


class Traffic:
    """Numbered quotes, trades, control messages and damage, drawn from a seed."""

    def __init__(self, seed: int, first_control: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.next_control = first_control
        self.next_quote = 1

    def next(self) -> Datagram:
        """A datagram that follows those before it."""
        kinds = (self.quote, self.trades, self.damaged, self.long, self.control)
        return kinds[self.draw.choice(len(kinds), p=(0.8, 0.05, 0.05, 0.03, 0.07))]()

    def channel(self) -> int:
        return int(self.draw.integers(CHANNELS))

    def quote(self) -> Datagram:
        bid, spread = int(self.draw.integers(95, 106)), int(self.draw.choice((0, 1, 1, 1, 2)))
        bought, sold = (int(size) for size in self.draw.choice((0, 1, UNIT, UNIT, UNIT, UNIT), 2))
        self.next_quote += int(self.draw.choice((1, 1, 1, 1, 1, 0, -1)))
        return Datagram(best_bid_ask(self.next_quote, bid * UNIT, (bid + spread) * UNIT, bought, sold), self.channel())

    def trades(self) -> Datagram:
        count = int(self.draw.integers(4))
        entries = [
            (int(price) * UNIT, int(size), int(maker)) for price, size, maker in self.draw.integers(0, 3, (count, 3))
        ]
        return Datagram(trades(*entries), self.channel())

    def damaged(self) -> Datagram:
        """A quote that is cut, or one of whose bytes is another."""
        payload = self.quote().payload
        at = int(self.draw.integers(len(payload)))
        is_cut = self.draw.random() < 0.5
        return Datagram(payload[:at] + (b"" if is_cut else self.draw.bytes(1) + payload[at + 1 :]), self.channel())

    def long(self) -> Datagram:
        return Datagram(bytes(PAYLOAD_LIMIT + int(self.draw.integers(-1, 3))), self.channel())

    def control(self) -> Datagram:
        """Now and then one number too low, which is repeated, or too high, which is out of order."""
        name = str(self.draw.choice(("Heartbeat", "Heartbeat", "StatusRequest", "Reset")))
        fields = {"venue": 1} if name == "Reset" else {}
        ahead = int(self.draw.choice((0, 0, 0, 0, 1, -1)))
        message = control_message(name, self.next_control + ahead, **fields)
        self.next_control += ahead == 0
        return Datagram(message, None)


def drive(bench: Bench, sent: list[Datagram]) -> list[bool]:
    """Send one after the other; whether each was a step."""
    were_steps = []
    for one in sent:
        before = int(bench.engine.state[state.STEP])
        if one.channel is None:
            bench.host.sendto(one.payload, bench.control.getsockname())
        else:
            bench.send(one.channel, one.payload)
        bench.run()
        were_steps.append(int(bench.engine.state[state.STEP]) != before)
    return were_steps


def steps_of(bench: Bench) -> list[Step]:
    """Drain the ring."""
    found = [decode(SCHEMA, record).values for record in split_records(bench.ring.take())]
    return [Step(step["kind"], bytes(step["payload"]), step["channel"], step["time"]) for step in found]


def twin(first: list[bytes]) -> CpuEngine:
    """An engine that was set up as the bench's was, from its log."""
    engine = CpuEngine()
    for record in first:
        step = decode(SCHEMA, record).values
        engine.control(bytes(step["payload"]), step["time"])
    engine.outputs()
    return engine


def triggers_of(engine: CpuEngine) -> list[bytes]:
    return [payload for payload in engine.outputs() if decode(SCHEMA, payload).name == "Trigger"]


def feed_steps(engine: CpuEngine, steps: list[Step]) -> None:
    for step in steps:
        if step.kind == StepKind.CONTROL:
            engine.control(step.payload, step.time_ns)
        else:
            engine.push_datagram(step.payload, step.channel, step.time_ns)


def feed_frames(engine: CpuEngine, bench: Bench, sent: list[Datagram], times: list[int]) -> None:
    """What was sent as frames, the dropped datagrams too."""
    for one, time_ns in zip(sent, times, strict=True):
        if one.channel is None:
            engine.control(one.payload, time_ns)
        else:
            to = endpoint_of(bench.channels[one.channel])
            engine.push([Frame(one.payload, address=int(to.address), port=to.port).bytes()], [time_ns])


@pytest.mark.parametrize("seed", range(12))
def test_triggers_are_those_of_the_log_and_of_frames_with_the_same_payloads(seed: int) -> None:
    with open_bench(channels=CHANNELS, event_log=True) as bench:
        first = bench.engine.event_log()
        shadow, framed = twin(first), twin(first)
        traffic = Traffic(seed, bench.driver.next_control + 1)
        renewal = Datagram(control_message("Heartbeat", bench.driver.next_control), None)
        sent = [renewal, *(traffic.next() for _ in range(DATAGRAMS))]
        were_steps = drive(bench, sent)
        triggers, steps = bench.triggers_received(), steps_of(bench)
        step_times = iter([step.time_ns for step in steps])
        feed_steps(shadow, steps)
        feed_frames(framed, bench, sent, [next(step_times) if was_step else 0 for was_step in were_steps])
        assert next(step_times, None) is None
        assert triggers_of(shadow) == triggers
        assert triggers_of(framed) == triggers
        assert len(triggers) == bench.count(Counter.TRIGGERS_SENT) > DATAGRAMS // 20
        assert shadow.parity == framed.parity == bench.engine.parity
        assert shadow.counters == framed.counters == bench.engine.counters
        assert framed.frame_counters() == bench.engine.frame_counters()
        assert bench.drops()["badMessage"] > 0
