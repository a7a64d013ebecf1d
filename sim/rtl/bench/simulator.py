"""The core as a simulator that cocotb runs in: built once per content and machine, and kept in the cache."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from hdl.parameters import CoreParameters
from sim.rtl.build import kept_verilog
from sim.rtl.library import (
    COLD,
    Say,
    compile_object,
    digest_of,
    is_hot,
    locked,
    runtime_objects,
    say_on_standard_error,
)
from sim.rtl.tools import COMPILE, DEFINES, VERILATE, Tools, find_tools, run_tool

NAME: Final = "core"
"""Of the module, and of the simulator."""
_CLASS: Final = "Vtop"
"""Name that cocotb's main program expects."""
_HOT: Final = "-O1"
_RUNTIME_SOURCES: Final = ("verilated.cpp", "verilated_threads.cpp", "verilated_vpi.cpp")
_NO_TRACE: Final = ("-DVM_TRACE=0", "-DVM_TRACE_VCD=0")


def core_simulator(parameters: CoreParameters, *, say: Say = say_on_standard_error) -> Path:
    """The folder with the simulator of a core, host events left out: as on a board.

    Raises MissingExtra without the tools, Fatal when one of them fails.
    """
    import cocotb_tools.config as cocotb_files  # an extra: whoever has cocotb needs it

    tools = find_tools()
    verilog = kept_verilog(parameters, alone, say)
    main = Path(cocotb_files.share_dir) / "lib" / "verilator" / "verilator.cpp"
    libraries = Path(cocotb_files.libs_dir)
    options = [*VERILATE, *COMPILE, *DEFINES, *_NO_TRACE, _HOT, COLD, str(libraries)]
    key = digest_of(tools.identity, verilog, main.read_text(encoding="utf-8"), *options)
    with locked(f"simulator-{key}") as folder:
        kept = folder / f"simulator-{key}"
        if not kept.is_dir():
            say(f"cocotb: compiling a simulator of the core ({parameters.bus_bytes} bytes per cycle)")
            with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as made:
                os.replace(_build(tools, verilog, main, libraries, Path(made)), kept)
    return kept


def alone(parameters: CoreParameters) -> str:
    """Verilog of the core by itself."""
    from hdl.core import Core
    from hdl.toolchain.verilog import flat_verilog_of

    return flat_verilog_of(Core(parameters), NAME)


def run_modules(
    simulator: Path, modules: Sequence[str], folder: Path, *, environment: Mapping[str, str], seed: int
) -> None:
    """Run cocotb test modules in a simulator, in order; what they write goes to the folder.

    Under pytest a failing test ends it with SystemExit, as cocotb's runner does it.
    """
    from cocotb_tools.runner import get_runner

    runner = get_runner("verilator")
    runner.test(
        test_module=list(modules),
        hdl_toplevel=NAME,
        hdl_toplevel_lang="verilog",
        build_dir=simulator,
        test_dir=folder,
        extra_env=dict(environment),
        seed=seed,
    )


def _build(tools: Tools, verilog: str, main: Path, libraries: Path, made: Path) -> Path:
    """Verilate with only the ports visible to the outside, compile, and link with cocotb's library."""
    source, visible, finished = made / f"{NAME}.v", made / "ports.vlt", made / "finished"
    source.write_text(verilog, encoding="utf-8")
    ports = [f'public_flat_rw -module "{NAME}" -var "{port}"' for port in _ports(verilog)]
    visible.write_text("\n".join(["`verilator_config", *ports, ""]), encoding="utf-8")
    naming = ["--prefix", _CLASS, "--top-module", NAME, "--Mdir", str(made)]
    run_tool([str(tools.verilator), *VERILATE, "--vpi", *naming, str(visible), str(source)], tools.environment)
    common = [*COMPILE, *DEFINES, *_NO_TRACE, f"-I{made}", *tools.includes]
    generated = sorted(made.glob(f"{_CLASS}*.cpp"), key=lambda file: -file.stat().st_size)
    jobs = [(file, _HOT if is_hot(file) else COLD) for file in (*generated, main)]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        runtime = pool.submit(runtime_objects, tools, _RUNTIME_SOURCES)
        objects = list(pool.map(lambda job: compile_object(tools, job[0], made, [*common, job[1]]), jobs))
        objects += runtime.result()
    finished.mkdir()
    linked = [f"-Wl,-rpath,{libraries}", f"-L{libraries}", "-lcocotbvpi_verilator", "-pthread"]
    run_tool([tools.compiler, *map(str, objects), *linked, "-o", str(finished / NAME)])
    return finished


def _ports(verilog: str) -> list[str]:
    """The names in the module's head, which is a list in parentheses."""
    head = verilog.partition(f"module {NAME}(")[2].partition(")")[0]
    return [name.strip().lstrip("\\") for name in head.split(",")]
