"""When the parts of the decision machine do what: strobes of the preparation and of the event."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import Out


class Preparation(IntEnum):
    """Cycles after ``prepare``, from instrument, venue and T to all that needs no price of the event."""

    READ = 0
    """Rows are read into registers."""
    SUMS = 1
    """First sums: ages, fees, limits less positions, doubled mids."""
    PRODUCTS = 2
    """Fees times prices; comparisons of the first sums."""
    PARTS = 3
    """Parts of the products are added; limits of the doubled mid."""
    LIMITS = 4
    """Prices that a quote must reach; from here on an event may begin."""
    ORDERS = 5
    """Which of two venues' stored values is the better one."""


class Stage(IntEnum):
    """Cycles of an event, from the quote to what is committed."""

    SCALE = 0
    """Mantissas are scaled and checked."""
    COMPARE = 1
    """Prices are compared with the prepared limits."""
    CHOOSE = 2
    """Conditions become rises, the best one is picked, quantities are compared with rooms."""
    GATE = 3
    """The candidate passes or is stopped; ``early`` is its register."""
    SELECT = 4
    """Prices, quantities and stored values of the candidate."""
    RECORD = 5
    """Edge, size and legs of the trigger; the outcome is final behind it."""
    RESULT = 6
    """The rest of what a commit writes."""


LATENCY: Final = Stage.GATE + 1
"""Cycles from ``loaded`` to ``early``, for an event that has been prepared in time."""
PREPARE_CYCLES: Final = Preparation.LIMITS + 1
"""Cycles from ``prepare`` to the earliest ``loaded`` that does not wait."""


class Schedule(wiring.Signature):
    """One strobe per ``Preparation`` and per ``Stage``, each high in the cycle whose end writes its registers."""

    def __init__(self) -> None:
        super().__init__({"preparation": Out(1).array(len(Preparation)), "event": Out(1).array(len(Stage))})


def follow(m: Module, at: Any, *parts: Any) -> None:
    """Hand a component's schedule ``at`` on to the ``at`` of its parts."""
    for part in parts:
        for mine, theirs in ((at.preparation, part.at.preparation), (at.event, part.at.event)):
            m.d.comb += [strobe.eq(source) for strobe, source in zip(theirs, mine, strict=True)]
