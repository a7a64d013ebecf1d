"""The table of venue rows, and when each venue was last heard."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import delayed
from hdl.decision.command_fields import command_field
from hdl.decision.shapes import VENUE_FIELDS, Fields, bundle
from hdl.parameters import CoreParameters
from hdl.records import TIME_BITS, VENUE_NUMBER_BITS

VENUE_STATE: Final[Fields] = {**VENUE_FIELDS, "seen": unsigned(TIME_BITS)}


class VenueTable(wiring.Component):
    """Venue rows in registers, all of them readable at once. Strobes act one cycle later.

    Members
    -------
    rows: per venue, its row and ``seen``.
    write: strobe; the row in ``message``, a VenueRow, is stored.
    heard: strobe; ``heard_venue`` was heard at ``heard_time``. A number outside the build is nobody's.
    forget: per venue, a strobe that sets ``seen`` to 0.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "rows": Out(bundle(VENUE_STATE)).array(parameters.venues),
                "write": In(1),
                "message": In(parameters.control_bytes * 8),
                "heard": In(1),
                "heard_venue": In(VENUE_NUMBER_BITS),
                "heard_time": In(TIME_BITS),
                "forget": In(parameters.venues),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        named = command_field(self.message, "VenueRow", "venue")
        venues = range(len(self.rows))
        writing = delayed(m, Cat(self.write & (named == venue) for venue in venues), "writing")
        hearing = delayed(m, Cat(self.heard & (self.heard_venue == venue) for venue in venues), "hearing")
        forgetting = delayed(m, self.forget, "forgetting")
        time = delayed(m, self.heard_time, "time")
        for venue, row in enumerate(self.rows):
            with m.If(writing[venue]):
                m.d.sync += [
                    row.enabled.eq(command_field(self.message, "VenueRow", "enabled")),
                    row.fee.eq(command_field(self.message, "VenueRow", "fee")),
                    row.maximum_age.eq(command_field(self.message, "VenueRow", "maximumAge")),
                    row.maximum_silence.eq(command_field(self.message, "VenueRow", "maximumSilence")),
                ]
            with m.If(hearing[venue]):
                m.d.sync += row.seen.eq(time)
            with m.Elif(forgetting[venue]):
                m.d.sync += row.seen.eq(0)
        return m
