"""The hardware in cells and MHz: area per component by synthesis, clocks of the last build of each board."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.harness import ROOT, Report
from market.errors import MissingExtra, MissingInput

if TYPE_CHECKING:
    from hdl.parameters import CoreParameters

_BUILDS: Final = ROOT / "build"
_OPTIONS: Final = re.compile(r"--seed (\d+) --router (\w+)")
_NS_PER_MHZ: Final = 1e3
_KINDS: Final = {
    "luts": "LUT4",
    "carries": "CCU2C",
    "flip_flops": "FF",
    "small_memories": "DPR16X4",
    "block_memories": "EBR",
    "multipliers": "MULT18",
}
_DEPTH: Final = {"decider": 2}
"""Levels that are shown of the components that are shown in parts; of others only the whole."""
_LIMIT_S: Final = 240.0
"""That synthesis of one core may take: a machine with other work to do must come to an end, too."""


def measure(report: Report) -> None:
    """Area of the core's components at the default sizes and of a small board's, and the clocks of built boards."""
    if importlib.util.find_spec("amaranth") is None:
        raise MissingExtra("the area of the hardware needs amaranth: install it with: pip install 'tickwire[fpga]'")
    from hdl.boards.board import Board
    from hdl.boards.colorlight import SMALL_FEEDS, SMALL_SIZES
    from hdl.parameters import CoreParameters

    report.note("cells by yosys synth_ecp5, hierarchy kept: in a flat design some of them are shared")
    report.note("without books: with them synthesis that keeps the hierarchy ends in an assertion of yosys 0.70")
    for board in Board:
        _clocks(report, board.value, _BUILDS / board.value)
    for name, parameters in (
        (
            "small core without books, compact",
            CoreParameters(SMALL_SIZES, 8, SMALL_FEEDS, paced=True, trades=False, compact=True),
        ),
        ("core without books, paced", CoreParameters(bus_bytes=8, feeds=SMALL_FEEDS, paced=True)),
        ("core without books", CoreParameters(feeds=SMALL_FEEDS)),
        ("core without books, 64 bits", CoreParameters(bus_bytes=8, feeds=SMALL_FEEDS)),
    ):
        _area(report, name, parameters)


def _area(report: Report, name: str, parameters: CoreParameters) -> None:
    from hdl.core import Core
    from hdl.toolchain.area import TooSlow, area_of

    try:
        areas = area_of(Core(parameters), max(_DEPTH.values()), _LIMIT_S)
    except TooSlow as late:
        report.note(f"{name} was left out: {late}")
        return
    for path, area in areas.items():
        part, _, below = path.partition(".")
        if below and part not in _DEPTH:
            continue
        case = f"{name}: {path}" if path else name
        for kind, cells in asdict(area).items():
            report.alone(case, _KINDS[kind], cells)


def _clocks(report: Report, board: str, folder: Path) -> None:
    """What the last build of a board reached, with its seed and router."""
    from hdl.toolchain.board import Products
    from hdl.toolchain.timing import read_report

    products = Products(folder, board)
    try:
        placed = read_report(products.report)
        script = (folder / f"build_{board}.sh").read_text(encoding="utf-8")
    except (MissingInput, FileNotFoundError):
        report.note(f"{board} has not been built: tickwire fpga build {board}")
        return
    options = _OPTIONS.search(script)
    how = f"seed {options[1]}, {options[2]}" if options else "options unknown"
    for clock in placed.clocks:
        case = f"{board}, {clock.name.strip('$')}, {how}"
        report.against_target(case, "ns", [_NS_PER_MHZ / clock.achieved_mhz], _NS_PER_MHZ / clock.wanted_mhz)
        report.note(f"{case}: {clock.achieved_mhz:.1f} of {clock.wanted_mhz:.1f} MHz")
    for cell in placed.cells:
        if cell.used:
            report.alone(f"{board}, {how}", cell.kind, cell.used)
