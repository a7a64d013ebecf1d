"""Parameters of a core to its library: described, exported and compiled at most once."""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path
from typing import Final

from hdl.parameters import CoreParameters
from sim.rtl.library import Say, cache_folder, digest_of, library_of, locked, say_on_standard_error
from sim.rtl.tools import find_tools

_ROOT: Final = Path(__file__).parents[2]
_DESCRIBED_IN: Final = ("hdl", "market/fastpath", "market/wire", "sim/rtl")
"""Folders whose content decides what the Verilog says."""
_SUFFIXES: Final = (".py", ".xml")


def core_library(parameters: CoreParameters, *, trace: bool = False, say: Say = say_on_standard_error) -> Path:
    """The shared library of a core; raises as ``library_of``."""
    find_tools()
    return library_of(_verilog(parameters, say), "soft_fpga", trace=trace, say=say)


def _verilog(parameters: CoreParameters, say: Say) -> str:
    """The Verilog of the core in its top, from the cache where its description has not changed."""
    key = digest_of(_description_digest(), importlib.metadata.version("amaranth"), repr(parameters))
    kept = cache_folder() / f"{key}.v"
    if not kept.is_file():
        with locked(key):
            if not kept.is_file():
                say(f"soft FPGA: describing the core ({parameters.bus_bytes} bytes per cycle) in Verilog")
                part = kept.with_suffix(".part")
                part.write_text(_described(parameters), encoding="utf-8")
                os.replace(part, kept)
    return kept.read_text(encoding="utf-8")


def _described(parameters: CoreParameters) -> str:
    from hdl.core import Core
    from hdl.toolchain.verilog import flat_verilog_of
    from sim.rtl.top import NAME, SoftTop

    return flat_verilog_of(SoftTop(Core(parameters, host_events=True), parameters), NAME)


def _description_digest() -> str:
    files = [file for folder in _DESCRIBED_IN for file in sorted((_ROOT / folder).rglob("*"))]
    named = [file for file in files if file.suffix in _SUFFIXES]
    return digest_of(*(f"{file.relative_to(_ROOT)}\n{file.read_text(encoding='utf-8')}" for file in named))
