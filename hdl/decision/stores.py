"""All tables and stored state of the decision machine, under one address."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Mux, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import NewAddress, delayed, pass_on
from hdl.decision.bases import BasisStore
from hdl.decision.command_fields import command_field
from hdl.decision.commands import WRITES
from hdl.decision.edge_bits import EdgeBits, venue_bits_fields
from hdl.decision.holdings import HoldingStore
from hdl.decision.instruments import InstrumentTable
from hdl.decision.quotes import QuoteStore
from hdl.decision.scaling import ScalingRead, ScalingTable
from hdl.decision.scan import Scan
from hdl.decision.shapes import (
    SCALING_FIELDS,
    VENUE_FIELDS,
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
    """What is known of an address: the row of its instrument, and what its own (instrument, venue) has stored.

    ``own_enabled``, ``own_fee``: of its venue; ``valid``: which venues have a valid quote of the instrument.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(
            {
                "row": Out(bundle(instrument_fields(parameters))),
                "scaling": Out(bundle(SCALING_FIELDS)),
                "sequence_known": Out(1),
                "sequence": Out(signed(64)),
                "bits": Out(bundle(venue_bits_fields(parameters))),
                "valid": Out(parameters.venues),
                "own_enabled": Out(1),
                "own_fee": Out(VENUE_FIELDS["fee"]),
            }
        )


class LoadedVenue(wiring.Signature):
    """What is known of one venue at an address: its row, its quote, its holding.

    ``basis`` is that of the pair with the address's own venue.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(
            {
                "row": Out(bundle(VENUE_STATE)),
                "quote": Out(bundle(quote_fields(parameters))),
                "basis": Out(bundle(basis_fields(parameters))),
                "holding": Out(bundle(holding_fields(parameters))),
            }
        )


class Changes(wiring.Signature):
    """What an event changes at its address.

    ``stored``: its ``sequence``, its ``bits``, and that its quote is valid if ``admitted``, else invalid.
    ``admitted``: its ``quote``. ``sampled``: per other venue, that the pair has a new basis. ``sells``,
    ``buys``: that the pending size of the venue in use is now ``new_selling``, ``new_buying``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        holding = holding_fields(parameters)
        super().__init__(
            {
                "stored": Out(1),
                "sequence": Out(signed(64)),
                "bits": Out(bundle(venue_bits_fields(parameters))),
                "admitted": Out(1),
                "quote": Out(bundle(quote_fields(parameters))),
                "sampled": Out(parameters.others),
                "sells": Out(1),
                "buys": Out(1),
                "new_selling": Out(holding["pending_sell"]),
                "new_buying": Out(holding["pending_buy"]),
            }
        )


class Stores(wiring.Component):
    """What is read at the beginning of an event and written at its end, or by a command.

    Members
    -------
    address: what the address becomes: an event's own, or what a command is about.
    load: strobe; ``loaded`` is of the address from the next cycle on; its sequence and ``other.holding``, of its venue,
        one cycle later where rows have registers.
    read: strobe; in the next cycle, or the one behind it, ``other`` is of the next other venue; with ``turn``, too,
        its holding by ``follow``, a strobe one cycle later. read_row: strobe in the cycle at whose end rows are there,
        if the venue's row is wanted.
    here, first, beyond: of that venue, see ``Scan``.
    select: strobe; the venue to be read is the one of ``selected``, and holdings those of seller and buyer: if
        ``own_sells`` the address's venue sells, else it buys. fetch: strobe in the next cycle: they are read.
        other_venue: the number of that venue, behind ``fetch``. restart: strobe; the first other venue is next.
    begin, store, put, value, samples: see ``BasisStore``; busy: an address must not be taken yet.
    commit: strobe; ``changes`` are stored in the next cycle, but for samples of the basis. time: of the event.
    heard, heard_venue, heard_time: see ``VenueTable``; reader: see ``ScalingTable``.
    forget, forget_quote: per venue, strobes: what is stored of the instrument is forgotten, by the second one only
        quote, sequence and bits; by the first one alone only the bases and ``seen``.
    message, and its strobes: see ``CommandSteps``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        basis = basis_fields(parameters)
        super().__init__(
            {
                "address": In(NewAddress()),
                "load": In(1),
                "loaded": Out(Loaded(parameters)),
                "read": In(1),
                "turn": In(1),
                "read_row": In(1),
                "follow": In(1),
                "other": Out(LoadedVenue(parameters)),
                "here": Out(parameters.venues),
                "first": Out(1),
                "beyond": Out(parameters.others),
                "select": In(1),
                "selected": In(parameters.others),
                "own_sells": In(1),
                "fetch": In(1),
                "other_venue": Out(parameters.venue_bits),
                "restart": In(1),
                "begin": In(1),
                "store": In(1),
                "put": In(1),
                "value": In(basis["value"]),
                "samples": In(basis["samples"]),
                "busy": Out(1),
                "commit": In(1),
                "changes": In(Changes(parameters)),
                "time": In(TIME_BITS),
                "heard": In(1),
                "heard_venue": In(VENUE_NUMBER_BITS),
                "heard_time": In(TIME_BITS),
                "reader": In(ScalingRead(parameters)),
                "message": In(parameters.control_bytes * 8),
                "forget": In(parameters.venues),
                "forget_quote": In(parameters.venues),
                "settle_select": In(1),
                "settle_check": In(1),
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
        m.submodules.scan = scan = Scan(parameters)
        m.d.comb += [
            *assign(instruments, self, ("load", "message")),
            instruments.write.eq(self.write_instrument),
            *assign(self.loaded.row, instruments.row, instrument_fields(parameters)),
            *assign(venues, self, ("load", "message", "heard", "heard_venue", "heard_time", "forget")),
            venues.write.eq(self.write_venue),
            venues.read.eq(self.read_row),
            *[
                mine.eq(delayed(m, value, f"{value.name}_then") if parameters.registers_rows else value)
                for mine, value in ((venues.other, scan.venue), (venues.here, scan.here))
            ],
            *assign(self.other.row, venues.row, VENUE_STATE),
            *assign(self.loaded, venues, ("own_enabled", "own_fee")),
            *assign(scalings, self, ("load", "message")),
            scalings.write.eq(self.write_scaling),
            scalings.reader.instrument.eq(self.reader.instrument),
            scalings.reader.venue.eq(self.reader.venue),
            *assign(self.reader.row, scalings.reader.row, SCALING_FIELDS),
            *assign(self.loaded.scaling, scalings.row, SCALING_FIELDS),
            scan.turn.eq(self.read),
            *assign(scan, self, ("select", "selected", "restart")),
            *assign(self, scan, ("here", "first", "beyond")),
        ]
        with m.If(self.fetch):
            m.d.sync += self.other_venue.eq(scan.venue)
        pass_on(m, self.address, instruments.address, scalings.address, venues.address, scan.address)
        self._quotes(m, scan)
        self._bits(m)
        self._bases(m, scan)
        self._holdings(m, scan)
        return m

    def _quotes(self, m: Module, scan: Scan) -> None:
        changes, fields = self.changes, quote_fields(self._parameters)
        m.submodules.quotes = quotes = QuoteStore(self._parameters)
        pass_on(m, self.address, quotes.address)
        m.d.comb += [
            quotes.load.eq(self.load),
            quotes.read.eq(self.read | self.fetch),
            quotes.other.eq(scan.venue),
            quotes.write_sequence.eq(self.commit & changes.stored),
            quotes.new_sequence.eq(changes.sequence),
            quotes.write_quote.eq(self.commit & changes.admitted),
            *assign(quotes.new_quote, changes.quote, fields),
            self.loaded.sequence.eq(quotes.sequence),
            *assign(self.other.quote, quotes.quote, fields),
        ]

    def _bits(self, m: Module) -> None:
        changes, loaded, fields = self.changes, self.loaded, venue_bits_fields(self._parameters)
        m.submodules.bits = bits = EdgeBits(self._parameters)
        pass_on(m, self.address, bits.address)
        second = command_field(self.message, "LoadBasis", "secondVenue")
        loaded_pair = 1 << second[: self._parameters.venue_bits]
        m.d.comb += [
            bits.load.eq(self.load),
            bits.forget.eq(self.forget_quote),
            bits.forget_bases.eq(self.forget),
            bits.write.eq(self.commit & changes.stored),
            bits.new_valid.eq(changes.admitted),
            *assign(bits.new_bits, changes.bits, fields),
            bits.write_sampled.eq((self.commit & changes.sampled.any()) | self.write_basis),
            bits.new_sampled.eq(Mux(delayed(m, self.write_basis, "is_message"), loaded_pair, changes.bits.sampled)),
            *assign(loaded.bits, bits.bits, fields),
            loaded.valid.eq(bits.valid),
            loaded.sequence_known.eq(bits.known),
        ]

    def _bases(self, m: Module, scan: Scan) -> None:
        m.submodules.bases = bases = BasisStore(self._parameters)
        pass_on(m, self.address, bases.address)
        m.d.comb += [
            *assign(bases, self, ("read", "message", "put", "time")),
            bases.other.eq(scan.venue),
            *assign(bases, scan, ("first", "beyond")),
            *[mine.eq(number) for mine, number in zip(bases.numbers, scan.numbers, strict=True)],
            *assign(bases.sample, self, ("value", "samples")),
            *assign(bases, self, ("begin", "store")),
            bases.stored.eq(self.changes.sampled),
            self.busy.eq(bases.busy),
            bases.write_message.eq(self.write_basis),
            *assign(self.other.basis, bases.basis, basis_fields(self._parameters)),
        ]

    def _holdings(self, m: Module, scan: Scan) -> None:
        m.submodules.holdings = holdings = HoldingStore(self._parameters)
        pass_on(m, self.address, holdings.address)
        m.d.comb += [
            holdings.load.eq(self.load | self.follow | self.fetch),
            holdings.turn.eq(self.turn),
            holdings.other.eq(scan.venue),
            holdings.select.eq(self.select),
            holdings.seller.eq(Mux(self.own_sells, scan.own, scan.chosen)),
            holdings.buyer.eq(Mux(self.own_sells, scan.chosen, scan.own)),
            *assign(holdings, self, ("message", "settle_select", "settle_check", "settle", "write_position")),
            self.settlement_fits.eq(holdings.settlement_fits),
            holdings.write_selling.eq(self.commit & self.changes.sells),
            holdings.write_buying.eq(self.commit & self.changes.buys),
            *assign(holdings, self.changes, ("new_selling", "new_buying")),
            *assign(self.other.holding, holdings.holding, holding_fields(self._parameters)),
        ]
