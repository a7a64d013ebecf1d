"""Logs and reports of place and route: a clock without its constraint and a missed clock never pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hdl.toolchain.timing import Clock, PlacedReport, Used, check_constraints, check_timing, read_report
from market.errors import Fatal, MissingInput

GOOD_LOG = """\
Info: constraining clock net 'lines.line_clock' to 125.00 MHz
Info: Max frequency for clock '$glbnet$lines.line_clock': 131.20 MHz (PASS at 125.00 MHz)
"""


def report_of(achieved: float) -> dict[str, Any]:
    ends = {"from": "posedge line_clock", "to": "posedge line_clock"}
    source = {"cell": "first_TRELLIS_FF_Q_DI_LUT4_Z_1", "loc": [1, 2], "port": "Q"}
    sink = {"cell": "second", "loc": [3, 4], "port": "DI"}
    hops = [
        {"type": "clk-to-q", "delay": 0.5, "from": source, "to": source},
        {"type": "routing", "delay": 1.25, "from": source, "to": sink, "net": "between"},
    ]
    crossing = {"from": "<async>", "to": "posedge line_clock", "path": hops}
    return {
        "fmax": {"line_clock": {"achieved": achieved, "constraint": 125.0}},
        "utilization": {"TRELLIS_COMB": {"available": 100, "used": 7}},
        "critical_paths": [{**ends, "path": hops}, crossing],
    }


@pytest.fixture
def report_file(tmp_path: Path) -> Path:
    file = tmp_path / "top.report.json"
    file.write_text(json.dumps(report_of(131.2)))
    return file


def test_constraints_that_were_taken_pass() -> None:
    check_constraints(GOOD_LOG)


@pytest.mark.parametrize(
    "line",
    [
        "Warning: net 'rx.clk.i' does not exist in design, ignoring clock constraint",
        "Info: Max frequency for clock '$glbnet$rx_clk': 158.30 MHz (PASS at 12.00 MHz)",
    ],
)
def test_a_dropped_constraint_fails_and_is_named(line: str) -> None:
    with pytest.raises(Fatal) as raised:
        check_constraints(GOOD_LOG + line + "\n")
    assert line in str(raised.value)
    assert "lines.line_clock" not in str(raised.value)


def test_a_report_says_clocks_cells_and_paths(report_file: Path) -> None:
    report = read_report(report_file)
    assert report.clocks == (Clock("line_clock", 131.2, 125.0),)
    assert report.cells == (Used("TRELLIS_COMB", 7, 100),)
    assert [(hop.kind, hop.delay_ns) for hop in report.paths["line_clock"]] == [("clk-to-q", 0.5), ("routing", 1.25)]
    assert [hop.place for hop in report.paths["line_clock"]] == ["first", "between"]
    assert len(report.paths) == 1


@pytest.mark.parametrize(("achieved", "passes"), [(125.0, True), (124.9, False)])
def test_a_missed_clock_fails_with_its_path(tmp_path: Path, achieved: float, passes: bool) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(report_of(achieved)))
    report: PlacedReport = read_report(file)
    if passes:
        check_timing(report)
    else:
        with pytest.raises(Fatal, match=r"line_clock 124\.9 of 125\.0 MHz") as raised:
            check_timing(report)
        assert "between" in str(raised.value)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"fmax": {"a": 1}}'])
def test_no_report(tmp_path: Path, text: str) -> None:
    file = tmp_path / "report.json"
    with pytest.raises(MissingInput, match="build the board first"):
        read_report(file)
    file.write_text(text)
    with pytest.raises(MissingInput, match="no report"):
        read_report(file)
