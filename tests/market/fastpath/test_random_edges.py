"""The compiled engine agrees with the reference where every number is of any length and lies beside a threshold."""

from __future__ import annotations

from typing import Final

import pytest

from market.fastpath.conformance.differential import feed_batch
from market.fastpath.conformance.random_edges import EdgeHost
from market.fastpath.conformance.runner import feed
from market.fastpath.engine import CpuEngine
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import EngineSizes

SIZES: Final = (
    EngineSizes(venues=1, instruments=1, price_bits=24),
    EngineSizes(venues=3, instruments=2, price_bits=48),
    EngineSizes(venues=4, instruments=1, price_bits=48),
)
EVENTS: Final = 2_000
LONG_EVENTS: Final = 50_000


def agree(sizes: EngineSizes, with_frames: bool, events: int, seed: int) -> ReferenceEngine:
    reference, compiled = ReferenceEngine(sizes), CpuEngine(sizes, event_log=True)
    host = EdgeHost(reference, seed, with_frames)
    for number in range(events):
        at_ns, given = host.next_input()
        feed(reference, given, at_ns)
        feed_batch(compiled, [(at_ns, given)])
        assert compiled.outputs() == reference.outputs(), f"input {number}: {given} at {at_ns}"
    assert compiled.counters == reference.counters
    assert compiled.event_log() == reference.event_log()
    assert compiled.parity == reference.parity
    return reference


@pytest.mark.parametrize("with_frames", [False, True], ids=["events", "frames"])
@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: f"{sizes.venues} venues")
def test_edges_are_decided_alike(sizes: EngineSizes, with_frames: bool) -> None:
    agree(sizes, with_frames, EVENTS, 5)


def test_every_gate_is_met() -> None:
    counters = agree(EngineSizes(venues=4, instruments=1), False, 3 * EVENTS, 6).counters
    wanted = ("Lease", "Instrument", "Cooldown", "Collar", "Position", "Rate")
    assert [name for name in wanted if not counters[f"gate{name}"]] == []
    assert [name for name in ("Arb", "Basis", "Imbalance") if not counters[f"trigger{name}"]] == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_many_edges_are_decided_alike(seed: int) -> None:
    agree(EngineSizes(venues=4, instruments=2), seed % 2 == 1, LONG_EVENTS, 100 + seed)
