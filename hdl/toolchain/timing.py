"""What place and route found, and what must not pass: clocks without their constraints, clocks that are missed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from market.errors import Fatal, MissingInput

_DROPPED: Final = ("ignoring clock constraint", "at 12.00 MHz")
"""A constraint on a net that is not there is dropped; the clock is then held against 12 MHz, which counts as a pass."""
_LINES_SHOWN: Final = 8
_MADE: Final = re.compile(r"_(?:TRELLIS_FF|TRELLIS_DPR16X4|LUT4|CCU2C|PFUMX|L6MUX21|MULT18X18D|DP16KD)_.*")
"""What synthesis appends to the name of the register that a cell was made for."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock: what it reaches and what it has to reach, in MHz."""

    name: str
    achieved_mhz: float
    wanted_mhz: float

    @property
    def is_met(self) -> bool:
        """Whether it reaches what it has to."""
        return self.achieved_mhz >= self.wanted_mhz


@dataclass(frozen=True, slots=True)
class Used:
    """Cells of one kind: how many are used, and how many the device has."""

    kind: str
    used: int
    available: int


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of a path: a cell's delay or a net's, in ns, and the signal of the source that it was made for."""

    kind: str
    delay_ns: float
    place: str


@dataclass(frozen=True, slots=True)
class PlacedReport:
    """What is in the report of nextpnr: clocks, used cells, and the slowest path within each clock's domain."""

    clocks: tuple[Clock, ...]
    cells: tuple[Used, ...]
    paths: dict[str, tuple[Hop, ...]]


def check_constraints(log: str) -> None:
    """Raises Fatal if the log of place and route says that a clock was left without its constraint."""
    lines = [line for line in log.splitlines() if any(mark in line for mark in _DROPPED)]
    if lines:
        shown = "\n".join(lines[:_LINES_SHOWN])
        raise Fatal(f"a clock lost its constraint; constrain a named signal that is kept:\n{shown}")


def check_timing(report: PlacedReport) -> None:
    """Raises Fatal, with the slowest path, if a clock misses its frequency."""
    missed = [clock for clock in report.clocks if not clock.is_met]
    if missed:
        shown = "; ".join(f"{clock.name} {clock.achieved_mhz:.1f} of {clock.wanted_mhz:.1f} MHz" for clock in missed)
        path = "\n".join(
            f"  {hop.kind} {hop.delay_ns:.2f} ns {hop.place}" for hop in report.paths.get(missed[0].name, ())
        )
        raise Fatal(f"timing is missed: {shown}; try another seed, or shorten\n{path}")


def read_report(file: Path) -> PlacedReport:
    """The report of a build. Raises MissingInput if there is none, or if it is no report."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        clocks = tuple(Clock(name, said["achieved"], said["constraint"]) for name, said in found["fmax"].items())
        cells = tuple(Used(kind, said["used"], said["available"]) for kind, said in found["utilization"].items())
        paths = {path["from"].split()[-1]: _hops(path["path"]) for path in found["critical_paths"] if _is_inside(path)}
    except FileNotFoundError as error:
        raise MissingInput(f"there is no {file}: build the board first") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MissingInput(f"{file} is no report of nextpnr: {error!r}; build the board again") from error
    return PlacedReport(clocks, cells, paths)


def _is_inside(path: dict[str, Any]) -> bool:
    return bool(path["from"] == path["to"])


def _hops(path: list[dict[str, Any]]) -> tuple[Hop, ...]:
    return tuple(Hop(hop["type"], hop["delay"], _place(hop)) for hop in path)


def _place(hop: dict[str, Any]) -> str:
    return _MADE.sub("", str(hop["net"] if "net" in hop else hop["from"]["cell"]))
