"""The stored bases: one bank per pair of venues."""

from __future__ import annotations

from itertools import combinations
from typing import Any, Final

from amaranth.hdl import Cat, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import Address, NewAddress, address_of, delayed
from hdl.decision.command_fields import command_field
from hdl.decision.pick import one_of
from hdl.decision.row_memory import RowMemory
from hdl.decision.shapes import assign, basis_fields, bundle
from hdl.parameters import CoreParameters

_LOADED: Final = {"value": "basis", "samples": "samples", "sample_time": "sampleTime"}


class BasisStore(wiring.Component):
    """Bases of every instrument and pair of venues, seen from one venue: entry w is the pair of it and w.

    Members
    -------
    address: what the instrument and the venue become that everything else is about.
    load: strobe; from the next cycle on ``bases`` has the pairs of the venue; its own entry means nothing.
    write: per other venue, a strobe; ``new_bases`` of that pair is stored in the next cycle.
    write_message: strobe; the basis in ``message``, a LoadBasis, is stored in the next cycle.
    forget: per venue, a strobe: in the next cycle every pair with the venue has no samples.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        basis = bundle(basis_fields(parameters))
        super().__init__(
            {
                "address": In(NewAddress()),
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
        address = address_of(m, self.address, self._parameters, copy=2)
        banks = {pair: self._bank(m, address, *pair) for pair in combinations(range(venues), 2)}
        for other in range(venues):
            others = [venue for venue in range(venues) if venue != other]
            here = Cat(address.here[venue] for venue in others)
            for name in fields if others else ():
                read = [getattr(banks[min(venue, other), max(venue, other)].read[0], name) for venue in others]
                with m.If(self.load):
                    m.d.sync += getattr(self.bases[other], name).eq(one_of(here, read))
        return m

    def _bank(self, m: Module, address: Address, first: int, second: int) -> RowMemory:
        fields = basis_fields(self._parameters)
        m.submodules[f"pair_{first}_{second}"] = bank = RowMemory(fields, self._parameters.instruments)
        from_first, from_second = address.here[first], address.here[second]
        named = command_field(self.message, "LoadBasis", "firstVenue") == first
        named &= command_field(self.message, "LoadBasis", "secondVenue") == second
        is_sampled = from_first & self.write[second] | from_second & self.write[first]
        is_forgotten = self.forget[first] | self.forget[second]
        sampled, loaded, forgotten = (
            delayed(m, strobe, f"{name}_{first}_{second}")
            for name, strobe in (
                ("sampled", is_sampled),
                ("loaded", self.write_message & named),
                ("forgotten", is_forgotten),
            )
        )
        m.d.comb += [
            bank.address[0].eq(address.instrument),
            bank.write_address.eq(address.instrument),
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
