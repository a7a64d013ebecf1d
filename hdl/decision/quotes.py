"""The stored tops of book: one bank per venue, all read at once."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Array, Cat, Module, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.row_memory import RowMemory
from hdl.decision.shapes import Fields, assign, bundle, quote_fields
from hdl.parameters import CoreParameters

_FLAGS: Final[Fields] = {"valid": unsigned(1), "sequence_known": unsigned(1)}
_SEQUENCE: Final[Fields] = {"sequence": signed(64)}


class QuoteStore(wiring.Component):
    """Quotes and sequences of every (instrument, venue).

    Members
    -------
    instrument, venue: what ``load``, ``write_sequence`` and ``write_quote`` are about.
    load: strobe; from the next cycle on ``quotes`` has the instrument's quotes, ``valid`` a bit per venue, and
        ``sequence_known`` and ``sequence`` what is stored for the venue.
    write_sequence: strobe; ``new_sequence`` is stored, the quote becomes valid if ``new_valid``, else invalid.
    write_quote: strobe; ``new_quote`` is stored.
    forget: per venue, a strobe: the instrument's quote becomes invalid and its sequence unknown.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        quote = bundle(quote_fields(parameters))
        super().__init__(
            {
                "instrument": In(parameters.instrument_bits),
                "venue": In(parameters.venue_bits),
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
        known = Array(self._bank(m, venue) for venue in range(self._parameters.venues))
        depth = 1 << self._parameters.instrument_bits + self._parameters.venue_bits
        m.submodules.sequences = sequences = RowMemory(_SEQUENCE, depth)
        place = Cat(self.instrument, self.venue)
        m.d.comb += [
            sequences.address[0].eq(place),
            sequences.write_address.eq(place),
            sequences.write.eq(self.write_sequence),
            sequences.write_row.sequence.eq(self.new_sequence),
        ]
        with m.If(self.load):
            m.d.sync += [
                self.sequence.eq(sequences.read[0].sequence),
                self.sequence_known.eq(known[self.venue]),
            ]
        return m

    def _bank(self, m: Module, venue: int) -> Value:
        """One venue's memories; returns whether its sequence is known, as it is read."""
        fields, depth = quote_fields(self._parameters), self._parameters.instruments
        m.submodules[f"quotes_{venue}"] = quotes = RowMemory(fields, depth)
        m.submodules[f"flags_{venue}"] = flags = RowMemory(_FLAGS, depth)
        here, forget = self.venue == venue, self.forget[venue]
        m.d.comb += [
            quotes.address[0].eq(self.instrument),
            quotes.write_address.eq(self.instrument),
            quotes.write.eq(self.write_quote & here),
            flags.address[0].eq(self.instrument),
            flags.write_address.eq(self.instrument),
            flags.write.eq(self.write_sequence & here | forget),
            flags.write_row.valid.eq(self.new_valid & ~forget),
            flags.write_row.sequence_known.eq(~forget),
            *assign(quotes.write_row, self.new_quote, fields),
        ]
        with m.If(self.load):
            m.d.sync += assign(self.quotes[venue], quotes.read[0], fields)
            m.d.sync += self.valid[venue].eq(flags.read[0].valid)
        return flags.read[0].sequence_known
