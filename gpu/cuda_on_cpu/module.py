"""A CUDA source as a shared library of the CPU, with the launches of ``KernelModule``."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from gpu.cuda_on_cpu.graph import RecordedLaunch, is_recording, record
from gpu.cuda_on_cpu.schedule import Schedule
from gpu.kernel import KernelSource, LaunchShape, prototype_of
from gpu.prototype import Parameter, Prototype
from market.errors import Fatal, MissingExtra
from market.native.cache import cache_root

_HEADERS: Final = (Path(__file__).with_name("cuda_on_cpu.h"), Path(__file__).with_name("fibers.h"))
_OPTIONS: Final = ("-std=c++17", "-shared", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wno-unknown-pragmas", "-g")
_FAST: Final = ("-O1",)
_SANITIZED: Final = ("-O1", "-fno-omit-frame-pointer", "-fsanitize=address", "-fsanitize-sections=cuda_shared")
_C_TYPES: Final = {
    "int8": "signed char",
    "uint8": "unsigned char",
    "int32": "int",
    "uint32": "unsigned",
    "int64": "long long",
    "uint64": "unsigned long long",
    "float32": "float",
    "float64": "double",
}


class CpuModule:
    """A source compiled for the CPU.

    Parameters
    ----------
    source: the kernels.
    schedule: who runs next; may be changed between launches.
    sanitized: built with the address sanitizer; the process must have been started with its library loaded.

    Raises ``MissingExtra`` without a C++ compiler for x86-64, ``Fatal`` with the compiler's text for a source that
    does not compile.
    """

    def __init__(self, source: KernelSource, schedule: Schedule | None = None, *, sanitized: bool = False) -> None:
        self.source = source
        self.schedule = schedule or Schedule()
        self._library = ctypes.CDLL(str(build(source, sanitized=sanitized)))
        self._lock = threading.Lock()

    def launch(self, kernel: str, shape: LaunchShape, arguments: Sequence[Any]) -> None:
        """Run a kernel over a grid, thread by thread, or record that. Raises as ``KernelModule.launch`` says."""
        prototype = prototype_of(self.source, kernel)
        prototype.check(arguments)
        # As with CUDA, a launch has addresses: it does not keep arrays alive.
        values = [_address(parameter, value) for parameter, value in zip(prototype.parameters, arguments, strict=True)]
        if is_recording():
            record(RecordedLaunch.of(kernel, partial(self._run, kernel, shape, values), arguments))
        else:
            self._run(kernel, shape, values)

    def _run(self, kernel: str, shape: LaunchShape, values: Sequence[Any]) -> None:
        pointers = (ctypes.c_void_p * max(1, len(values)))(*(ctypes.addressof(value) for value in values))
        grid = (ctypes.c_uint * 3)(*_three(shape.grid))
        block = (ctypes.c_uint * 3)(*_three(shape.block))
        function = getattr(self._library, f"launch_{kernel}")
        function.restype = ctypes.c_char_p
        with self._lock:
            problem = function(
                pointers,
                grid,
                block,
                ctypes.c_size_t(shape.shared_bytes),
                ctypes.c_int(self.schedule.order),
                ctypes.c_uint(self.schedule.seed),
                ctypes.c_int(self.schedule.interleaved),
            )
        if problem is not None:
            raise Fatal(f"kernel {kernel} of {self.source.path.name}, schedule {self.schedule}: {problem.decode()}")


def build(source: KernelSource, *, sanitized: bool = False) -> Path:
    """The shared library of a source, from the cache if its content has been compiled before."""
    compiler = shutil.which("g++")
    if compiler is None or platform.machine() != "x86_64":
        raise MissingExtra("running CUDA sources on the CPU takes g++ on x86-64; install the package g++")
    options = (*_OPTIONS, *(_SANITIZED if sanitized else _FAST), *source.defines)
    options += () if source.contracts else ("-ffp-contract=off",)
    headers = "".join(header.read_text(encoding="utf-8") for header in _HEADERS)
    wrapper = _wrapper(source)
    folder = cache_root() / "cuda-on-cpu"
    library = folder / f"{source.path.stem}-{source.digest(*options, headers, wrapper)}.so"
    if not library.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _compile(compiler, options, wrapper, source, library)
    return library


def _compile(compiler: str, options: Sequence[str], wrapper: str, source: KernelSource, library: Path) -> None:
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        unit, made = Path(folder) / "unit.cpp", Path(folder) / "unit.so"
        unit.write_text(wrapper, encoding="utf-8")
        includes = (f"-I{_HEADERS[0].parent}", f"-I{source.path.parent}")
        done = subprocess.run(
            [compiler, *options, *includes, str(unit), "-o", str(made)], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise Fatal(f"{source.path.name} does not compile for the CPU:\n{done.stderr}")
        os.replace(made, library)


def _wrapper(source: KernelSource) -> str:
    """The translation unit: the headers, the source under its own name and lines, and a launcher per kernel."""
    launchers = "\n".join(_launcher(prototype) for prototype in source.prototypes.values())
    return f'#include "cuda_on_cpu.h"\n#line 1 "{source.path.name}"\n{source.text}\n{launchers}\n'


def _launcher(prototype: Prototype) -> str:
    values = ", ".join(f"*static_cast<{_c_type(p)} *>(v[{i}])" for i, p in enumerate(prototype.parameters))
    name = prototype.name
    return (
        f"static void run_{name}(void **v) {{ (void)v; {name}({values}); }}\n"
        f'extern "C" __attribute__((visibility("default"))) const char *launch_{name}(\n'
        "    void **v, const unsigned *g, const unsigned *b, std::size_t shared, int order, unsigned seed, int all)\n"
        "{\n    const cuda_on_cpu::Shape grid{g[0], g[1], g[2]}, block{b[0], b[1], b[2]};\n"
        f"    return cuda_on_cpu::launch(run_{name}, v, grid, block, shared, order, seed, all != 0);\n}}"
    )


def _c_type(parameter: Parameter) -> str:
    name = _C_TYPES[parameter.dtype.name]
    if not parameter.is_array:
        return name
    return f"{name} *" if parameter.is_written else f"const {name} *"


def _address(parameter: Parameter, value: Any) -> Any:
    """A C object that holds the argument: the array's address, or the scalar itself."""
    if parameter.is_array:
        return ctypes.c_void_p(value.ctypes.data)
    return np.ctypeslib.as_ctypes_type(parameter.dtype)(value.item())


def _three(shape: tuple[int, ...]) -> tuple[int, int, int]:
    padded = (*shape, 1, 1)
    return padded[0], padded[1], padded[2]
