"""The control messages that arm an engine for a session, as bytes that any engine can be fed with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from market.fastpath.engine import CpuEngine
from sim.replay.arming import arm
from sim.replay.session import SessionSettings


@dataclass(frozen=True)
class Arming:
    """Hello, tables, heartbeat and rearm in order, the next sequence number, and when all of it was sent."""

    messages: tuple[bytes, ...]
    next_sequence: int
    time_ns: int


class _Scribe(CpuEngine):
    """An engine that writes down what it is told."""

    def __init__(self, session: SessionSettings) -> None:
        super().__init__(session.sizes)
        self.heard: list[bytes] = []

    def control(self, message: bytes, time_ns: int) -> None:
        self.heard.append(message)
        super().control(message, time_ns)


def arming(session: SessionSettings, texts: Sequence[bytes]) -> Arming:
    """How a session over these lines begins: at the earliest first line."""
    start_ns = min(int(text[: text.index(b" ")]) for text in texts)
    engine = _Scribe(session)
    sequence, _ = arm(engine, session.tables, start_ns)
    return Arming(tuple(engine.heard), sequence, start_ns)
