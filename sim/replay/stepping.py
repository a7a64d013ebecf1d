"""A replay event by event, with any engine behind the ``Engine`` protocol.

Slower than the compiled loop and independent of it from the events on: settlement and heartbeats are made
here in Python, so that equal decision hashes mean something.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from market.engine import Engine
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import NO_VENUE
from market.pipeline import layout
from market.pipeline.loop import collect_events
from market.wire.sbe import decode, encode
from sim.replay.arming import arm
from sim.replay.front import Front
from sim.replay.session import SampleSink, SessionSettings, SessionSummary, Sink, hand_on, leave_samples

EVENTS_PER_CALL: Final = 4096
_QUOTE_FIELDS: Final = slice(layout.EVENT_INSTRUMENT, layout.EVENT_TIME + 1)


@dataclass(frozen=True)
class _Leg:
    due_ns: int
    instrument: int
    venue: int
    side: int
    quantity: int


class Host:
    """What stands around an engine in a replay: settles its triggers and renews its lease, in order of time."""

    def __init__(self, engine: Engine, settings: SessionSettings, sequence: int, start_ns: int) -> None:
        self._engine = engine
        self._settings = settings
        self._sequence = sequence
        self._heartbeat_ns = start_ns
        self._legs: deque[_Leg] = deque()

    def send_due(self, time_ns: int) -> None:
        """Send every settle and heartbeat that is due up to a time."""
        every = self._settings.heartbeat_every_ns
        while True:
            leg_due = self._legs[0].due_ns if self._legs else None
            beat_due = self._heartbeat_ns if every > 0 else None
            due = min((due for due in (leg_due, beat_due) if due is not None), default=None)
            if due is None or due > time_ns:
                return
            if leg_due == due:
                self._settle(self._legs.popleft())
            else:
                self._control("Heartbeat", {}, due)
                self._heartbeat_ns += every

    def take(self, payloads: list[bytes]) -> None:
        """Queue the legs of the triggers among the engine's payloads."""
        if self._settings.settle_after_ns < 0:
            return
        for payload in payloads:
            message = decode(SCHEMA, payload)
            if message.name != "Trigger":
                continue
            fields = message.fields
            for leg in ("first", "second"):
                if fields[f"{leg}Venue"] != NO_VENUE:
                    self._legs.append(
                        _Leg(
                            fields["causeTime"] + self._settings.settle_after_ns,
                            fields["instrument"],
                            fields[f"{leg}Venue"],
                            fields[f"{leg}Side"],
                            fields[f"{leg}Quantity"],
                        )
                    )

    def _settle(self, leg: _Leg) -> None:
        filled = leg.quantity if self._settings.filled else 0
        values = {"instrument": leg.instrument, "venue": leg.venue, "side": leg.side}
        self._control("Settle", {**values, "released": leg.quantity, "filled": filled}, leg.due_ns)

    def _control(self, name: str, values: dict[str, int], time_ns: int) -> None:
        self._engine.control(encode(SCHEMA, name, {"sequence": self._sequence, **values}), time_ns)
        self._sequence += 1


def replay_stepwise(
    settings: SessionSettings,
    sink: Sink,
    make_engine: Callable[[SessionSettings], Engine] | None = None,
    take_samples: SampleSink = leave_samples,
    advance: Callable[[int], None] = lambda content_bytes: None,
) -> SessionSummary:
    """Replay everything, one engine call per event; quotes and opportunities are not journalled.

    Parameters
    ----------
    make_engine: makes the engine that is fed; None: the compiled one.
    advance: told now and then how many bytes of content have been read.

    An interrupt ends the replay between two calls; the summary then says so.
    """
    engine: Engine = make_engine(settings) if make_engine else CpuEngine(settings.sizes)
    front = Front(settings.sources, settings.workers, settings.signals)
    interrupted = False
    try:
        start_ns = front.start_ns()
        sequence, answers = arm(engine, settings.tables, start_ns)
        sink.outputs(answers)
        _step_through(front, engine, Host(engine, settings, sequence, start_ns), sink, take_samples, advance)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        front.close()
    summaries = tuple(front.summaries())
    return SessionSummary(
        sources=summaries,
        decision_hash=engine.decision_hash,
        parity=engine.parity,
        counters=dict(engine.counters),
        histogram=np.zeros(0, dtype=np.int64),
        messages=sum(summary.messages for summary in summaries),
        interrupted=interrupted,
        signals=front.signal_summary(),
    )


def _step_through(
    front: Front,
    engine: Engine,
    host: Host,
    sink: Sink,
    take_samples: SampleSink,
    advance: Callable[[int], None],
) -> None:
    events = np.zeros((EVENTS_PER_CALL + 1, layout.EVENT_WORDS), dtype=np.int64)
    needed = 0
    while needed != layout.DONE:
        count = collect_events(front.words, len(front), events, EVENTS_PER_CALL)
        for event in events[:count]:
            _feed(engine, host, sink, event)
        needed = int(events[EVENTS_PER_CALL, 0]) if count < EVENTS_PER_CALL else 0
        if needed <= -3:
            front.refill(-3 - needed)
            hand_on(front.take_samples(), take_samples)
            advance(front.content_bytes)
    host.send_due(int(events[EVENTS_PER_CALL, 1]))
    sink.outputs(engine.outputs())
    hand_on(front.take_last_samples(), take_samples)


def _feed(engine: Engine, host: Host, sink: Sink, event: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    time_ns = int(event[layout.EVENT_TIME])
    host.send_due(time_ns)
    if event[layout.EVENT_TYPE] == layout.QUOTE_EVENT:
        engine.push_quotes(event[_QUOTE_FIELDS].reshape(1, -1).copy())
    else:
        engine.trade(
            int(event[layout.EVENT_INSTRUMENT]),
            int(event[layout.EVENT_VENUE]),
            int(event[layout.EVENT_PRICE_EXPONENT]),
            int(event[layout.EVENT_QUANTITY_EXPONENT]),
            int(event[layout.EVENT_AGGRESSOR]),
            int(event[layout.EVENT_PRICE]),
            int(event[layout.EVENT_QUANTITY]),
            time_ns,
        )
    payloads = engine.outputs()
    if payloads:
        host.take(payloads)
        sink.outputs(payloads)
