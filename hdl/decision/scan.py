"""Which other venue comes next: all of them in ascending order, round and round, or a chosen one."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import NewAddress
from hdl.decision.pick import one_of
from hdl.parameters import CoreParameters


class Scan(wiring.Component):
    """The venue w that the pipeline of the other venues reads.

    Members
    -------
    address: what the instrument and the venue v become that everything else is about; w becomes the first other one.
    turn: strobe; w becomes the next other one, behind the last the first.
    select: strobe; w becomes the one of ``selected``, a bit per other venue in their order.
    restart: strobe; w becomes the first other one.
    venue, here: w as a number and as one bit of all venues.
    first: v is the first one of the pair with w, that is, below it.
    own: v; numbers: per other venue in their order, its number; beyond: it is above v.
    chosen: the number that is taken with ``select``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        number = parameters.venue_bits
        super().__init__(
            {
                "address": In(NewAddress()),
                "turn": In(1),
                "select": In(1),
                "selected": In(parameters.others),
                "restart": In(1),
                "venue": Out(number),
                "here": Out(parameters.venues),
                "first": Out(1),
                "own": Out(number),
                "numbers": Out(number).array(parameters.others),
                "beyond": Out(parameters.others),
                "chosen": Out(number),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        others, bits = self._parameters.others, self._parameters.venue_bits
        at = Signal(others, init=1)
        chosen, own = Signal(others), Signal(bits)
        numbers = [Mux(self.beyond[k], Const(k + 1, bits), Const(k, bits)) for k in range(others)]
        m.d.comb += [
            *[mine.eq(number) for mine, number in zip(self.numbers, numbers, strict=True)],
            chosen.eq(Mux(self.select, self.selected, at.rotate_left(1))),
            self.chosen.eq(one_of(self.selected, self.numbers)),
            own.eq(Mux(self.address.take, self.address.venue, self.own)),
        ]
        with m.If(self.address.take):
            m.d.sync += [
                self.own.eq(self.address.venue),
                self.beyond.eq(Cat(self.address.venue <= k for k in range(others))),
            ]
        with m.If(self.address.take | self.restart):
            m.d.sync += [
                at.eq(1),
                self.venue.eq(own == 0),
                self.first.eq(own == 0),
                self.here.eq(Mux(own == 0, 2, 1)),
            ]
        with m.Elif(self.turn | self.select):
            m.d.sync += [
                at.eq(chosen),
                self.venue.eq(one_of(chosen, self.numbers)),
                self.first.eq((chosen & self.beyond).any()),
                self.here.eq(spread(chosen, self.beyond, len(self.here))),
            ]
        return m


def spread(others: Value, beyond: Value, venues: int) -> Value:
    """Bits of the other venues in their order as bits of all venues; ``beyond`` as in ``Scan``."""
    found = []
    for venue in range(venues):
        below = others[venue] & ~beyond[venue] if venue < len(others) else 0
        found.append(below | (others[venue - 1] & beyond[venue - 1] if venue else 0))
    return Cat(Value.cast(each)[:1] for each in found)
