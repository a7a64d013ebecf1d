"""The netlist that synthesis makes for the ECP5, simulated cell by cell, against the same corpus as its description.

``python -m sim.rtl.netlist`` synthesises the core with yosys as a board's build does, puts behind each cell the model
that yosys ships for it, and runs the corpus. Look-up tables, carry chains, flip-flops and distributed RAMs are
those models; multipliers and block RAMs, for which it ships none, are those of ``netlist_cells.v``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from hdl.parameters import BUS_BYTES, CoreParameters
from market.errors import Fatal
from market.fastpath.conformance import Case, load_corpus
from market.fastpath.conformance.runner import run_case
from market.fastpath.specification import EngineSizes
from sim.rtl.engine import CoreBuild, SoftFpga
from sim.rtl.library import Say, cache_folder, digest_of, locked, say_on_standard_error
from sim.rtl.mutations_inputs import is_for
from sim.rtl.mutations_library import library_of_netlist
from sim.rtl.netlist_tool import DESCRIPTION, TOOL, described, run_yosys
from sim.rtl.top import NAME, SoftTop

SMALL: Final = EngineSizes(venues=2, instruments=2)
"""What most cases of the corpus need."""
_MODELS: Final = Path(__file__).with_name("netlist_cells.v")
_NETLIST: Final = "netlist.json"
_NAMELESS: Final = frozenset({"$__PDPW16KD_", "$__DP16KD_", "$scopeinfo"})
"""Block RAMs before they get their device's name, and what is no cell."""
_SYNTHESIS: Final = f"""
read_rtlil {DESCRIPTION}
synth_lattice -family ecp5 -top {NAME} -run begin:map_ram
read_verilog -lib -icells -nooverwrite {_MODELS.name}
memory_libmap -lib +/lattice/lutrams_trellis.txt -lib +/lattice/brams_16kd.txt
techmap -map +/lattice/lutrams_map_trellis.v
synth_lattice -family ecp5 -top {NAME} -run map_ffram:check
clean
delete =A:blackbox =A:whitebox
write_rtlil netlist.il
write_json {_NETLIST}
"""
"""``synth_ecp5``, but that block RAMs keep the form that memory mapping gives them."""
_EXPANSION: Final = f"""
read_rtlil netlist.il
read_verilog -icells -overwrite +/lattice/cells_sim_ecp5.v
delete =A:blackbox
read_verilog -icells -overwrite {_MODELS.name}
hierarchy -check -top {NAME}
proc
flatten
memory_collect
opt_expr
opt_clean -purge
write_verilog -norename -noattr netlist.v
"""


@dataclass(frozen=True, slots=True)
class Netlist:
    """Verilog of the expanded netlist, and how many cells of each type it was made of."""

    verilog: str
    cells: Counter[str]


def synthesised(top: SoftTop) -> Netlist:
    """Synthesise a core for the ECP5, with the registers of the soft FPGA around it: some minutes.

    Kept in the cache. Raises Fatal where yosys fails, or leaves a cell that the device does not have.
    """
    description, models = described(top), _MODELS.read_text(encoding="utf-8")
    key = digest_of(description, models, _SYNTHESIS, _EXPANSION, version(TOOL))
    kept = cache_folder() / f"{key}.netlist.json"
    if not kept.is_file():
        with locked(key):
            if not kept.is_file():
                made = _synthesised(description, models)
                part = kept.with_suffix(".part")
                part.write_text(json.dumps([made.verilog, made.cells]), encoding="utf-8")
                os.replace(part, kept)
    verilog, cells = json.loads(kept.read_text(encoding="utf-8"))
    return Netlist(verilog, Counter(cells))


def _synthesised(description: str, models: str) -> Netlist:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / DESCRIPTION).write_text(description, encoding="utf-8")
        (folder / _MODELS.name).write_text(models, encoding="utf-8")
        run_yosys(_SYNTHESIS, folder)
        modules = json.loads((folder / _NETLIST).read_text(encoding="utf-8"))["modules"]
        cells = Counter(cell["type"] for cell in modules[NAME]["cells"].values())
        wrong = [kind for kind in cells if kind.startswith("$") and kind not in _NAMELESS]
        if wrong:
            raise Fatal(f"synthesis left cells of {wrong}; expected those of the device alone")
        run_yosys(_EXPANSION, folder)
        return Netlist((folder / "netlist.v").read_text(encoding="utf-8"), cells)


def netlist_build(parameters: CoreParameters, say: Say = say_on_standard_error) -> tuple[CoreBuild, Counter[str]]:
    """The netlist as a core that ``SoftFpga`` runs, and its cells."""
    from hdl.core import Core

    say(f"synthesising the core of {parameters.bus_bytes} bytes per cycle for the ECP5")
    netlist = synthesised(SoftTop(Core(parameters, host_events=True), parameters))
    return CoreBuild(parameters, library_of_netlist(netlist.verilog, say)), netlist.cells


def failing(build: CoreBuild, cases: Sequence[Case]) -> dict[str, str]:
    """The first difference of each case that a core does not pass."""
    found: dict[str, str] = {}
    for case in cases:
        differences = run_case(lambda sizes: SoftFpga(build, sizes, event_log=True), case)
        if differences:
            found[case.name] = str(differences[0])
    return found


def main() -> int:
    """The command; its status is 1 where a case fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bus", type=int, choices=BUS_BYTES, default=1)
    parser.add_argument("--venues", type=int, default=SMALL.venues)
    parser.add_argument("--instruments", type=int, default=SMALL.instruments)
    given = parser.parse_args()
    parameters = CoreParameters(EngineSizes(venues=given.venues, instruments=given.instruments), given.bus)
    build, cells = netlist_build(parameters)
    print(", ".join(f"{count} {kind}" for kind, count in cells.most_common()))
    cases = [case for case in load_corpus() if is_for(case, parameters)]
    wrong = failing(build, cases)
    print(f"{len(cases) - len(wrong)} of {len(cases)} cases pass")
    for difference in wrong.values():
        print(difference)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
