"""Values that go along with a venue through the pipeline of the other venues."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Signal

from hdl.decision.schedule import Preparation


def carried(
    m: Module,
    at: Any,
    first: Signal,
    last: Preparation,
    since: Preparation = Preparation.SUMS,
    *,
    lone: bool,
) -> list[Signal]:
    """Copies of a register that is written in ``since``: of the same venue behind each later step up to ``last``.

    ``lone``: no other venue follows, so that the register itself is all of them.
    """
    copies = [first]
    for step in range(since + 1, last + 1):
        if lone:
            copies.append(first)
            continue
        copies.append(copy := Signal(first.shape(), name=f"{first.name}_{Preparation(step).name.lower()}"))
        with m.If(at.preparation[step]):
            m.d.sync += copy.eq(copies[-2])
    return copies
