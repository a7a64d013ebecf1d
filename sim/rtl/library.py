"""Verilog and harness to a shared library: built once per content and machine, and kept in the cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from market.errors import Fatal
from market.native.cache import cache_root
from sim.rtl import activity, branch_hints
from sim.rtl.activity.rewrite import run_by_activity
from sim.rtl.branch_hints import with_unlikely_branches
from sim.rtl.tools import COMPILE, DEFINES, VERILATE, Tools, find_tools, run_tool

HARNESS: Final = Path(__file__).with_name("harness")
HOT: Final = "-O3"
COLD: Final = "-O0"
"""For what runs once: constructors, initial values, names."""
RUNTIME: Final = "-O2"
HARNESS_LEVEL: Final = "-O2"
_RUNTIME_SOURCES: Final = ("verilated.cpp", "verilated_threads.cpp")
_WHOLE: Final = "all of it in every cycle"
_TRACE_SOURCE: Final = "verilated_vcd_c.cpp"

_EVENT: Final = re.compile(r"@\s*\(([^)]*)\)")
_RISING_EDGE: Final = "posedge clk"

Say = Callable[[str], None]


def say_on_standard_error(text: str) -> None:
    """One line of progress for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def cache_folder() -> Path:
    """Where everything that this package builds is kept."""
    return cache_root() / "soft-fpga"


def digest_of(*parts: str) -> str:
    """A name for everything that is made from these texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


@contextmanager
def locked(name: str) -> Iterator[Path]:
    """The cache folder, while no other process makes the thing of that name."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


def library_of(
    verilog: str, module: str, *, trace: bool = False, by_activity: bool = True, say: Say = say_on_standard_error
) -> Path:
    """The shared library of a module with the harness; builds it first if nobody has.

    Parameters
    ----------
    module: the module's name; the harness knows it as class ``V`` + name.
    trace: with waveforms, which makes it several times slower.
    by_activity: it leaves out what has not changed; not with waveforms.
    say: told what is being done, where something is to be done.

    Raises MissingExtra without the tools, Fatal when one of them fails.
    """
    tools = find_tools()
    harness = sorted(HARNESS.glob("*.cpp"))
    changed_by = (Path(branch_hints.__file__), *sorted(Path(activity.__file__).parent.glob("*.py")))
    sources = [f"{file.name}\n{file.read_text(encoding='utf-8')}" for file in (*harness, *changed_by)]
    options = [*VERILATE, *COMPILE, *DEFINES, HOT, COLD, HARNESS_LEVEL, RUNTIME, str(trace)]
    options += [] if by_activity else [_WHOLE]
    key = digest_of(tools.identity, verilog, *sources, *options)
    library = cache_folder() / f"{key}.so"
    if library.is_file():
        return library
    with locked(key) as folder:
        if not library.is_file():
            with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as made:
                built = _build(
                    tools, verilog, module, harness, Path(made), trace=trace, by_activity=by_activity, say=say
                )
                os.replace(built, library)
    return library


def _build(
    tools: Tools,
    verilog: str,
    module: str,
    harness: Sequence[Path],
    made: Path,
    *,
    trace: bool,
    by_activity: bool,
    say: Say,
) -> Path:
    say(f"soft FPGA: compiling the model of {module}, once for this description and this machine")
    source = made / f"{module}.v"
    source.write_text(on_both_edges(verilog), encoding="utf-8")
    tracing = ["--trace-vcd"] if trace else []
    arguments = [*VERILATE, *tracing, "--top-module", module, "--Mdir", str(made), str(source)]
    run_tool([str(tools.verilator), *arguments], tools.environment)
    defines = [*DEFINES, f"-DVM_TRACE={int(trace)}", f"-DVM_TRACE_VCD={int(trace)}", *(["-DSOFT_FPGA_TRACE"] * trace)]
    common = [*COMPILE, *defines, f"-I{made}", *tools.includes]
    for file in filter(is_hot, made.glob(f"V{module}*.cpp")):
        file.write_text(with_unlikely_branches(file.read_text(encoding="utf-8")), encoding="utf-8")
    if by_activity and not trace:
        run_by_activity(made, module)
    # the largest first: the compiler runs beside itself
    generated = sorted(made.glob(f"V{module}*.cpp"), key=lambda file: -file.stat().st_size)
    jobs = [(file, HOT if is_hot(file) else COLD) for file in generated]
    jobs += [(file, HARNESS_LEVEL) for file in harness]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        names = [*_RUNTIME_SOURCES, *([_TRACE_SOURCE] if trace else [])]
        runtime = pool.submit(runtime_objects, tools, names, trace=trace)
        objects = list(pool.map(lambda job: compile_object(tools, job[0], made, [*common, job[1]]), jobs))
        objects += runtime.result()
    library = made / f"{module}.so"
    run_tool([tools.compiler, "-shared", *map(str, objects), "-pthread", "-o", str(library)])
    return library


def on_both_edges(verilog: str) -> str:
    """The same hardware with registers that change at both edges of the clock: one evaluation is one cycle then.

    Raises Fatal where there is anything but registers at the rising edge of the one clock.
    """
    events = set(_EVENT.findall(verilog))
    if events != {_RISING_EDGE}:
        raise Fatal(
            f"the Verilog has registers at {', '.join(sorted(events)) or 'no edge'}; expected {_RISING_EDGE} alone"
        )
    return verilog.replace(f"@({_RISING_EDGE})", "@(edge clk)")


def is_hot(generated: Path) -> bool:
    """Whether a file of Verilator's output runs in every cycle, going by its name."""
    return not any(part in generated.name for part in ("__Slow", "__Syms", "__Dpi", "__Trace"))


def compile_object(tools: Tools, source: Path, into: Path, options: Sequence[str]) -> Path:
    """Compile one file; returns the object file in that folder."""
    target = into / f"{source.stem}.o"
    run_tool([tools.compiler, "-c", *options, str(source), "-o", str(target)])
    return target


def runtime_objects(tools: Tools, names: Sequence[str], *, trace: bool = False) -> list[Path]:
    """Files of Verilator's own library as objects, which all models share."""
    defines = [*DEFINES, f"-DVM_TRACE={int(trace)}", f"-DVM_TRACE_VCD={int(trace)}"]
    options = [*COMPILE, *defines, RUNTIME, *tools.includes]
    key = digest_of(tools.identity, *options, *names)
    with locked(f"runtime-{key}") as folder:
        kept = folder / f"runtime-{key}"
        if not kept.is_dir():
            with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as made:
                finished = Path(made) / "objects"
                finished.mkdir()
                for name in names:
                    compile_object(tools, tools.root / "include" / name, finished, options)
                os.replace(finished, kept)
    return [kept / f"{Path(name).stem}.o" for name in names]
