"""Parameters of a core to its library: described, exported and compiled at most once."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable
from pathlib import Path

from hdl.parameters import CoreParameters
from sim.rtl.description import digest_of_description
from sim.rtl.library import Say, cache_folder, digest_of, library_of, locked, say_on_standard_error
from sim.rtl.tools import find_tools

Describe = Callable[[CoreParameters], str]
"""A function of a module: its name is part of the key under which its Verilog is kept, as is all that is imported."""


def core_library(parameters: CoreParameters, *, trace: bool = False, say: Say = say_on_standard_error) -> Path:
    """The shared library of a core; raises as ``library_of``."""
    find_tools()
    return library_of(kept_verilog(parameters, in_soft_top, say), "soft_fpga", trace=trace, say=say)


def kept_verilog(parameters: CoreParameters, describe: Describe, say: Say) -> str:
    """The Verilog of a core, from the cache where its description has not changed."""
    version = importlib.metadata.version("amaranth")
    key = digest_of(digest_of_description(describe.__module__), version, repr(parameters), describe.__name__)
    kept = cache_folder() / f"{key}.v"
    if not kept.is_file():
        with locked(key):
            if not kept.is_file():
                say(f"soft FPGA: describing the core ({parameters.bus_bytes} bytes per cycle) in Verilog")
                part = kept.with_suffix(".part")
                part.write_text(describe(parameters), encoding="utf-8")
                os.replace(part, kept)
    return kept.read_text(encoding="utf-8")


def in_soft_top(parameters: CoreParameters) -> str:
    """The core between the registers of the soft FPGA."""
    from hdl.core import Core
    from hdl.toolchain.verilog import flat_verilog_of
    from sim.rtl.top import NAME, SoftTop

    return flat_verilog_of(SoftTop(Core(parameters, host_events=True), parameters), NAME)
