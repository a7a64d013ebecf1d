"""One event, steps 4 to 6: which rise is acted on, and with what size."""

from __future__ import annotations

from market.fastpath.reference.conditions import Condition
from market.fastpath.reference.state import PairBit, State


def take_edges(state: State, instrument: int, found: list[Condition]) -> list[Condition]:
    """Step 4: the rises, and each bit becomes its condition, whatever follows."""
    on = state.on[instrument]
    rises = [condition for condition in found if condition.true and condition.bit not in on]
    for condition in found:
        if condition.true:
            on.add(condition.bit)
        else:
            on.discard(condition.bit)
    return rises


def choose(rises: list[Condition], v: int) -> Condition | None:
    """Step 5: kind, then v as seller before v as buyer, then the largest magnitude, then the lowest w."""

    def order(rise: Condition) -> tuple[int, bool, int, int]:
        v_buys = isinstance(rise.bit, PairBit) and rise.bit.buyer == v
        return rise.kind, v_buys, -rise.magnitude, rise.other

    return min((rise for rise in rises if rise.candidate), key=order, default=None)


def size(state: State, instrument: int, chosen: Condition) -> int:
    """Step 6: the maximum quantity, or what a leg displays if that is less."""
    return min(state.instruments[instrument].maximum_quantity, *(leg.displayed for leg in chosen.legs))
