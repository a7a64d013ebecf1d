"""Runs inputs through any engine and compares what comes out with what a case expects."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass

import numpy as np

from market.engine import Engine
from market.errors import Rejected
from market.fastpath.conformance.case import SCHEMA, Case, Control, End, Frame, Input, Quote, RawControl, Step, Trade
from market.fastpath.specification import EngineSizes
from market.wire.sbe import decode

EngineFactory = Callable[[EngineSizes], Engine]


@dataclass(frozen=True)
class Difference:
    """Where an engine left its case; ``step`` counts the case's steps from 0 and is None for what holds at the end."""

    case: str
    step: int | None
    what: str
    expected: str
    seen: str

    def __str__(self) -> str:
        place = "end" if self.step is None else f"step {self.step}"
        return f"{self.case}, {place}, {self.what}: expected {self.expected}; seen {self.seen}"


def feed(engine: Engine, given: Input, at_ns: int) -> None:
    """Give one input to an engine."""
    if isinstance(given, Control | RawControl):
        engine.control(given.payload(), at_ns)
    elif isinstance(given, Quote):
        engine.push_quotes(np.array([[*astuple(given), at_ns]], dtype=np.int64))
    elif isinstance(given, Trade):
        engine.trade(
            given.instrument,
            given.venue,
            given.price_exponent,
            given.quantity_exponent,
            given.aggressor,
            given.price,
            given.quantity,
            at_ns,
        )
    elif isinstance(given, Frame):
        engine.push([given.octets], [at_ns])


def end_of(engine: Engine, event_log: list[bytes], fed_with_frames: bool) -> End:
    """What an engine shows at the end of a case; frame counters only where frames were fed."""
    return End(
        counters=dict(engine.counters),
        frame_counters=engine.frame_counters().hex() if fed_with_frames else "",
        parity=engine.parity,
        decision_hash=engine.decision_hash,
        event_log_hash=hashlib.sha256(b"".join(event_log)).hexdigest(),
    )


def has_frames(steps: Iterable[Step]) -> bool:
    """Whether any step is a frame."""
    return any(isinstance(step.input, Frame) for step in steps)


def run_case(factory: EngineFactory, case: Case) -> list[Difference]:
    """Run a case on a fresh engine; an empty list means that it behaved as expected."""
    engine = factory(case.sizes)
    found: list[Difference] = []
    event_log: list[bytes] = []
    for number, step in enumerate(case.steps):
        feed(engine, step.input, step.at_ns)
        outputs = tuple(engine.outputs())
        event_log += engine.event_log()
        found += _compare_outputs(case.name, number, step.outputs, outputs)
    return found + _compare_ends(case, end_of(engine, event_log, has_frames(case.steps)))


def _compare_outputs(case: str, step: int, expected: tuple[bytes, ...], seen: tuple[bytes, ...]) -> list[Difference]:
    found = [
        Difference(case, step, f"output {number}", *_distinct_fields(wanted, given))
        for number, (wanted, given) in enumerate(zip(expected, seen, strict=False))
        if wanted != given
    ]
    if len(expected) != len(seen):
        found.append(Difference(case, step, "outputs", _names(expected), _names(seen)))
    return found


def _compare_ends(case: Case, seen: End) -> list[Difference]:
    expected = case.end
    names = [*expected.counters, *(name for name in seen.counters if name not in expected.counters)]
    pairs: list[tuple[str, object, object]] = [
        (name, expected.counters.get(name), seen.counters.get(name)) for name in names
    ]
    pairs += [
        (name, getattr(expected, name), getattr(seen, name)) for name in ("parity", "decision_hash", "event_log_hash")
    ]
    if expected.frame_counters != seen.frame_counters:
        wanted_message, given_message = bytes.fromhex(expected.frame_counters), bytes.fromhex(seen.frame_counters)
        pairs.append(("frame counters", *_distinct_fields(wanted_message, given_message)))
    return [
        Difference(case.name, None, name, str(wanted), str(given)) for name, wanted, given in pairs if wanted != given
    ]


def described(payload: bytes) -> str:
    """A payload for people: its message, its fields, or its hex if it is none of ours."""
    try:
        decoded = decode(SCHEMA, payload)
    except Rejected:
        return payload.hex()
    return f"{decoded.name} {decoded.named()}"


def _distinct_fields(expected: bytes, seen: bytes) -> tuple[str, str]:
    """Both payloads, reduced to the fields that differ if they are the same message."""
    try:
        one, other = decode(SCHEMA, expected), decode(SCHEMA, seen)
    except Rejected:
        return described(expected), described(seen)
    if one.name != other.name:
        return described(expected), described(seen)
    names = [name for name, value in one.named().items() if value != other.named()[name]]
    if not names:
        return expected.hex(), seen.hex()
    return tuple(f"{m.name} " + str({name: m.named()[name] for name in names}) for m in (one, other))  # type: ignore[return-value]


def _names(payloads: tuple[bytes, ...]) -> str:
    return "[" + ", ".join(described(payload).split(" ")[0] for payload in payloads) + "]"
