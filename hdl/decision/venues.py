"""The table of venue rows, and when each venue was last heard."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import NewAddress, address_of, delayed
from hdl.decision.command_fields import command_field
from hdl.decision.pick import one_of
from hdl.decision.row_memory import RowMemory
from hdl.decision.shapes import VENUE_FIELDS, Fields, assign, bundle
from hdl.parameters import CoreParameters
from hdl.records import TIME_BITS, VENUE_NUMBER_BITS

VENUE_STATE: Final[Fields] = {**VENUE_FIELDS, "seen": unsigned(TIME_BITS)}
_OWN: Final = ("enabled", "fee")
"""Fields that the event's own venue is read for, too."""
_LIMITS: Final[Fields] = {name: VENUE_FIELDS[name] for name in ("maximum_age", "maximum_silence")}
_MESSAGE_FIELDS: Final = {"maximum_age": "maximumAge", "maximum_silence": "maximumSilence"}


class VenueTable(wiring.Component):
    """Venue rows, read one after the other. Writes act one cycle later.

    Members
    -------
    address: what the venue becomes that an event is of.
    load: strobe; from the next cycle on ``own_enabled`` and ``own_fee`` are of that venue.
    read: strobe; from the next cycle on ``row`` has the row and ``seen`` of the venue ``other``, whose bit is ``here``.
    write: strobe; the row in ``message``, a VenueRow, is stored.
    heard: strobe; ``heard_venue`` was heard at ``heard_time``. A number outside the build is nobody's.
    forget: per venue, a strobe that sets ``seen`` to 0.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "address": In(NewAddress()),
                "load": In(1),
                "own_enabled": Out(1),
                "own_fee": Out(VENUE_FIELDS["fee"]),
                "read": In(1),
                "other": In(parameters.venue_bits),
                "here": In(parameters.venues),
                "row": Out(bundle(VENUE_STATE)),
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
        address = address_of(m, self.address, self._parameters, copy=2)
        named = command_field(self.message, "VenueRow", "venue")
        venues = range(self._parameters.venues)
        writing = delayed(m, Cat(self.write & (named == venue) for venue in venues), "writing")
        hearing = delayed(m, Cat(self.heard & (self.heard_venue == venue) for venue in venues), "hearing")
        forgetting = delayed(m, self.forget, "forgetting")
        time = delayed(m, self.heard_time, "time")
        m.submodules.limits = limits = RowMemory(_LIMITS, 1 << self._parameters.venue_bits)
        m.d.comb += [
            limits.address[0].eq(self.other),
            limits.write.eq(writing.any()),
            limits.write_address.eq(named),
            *[
                getattr(limits.write_row, name).eq(command_field(self.message, "VenueRow", source))
                for name, source in _MESSAGE_FIELDS.items()
            ],
        ]
        kept = {name: shape for name, shape in VENUE_STATE.items() if name not in _LIMITS}
        rows = [{name: Signal(shape, name=f"{name}_{venue}") for name, shape in kept.items()} for venue in venues]
        for venue, row in enumerate(rows):
            with m.If(writing[venue]):
                m.d.sync += [row[name].eq(command_field(self.message, "VenueRow", name)) for name in _OWN]
            with m.If(hearing[venue]):
                m.d.sync += row["seen"].eq(time)
            with m.Elif(forgetting[venue]):
                m.d.sync += row["seen"].eq(0)
        with m.If(self.load):
            m.d.sync += [
                self.own_enabled.eq(one_of(address.here, [row["enabled"] for row in rows])),
                self.own_fee.eq(one_of(address.here, [row["fee"] for row in rows])),
            ]
        with m.If(self.read):
            m.d.sync += [
                *[getattr(self.row, name).eq(one_of(self.here, [row[name] for row in rows])) for name in kept],
                *assign(self.row, limits.read[0], _LIMITS),
            ]
        return m
