"""Whether another venue's stored quote may be compared with the event's."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import at_most
from hdl.decision.schedule import Preparation, Schedule
from hdl.decision.shapes import bundle
from hdl.decision.venues import VENUE_STATE
from hdl.parameters import CoreParameters
from hdl.records import TIME_BITS, VENUE_NUMBER_BITS


class Usable(wiring.Component):
    """``usable(w)`` of FASTPATH for the venue w of ``number``, and that it is not the event's own.

    Members
    -------
    at: the schedule; ``comparable`` is ready at the end of ``Preparation.PRODUCTS``.
    own: the event is one of this venue; venues: how many are in use.
    time: T; row: of this venue; quote_time, valid: of its stored quote.
    """

    def __init__(self, parameters: CoreParameters, number: int) -> None:
        self._number = number
        super().__init__(
            {
                "at": In(Schedule()),
                "own": In(1),
                "venues": In(VENUE_NUMBER_BITS),
                "time": In(TIME_BITS),
                "row": In(bundle(VENUE_STATE)),
                "quote_time": In(TIME_BITS),
                "valid": In(1),
                "comparable": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        age, silence = Signal(TIME_BITS), Signal(TIME_BITS)
        enabled = self.row.enabled & self.valid & ~self.own & (self.venues > self._number)
        with m.If(self.at.preparation[Preparation.SUMS]):
            # T never goes back, so neither difference is negative
            m.d.sync += [
                age.eq(self.time - self.quote_time),
                silence.eq(self.time - self.row.seen),
            ]
        with m.If(self.at.preparation[Preparation.PRODUCTS]):
            fresh = at_most(age, self.row.maximum_age) & at_most(silence, self.row.maximum_silence)
            m.d.sync += self.comparable.eq(enabled & fresh)
        return m
