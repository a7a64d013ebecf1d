"""The library of a netlist with its mutations: as the soft FPGA's, but slow where a mutation may be in a clock."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from sim.rtl.library import HARNESS, Say, cache_folder, digest_of, is_hot, locked, on_both_edges
from sim.rtl.tools import COMPILE, DEFINES, VERILATE, Tools, find_tools, run_tool
from sim.rtl.top import NAME

_MORE: Final = ("-Wno-UNOPTFLAT",)
"""A bit that a mutation makes depend on another one of its word is no loop, but looks like one to Verilator."""
_PLAIN_CLOCK: Final = "-DSOFT_FPGA_RISING_EDGE"
_NO_TRACE: Final = ("-DVM_TRACE=0", "-DVM_TRACE_VCD=0")
_HOT: Final = "-O2"
_COLD: Final = "-O0"
_RUNTIME: Final = ("verilated.cpp", "verilated_threads.cpp")


def library_of_netlist(verilog: str, say: Say, *, plain_clock: bool = False) -> Path:
    """The shared library of a netlist in the soft FPGA's top with the harness; builds it first if nobody has.

    Parameters
    ----------
    plain_clock: registers change at the rising edge of the clock or of what is made of it, in two evaluations; else at
        both edges of the one clock, in one.
    """
    tools = find_tools()
    harness = sorted(HARNESS.glob("*.cpp"))
    texts = [file.read_text(encoding="utf-8") for file in harness]
    defines = [*DEFINES, *_NO_TRACE, *([_PLAIN_CLOCK] if plain_clock else [])]
    options = [*VERILATE, *_MORE, *COMPILE, *defines, _HOT, _COLD]
    key = digest_of(tools.identity, verilog, *texts, *options)
    library = cache_folder() / f"{key}.so"
    if library.is_file():
        return library
    with locked(key) as folder:
        if not library.is_file():
            say("compiling the model of the netlist, once for this netlist and this machine")
            with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as made:
                source = verilog if plain_clock else on_both_edges(verilog)
                os.replace(_build(tools, source, harness, Path(made), defines), library)
    return library


def _build(tools: Tools, verilog: str, harness: Sequence[Path], made: Path, defines: Sequence[str]) -> Path:
    source = made / f"{NAME}.v"
    source.write_text(verilog, encoding="utf-8")
    arguments = [*VERILATE, *_MORE, "--top-module", NAME, "--Mdir", str(made), str(source)]
    run_tool([str(tools.verilator), *arguments], tools.environment)
    common = [*COMPILE, *defines, f"-I{made}", *tools.includes]
    generated = sorted(made.glob(f"V{NAME}*.cpp"), key=lambda file: -file.stat().st_size)
    jobs = [(file, _HOT if is_hot(file) else _COLD) for file in generated]
    jobs += [(file, _HOT) for file in (*harness, *(tools.root / "include" / name for name in _RUNTIME))]

    def compiled(job: tuple[Path, str]) -> str:
        file, level = job
        target = made / f"{file.stem}.o"
        run_tool([tools.compiler, "-c", *common, level, str(file), "-o", str(target)])
        return str(target)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        objects = list(pool.map(compiled, jobs))
    library = made / f"{NAME}.so"
    run_tool([tools.compiler, "-shared", *objects, "-pthread", "-o", str(library)])
    return library
