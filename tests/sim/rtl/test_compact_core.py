"""The core of a small board decides what any other one does, of what it hears."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from hdl.boards.colorlight import SMALL_FEEDS, SMALL_SIZES
from hdl.egress.egress import lead_cycles
from hdl.parameters import CoreParameters
from market.fastpath.conformance import Case, load_corpus, run_case
from market.fastpath.conformance.case import Trade
from market.fastpath.conformance.differential import compare_random_run
from market.fastpath.conformance.runner import EngineFactory, feed
from market.fastpath.conformance.scenario import TWO_VENUES
from market.fastpath.specification import EngineSizes
from market.fastpath.state import Counter
from sim.rtl.build import core_library
from sim.rtl.cycle_table import CASES as CYCLE_CASES
from sim.rtl.cycle_table import SYMBOLS, a_trigger, measured_rows
from sim.rtl.engine import CoreBuild, SoftFpga
from sim.rtl.lines import Line
from sim.rtl.model import Area
from tests.sim.rtl.cores import fits

pytestmark = pytest.mark.long
SIZES = [replace(SMALL_SIZES, venues=venues, instruments=1, price_bits=24) for venues in (1, 2)] + [SMALL_SIZES]


def hears_no_trades(case: Case) -> bool:
    """Whether all that a case brings are quotes."""
    counted = Counter.TRADE_EVENTS.name.lower()
    named = {name.lower().replace("_", ""): count for name, count in case.end.counters.items()}
    return not named[counted.replace("_", "")] and not any(isinstance(step.input, Trade) for step in case.steps)


OF_CORPUS = EngineSizes(venues=2, instruments=8)
CASES = [case for case in load_corpus() if fits(case.sizes, OF_CORPUS) and not case.has_lines]
QUOTES = [case for case in CASES if hears_no_trades(case)]


def small_core(capacity: EngineSizes, trades: bool) -> CoreParameters:
    pace = Line.COMPACT.beat_cycles
    return CoreParameters(capacity, 8, SMALL_FEEDS, paced=True, trades=trades, compact=True, beat_cycles=pace)


@cache
def engines(capacity: EngineSizes, trades: bool = True, keep: tuple[Area, ...] = ()) -> EngineFactory:
    parameters = small_core(capacity, trades)
    build = CoreBuild(parameters, core_library(parameters))
    return lambda sizes: SoftFpga(build, sizes, event_log=True, line=Line.COMPACT, keep=keep)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_compact_core_passes(case: Case) -> None:
    assert [str(difference) for difference in run_case(engines(OF_CORPUS), case)] == []


@pytest.mark.parametrize("case", QUOTES, ids=lambda case: case.name)
def test_without_trades_it_passes_what_has_none(case: Case) -> None:
    assert [str(difference) for difference in run_case(engines(OF_CORPUS, trades=False), case)] == []


@pytest.mark.parametrize("with_frames", [False, True], ids=["events", "frames"])
@pytest.mark.parametrize("sizes", SIZES, ids=lambda sizes: f"{sizes.venues}x{sizes.instruments}x{sizes.price_bits}")
def test_random_runs_agree(sizes: EngineSizes, with_frames: bool) -> None:
    result = compare_random_run(engines(SMALL_SIZES), sizes, 700, 8_000, with_frames, line_feeds=())
    assert result.differences == (), f"by event {result.events}: {result.inputs}"


def test_a_trigger_leaves_behind_its_lead_and_is_not_spoiled() -> None:
    softs: list[Any] = []
    make = engines(SMALL_SIZES, trades=False, keep=(Area.MARKS, Area.SENT, Area.SPOILED))

    def engine() -> Any:
        softs.append(make(replace(TWO_VENUES, price_bits=32, channels=16)))
        return softs[-1]

    first = lead_cycles(small_core(SMALL_SIZES, trades=False)) + 1
    assert {row.first_byte_after_trigger for row in measured_rows(engine)} == {(first, first)}
    assert len(softs) == len(CYCLE_CASES) * len(SYMBOLS)
    assert all(soft.model.take(Area.SPOILED) == b"" for soft in softs)
    scenario, octets = a_trigger(*CYCLE_CASES["ARB, v sold"], symbol=b"X" * 60)
    soft = engine()
    for step in scenario.steps:
        feed(soft, step.input, step.at_ns)
    soft.push([octets], [scenario.now])
    soft.model.settle()
    assert soft.model.take(Area.SPOILED) != b"", "what is spoiled is seen here"
