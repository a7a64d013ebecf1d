"""The table of instrument rows."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, unsigned
from amaranth.lib import memory, wiring
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

_IN_BLOCK: Final = (
    *("basis_interval", "cooldown", "minimum_edge", "basis_threshold", "maximum_spread", "imbalance_threshold"),
    *("minimum_quantity", "maximum_quantity", "price_low", "basis_warm_up", "basis_shift", "kinds"),
)
"""Fields of a compact core's rows that are in block RAM: with prices of 40 bits they just fill eleven blocks."""


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
        in_block = _IN_BLOCK if self._parameters.compact else ()
        near = {name: shape for name, shape in fields.items() if name not in in_block}
        m.submodules.rows = rows = RowMemory(near, self._parameters.instruments)
        address = address_of(m, self.address, self._parameters, copy=0)
        m.d.comb += [
            rows.address[0].eq(address.instrument),
            rows.write_address.eq(address.instrument),
            rows.write.eq(delayed(m, self.write, "writing")),
            *assign(rows.write_row, given, near),
        ]
        with m.If(self.load):
            m.d.sync += assign(self.row, rows.read[0], near)
        if in_block:
            self._in_block(m, address.instrument, rows.write, given)
        return m

    def _in_block(self, m: Module, instrument: Any, writes: Any, given: Any) -> None:
        """Fields in block RAM, side by side in one word; the register behind it is its own."""
        word = Cat(getattr(given, name) for name in _IN_BLOCK)
        row = Cat(getattr(self.row, name) for name in _IN_BLOCK)
        m.submodules.block = block = memory.Memory(
            shape=unsigned(len(word)),
            depth=self._parameters.instruments,
            init=[],
            attrs={"no_rw_check": 1, "ram_style": "block"},
        )
        write, read = block.write_port(), block.read_port(domain="comb")
        m.d.comb += [
            read.addr.eq(instrument),
            write.addr.eq(instrument),
            write.data.eq(word),
            # never both at once, and what such a read would show does not matter
            write.en.eq(writes & ~self.load),
        ]
        with m.If(self.load):
            m.d.sync += row.eq(read.data)
