"""The cycle table of the hardware guide is what the simulated core does, and the count is the same for every kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from hdl.egress.egress import lead_cycles
from hdl.egress.settings import HEADERS_BYTES
from market.errors import Fatal
from market.fastpath import layout
from market.fastpath.conformance.runner import feed
from market.fastpath.conformance.scenario import TWO_VENUES
from market.fastpath.engine import split_records
from market.fastpath.specification import Kind
from orchestrator.engine.shadow import template_of
from sim.rtl.cycle_table import FCS_BYTES, CycleRow, a_trigger, measure, table
from sim.rtl.engine import SoftFpga, build_core
from sim.rtl.lines import FORMS, Line
from sim.rtl.model import Area
from tests.sim.rtl.cores import core

GUIDE = Path(__file__).parents[3] / "docs" / "hardware.md"
MOST_CYCLES = {Line.NARROW: 6, Line.GEARED: 6, Line.WIDE: 6}
"""From the deciding byte's beat to the trigger."""


@pytest.fixture(scope="module")
def rows() -> list[CycleRow]:
    return [row for line in FORMS for row in measure(line)]


def test_the_guide_prints_what_the_core_does(rows: list[CycleRow]) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    printed = text.split("<!-- cycles -->")[1].split("<!-- /cycles -->")[0]
    assert printed.strip() == table(rows).strip()


def test_the_worst_case_is_the_best_and_the_same_for_every_kind(rows: list[CycleRow]) -> None:
    for line in FORMS:
        spans = {row.after_deciding for row in rows if row.line is line}
        assert len(spans) == 1
        [(best, worst)] = spans
        assert best == worst <= MOST_CYCLES[line]


def test_the_first_byte_leaves_a_cycle_after_the_decision_on_the_narrow_bus(rows: list[CycleRow]) -> None:
    assert {row.first_byte_after_trigger for row in rows if row.line is Line.NARROW} == {(1, 1)}


def test_it_leaves_as_soon_as_its_words_will_be_there_in_time_on_a_line_slower_than_the_bus(
    rows: list[CycleRow],
) -> None:
    first = lead_cycles(core(8, paced=True).parameters) + 1
    assert {row.first_byte_after_trigger for row in rows if row.line is Line.GEARED} == {(first, first)}


def test_its_words_are_in_time_for_symbols_as_long_as_a_venue_has_them() -> None:
    build = build_core(bus_bytes=8, paced=True)
    for symbol, is_in_time in ((b"BTCUSDT", True), (b"1000000MOGUSDT", True), (b"X" * 15, True), (b"X" * 24, False)):
        soft = SoftFpga(build, TWO_VENUES, line=Line.GEARED, keep=[Area.SENT, Area.SPOILED])
        scenario, octets = a_trigger(Kind.ARB, (1_010, 10, 1_012, 10), 1, symbol)
        for step in scenario.steps:
            feed(soft, step.input, step.at_ns)
        soft.outputs()
        soft.model.settle()
        soft.model.take(Area.SPOILED)
        soft.model.take(Area.SENT)
        soft.push([octets], [scenario.now])
        soft.model.settle()
        triggers = [message for message in soft.outputs() if template_of(message) == layout.TEMPLATE_TRIGGER]
        sent = [frame[HEADERS_BYTES:-FCS_BYTES] for frame in split_records(soft.model.take(Area.SENT))]
        assert len(triggers) == 1
        assert triggers[0] in sent
        assert (soft.model.take(Area.SPOILED) == b"") == is_in_time


@pytest.mark.parametrize("line", [Line.COMPACT, Line.WIDE, Line.NARROW], ids=lambda line: str(line.name))
def test_a_core_is_not_put_on_a_line_that_it_was_not_built_for(line: Line) -> None:
    with pytest.raises(Fatal, match="of another pace or width"):
        SoftFpga(core(8, paced=True), TWO_VENUES, line=line)
