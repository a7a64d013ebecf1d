"""The ``on`` bits: which conditions are true, so that only a rise makes a candidate."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Array, Cat, Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.row_memory import RowMemory
from hdl.decision.shapes import Fields, bundle
from hdl.parameters import CoreParameters

BUY, SELL = 0, 1
"""Positions of a venue's two IMBALANCE bits."""
PAIR_GROUPS = ("arb_sells", "arb_buys", "basis_sells", "basis_buys")
"""Groups of one venue's bits in the order of preference, a bit per other venue; ``sells``: it sells or is rich."""


def venue_bits_fields(parameters: CoreParameters) -> Fields:
    """The bits of one venue: four groups against the other venues, and its two IMBALANCE bits."""
    fields = {group: unsigned(parameters.venues) for group in PAIR_GROUPS}
    return fields | {"imbalance": unsigned(2)}


class EdgeBits(wiring.Component):
    """The bits of every instrument; an instrument's are one row, seen from one venue.

    Members
    -------
    instrument, venue: what the other members are about.
    load: strobe; from the next cycle on ``bits`` has the venue's bits, and ``write`` may come.
    write: strobe; the venue's bits become ``new_bits``, all others of the instrument stay.
    forget: per venue, a strobe: all bits of these venues are cleared in the instrument.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        fields = bundle(venue_bits_fields(parameters))
        super().__init__(
            {
                "instrument": In(parameters.instrument_bits),
                "venue": In(parameters.venue_bits),
                "load": In(1),
                "bits": Out(fields),
                "write": In(1),
                "new_bits": In(fields),
                "forget": In(parameters.venues),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        venues = range(self._parameters.venues)
        # arb_s, basis_s: bit b is the pair of seller s and buyer b; imbalance: two bits per venue
        fields = {f"{kind}_{s}": unsigned(len(venues)) for kind in ("arb", "basis") for s in venues}
        fields |= {f"imbalance_{venue}": unsigned(2) for venue in venues}
        m.submodules.rows = rows = RowMemory(fields, self._parameters.instruments)
        read, forgets = rows.read[0], Signal()
        m.d.comb += [
            forgets.eq(self.forget.any()),
            rows.address[0].eq(self.instrument),
            rows.write_address.eq(self.instrument),
            rows.write.eq(self.write | forgets),
        ]
        for kind in ("arb", "basis"):
            sells, buys = getattr(self.new_bits, f"{kind}_sells"), getattr(self.new_bits, f"{kind}_buys")
            words = [getattr(read, f"{kind}_{seller}") for seller in venues]
            for seller, old in enumerate(words):
                mine = Cat(Mux(self.venue == buyer, buys[seller], old[buyer]) for buyer in venues)
                new = Mux(self.venue == seller, sells, mine)
                kept = Mux(self.forget[seller], 0, old & ~self.forget)
                m.d.comb += getattr(rows.write_row, f"{kind}_{seller}").eq(Mux(forgets, kept, new))
            with m.If(self.load):
                bought = [Cat(word[venue] for word in words) for venue in venues]
                m.d.sync += [
                    getattr(self.bits, f"{kind}_sells").eq(Array(words)[self.venue]),
                    getattr(self.bits, f"{kind}_buys").eq(Array(bought)[self.venue]),
                ]
        self._imbalance(m, rows, forgets)
        return m

    def _imbalance(self, m: Module, rows: RowMemory, forgets: Any) -> None:
        words = [getattr(rows.read[0], f"imbalance_{venue}") for venue in range(self._parameters.venues)]
        for venue, old in enumerate(words):
            new = Mux(self.venue == venue, self.new_bits.imbalance, old)
            kept = Mux(self.forget[venue], 0, old)
            m.d.comb += getattr(rows.write_row, f"imbalance_{venue}").eq(Mux(forgets, kept, new))
        with m.If(self.load):
            m.d.sync += self.bits.imbalance.eq(Array(words)[self.venue])
