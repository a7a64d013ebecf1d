"""Building: once per content, one builder at a time, and errors that say what to do."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hdl.parameters import CoreParameters
from market.errors import Fatal, MissingExtra
from sim.rtl.library import is_hot, library_of, on_both_edges
from sim.rtl.model import Model
from sim.rtl.sizes import sizes_port
from sim.rtl.tools import find_tools, run_tool
from sim.rtl.top import NAME
from tests.sim.rtl.conftest import CAPACITY, stand_in_verilog


def test_a_library_is_built_once(stand_ins: dict[int, Path]) -> None:
    said: list[str] = []
    assert library_of(stand_in_verilog(1), NAME, say=said.append) == stand_ins[1]
    assert said == []


@pytest.mark.long
def test_two_builders_make_one_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TICKWIRE_CACHE", str(tmp_path))
    said: list[str] = []
    verilog = stand_in_verilog(1)
    with ThreadPoolExecutor(2) as pool:
        made = set(pool.map(lambda _: library_of(verilog, NAME, say=said.append), range(2)))
    (library,) = made
    assert library.is_relative_to(tmp_path)
    assert len(said) == 1
    assert not list(tmp_path.glob("soft-fpga/building-*"))


@pytest.mark.long
def test_a_library_with_waveforms_writes_them(tmp_path: Path) -> None:
    library = library_of(stand_in_verilog(1), NAME, trace=True)
    model = Model(library, sizes_port(CoreParameters(CAPACITY, 1), CAPACITY))
    wave = tmp_path / "wave.vcd"
    model.trace(wave)
    model.frames([b"ab"], [3], 4)
    model.settle()
    model.trace(None)
    text = wave.read_text()
    assert "rx_valid" in text
    assert "echoes" in text
    model.close()


def test_a_second_clock_edge_is_refused() -> None:
    assert on_both_edges("always @(posedge clk) a <= b;") == "always @(edge clk) a <= b;"
    edge = "always @* edge = a; always @(posedge clk) a <= b;"
    assert on_both_edges(edge) == edge.replace("posedge", "edge")
    for wrong in (
        "assign a = b;",
        "always @(posedge other) a <= b;",
        "always @(posedge clk) a <= b; always @(negedge clk) b <= a;",
    ):
        with pytest.raises(Fatal, match="expected posedge clk alone"):
            on_both_edges(wrong)


@pytest.mark.parametrize(
    ("name", "hot"),
    [
        ("Vsoft_fpga.cpp", True),
        ("Vsoft_fpga___024root__0.cpp", True),
        ("Vsoft_fpga___024root__0__Slow.cpp", False),
        ("Vsoft_fpga__Syms__Slow.cpp", False),
        ("Vsoft_fpga__Trace__0.cpp", False),
    ],
)
def test_what_runs_in_every_cycle_is_optimised(name: str, hot: bool) -> None:
    assert is_hot(Path(name)) == hot


def test_a_missing_compiler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(MissingExtra, match="no-such-compiler"):
        find_tools()


def test_missing_packages_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"tickwire\[fpga\]"):
        find_tools()


def test_a_failing_tool_is_quoted() -> None:
    with pytest.raises(Fatal, match=r"ended with 1:\nbroken"):
        run_tool([sys.executable, "-c", "raise SystemExit('broken')"])
