"""The checks cover the schema and the reference, and become a program in the order of refusals."""

from __future__ import annotations

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from hdl.control.program import LEASTS, Operation, Row, compile_checks, row_layout
from hdl.control.rules import CHECKS, LIMITS, Below, Limit, Within
from market.fastpath.conformance.case import SCHEMA
from market.fastpath.reference.messages import Template

PROGRAM = compile_checks()


def rows_of(message: str) -> list[Row]:
    rows = []
    for row in PROGRAM.rows[PROGRAM.starts[message] :]:
        rows.append(row)
        if row.last:
            break
    return rows


def test_the_checks_know_the_templates_of_the_reference() -> None:
    assert {SCHEMA.message(name).template_id for name in CHECKS} == set(map(int, Template))


def test_every_field_with_a_range_is_a_field_of_the_schema() -> None:
    fields = {
        (message, check.field)
        for message, by_refusal in CHECKS.items()
        for checks in by_refusal.values()
        for check in checks
        if isinstance(check, Below | Within)
    }
    assert len(fields) > 40
    assert {field in SCHEMA.message(message).fields for message, field in fields} == {True}


@pytest.mark.parametrize("message", sorted(PROGRAM.starts))
def test_refusals_come_in_their_order(message: str) -> None:
    refusals = [row.refusal for row in rows_of(message)]
    assert refusals == sorted(refusals)
    assert set(refusals) == set(CHECKS[message])


def test_a_row_names_the_word_and_the_lane_of_its_field() -> None:
    venue, enabled, fee, *_ = rows_of("VenueRow")
    assert (venue.word, venue.lane, LIMITS.get(Limit(venue.select))) == (2, 0, None)
    assert (enabled.word, enabled.lane, enabled.operation) == (2, 1, Operation.BELOW)
    assert (fee.word, fee.lane, fee.signed) == (2, 4, True)


def test_every_row_fits_its_memory() -> None:
    for row in PROGRAM.rows:
        for name, value in row.bits().items():
            assert value < 1 << row_layout[name].width, name
    assert len(LEASTS) <= 1 << row_layout["least"].width
