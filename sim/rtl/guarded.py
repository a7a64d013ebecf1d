"""The simulated core as a board has it: behind its authority, with its latency measured."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hdl.parameters import CoreParameters
from sim.rtl.build import kept_verilog
from sim.rtl.library import Say, library_of, say_on_standard_error
from sim.rtl.tools import find_tools

TARGET_HERTZ: Final = {1: 125_000_000, 8: 156_250_000}
"""Clock that a core is made for, by its bus width; the simulated one only names it to the host."""


def guarded_library(parameters: CoreParameters, *, trace: bool = False, say: Say = say_on_standard_error) -> Path:
    """The shared library of a guarded core; raises as ``library_of``."""
    find_tools()
    return library_of(kept_verilog(parameters, in_guarded_soft_top, say), "soft_fpga", trace=trace, say=say)


def in_guarded_soft_top(parameters: CoreParameters) -> str:
    """A guarded core between the registers of the soft FPGA; like a board, it takes no events of the host."""
    from hdl.boards.guarded_core import GuardedCore
    from hdl.toolchain.verilog import flat_verilog_of
    from sim.rtl.top import NAME, SoftTop

    return flat_verilog_of(SoftTop(GuardedCore(parameters, TARGET_HERTZ[parameters.bus_bytes]), parameters), NAME)
