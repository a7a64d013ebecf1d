"""The cycle table of the hardware guide is what the simulated core does, and the count is the same for every kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.rtl.cycle_table import CycleRow, measure, table
from sim.rtl.lines import Line

GUIDE = Path(__file__).parents[3] / "docs" / "hardware.md"
MOST_CYCLES = {Line.NARROW: 6, Line.GEARED: 9, Line.WIDE: 6}
"""From the deciding byte's beat to the trigger."""


@pytest.fixture(scope="module")
def rows() -> list[CycleRow]:
    return [row for line in Line for row in measure(line)]


def test_the_guide_prints_what_the_core_does(rows: list[CycleRow]) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    printed = text.split("<!-- cycles -->")[1].split("<!-- /cycles -->")[0]
    assert printed.strip() == table(rows).strip()


def test_the_worst_case_is_the_best_and_the_same_for_every_kind(rows: list[CycleRow]) -> None:
    for line in Line:
        spans = {row.after_deciding for row in rows if row.line is line}
        assert len(spans) == 1
        [(best, worst)] = spans
        assert best == worst <= MOST_CYCLES[line]


def test_the_first_byte_leaves_a_cycle_after_the_decision_on_the_narrow_bus(rows: list[CycleRow]) -> None:
    assert {row.first_byte_after_trigger for row in rows if row.line is Line.NARROW} == {(1, 1)}
