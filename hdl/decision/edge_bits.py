"""The ``on`` bits: which conditions are true, so that only a rise makes a candidate."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Module, Mux, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import NewAddress, address_of, delayed
from hdl.decision.pick import one_of
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
    address: what the instrument and the venue become that everything else is about.
    load: strobe; from the next cycle on ``bits`` has the venue's bits, and ``write`` may come.
    write: strobe; in the next cycle the venue's bits become ``new_bits``, all others of the instrument stay.
    forget: per venue, a strobe: in the next cycle all bits of these venues are cleared in the instrument.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        fields = bundle(venue_bits_fields(parameters))
        super().__init__(
            {
                "address": In(NewAddress()),
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
        address = address_of(m, self.address, self._parameters, copy=3)
        forgetting, forgets = delayed(m, self.forget, "forgetting"), delayed(m, self.forget.any(), "forgets")
        m.d.comb += [
            rows.address[0].eq(address.instrument),
            rows.write_address.eq(address.instrument),
            rows.write.eq(delayed(m, self.write, "writing") | forgets),
        ]
        read, here = rows.read[0], address.here
        for kind in ("arb", "basis"):
            sells, buys = getattr(self.new_bits, f"{kind}_sells"), getattr(self.new_bits, f"{kind}_buys")
            words = [getattr(read, f"{kind}_{seller}") for seller in venues]
            for seller, old in enumerate(words):
                as_buyer = Cat(Mux(here[buyer], buys[seller], old[buyer]) for buyer in venues)
                new = Mux(here[seller], sells, as_buyer)
                kept = Mux(forgetting[seller], 0, old & ~forgetting)
                m.d.comb += getattr(rows.write_row, f"{kind}_{seller}").eq(Mux(forgets, kept, new))
            with m.If(self.load):
                bought = [Cat(word[venue] for word in words) for venue in venues]
                m.d.sync += [
                    getattr(self.bits, f"{kind}_sells").eq(one_of(here, words)),
                    getattr(self.bits, f"{kind}_buys").eq(one_of(here, bought)),
                ]
        words = [getattr(read, f"imbalance_{venue}") for venue in venues]
        for venue, old in enumerate(words):
            new = Mux(here[venue], self.new_bits.imbalance, old)
            kept = Mux(forgetting[venue], 0, old)
            m.d.comb += getattr(rows.write_row, f"imbalance_{venue}").eq(Mux(forgets, kept, new))
        with m.If(self.load):
            m.d.sync += self.bits.imbalance.eq(one_of(here, words))
        return m
