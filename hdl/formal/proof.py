"""A property, how it is proven, and what must break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from hdl.formal.bench import Design
from hdl.formal.solver import Mode, Question, Verdict

SOUND: Final = ""
"""The mutation of the hardware as it is."""
_HOLDS: Final = "holds"
_REACHED: Final = "is reached"


@dataclass(frozen=True, slots=True)
class Proof:
    """A property of a component, with a run that reaches what it is about, and mutations that break it.

    Parameters
    ----------
    name: short, unique.
    statement: the property in words, with the widths and sizes it is proven for.
    build: the bench's design under a mutation, ``SOUND`` for none.
    mutations: each must make the property fail within ``depth`` cycles from the first state.
    mode: ``PROVE`` or ``BOUNDED``; depth: of the proof, and of the search for what a mutation breaks.
    cover_depth: cycles in which all that is to be reached is reached.
    any_state: the registers may begin with any value; with ``BOUNDED``, what takes no more cycles than the depth is
        proven for good.
    first_claim: with ``BOUNDED``, in the cycles before this one nothing is claimed or reached.
    is_long: not for the ordinary test run.
    """

    name: str
    statement: str
    build: Callable[[str], Design]
    mutations: tuple[str, ...]
    mode: Mode
    depth: int
    mutation_depth: int
    cover_depth: int
    any_state: bool = False
    first_claim: int = 0
    is_long: bool = False

    def expectations(self) -> Iterator[tuple[str, Verdict]]:
        """What is asked, in words, and the answer that is expected."""
        yield _HOLDS, Verdict.PASS
        yield _REACHED, Verdict.PASS
        yield from ((f"fails: {mutation}", Verdict.FAIL) for mutation in self.mutations)

    def checks(self) -> Iterator[tuple[str, Question, Verdict]]:
        """What is asked, in words and for the solver, and the answer that is expected."""
        for (check, expected), question in zip(self.expectations(), self._questions(), strict=True):
            yield check, question, expected

    def _questions(self) -> Iterator[Question]:
        sound = self.build(SOUND)
        yield self._question(sound, self.mode, self.depth)
        yield self._question(sound, Mode.COVER, self.cover_depth)
        for mutation in self.mutations:
            yield self._question(self.build(mutation), Mode.BOUNDED, self.mutation_depth)

    def _question(self, design: Design, mode: Mode, depth: int) -> Question:
        return Question(design, mode, depth, self.any_state, self.first_claim)
