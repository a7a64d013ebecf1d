"""The stored tops of book, read one after the other."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import NewAddress, address_of, delayed
from hdl.decision.block_rows import scanned_rows
from hdl.decision.shapes import Fields, assign, bundle, quote_fields
from hdl.parameters import CoreParameters

_SEQUENCE: Final[Fields] = {"sequence": signed(64)}


class QuoteStore(wiring.Component):
    """Quotes and sequences of every (instrument, venue).

    Members
    -------
    address: what the instrument and the venue become that everything else is about.
    load: strobe; from the next cycle on, or the one behind it (see ``BlockRows``), ``sequence`` has what is stored for
        the venue.
    read: strobe; likewise ``quote`` has the instrument's quote of the venue ``other``.
    write_sequence: strobe; in the next cycle ``new_sequence`` is stored.
    write_quote: strobe; ``new_quote`` is stored in the next cycle.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        quote = bundle(quote_fields(parameters))
        super().__init__(
            {
                "address": In(NewAddress()),
                "load": In(1),
                "sequence": Out(signed(64)),
                "read": In(1),
                "other": In(parameters.venue_bits),
                "quote": Out(quote),
                "write_sequence": In(1),
                "new_sequence": In(signed(64)),
                "write_quote": In(1),
                "new_quote": In(quote),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        parameters, fields = self._parameters, quote_fields(self._parameters)
        address = address_of(m, self.address, parameters, copy=1)
        m.submodules.sequences = sequences = scanned_rows(_SEQUENCE, parameters)
        m.submodules.quotes = quotes = scanned_rows(fields, parameters)
        place = Cat(address.venue, address.instrument)
        m.d.comb += [
            sequences.address.eq(place),
            sequences.read.eq(self.load),
            self.sequence.eq(sequences.row.sequence),
            sequences.write_address.eq(place),
            sequences.write.eq(delayed(m, self.write_sequence, "writing")),
            sequences.write_row.sequence.eq(self.new_sequence),
            quotes.address.eq(Cat(self.other, address.instrument)),
            quotes.read.eq(self.read),
            *assign(self.quote, quotes.row, fields),
            quotes.write_address.eq(place),
            quotes.write.eq(delayed(m, self.write_quote, "writing_quote")),
            *assign(quotes.write_row, self.new_quote, fields),
        ]
        return m
