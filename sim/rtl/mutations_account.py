"""What became of mutations: noticed or not, and why what was not noticed may have no effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from hdl.formal.effects import proofs_of
from hdl.formal.solver import ask
from hdl.formal.twin import Change
from market.errors import Fatal
from sim.rtl.mutations_netlist import Mutation

PROOF_LIMIT_S: Final = 3_600
"""A question to the solver is given up after so long."""


class Fate(Enum):
    """What became of a mutation, as the table words it."""

    NOTICED = "noticed"
    NO_CHANGE = "no change"
    """Nothing reads another value, as the netlist shows. Not tried."""
    NO_EFFECT = "no effect"
    """Proven: nothing that leaves the core depends on it."""
    SURVIVED = "**nothing**"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutation: the recording that noticed it, and what it noticed; both empty: it survived.

    Parameters
    ----------
    proofs: names of those by which it has no effect.
    """

    mutation: Mutation
    killed_by: str
    seen: str
    proofs: tuple[str, ...] = ()

    @property
    def is_killed(self) -> bool:
        """Whether anything noticed it."""
        return bool(self.killed_by)

    @property
    def fate(self) -> Fate:
        """What it counts as."""
        if self.is_killed:
            return Fate.NOTICED
        if not self.mutation.is_change:
            return Fate.NO_CHANGE
        return Fate.NO_EFFECT if self.proofs else Fate.SURVIVED


def with_proofs(outcome: Outcome) -> Outcome:
    """The outcome of what survived with the proofs of it, each of which has been asked for and holds.

    Raises Fatal where a proof, or what must break it, has another answer than is expected.
    """
    if outcome.fate is not Fate.SURVIVED:
        return outcome
    mutation = outcome.mutation
    cell = mutation.place.rpartition(" ")[0]
    change = Change(cell, mutation.mode, mutation.port, mutation.bit, mutation.control_bit)
    proofs = proofs_of(change, mutation.wire)
    for proof in proofs:
        for check, question, expected in proof.checks():
            answer = ask(question, limit_s=PROOF_LIMIT_S).verdict
            if answer is not expected:
                raise Fatal(f"proof {proof.name!r}, {check}: {answer.value}; expected {expected.value}")
    return replace(outcome, proofs=tuple(proof.name for proof in proofs))


def table(tried: Sequence[Outcome]) -> str:
    """The outcomes as a Markdown table."""
    lines = ["| No. | Mode | Where | Signal | Source | Noticed by |", "|---|---|---|---|---|---|"]
    for outcome in sorted(tried, key=lambda each: each.mutation.number):
        mutation = outcome.mutation
        control = "" if mutation.control_bit is None else f" by [{mutation.control_bit}]"
        source = next((place for place in mutation.source if place.startswith("hdl/")), "")
        noticed = f"`{outcome.killed_by}`" if outcome.is_killed else outcome.fate.value
        noticed += f" ({', '.join(outcome.proofs)})" if outcome.proofs else ""
        lines.append(
            f"| {mutation.number} | {mutation.mode}{control} | `{mutation.place}` | `{mutation.wire}` "
            f"| {source} | {noticed} |"
        )
    return "\n".join(lines) + "\n"


def summary(tried: Sequence[Outcome]) -> str:
    """How many were noticed, of all and of those that have an effect; which have none, and which survived."""
    count = {fate: [each for each in tried if each.fate is fate] for fate in Fate}
    killed = len(count[Fate.NOTICED])
    text = f"{killed} of {len(tried)} noticed ({killed / len(tried):.1%})"
    if count[Fate.NO_CHANGE]:
        text += f"; {_numbers(count[Fate.NO_CHANGE])} change nothing in the netlist"
    if count[Fate.NO_EFFECT]:
        proofs = sorted({name for each in count[Fate.NO_EFFECT] for name in each.proofs})
        text += f"; {_numbers(count[Fate.NO_EFFECT])} have no effect, proven by {', '.join(proofs)}"
    if count[Fate.SURVIVED]:
        text += f"; {_numbers(count[Fate.SURVIVED])} survived"
    return f"{text}. Of those that may have an effect {share_killed(tried):.1%} are noticed"


def _numbers(outcomes: Sequence[Outcome]) -> str:
    return f"{len(outcomes)} ({', '.join(str(each.mutation.number) for each in outcomes)})"


def share_killed(tried: Sequence[Outcome]) -> float:
    """The share that was noticed of those that may have an effect."""
    killed = sum(outcome.is_killed for outcome in tried)
    return killed / (killed + sum(each.fate is Fate.SURVIVED for each in tried))
