"""All tables and stored state of the decision machine, under one address."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Mux, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import NewAddress, pass_on
from hdl.decision.bases import BasisStore
from hdl.decision.commands import WRITES
from hdl.decision.edge_bits import EdgeBits, venue_bits_fields
from hdl.decision.holdings import HoldingStore
from hdl.decision.instruments import InstrumentTable
from hdl.decision.quotes import QuoteStore
from hdl.decision.scaling import ScalingRead, ScalingTable
from hdl.decision.shapes import (
    SCALING_FIELDS,
    assign,
    basis_fields,
    bundle,
    holding_fields,
    instrument_fields,
    quote_fields,
)
from hdl.decision.venues import VENUE_STATE, VenueTable
from hdl.parameters import CoreParameters
from hdl.records import TIME_BITS, VENUE_NUMBER_BITS


class Loaded(wiring.Signature):
    """What is known of an address: the row of its instrument, and what its own (instrument, venue) has stored."""

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(
            {
                "row": Out(bundle(instrument_fields(parameters))),
                "scaling": Out(bundle(SCALING_FIELDS)),
                "sequence_known": Out(1),
                "sequence": Out(signed(64)),
                "bits": Out(bundle(venue_bits_fields(parameters))),
            }
        )


class LoadedVenue(wiring.Signature):
    """What is known of one venue at an address: its row, always; its quote and whether that is valid; its holding.

    ``basis`` is that of the pair with the address's own venue.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(
            {
                "row": Out(bundle(VENUE_STATE)),
                "quote": Out(bundle(quote_fields(parameters))),
                "valid": Out(1),
                "basis": Out(bundle(basis_fields(parameters))),
                "holding": Out(bundle(holding_fields(parameters))),
            }
        )


class Changes(wiring.Signature):
    """What an event changes at its address.

    ``stored``: its ``sequence``, its ``bits``, and that its quote is valid if ``admitted``, else invalid.
    ``admitted``: its ``quote``. ``sampled``: per other venue, that the pair has a new basis. ``selling``,
    ``buying``: per venue, that the pending size of that side is now ``new_selling``, ``new_buying``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        venues, holding = parameters.venues, holding_fields(parameters)
        super().__init__(
            {
                "stored": Out(1),
                "sequence": Out(signed(64)),
                "bits": Out(bundle(venue_bits_fields(parameters))),
                "admitted": Out(1),
                "quote": Out(bundle(quote_fields(parameters))),
                "sampled": Out(venues),
                "selling": Out(venues),
                "buying": Out(venues),
                "new_selling": Out(holding["pending_sell"]),
                "new_buying": Out(holding["pending_buy"]),
            }
        )


class Stores(wiring.Component):
    """What is read at the beginning of an event and written at its end, or by a command.

    Members
    -------
    address: what the address becomes: an event's own, or what a command is about.
    load: strobe; ``loaded`` and, per venue, ``venues`` are of the address from the next cycle on.
    commit: strobe; ``changes`` are stored in the next cycle, with the new ``bases`` of the pairs with each other venue.
    heard, heard_venue, heard_time: see ``VenueTable``; reader: see ``ScalingTable``.
    forget, forget_quote: per venue, strobes: what is stored of the instrument is forgotten, by the second one only
        quote, sequence and bits.
    message, and its strobes: see ``CommandSteps``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "address": In(NewAddress()),
                "load": In(1),
                "loaded": Out(Loaded(parameters)),
                "venues": Out(LoadedVenue(parameters)).array(parameters.venues),
                "commit": In(1),
                "changes": In(Changes(parameters)),
                "bases": In(bundle(basis_fields(parameters))).array(parameters.venues),
                "heard": In(1),
                "heard_venue": In(VENUE_NUMBER_BITS),
                "heard_time": In(TIME_BITS),
                "reader": In(ScalingRead(parameters)),
                "message": In(parameters.control_bytes * 8),
                "forget": In(parameters.venues),
                "forget_quote": In(parameters.venues),
                "select": In(1),
                "check": In(1),
                "settlement_fits": Out(1),
                "settle": In(1),
                **{name: In(1) for name in WRITES},
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        parameters = self._parameters
        m.submodules.instruments = instruments = InstrumentTable(parameters)
        m.submodules.venues = venues = VenueTable(parameters)
        m.submodules.scalings = scalings = ScalingTable(parameters)
        m.d.comb += [
            *assign(instruments, self, ("load", "message")),
            instruments.write.eq(self.write_instrument),
            *assign(self.loaded.row, instruments.row, instrument_fields(parameters)),
            *assign(venues, self, ("message", "heard", "heard_venue", "heard_time", "forget")),
            venues.write.eq(self.write_venue),
            *assign(scalings, self, ("load", "message")),
            scalings.write.eq(self.write_scaling),
            scalings.reader.instrument.eq(self.reader.instrument),
            scalings.reader.venue.eq(self.reader.venue),
            *assign(self.reader.row, scalings.reader.row, SCALING_FIELDS),
            *assign(self.loaded.scaling, scalings.row, SCALING_FIELDS),
        ]
        for mine, row in zip(self.venues, venues.rows, strict=True):
            m.d.comb += assign(mine.row, row, VENUE_STATE)
        pass_on(m, self.address, instruments.address, scalings.address)
        self._quotes(m)
        self._bases(m)
        self._holdings(m)
        return m

    def _quotes(self, m: Module) -> None:
        changes, loaded, fields = self.changes, self.loaded, quote_fields(self._parameters)
        m.submodules.quotes = quotes = QuoteStore(self._parameters)
        m.submodules.bits = bits = EdgeBits(self._parameters)
        pass_on(m, self.address, quotes.address, bits.address)
        bit_fields = venue_bits_fields(self._parameters)
        m.d.comb += [
            quotes.load.eq(self.load),
            quotes.forget.eq(self.forget_quote),
            quotes.write_sequence.eq(self.commit & changes.stored),
            quotes.new_sequence.eq(changes.sequence),
            quotes.new_valid.eq(changes.admitted),
            quotes.write_quote.eq(self.commit & changes.admitted),
            *assign(quotes.new_quote, changes.quote, fields),
            *assign(loaded, quotes, ("sequence_known", "sequence")),
            bits.load.eq(self.load),
            bits.forget.eq(self.forget_quote),
            bits.write.eq(self.commit & changes.stored),
            *assign(bits.new_bits, changes.bits, bit_fields),
            *assign(loaded.bits, bits.bits, bit_fields),
        ]
        for venue, mine in enumerate(self.venues):
            m.d.comb += [mine.valid.eq(quotes.valid[venue]), *assign(mine.quote, quotes.quotes[venue], fields)]

    def _bases(self, m: Module) -> None:
        fields = basis_fields(self._parameters)
        m.submodules.bases = bases = BasisStore(self._parameters)
        pass_on(m, self.address, bases.address)
        m.d.comb += [
            *assign(bases, self, ("load", "forget", "message")),
            bases.write.eq(Mux(self.commit, self.changes.sampled, 0)),
            bases.write_message.eq(self.write_basis),
        ]
        for other in range(self._parameters.venues):
            m.d.comb += assign(bases.new_bases[other], self.bases[other], fields)
            m.d.comb += assign(self.venues[other].basis, bases.bases[other], fields)

    def _holdings(self, m: Module) -> None:
        m.submodules.holdings = holdings = HoldingStore(self._parameters)
        pass_on(m, self.address, holdings.address)
        m.d.comb += [
            *assign(holdings, self, ("load", "message", "settle", "write_position")),
            holdings.settle_select.eq(self.select),
            holdings.settle_check.eq(self.check),
            self.settlement_fits.eq(holdings.settlement_fits),
            holdings.write_selling.eq(Mux(self.commit, self.changes.selling, 0)),
            holdings.write_buying.eq(Mux(self.commit, self.changes.buying, 0)),
            *assign(holdings, self.changes, ("new_selling", "new_buying")),
        ]
        for mine, holding in zip(self.venues, holdings.holdings, strict=True):
            m.d.comb += assign(mine.holding, holding, holding_fields(self._parameters))
