"""A slice of real recordings, through the core on its wires."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cocotb

from hdl.parameters import CoreParameters
from sim.rtl.bench.core_bench import CoreBench
from sim.rtl.bench.coverage import Coverage
from sim.rtl.bench.goals import Abilities, goals
from tests.hdl.cocotb.recorded_inputs import read_inputs
from tests.hdl.cocotb.session import BUS_BYTES, LINE_FEEDS, RECORDED, SEED, write_coverage

STEPS_PER_COMPARISON = 500


@cocotb.test()
async def a_morning_of_three_markets(dut: Any) -> None:
    sizes, steps = read_inputs(Path(os.environ[RECORDED]))
    parameters = CoreParameters(bus_bytes=int(os.environ[BUS_BYTES]))
    coverage = Coverage(goals(Abilities(lines=bool(LINE_FEEDS))))
    bench = CoreBench(dut, parameters, sizes, coverage, SEED)
    await bench.start()
    for at in range(0, len(steps), STEPS_PER_COMPARISON):
        await bench.play(steps[at : at + STEPS_PER_COMPARISON])
    write_coverage(coverage.table())
    assert bench.scoreboard.engine.trigger_count > 0
