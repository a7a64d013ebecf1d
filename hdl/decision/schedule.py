"""When the parts of the decision machine do what: strobes of the preparation and of the event."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from hdl.parameters import CoreParameters


class Preparation(IntEnum):
    """Cycles after ``prepare``, from instrument, venue and T to all that needs no price of the event.

    The other venues follow each other through one pipeline, a cycle apart: the first one's are these cycles.
    """

    READ = 0
    """Rows are read."""
    ROWS = 1
    """What has been read goes to registers of its own, if the build has them."""
    SUMS = 2
    """First sums: ages, fees, limits less positions, doubled mids."""
    PRODUCTS = 3
    """Fees times prices; comparisons of the first sums."""
    PARTS = 4
    """Parts of the products are added; limits of the doubled mid."""
    LIMITS = 5
    """Prices that a quote must reach; behind the last venue's an event may begin."""
    ORDERS = 6
    """Which of two venues' limits is the better one."""


class Stage(IntEnum):
    """Cycles of an event, from the quote to what is committed."""

    SCALE = 0
    """Mantissas are scaled and checked."""
    COMPARE = 1
    """Prices are compared with the prepared limits."""
    CHOOSE = 2
    """Conditions become rises, the best one is picked, quantities are compared with rooms."""
    GATE = 3
    """The candidate passes or is stopped; ``early`` is its register. Its other venue is the next to be read."""
    SELECT = 4
    """The candidate's limit; the other venue's quote and the pending sizes are read."""
    ROWS = 5
    """They go to registers."""
    RECORD = 6
    """Edge, size and legs of the trigger; the outcome is final behind it."""
    RESULT = 7
    """The rest of what a commit writes, which begins at the same time and reads it a cycle later."""


class Sampling(IntEnum):
    """Cycles from ``Stage.SCALE`` on, in which the other venues pass once more for a sample of the basis.

    Later by ``Stage.ROWS`` if there are many of them, see ``samples_late``.
    """

    READ = 1
    """Quote and basis are read; not earlier, as nothing but registers of the event may wait for its first strobe."""
    ROWS = 2
    """They go to registers."""
    SUMS = 3
    """The doubled mid."""
    TARGET = 4
    """The difference of the doubled mids."""
    GAP = 5
    """From what is stored to it."""
    COARSE = 6
    """The gap is shifted by a multiple of four."""
    VALUE = 7
    """By the rest, and added."""


LATENCY: Final = Stage.GATE + 1
"""Cycles from ``loaded`` to ``early``, for an event that has been prepared in time."""


def samples_late(parameters: CoreParameters) -> bool:
    """Whether there are too many other venues to read all of them before the candidate's is read.

    Their samples then begin behind ``Stage.RECORD``, which delays no trigger but what is committed.
    """
    return Sampling.READ + parameters.others > Stage.SELECT


def cycle_of(parameters: CoreParameters, step: Preparation | Sampling) -> int:
    """The cycle of a step: without registers behind rows ``ROWS`` is no cycle of its own."""
    later = int(Stage.ROWS) if isinstance(step, Sampling) and samples_late(parameters) else 0
    return later + (int(step) if parameters.registers_rows else max(int(type(step).READ), step - 1))


def last_cycle(parameters: CoreParameters) -> int:
    """The cycle of an event behind which it may be committed: its trigger is final, and nothing is read any more."""
    return max(int(Stage.RECORD), cycle_of(parameters, Sampling.READ) + parameters.others - 1)


def prepare_cycles(parameters: CoreParameters) -> int:
    """Cycles from ``prepare`` to the earliest ``loaded`` that does not wait."""
    return cycle_of(parameters, Preparation.LIMITS) + parameters.others


class Schedule(wiring.Signature):
    """One strobe per ``Preparation`` and per ``Stage``, each high in the cycle whose end writes its registers.

    In the pipeline of the other venues a strobe is high for each of them in turn, and those of the event are
    the cycles of ``Sampling``.
    """

    def __init__(self) -> None:
        super().__init__({"preparation": Out(1).array(len(Preparation)), "event": Out(1).array(len(Stage))})


class Turns(wiring.Signature):
    """Of which other venue, as one bit, a register is to be written: in ``LIMITS`` and in ``ORDERS``."""

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__({"limits": Out(parameters.others), "orders": Out(parameters.others)})


def follow(m: Module, at: Any, *parts: Any) -> None:
    """Hand a component's schedule ``at`` on to the ``at`` of its parts."""
    for part in parts:
        for mine, theirs in ((at.preparation, part.at.preparation), (at.event, part.at.event)):
            m.d.comb += [strobe.eq(source) for strobe, source in zip(theirs, mine, strict=True)]
