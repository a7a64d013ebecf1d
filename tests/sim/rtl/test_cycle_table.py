"""The cycle table of the hardware guide is what the simulated core does, and the count is the same for every kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from hdl.parameters import BUS_BYTES
from sim.rtl.cycle_table import CycleRow, measure, table

GUIDE = Path(__file__).parents[3] / "docs" / "hardware.md"
MOST_CYCLES = 6
"""From the deciding byte to the trigger."""


@pytest.fixture(scope="module")
def rows() -> list[CycleRow]:
    return [row for bus_bytes in BUS_BYTES for row in measure(bus_bytes)]


def test_the_guide_prints_what_the_core_does(rows: list[CycleRow]) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    printed = text.split("<!-- cycles -->")[1].split("<!-- /cycles -->")[0]
    assert printed.strip() == table(rows).strip()


def test_the_worst_case_is_the_best_and_the_same_for_every_kind(rows: list[CycleRow]) -> None:
    for bus_bytes in BUS_BYTES:
        spans = {row.after_deciding for row in rows if row.bus_bytes == bus_bytes}
        assert len(spans) == 1
        [(best, worst)] = spans
        assert best == worst <= MOST_CYCLES


def test_the_first_byte_leaves_a_cycle_after_the_decision_on_the_narrow_bus(rows: list[CycleRow]) -> None:
    assert {row.first_byte_after_trigger for row in rows if row.bus_bytes == 1} == {(1, 1)}
