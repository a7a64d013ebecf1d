"""Whether another venue's stored quote may be compared with the event's."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import at_most
from hdl.decision.schedule import Preparation, Schedule
from hdl.decision.shapes import VENUE_FIELDS, bundle
from hdl.decision.venues import VENUE_STATE
from hdl.parameters import CoreParameters
from hdl.records import TIME_BITS


class Usable(wiring.Component):
    """``usable(w)`` of FASTPATH for one other venue w after the other.

    Members
    -------
    at: the schedule of the pipeline; ``comparable`` is ready at the end of ``Preparation.PRODUCTS``.
    in_build: w is one of the venues in use; time: T; row: of w; quote_time, valid: of its stored quote. All of
        ``Preparation.SUMS``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(
            {
                "at": In(Schedule()),
                "in_build": In(1),
                "time": In(TIME_BITS),
                "row": In(bundle(VENUE_STATE)),
                "quote_time": In(TIME_BITS),
                "valid": In(1),
                "comparable": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        age, silence, enabled = Signal(TIME_BITS), Signal(TIME_BITS), Signal()
        most = {name: Signal(VENUE_FIELDS[name], name=name) for name in ("maximum_age", "maximum_silence")}
        with m.If(self.at.preparation[Preparation.SUMS]):
            # T never goes back, so neither difference is negative
            m.d.sync += [
                age.eq(self.time - self.quote_time),
                silence.eq(self.time - self.row.seen),
                enabled.eq(self.row.enabled & self.valid & self.in_build),
                *[register.eq(getattr(self.row, name)) for name, register in most.items()],
            ]
        with m.If(self.at.preparation[Preparation.PRODUCTS]):
            fresh = at_most(age, most["maximum_age"]) & at_most(silence, most["maximum_silence"])
            m.d.sync += self.comparable.eq(enabled & fresh)
        return m
