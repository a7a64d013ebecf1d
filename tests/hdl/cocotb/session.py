"""The one core of a simulation, which all its tests go on with."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any, Final

from hdl.parameters import CoreParameters
from market.fastpath.reference import ReferenceEngine
from market.fastpath.specification import EngineSizes, Feed
from sim.rtl.bench.core_bench import CoreBench
from sim.rtl.bench.coverage import Coverage
from sim.rtl.bench.desk import Desk
from sim.rtl.bench.goals import Abilities, Corner, goals

BUS_BYTES: Final = "TICKWIRE_BUS_BYTES"
RANDOM_STEPS: Final = "TICKWIRE_RANDOM_STEPS"
EVERY_CYCLE: Final = "TICKWIRE_EVERY_CYCLE"
RECORDED: Final = "TICKWIRE_RECORDED"
"""Names of environment variables by which pytest tells a simulation what to do."""
COVERAGE_FILE: Final = "coverage.md"
"""Written into the folder that the simulation runs in."""
SIZES: Final = EngineSizes(venues=3, instruments=2)
SEED: Final = 20_240_808
LINE_FEEDS: Final = (Feed.STARBASE, Feed.COINBASE_DERIVATIVES)
"""Numbered feeds that the core has books for on every bus; none: it has no books, and nothing of them is asked for."""


@cache
def _bench(dut: Any) -> tuple[CoreBench, ReferenceEngine]:
    parameters = CoreParameters(bus_bytes=int(os.environ[BUS_BYTES]))
    coverage = Coverage(goals(Abilities(lines=bool(LINE_FEEDS))))
    return CoreBench(dut, parameters, SIZES, coverage, SEED), ReferenceEngine(SIZES)


async def bench_of(dut: Any) -> CoreBench:
    """The bench, running."""
    bench, _ = _bench(dut)
    await bench.start()
    return bench


async def desk_of(dut: Any) -> Desk:
    """A new script on the running bench."""
    bench, reference = _bench(dut)
    await bench.start()
    return Desk(bench, reference)


def corner(desk: Desk, corner: Corner) -> None:
    """A test has been in that corner."""
    desk.bench.coverage.hit("corner", corner.value)


def environment(bus_bytes: int, **more: str) -> dict[str, str]:
    """What a simulation is told."""
    return {BUS_BYTES: str(bus_bytes), **more}


def write_coverage(table: str) -> None:
    """Keep the table in the folder of the simulation."""
    Path(COVERAGE_FILE).write_text(table, encoding="utf-8")
