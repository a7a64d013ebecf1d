"""Feeds two engines with the same random run and compares every byte; the reference says what is right."""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np

from market.engine import EventEngine
from market.fastpath.conformance.case import Input, Quote
from market.fastpath.conformance.random_host import RandomHost
from market.fastpath.conformance.runner import EngineFactory, described, feed
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import EngineSizes

BATCH = 64
"""Inputs between two comparisons; quotes next to each other reach the other engine in one call."""


@dataclass(frozen=True)
class RunResult:
    """How far a run went, and in what the engines differed in the first batch that failed, if any.

    ``inputs`` are those of that batch with their times, ``counters`` the reference's at the end.
    """

    events: int
    differences: tuple[str, ...]
    inputs: tuple[tuple[int, Input], ...]
    counters: dict[str, int]


def compare_random_run(factory: EngineFactory, sizes: EngineSizes, seed: int, events: int) -> RunResult:
    """Run ``events`` random inputs through the reference and an engine; stops after the first batch that differs."""
    reference, engine = ReferenceEngine(sizes), factory(sizes)
    host = RandomHost(reference, seed)
    done = 0
    while done < events:
        inputs: list[tuple[int, Input]] = []
        for _ in range(min(BATCH, events - done)):
            at_ns, given = host.next_input()
            feed(reference, given, at_ns)
            inputs.append((at_ns, given))
        _feed_batch(engine, inputs)
        done += len(inputs)
        differences = _differences(reference, engine)
        if differences:
            return RunResult(done, tuple(differences), tuple(inputs), dict(reference.counters))
    if reference.decision_hash != engine.decision_hash:
        return RunResult(done, ("decision hash",), (), dict(reference.counters))
    return RunResult(done, (), (), dict(reference.counters))


def _feed_batch(engine: EventEngine, inputs: list[tuple[int, Input]]) -> None:
    quotes: list[tuple[int, ...]] = []
    for at_ns, given in inputs:
        if isinstance(given, Quote):
            quotes.append((*astuple(given), at_ns))
            continue
        if quotes:
            engine.push_quotes(np.array(quotes, dtype=np.int64))
            quotes = []
        feed(engine, given, at_ns)
    if quotes:
        engine.push_quotes(np.array(quotes, dtype=np.int64))


def _differences(reference: EventEngine, engine: EventEngine) -> list[str]:
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
