"""Feeds two engines with the same random run and compares every byte; the reference says what is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import groupby

import numpy as np

from market.engine import Engine
from market.fastpath.conformance.case import SCHEMA, Frame, Input, Quote
from market.fastpath.conformance.random_host import RandomHost
from market.fastpath.conformance.random_lines import LINE_FEEDS
from market.fastpath.conformance.runner import EngineFactory, described, feed
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import EngineSizes, Feed
from market.wire.sbe import decode

BATCH = 64
"""Inputs between two comparisons; quotes, or frames, next to each other reach the other engine in one call."""


@dataclass(frozen=True)
class RunResult:
    """How far a run went, and in what the engines differed in the first batch that failed, if any.

    ``inputs`` are those of that batch with their times, the counters the reference's at the end.
    """

    events: int
    differences: tuple[str, ...]
    inputs: tuple[tuple[int, Input], ...]
    counters: dict[str, int]
    frame_counters: dict[str, int]


def compare_random_run(
    factory: EngineFactory,
    sizes: EngineSizes,
    seed: int,
    events: int,
    with_frames: bool = False,
    *,
    line_feeds: Sequence[Feed] = LINE_FEEDS,
) -> RunResult:
    """Run ``events`` random inputs through the reference and an engine; stops after the first batch that differs.

    ``with_frames``: events come in frames, and frame counters are compared, too. Among them are packets of
    lines of ``line_feeds``, whose books the host loads; none for an engine without numbered feeds.
    """
    reference, engine = ReferenceEngine(sizes), factory(sizes)
    host = RandomHost(reference, seed, with_frames, line_feeds)
    done = 0
    while done < events:
        inputs: list[tuple[int, Input]] = []
        for _ in range(min(BATCH, events - done)):
            at_ns, given = host.next_input()
            feed(reference, given, at_ns)
            inputs.append((at_ns, given))
        feed_batch(engine, inputs)
        done += len(inputs)
        differences = _differences(reference, engine) + _frame_differences(reference, engine)
        if differences:
            return _result(reference, done, differences, inputs)
    if reference.decision_hash != engine.decision_hash:
        return _result(reference, done, ["decision hash"], [])
    return _result(reference, done, [], [])


def _result(
    reference: ReferenceEngine, done: int, differences: list[str], inputs: list[tuple[int, Input]]
) -> RunResult:
    frame_counters = decode(SCHEMA, reference.frame_counters()).fields
    return RunResult(done, tuple(differences), tuple(inputs), dict(reference.counters), dict(frame_counters))


def feed_batch(engine: Engine, inputs: Sequence[tuple[int, Input]]) -> None:
    """Give inputs with their times; quotes, or frames, that follow each other in one call."""
    for kind, run in groupby(inputs, key=lambda each: type(each[1])):
        group = list(run)
        if kind is Quote:
            rows = [(*astuple(given), at_ns) for at_ns, given in group if isinstance(given, Quote)]
            engine.push_quotes(np.array(rows, dtype=np.int64))
        elif kind is Frame:
            frames = [given.octets for _, given in group if isinstance(given, Frame)]
            engine.push(frames, [at_ns for at_ns, _ in group])
        else:
            for at_ns, given in group:
                feed(engine, given, at_ns)


def _frame_differences(reference: Engine, engine: Engine) -> list[str]:
    expected, seen = reference.frame_counters(), engine.frame_counters()
    return [] if expected == seen else [f"expected {described(expected)}, seen {described(seen)}"]


def _differences(reference: Engine, engine: Engine) -> list[str]:
    found: list[str] = []
    for what, expected, seen in (
        ("outputs", reference.outputs(), engine.outputs()),
        ("event log", reference.event_log(), engine.event_log()),
    ):
        if len(expected) != len(seen):
            found.append(f"{len(seen)} {what}, expected {len(expected)}")
        for wanted, given in zip(expected, seen, strict=False):
            if wanted != given:
                found.append(f"{what}: expected {described(wanted)}, seen {described(given)}")
                break
    if reference.counters != engine.counters:
        seen_counters = engine.counters
        wrong = {name: (n, seen_counters[name]) for name, n in reference.counters.items() if n != seen_counters[name]}
        found.append(f"counters (expected, seen): {wrong}")
    if reference.parity != engine.parity:
        found.append(f"parity: expected {reference.parity}, seen {engine.parity}")
    return found
