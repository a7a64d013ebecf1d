"""The compile gate: every kernel through NVIDIA's compiler for each architecture, without a GPU or a driver."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from gpu.kernel import KernelSource
from market.errors import Fatal, MissingExtra

ARCHITECTURES: Final = (80, 90, 100)
"""Compute capabilities times ten: A100, H100 and H200, B200."""

_ENTRY: Final = re.compile(r"Compiling entry function '(\w+)'")
_FRAME: Final = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_REGISTERS: Final = re.compile(r"Used (\d+) registers")
_SHARED: Final = re.compile(r"(\d+) bytes smem")


@dataclass(frozen=True, slots=True)
class KernelResources:
    """What one kernel takes of a multiprocessor.

    Parameters
    ----------
    kernel, architecture: which, for what.
    registers: of each thread.
    shared_bytes: static shared memory of a block.
    stack_bytes: local memory of each thread; spilled registers among it.
    spill_store_bytes, spill_load_bytes: what is moved because registers ran out.
    """

    kernel: str
    architecture: int
    registers: int
    shared_bytes: int
    stack_bytes: int
    spill_store_bytes: int
    spill_load_bytes: int

    @property
    def spills(self) -> bool:
        """Whether registers ran out."""
        return self.spill_store_bytes + self.spill_load_bytes > 0


def compiler() -> Any:
    """CuPy's binding of NVRTC. Raises ``MissingExtra`` where either is not installed."""
    try:
        from cupy.cuda import nvrtc

        nvrtc.getVersion()
    except (ImportError, RuntimeError) as missing:
        raise MissingExtra("compiling kernels takes CuPy and NVRTC: pip install 'tickwire[gpu]'") from missing
    return nvrtc


def options_of(source: KernelSource) -> tuple[str, ...]:
    """The options that every compilation of a source for a GPU has."""
    fused = "true" if source.contracts else "false"
    return ("--std=c++17", f"--fmad={fused}", f"-I{source.path.parent}", *source.defines)


def check(source: KernelSource, architecture: int) -> list[KernelResources]:
    """Compile a source to machine code for one architecture and say what its kernels take.

    Raises ``Fatal`` with the compiler's text if it does not compile, ``MissingExtra`` without the compiler.
    """
    nvrtc = compiler()
    program = nvrtc.createProgram(source.text, source.path.name, [], [])
    options = (f"--gpu-architecture=sm_{architecture}", "--ptxas-options=-v", *options_of(source))
    try:
        nvrtc.compileProgram(program, options)
        log = nvrtc.getProgramLog(program)
    except nvrtc.NVRTCError as error:
        log = nvrtc.getProgramLog(program)
        raise Fatal(f"{source.path.name} does not compile for sm_{architecture}:\n{log}") from error
    finally:
        nvrtc.destroyProgram(program)
    return list(_resources(log, architecture))


def _resources(log: str, architecture: int) -> Iterator[KernelResources]:
    marks = [*_ENTRY.finditer(log)]
    ends = [*(mark.start() for mark in marks[1:]), len(log)]
    for mark, end in zip(marks, ends, strict=True):
        part = log[mark.end() : end]
        frame, registers, shared = _FRAME.search(part), _REGISTERS.search(part), _SHARED.search(part)
        if frame is None or registers is None:
            raise Fatal(f"the compiler said nothing of the registers of {mark[1]}: {part.strip()}")
        stack, stores, loads = (int(number) for number in frame.groups())
        taken = int(shared[1]) if shared else 0
        yield KernelResources(mark[1], architecture, int(registers[1]), taken, stack, stores, loads)
