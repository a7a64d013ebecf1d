"""The stored bases: one bank per pair of venues."""

from __future__ import annotations

from itertools import combinations
from typing import Any, Final

from amaranth.hdl import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.command_fields import command_field
from hdl.decision.row_memory import RowMemory
from hdl.decision.shapes import assign, basis_fields, bundle
from hdl.parameters import CoreParameters

_LOADED: Final = {"value": "basis", "samples": "samples", "sample_time": "sampleTime"}


class BasisStore(wiring.Component):
    """Bases of every instrument and pair of venues, seen from one venue: entry w is the pair of it and w.

    Members
    -------
    instrument, venue: what the other members are about.
    load: strobe; from the next cycle on ``bases`` has the pairs of the venue; its own entry means nothing.
    write: per other venue, a strobe; ``new_bases`` of that pair is stored.
    write_message: strobe; the basis in ``message``, a LoadBasis, is stored.
    forget: per venue, a strobe: every pair with the venue has no samples.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        basis = bundle(basis_fields(parameters))
        super().__init__(
            {
                "instrument": In(parameters.instrument_bits),
                "venue": In(parameters.venue_bits),
                "load": In(1),
                "bases": Out(basis).array(parameters.venues),
                "write": In(parameters.venues),
                "new_bases": In(basis).array(parameters.venues),
                "write_message": In(1),
                "message": In(parameters.control_bytes * 8),
                "forget": In(parameters.venues),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        venues, fields = self._parameters.venues, basis_fields(self._parameters)
        banks = {pair: self._bank(m, *pair) for pair in combinations(range(venues), 2)}
        for other in range(venues):
            pairs = [(min(venue, other), max(venue, other)) for venue in range(venues)]
            for name in fields:
                # the entry of a venue with itself is never used, so any bank will do
                read = [getattr(banks.get(pair, next(iter(banks.values()))).read[0], name) for pair in pairs]
                with m.If(self.load):
                    m.d.sync += getattr(self.bases[other], name).eq(Array(read)[self.venue])
        return m

    def _bank(self, m: Module, first: int, second: int) -> RowMemory:
        fields = basis_fields(self._parameters)
        m.submodules[f"pair_{first}_{second}"] = bank = RowMemory(fields, self._parameters.instruments)
        from_first, from_second = self.venue == first, self.venue == second
        loaded, forgotten = Signal(name=f"loaded_{first}_{second}"), Signal(name=f"forgotten_{first}_{second}")
        named = command_field(self.message, "LoadBasis", "firstVenue") == first
        named &= command_field(self.message, "LoadBasis", "secondVenue") == second
        sampled = from_first & self.write[second] | from_second & self.write[first]
        m.d.comb += [
            loaded.eq(self.write_message & named),
            forgotten.eq(self.forget[first] | self.forget[second]),
            bank.address[0].eq(self.instrument),
            bank.write_address.eq(self.instrument),
            bank.write.eq(sampled | loaded | forgotten),
        ]
        with m.If(loaded):
            for name, source in _LOADED.items():
                m.d.comb += getattr(bank.write_row, name).eq(command_field(self.message, "LoadBasis", source))
        with m.Elif(forgotten):
            m.d.comb += bank.write_row.samples.eq(0)
        with m.Elif(from_first):
            m.d.comb += assign(bank.write_row, self.new_bases[second], fields)
        with m.Else():
            m.d.comb += assign(bank.write_row, self.new_bases[first], fields)
        return bank
