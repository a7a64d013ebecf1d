"""The cycle table of feeds with books in the hardware guide is what the simulated core does, however deep the book."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.rtl.book_cycles import BookCycleRow, measure, table
from sim.rtl.lines import FORMS

GUIDE = Path(__file__).parents[3] / "docs" / "hardware.md"


@pytest.fixture(scope="module")
def rows() -> list[BookCycleRow]:
    return [row for line in FORMS for row in measure(line)]


def test_the_guide_prints_what_the_core_does(rows: list[BookCycleRow]) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    printed = text.split("<!-- book cycles -->")[1].split("<!-- /book cycles -->")[0]
    assert printed.strip() == table(rows).strip()


def test_the_count_does_not_depend_on_the_depth_of_the_book(rows: list[BookCycleRow]) -> None:
    for row in rows:
        assert len(set(row.after_message)) == len(set(row.first_byte_after_trigger)) == 1
