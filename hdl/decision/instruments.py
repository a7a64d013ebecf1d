"""The table of instrument rows."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import NewAddress, address_of, delayed
from hdl.decision.command_fields import command_field, lead_mask
from hdl.decision.row_memory import RowMemory
from hdl.decision.shapes import LEAD_FIELD, assign, bundle, instrument_fields
from hdl.parameters import CoreParameters

_MESSAGE_FIELDS: Final = {
    "enabled": "enabled",
    "kinds": "kinds",
    "basis_shift": "basisShift",
    "imbalance_threshold": "imbalanceThreshold",
    "minimum_edge": "minimumEdge",
    "basis_threshold": "basisThreshold",
    "basis_interval": "basisInterval",
    "basis_warm_up": "basisWarmUp",
    "maximum_spread": "maximumSpread",
    "minimum_quantity": "minimumQuantity",
    "maximum_quantity": "maximumQuantity",
    "price_low": "priceLow",
    "price_high": "priceHigh",
    "cooldown": "cooldown",
    "position_limit": "positionLimit",
}


class InstrumentTable(wiring.Component):
    """Instrument rows; the one in use is held in registers.

    Members
    -------
    address: what the instrument becomes.
    load: strobe; the row is in ``row`` from the next cycle on.
    write: strobe; the row in ``message``, an InstrumentRow, is stored in the next cycle.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "address": In(NewAddress()),
                "load": In(1),
                "write": In(1),
                "message": In(parameters.control_bytes * 8),
                "row": Out(bundle(instrument_fields(parameters))),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        venues = self._parameters.venues
        fields = instrument_fields(self._parameters)
        given = bundle(fields).create(path=("given",))
        for name, source in _MESSAGE_FIELDS.items():
            m.d.comb += getattr(given, name).eq(command_field(self.message, "InstrumentRow", source))
        for venue in range(venues):
            m.d.comb += getattr(given, LEAD_FIELD.format(venue)).eq(lead_mask(self.message, venue, venues))
        m.submodules.rows = rows = RowMemory(fields, self._parameters.instruments)
        address = address_of(m, self.address, self._parameters, copy=0)
        m.d.comb += [
            rows.address[0].eq(address.instrument),
            rows.write_address.eq(address.instrument),
            rows.write.eq(delayed(m, self.write, "writing")),
            *assign(rows.write_row, given, fields),
        ]
        with m.If(self.load):
            m.d.sync += assign(self.row, rows.read[0], fields)
        return m
