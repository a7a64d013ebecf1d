"""The stored tops of book: one bank per venue, all read at once."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import Address, NewAddress, address_of, delayed
from hdl.decision.pick import one_of
from hdl.decision.row_memory import RowMemory
from hdl.decision.shapes import Fields, assign, bundle, quote_fields
from hdl.parameters import CoreParameters

_FLAGS: Final[Fields] = {"valid": unsigned(1), "sequence_known": unsigned(1)}
_SEQUENCE: Final[Fields] = {"sequence": signed(64)}


class QuoteStore(wiring.Component):
    """Quotes and sequences of every (instrument, venue).

    Members
    -------
    address: what the instrument and the venue become that everything else is about.
    load: strobe; from the next cycle on ``quotes`` has the instrument's quotes, ``valid`` a bit per venue, and
        ``sequence_known`` and ``sequence`` what is stored for the venue.
    write_sequence: strobe; in the next cycle ``new_sequence`` is stored, and the quote becomes valid if
        ``new_valid``, else invalid.
    write_quote: strobe; ``new_quote`` is stored in the next cycle.
    forget: per venue, a strobe: in the next cycle the instrument's quote becomes invalid, its sequence unknown.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        quote = bundle(quote_fields(parameters))
        super().__init__(
            {
                "address": In(NewAddress()),
                "load": In(1),
                "quotes": Out(quote).array(parameters.venues),
                "valid": Out(parameters.venues),
                "sequence_known": Out(1),
                "sequence": Out(signed(64)),
                "write_sequence": In(1),
                "new_sequence": In(signed(64)),
                "new_valid": In(1),
                "write_quote": In(1),
                "new_quote": In(quote),
                "forget": In(parameters.venues),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        parameters = self._parameters
        address = address_of(m, self.address, parameters, copy=1)
        known = [self._bank(m, venue, address) for venue in range(parameters.venues)]
        m.submodules.sequences = sequences = RowMemory(
            _SEQUENCE, 1 << parameters.instrument_bits + parameters.venue_bits
        )
        place = Cat(address.instrument, address.venue)
        m.d.comb += [
            sequences.address[0].eq(place),
            sequences.write_address.eq(place),
            sequences.write.eq(delayed(m, self.write_sequence, "writing")),
            sequences.write_row.sequence.eq(self.new_sequence),
        ]
        with m.If(self.load):
            m.d.sync += [
                self.sequence.eq(sequences.read[0].sequence),
                self.sequence_known.eq(one_of(address.here, known)),
            ]
        return m

    def _bank(self, m: Module, venue: int, address: Address) -> Value:
        """One venue's memories; returns whether its sequence is known, as it is read."""
        fields, depth = quote_fields(self._parameters), self._parameters.instruments
        m.submodules[f"quotes_{venue}"] = quotes = RowMemory(fields, depth)
        m.submodules[f"flags_{venue}"] = flags = RowMemory(_FLAGS, depth)
        instrument, here = address.instrument, address.here[venue]
        forgetting = delayed(m, self.forget[venue], f"forgetting_{venue}")
        m.d.comb += [
            quotes.address[0].eq(instrument),
            quotes.write_address.eq(instrument),
            quotes.write.eq(delayed(m, self.write_quote & here, f"writing_{venue}")),
            flags.address[0].eq(instrument),
            flags.write_address.eq(instrument),
            flags.write.eq(delayed(m, self.write_sequence & here, f"flagging_{venue}") | forgetting),
            flags.write_row.valid.eq(self.new_valid & ~forgetting),
            flags.write_row.sequence_known.eq(~forgetting),
            *assign(quotes.write_row, self.new_quote, fields),
        ]
        with m.If(self.load):
            m.d.sync += assign(self.quotes[venue], quotes.read[0], fields)
            m.d.sync += self.valid[venue].eq(flags.read[0].valid)
        return flags.read[0].sequence_known
