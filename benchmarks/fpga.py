"""The hardware in cycles, cells and MHz: what a trigger takes, area by synthesis, clocks of each board's last build."""

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
    from hdl.toolchain.area import Area

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
_TRIGGER_CYCLES: Final = 6
_FIRST_BYTE_CYCLES: Final = 2
_QUOTE_TABLES: Final = 60
_STARBASE_TABLES: Final = 200
_QUOTE: Final = "BestBidAskStreamEvent"
_QUOTE_FIELDS: Final = (
    *("priceExponent", "qtyExponent", "bookUpdateId"),
    *("bidPrice", "bidQty", "askPrice", "askQty"),
)


def measure(report: Report) -> None:
    """Cycles to a trigger, area of decoders and of the core's components, and the clocks of built boards."""
    if importlib.util.find_spec("amaranth") is None:
        raise MissingExtra("the area of the hardware needs amaranth: install it with: pip install 'tickwire[fpga]'")
    from hdl.boards.board import Board
    from hdl.boards.colorlight import SMALL_FEEDS, SMALL_SIZES
    from hdl.parameters import CoreParameters

    report.note("cells by yosys synth_ecp5, hierarchy kept: in a flat design some of them are shared")
    report.note("without books: with them synthesis that keeps the hierarchy ends in an assertion of yosys 0.70")
    _cycles(report)
    _decoders(report)
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


def _cycles(report: Report) -> None:
    """Simulated cycles from a quote's last deciding byte to the trigger behind the whole gate, of the worst kind."""
    from sim.rtl.cycle_table import measure as cycles_of
    from sim.rtl.lines import FORMS

    for line in FORMS:
        rows = cycles_of(line)
        trigger = max(row.after_deciding[1] for row in rows)
        first_byte = max(row.first_byte_after_trigger[1] for row in rows)
        report.against_target(f"{line.title}, deciding byte to trigger", "cycles", [trigger], _TRIGGER_CYCLES)
        report.against_target(f"{line.title}, trigger to first byte out", "cycles", [first_byte], _FIRST_BYTE_CYCLES)
        report.note(f"{line.title}: {max(row.nanoseconds for row in rows):.1f} ns to the trigger, simulated")
    report.note("beside that: an open ITCH parser publishes 24.8 ns for parsing alone (8 cycles of 322 MHz)")


def _decoders(report: Report) -> None:
    """Lookup tables of each decoder alone on the bus of 64 bits, those of carry cells included."""
    from hdl.feeds.binance import BinanceDecoder
    from hdl.feeds.order_decoder import OrderDecoder
    from hdl.parameters import CoreParameters
    from hdl.sbe.extractor import MessageExtractor
    from hdl.toolchain.area import flat_area_of
    from market.fastpath.specification import Feed
    from market.wire.sbe import load_schema
    from market.wire.schemas import BINANCE_STREAM

    wide = CoreParameters(bus_bytes=8)
    quotes = MessageExtractor(load_schema(BINANCE_STREAM), _QUOTE, _QUOTE_FIELDS, bus_bytes=wide.bus_bytes)
    for name, component, target in (
        ("BestBidAsk decoder", quotes, _QUOTE_TABLES),
        ("Starbase decoder", OrderDecoder(wide, [Feed.STARBASE]), _STARBASE_TABLES),
    ):
        area = flat_area_of(component)
        report.against_target(f"{name} alone, 64 bits", "LUT4", [area.logic_cells], target)
        _cells(report, f"{name} alone, 64 bits", area)
    for name, component in (
        ("Coinbase Derivatives decoder", OrderDecoder(wide, [Feed.COINBASE_DERIVATIVES])),
        ("BestBidAsk and Trades with their queue", BinanceDecoder(wide)),
    ):
        _cells(report, f"{name} alone, 64 bits", flat_area_of(component))


def _cells(report: Report, case: str, area: Area) -> None:
    for kind, cells in asdict(area).items():
        report.alone(case, _KINDS[kind], cells)


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
        _cells(report, f"{name}: {path}" if path else name, area)


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
