"""The compiled engine agrees with the reference where one comparison after the other is on its edge."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
import pytest

from market.fastpath.conformance.differential import feed_batch
from market.fastpath.conformance.market_model import MarketModel
from market.fastpath.conformance.random_book_ties import BookTieHost
from market.fastpath.conformance.random_doubles import near_halves
from market.fastpath.conformance.random_host import RandomHost
from market.fastpath.conformance.random_lines import LINE_FEEDS
from market.fastpath.conformance.random_table_ties import TableTieHost
from market.fastpath.conformance.runner import feed
from market.fastpath.engine import CpuEngine
from market.fastpath.reference import ReferenceEngine
from market.fastpath.reference.deribit import mantissa
from market.fastpath.specification import EngineSizes, Kind

HostOf = Callable[[ReferenceEngine], RandomHost]
FOUR: Final = EngineSizes(venues=4, instruments=1)
SMALL: Final = EngineSizes(venues=2, instruments=2, price_bits=12, book_orders=64, book_ticks=64)
EVENTS: Final = 1_500
LONG_EVENTS: Final = 50_000


def agree(sizes: EngineSizes, host_of: HostOf, events: int) -> ReferenceEngine:
    reference, compiled = ReferenceEngine(sizes), CpuEngine(sizes, event_log=True)
    host = host_of(reference)
    for number in range(events):
        at_ns, given = host.next_input()
        feed(reference, given, at_ns)
        feed_batch(compiled, [(at_ns, given)])
        assert compiled.outputs() == reference.outputs(), f"input {number}: {given} at {at_ns}"
    assert compiled.counters == reference.counters
    assert compiled.event_log() == reference.event_log()
    assert compiled.frame_counters() == reference.frame_counters()
    assert compiled.parity == reference.parity
    return reference


def ties(seed: int, with_frames: bool, engine: ReferenceEngine) -> RandomHost:
    return TableTieHost(engine, seed, with_frames)


def book_ties(seed: int, engine: ReferenceEngine) -> RandomHost:
    return BookTieHost(engine, seed, LINE_FEEDS, beyond=0.03)


@pytest.mark.parametrize(
    ("sizes", "with_frames"),
    [(EngineSizes(venues=1, instruments=3, price_bits=24), False), (EngineSizes(venues=3, instruments=2), True)],
    ids=["1 venue", "3 venues in frames"],
)
def test_ties_are_decided_alike(sizes: EngineSizes, with_frames: bool) -> None:
    agree(sizes, partial(ties, 5, with_frames), EVENTS)


@pytest.mark.parametrize("sizes", [EngineSizes(), SMALL], ids=["usual books", "small books"])
def test_ties_in_packets_are_decided_alike(sizes: EngineSizes) -> None:
    agree(sizes, partial(book_ties, 5), EVENTS)


def test_both_sides_of_ties_are_met() -> None:
    """Of each kind there are triggers; each gate stops some, and each check of events and messages refuses some."""
    counters = agree(FOUR, partial(ties, 6, False), 3 * EVENTS).counters
    gates = ("Lease", "Cooldown", "Collar", "Position", "Rate")
    rejects = ("Unknown", "OldSequence", "Exponent", "Empty", "Range", "Crossed")
    wanted = [f"trigger{kind.name.capitalize()}" for kind in Kind] + ["controlRefused", "quantityCut"]
    wanted += [f"gate{name}" for name in gates] + [f"reject{name}" for name in rejects]
    assert [name for name in wanted if not counters[name]] == []


def test_doubles_lie_on_both_sides_of_a_half() -> None:
    market = MarketModel(np.random.default_rng(3), EngineSizes(venues=1, instruments=1))
    seen = {mantissa(near_halves(market, -3, 1_000), -3) for _ in range(200)}
    assert {1_000, 1_001} <= seen


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_many_ties_are_decided_alike(seed: int) -> None:
    agree(EngineSizes(venues=4, instruments=2), partial(ties, 100 + seed, seed % 2 == 1), LONG_EVENTS)
    agree(EngineSizes(), partial(book_ties, 100 + seed), LONG_EVENTS // 2)
