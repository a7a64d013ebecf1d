"""Changes that have no effect are found by what they are; others are not taken for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from hdl.formal.effects import proofs_of
from hdl.formal.message_bytes import MESSAGE_BYTES, SPOILED_BYTE
from hdl.formal.proofs import PROOFS
from hdl.formal.refused_numbers import CUT_QUANTITY
from hdl.formal.twin import Change

OF_BUFFER = replace(SPOILED_BYTE, cell=f"unit.buffer.{SPOILED_BYTE.cell}")
OF_QUOTE = Change("sequencer.$1", "cnot1", "Y", 43, 58)
QUANTITY = "decider.event.admission.quote.ask_quantity[43]"


def test_a_change_is_known_by_its_cell() -> None:
    assert proofs_of(OF_BUFFER, "") == MESSAGE_BYTES
    assert proofs_of(replace(OF_BUFFER, bit=OF_BUFFER.bit + 1), "") == ()
    assert proofs_of(replace(OF_BUFFER, cell=SPOILED_BYTE.cell), "") == ()


def test_a_change_is_known_by_its_signal() -> None:
    """Only where everybody reads the changed bit, and the deciding bit is one of the same number."""
    assert proofs_of(OF_QUOTE, QUANTITY) == (CUT_QUANTITY,)
    assert proofs_of(replace(OF_QUOTE, port="A"), QUANTITY) == ()
    assert proofs_of(replace(OF_QUOTE, bit=42), QUANTITY) == ()
    assert proofs_of(replace(OF_QUOTE, control_bit=57), QUANTITY) == ()
    assert proofs_of(replace(OF_QUOTE, mode="inv", control_bit=None), QUANTITY) == ()


def test_all_of_them_are_among_the_proofs() -> None:
    assert {*MESSAGE_BYTES, CUT_QUANTITY} <= set(PROOFS)
