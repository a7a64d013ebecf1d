"""The ``on`` bits: which conditions are true, so that only a rise makes a candidate; and what else a reset clears."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Value, unsigned
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
_FLAGS: Final = ("valid", "known")


def venue_bits_fields(parameters: CoreParameters) -> Fields:
    """The bits of one venue: four groups against the other venues, and its two IMBALANCE bits.

    ``sampled``: which pairs with other venues have a basis.
    """
    fields = {group: unsigned(parameters.venues) for group in (*PAIR_GROUPS, "sampled")}
    return fields | {"imbalance": unsigned(2)}


class EdgeBits(wiring.Component):
    """The bits of every instrument; an instrument's are one row, seen from one venue.

    Members
    -------
    address: what the instrument and the venue become that everything else is about.
    load: strobe; from the next cycle on ``bits`` has the venue's bits, ``valid`` which venues' quotes are valid,
        ``known`` whether the venue's sequence is known, and the other strobes may come.
    write: strobe; in the next cycle the venue's bits become ``new_bits``, its quote valid if ``new_valid``, and its
        sequence known; all others of the instrument stay.
    write_sampled: strobe; in the next cycle the pairs of ``new_sampled`` have a basis, too.
    forget: per venue, a strobe: in the next cycle all bits of these venues are cleared in the instrument.
    forget_bases: per venue, the same for their pairs' bases.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        fields = bundle(venue_bits_fields(parameters))
        venues = parameters.venues
        super().__init__(
            {
                "address": In(NewAddress()),
                "load": In(1),
                "bits": Out(fields),
                "valid": Out(venues),
                "known": Out(1),
                "write": In(1),
                "new_bits": In(fields),
                "new_valid": In(1),
                "write_sampled": In(1),
                "new_sampled": In(venues),
                "forget": In(venues),
                "forget_bases": In(venues),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        venues = range(self._parameters.venues)
        # arb_s, basis_s: bit b is the pair of seller s and buyer b; sampled_a: bit b, each pair twice
        fields = {f"{kind}_{s}": unsigned(len(venues)) for kind in ("arb", "basis", "sampled") for s in venues}
        fields |= {f"imbalance_{venue}": unsigned(2) for venue in venues}
        fields |= {name: unsigned(len(venues)) for name in _FLAGS}
        m.submodules.rows = rows = RowMemory(fields, self._parameters.instruments)
        address = address_of(m, self.address, self._parameters, copy=3)
        writing, sampling = delayed(m, self.write, "writing"), delayed(m, self.write_sampled, "sampling")
        forgetting, forgets = delayed(m, self.forget, "forgetting"), delayed(m, self.forget.any(), "forgets")
        forgotten_bases = delayed(m, self.forget_bases, "forgetting_bases")
        m.d.comb += [
            rows.address[0].eq(address.instrument),
            rows.write_address.eq(address.instrument),
            rows.write.eq(writing | sampling | forgets),
        ]
        read, row, here = rows.read[0], rows.write_row, address.here
        for kind in ("arb", "basis"):
            sells, buys = getattr(self.new_bits, f"{kind}_sells"), getattr(self.new_bits, f"{kind}_buys")
            self._matrix(m, read, row, kind, here, writing, sells, buys, forgetting)
        bases = self.bits.sampled | self.new_sampled
        self._matrix(m, read, row, "sampled", here, sampling, bases, bases, forgotten_bases)
        words = [getattr(read, f"imbalance_{venue}") for venue in venues]
        for venue, old in enumerate(words):
            new = Mux(writing & here[venue], self.new_bits.imbalance, old)
            m.d.comb += getattr(row, f"imbalance_{venue}").eq(Mux(forgetting[venue], 0, new))
        new_flags = {"valid": Mux(self.new_valid, here, 0), "known": here}
        for name, new in new_flags.items():
            old = getattr(read, name)
            m.d.comb += getattr(row, name).eq(Mux(writing, (old & ~here) | new, old) & ~forgetting)
        with m.If(self.load):
            m.d.sync += [
                *[
                    getattr(self.bits, f"{kind}_sells").eq(one_of(here, self._rows(read, kind)))
                    for kind in ("arb", "basis")
                ],
                *[
                    getattr(self.bits, f"{kind}_buys").eq(one_of(here, self._columns(read, kind)))
                    for kind in ("arb", "basis")
                ],
                self.bits.sampled.eq(one_of(here, self._rows(read, "sampled"))),
                self.bits.imbalance.eq(one_of(here, words)),
                self.valid.eq(read.valid),
                self.known.eq((read.known & here).any()),
            ]
        return m

    def _matrix(
        self, m: Module, read: Any, row: Any, kind: str, here: Any, write: Any, sells: Any, buys: Any, forget: Any
    ) -> None:
        """What becomes of the bits of pairs: row and column of the venue are written, those of others stay."""
        for seller, old in enumerate(self._rows(read, kind)):
            as_buyer = Cat(Mux(mine, buys[seller], bit) for mine, bit in zip(here, old, strict=True))
            new = Mux(write, Mux(here[seller], sells, as_buyer), old)
            m.d.comb += getattr(row, f"{kind}_{seller}").eq(Mux(forget[seller], 0, new & ~forget))

    def _rows(self, read: Any, kind: str) -> list[Value]:
        return [getattr(read, f"{kind}_{venue}") for venue in range(self._parameters.venues)]

    def _columns(self, read: Any, kind: str) -> list[Value]:
        rows = self._rows(read, kind)
        return [Cat(word[venue] for word in rows) for venue in range(self._parameters.venues)]
