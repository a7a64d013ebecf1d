"""Cycles of one frame: from its bytes on the bus to the decision, and to the first byte sent."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from market.errors import Rejected
from market.fastpath.engine import split_records
from sim.rtl.engine import SoftFpga
from sim.rtl.model import Area, Mark

_MARK: Final = struct.Struct("<qq")


@dataclass(frozen=True, slots=True)
class FrameCycles:
    """The cycles in which things show on the core's ports, counted from the frame's first beat, which is 0.

    Parameters
    ----------
    last: the frame's last beat.
    decided: the gate let a candidate pass, while the frame may still be arriving; None: none did.
    sent: first beat of the first frame that the core sent; None: it sent none.
    ended: the verdict on the frame.
    """

    last: int
    decided: int | None
    sent: int | None
    ended: int


def frame_cycles(soft: SoftFpga, frame: bytes, time_ns: int) -> FrameCycles:
    """Give one frame to an idle core that keeps ``Area.MARKS``, and see when it did what.

    Raises Rejected where the core keeps no marks.
    """
    soft.model.settle()
    soft.model.take(Area.MARKS)
    soft.push([frame], [time_ns])
    soft.model.settle()
    marks = [_MARK.unpack(record) for record in split_records(soft.model.take(Area.MARKS))]
    if not marks:
        raise Rejected("the core keeps no marks; make it with keep=[Area.MARKS]")
    first = marks[0][1]

    def cycle_of(*wanted: Mark) -> int | None:
        return next((cycle - first for mark, cycle in marks if mark in wanted), None)

    last, ended = cycle_of(Mark.LAST_BEAT), cycle_of(Mark.FRAME_GOOD, Mark.FRAME_DROPPED)
    assert last is not None
    assert ended is not None
    return FrameCycles(last, cycle_of(Mark.EARLY), cycle_of(Mark.FIRST_SENT), ended)
