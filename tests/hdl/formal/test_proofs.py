"""Every property is proven, is about something that happens, and fails under each of its mutations."""

from __future__ import annotations

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from hdl.formal.proof import Proof
from hdl.formal.proofs import PROOFS
from hdl.formal.solver import ask

LIMIT_S = 3_600
"""Of each question, which takes seconds to minutes where nothing else runs and many times that on a busy machine."""


@pytest.mark.parametrize(
    "proof", [pytest.param(each, id=each.name, marks=[pytest.mark.long] * each.is_long) for each in PROOFS]
)
def test_a_property_holds_and_its_mutations_break_it(proof: Proof) -> None:
    answers = {check: ask(question, limit_s=LIMIT_S).verdict for check, question, _ in proof.checks()}
    assert answers == {check: expected for check, _, expected in proof.checks()}


def test_every_property_has_a_mutation() -> None:
    assert all(proof.mutations for proof in PROOFS)


def test_names_tell_proofs_apart() -> None:
    assert len({proof.name for proof in PROOFS}) == len(PROOFS)
