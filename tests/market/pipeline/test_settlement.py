"""Settles and heartbeats reach the engine in order of time, whatever the records' pace."""

from __future__ import annotations

import numpy as np

from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.native.kernel import entry
from market.native.memory import address_of
from market.pipeline import layout
from market.pipeline.settlement import enqueue, new_control, send_due
from market.wire.records import Words
from market.wire.sbe import decode, encode

MILLISECOND = 1_000_000


@entry("int64(int64[::1], int64[::1], int64)")
def _send_due(control: Words, engine: Words, time_ns: int) -> int:
    return send_due(address_of(control), address_of(engine), time_ns)


@entry("void(int64[::1], int64[::1])")
def _enqueue(control: Words, trigger: Words) -> None:
    enqueue(address_of(control), address_of(trigger))


def trigger(time_ns: int, second_venue: int = 1) -> Words:
    legs = {"firstVenue": 0, "firstSide": 2, "firstQuantity": 5, "secondVenue": second_venue, "secondSide": 1}
    rest = {"id": 1, "epoch": 1, "parity": 0, "kind": 1, "causeVenue": 0, "instrument": 3, "firstPrice": 1}
    more = {"secondPrice": 1, "secondQuantity": 7, "edge": 0, "causeSequence": 0, "imbalance": 0, "microprice": 0}
    payload = encode(SCHEMA, "Trigger", {**legs, **rest, **more, "causeTime": time_ns})
    return np.frombuffer(payload, dtype=np.int64).copy()


def control(settle_after_ns: int = MILLISECOND, heartbeat_every_ns: int = 0) -> Words:
    return new_control(
        settle_after_ns=settle_after_ns,
        filled=False,
        heartbeat_every_ns=heartbeat_every_ns,
        first_heartbeat_ns=100 * MILLISECOND,
        next_sequence=1,
    )


def sent(engine: CpuEngine) -> list[tuple[str, int]]:
    """Names and times of the control messages that the engine took, from its log."""
    found = []
    for step in engine.event_log():
        logged = decode(SCHEMA, step)
        payload = logged.data["payload"]
        assert isinstance(payload, bytes)
        found.append((decode(SCHEMA, payload).name, int(logged.fields["time"])))
    return found


def test_each_leg_is_settled_after_its_delay() -> None:
    words, engine = control(), CpuEngine(event_log=True)
    _enqueue(words, trigger(50 * MILLISECOND))
    assert _send_due(words, engine.state, 51 * MILLISECOND - 1)
    assert sent(engine) == []
    assert _send_due(words, engine.state, 51 * MILLISECOND)
    assert sent(engine) == [("Settle", 51 * MILLISECOND)] * 2


def test_an_absent_leg_is_not_settled() -> None:
    words, engine = control(), CpuEngine(event_log=True)
    _enqueue(words, trigger(50 * MILLISECOND, second_venue=255))
    _send_due(words, engine.state, 60 * MILLISECOND)
    assert len(sent(engine)) == 1


def test_settles_come_before_a_heartbeat_of_the_same_time() -> None:
    words, engine = control(heartbeat_every_ns=100 * MILLISECOND), CpuEngine(event_log=True)
    _enqueue(words, trigger(99 * MILLISECOND, second_venue=255))
    _send_due(words, engine.state, 300 * MILLISECOND)
    assert sent(engine) == [
        ("Settle", 100 * MILLISECOND),
        ("Heartbeat", 100 * MILLISECOND),
        ("Heartbeat", 200 * MILLISECOND),
        ("Heartbeat", 300 * MILLISECOND),
    ]


def test_nothing_is_settled_when_settlement_is_off() -> None:
    words, engine = control(settle_after_ns=-1), CpuEngine(event_log=True)
    _enqueue(words, trigger(50 * MILLISECOND))
    _send_due(words, engine.state, 10**15)
    assert sent(engine) == []


def test_a_full_queue_is_an_overrun_and_not_a_lost_settle() -> None:
    words = control()
    for _ in range(layout.QUEUE_ENTRIES // 2):
        _enqueue(words, trigger(50 * MILLISECOND))
    assert not words[layout.OVERRUN]
    _enqueue(words, trigger(50 * MILLISECOND))
    assert words[layout.OVERRUN]
