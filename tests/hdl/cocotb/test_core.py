"""The core in cocotb: corner by corner and at random, byte for byte the CPU engine, until everything has been seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pytest

from hdl.parameters import BUS_BYTES, CoreParameters
from sim.rtl.bench.simulator import core_simulator, run_modules
from tests.hdl.cocotb.recorded_inputs import write_inputs
from tests.hdl.cocotb.session import COVERAGE_FILE, EVERY_CYCLE, RANDOM_STEPS, RECORDED, SEED, environment

ROOT: Final = Path(__file__).parents[3]
# the random host starts at reset; coverage is looked at when all others are through
CASES: Final = ("random", "gate", "condition", "number", "frame", "control", "line", "meeting", "coverage")
Record = Callable[[str, object], None]
each_bus = pytest.mark.parametrize("bus_bytes", BUS_BYTES, ids=lambda bus_bytes: f"{8 * bus_bytes}-bit bus")


def simulate(bus_bytes: int, what: str, cases: Sequence[str], told: dict[str, str]) -> Path:
    """Run test modules in one simulation; returns the folder in which they leave what they find."""
    folder = ROOT / "build" / "cocotb" / f"{what}-{8 * bus_bytes}-bit"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / COVERAGE_FILE).unlink(missing_ok=True)
    simulator = core_simulator(CoreParameters(bus_bytes=bus_bytes))
    modules = [f"tests.hdl.cocotb.{name}_cases" for name in cases]
    run_modules(simulator, modules, folder, environment=environment(bus_bytes, **told), seed=SEED)
    return folder


def cover(bus_bytes: int, what: str, told: dict[str, str], record_property: Record) -> None:
    """All cases; their coverage goes with the test's report."""
    folder = simulate(bus_bytes, what, CASES, told)
    table = (folder / COVERAGE_FILE).read_text(encoding="utf-8")
    record_property(f"coverage of the core, {8 * bus_bytes}-bit bus", table)


@each_bus
def test_the_core(bus_bytes: int, record_property: Record) -> None:
    cover(bus_bytes, "core", {RANDOM_STEPS: "500"}, record_property)


@pytest.mark.long
@each_bus
def test_the_core_for_long(bus_bytes: int, record_property: Record) -> None:
    cover(bus_bytes, "core-long", {RANDOM_STEPS: "20000", EVERY_CYCLE: "1"}, record_property)


Recorded = tuple[Path, int]
"""A file of inputs, and the quotes and trades in it."""


def recorded(data: Path, duration_ms: int, folder: Path) -> Recorded:
    """A slice of the recordings."""
    written, counters = write_inputs(data / "binance-20240808", duration_ms, folder)
    return written, counters["quoteEvents"] + counters["tradeEvents"]


@pytest.fixture(scope="module")
def short_slice(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """1.5 seconds, the same for both buses."""
    return recorded(data, 1_500, tmp_path_factory.mktemp("recorded"))


def replay(bus_bytes: int, written: Path) -> None:
    """The inputs of such a file through the core."""
    simulate(bus_bytes, "recorded", ("recorded",), {RECORDED: str(written)})


@each_bus
def test_a_slice_of_real_recordings(bus_bytes: int, short_slice: Recorded) -> None:
    written, events = short_slice
    assert events > 1_000
    replay(bus_bytes, written)


@pytest.mark.long
@each_bus
def test_a_longer_slice_of_real_recordings(bus_bytes: int, data: Path, tmp_path: Path) -> None:
    written, events = recorded(data, 60_000, tmp_path)
    assert events > 10_000
    replay(bus_bytes, written)
