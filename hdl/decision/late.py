"""What a trigger carries last: the imbalance, by division, and the microprice."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.shapes import price_shape
from hdl.parameters import CoreParameters
from hdl.records import late_layout
from market.fastpath.specification import IMBALANCE_FRACTION_BITS, IMBALANCE_ONE

_DIGIT_BITS: Final = 2
"""Bits of the quotient that a cycle finds."""
_DIGITS: Final = -(-IMBALANCE_FRACTION_BITS // _DIGIT_BITS)
_LIMB_BITS: Final = 16
LATE_CYCLES: Final = _DIGITS + 5
"""Cycles from ``start`` to the result; two starts are at least as far apart when the first one is kept."""
_DEPTH: Final = 32


class LateValues(wiring.Component):
    """Divides while the rest of the machine decides and commits, and keeps the results of committed triggers.

    Members
    -------
    start: strobe; begins with the quantities' ``difference`` and ``total`` and the prices ``bid`` and ``ask``, and
        forgets what was begun before and not kept.
    keep: strobe; what was begun last is the next of ``late``, as soon as it is there.
    late: results in the order in which they were kept.
    room: one more can be kept.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        bits, price = parameters.price_bits, price_shape(parameters)
        super().__init__(
            {
                "start": In(1),
                "difference": In(signed(bits + 1)),
                "total": In(unsigned(bits + 1)),
                "bid": In(price),
                "ask": In(price),
                "keep": In(1),
                "late": Out(stream.Signature(late_layout(parameters))),
                "room": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        price = price_shape(self._parameters)
        negative, spread, bid = Signal(), Signal(price), Signal(price)
        with m.If(self.start):
            m.d.sync += [
                negative.eq(self.difference < 0),
                spread.eq(self.ask - self.bid),
                bid.eq(self.bid),
            ]
        divided, magnitude = self._divide(m)
        result = Signal(late_layout(self._parameters))
        weighted, weight = Signal(), Signal(unsigned(IMBALANCE_FRACTION_BITS + 1))
        m.d.sync += weighted.eq(divided & ~self.start)
        with m.If(divided):
            m.d.sync += [
                result.imbalance.eq(Mux(negative, -magnitude, magnitude)),
                weight.eq(IMBALANCE_ONE + Mux(negative, -magnitude, magnitude)),
            ]
        finished = self._multiply(m, weighted, spread, weight, bid, result)
        self._keep(m, finished, result)
        return m

    def _divide(self, m: Module) -> tuple[Signal, Value]:
        """``|difference| * 2^15 / total``: a strobe and the quotient, a base-4 digit per cycle."""
        bits = self._parameters.price_bits
        remainder, quotient = Signal(bits + 1), Signal(_DIGITS * _DIGIT_BITS)
        once, thrice = Signal(bits + 1), Signal(bits + 3)
        left, divided = Signal(range(_DIGITS + 1)), Signal()
        wide = remainder.shift_left(_DIGIT_BITS)
        multiples = (once, once.shift_left(1), thrice)
        rests = [wide - multiple for multiple in multiples]
        once_fits, twice_fits, thrice_fits = (~rest[-1] for rest in rests)
        rest = Mux(twice_fits, Mux(thrice_fits, rests[2], rests[1]), Mux(once_fits, rests[0], wide))
        digit = Cat(thrice_fits | (once_fits & ~twice_fits), twice_fits)
        m.d.sync += divided.eq((left == 1) & ~self.start)
        with m.If(self.start):
            m.d.sync += [
                remainder.eq(Mux(self.difference < 0, -self.difference, self.difference)),
                once.eq(self.total),
                thrice.eq(self.total + self.total.shift_left(1)),
                left.eq(_DIGITS),
            ]
        with m.Elif(left != 0):
            m.d.sync += [
                remainder.eq(rest),
                quotient.eq(Cat(digit, quotient)),
                left.eq(left - 1),
            ]
        return divided, quotient[-IMBALANCE_FRACTION_BITS:]

    def _multiply(self, m: Module, start: Signal, spread: Signal, weight: Signal, bid: Signal, result: Any) -> Signal:
        """``bid + ((spread * weight) >> 16)``, limb by limb; a strobe, in the next cycle it is in the result."""
        products = []
        for limb, begin in enumerate(range(0, len(spread), _LIMB_BITS)):
            part = spread[begin : begin + _LIMB_BITS]
            products.append(product := Signal(2 * _LIMB_BITS, name=f"product_{limb}"))
            with m.If(start):
                m.d.sync += product.eq(part * weight)
        multiplied, finished = Signal(), Signal()
        total = Signal(len(spread) + _LIMB_BITS)
        m.d.sync += [
            multiplied.eq(start & ~self.start),
            finished.eq(multiplied & ~self.start),
        ]
        with m.If(multiplied):
            m.d.sync += total.eq(Cat(products[::2]) + Cat(products[1::2]).shift_left(_LIMB_BITS))
        with m.If(finished):
            m.d.sync += result.microprice.eq(bid + total.shift_right(_LIMB_BITS))
        return finished

    def _keep(self, m: Module, finished: Signal, result: Any) -> None:
        """A result is put into the queue when it is both finished and kept, in either order."""
        layout = late_layout(self._parameters)
        m.submodules.queue = queue = fifo.SyncFIFO(width=layout.size, depth=_DEPTH)
        there, kept = Signal(), Signal()
        with m.If(queue.w_en):
            m.d.sync += [there.eq(0), kept.eq(0)]
        with m.Else():
            m.d.sync += [there.eq((there | finished) & ~self.start), kept.eq(kept | self.keep)]
        m.d.comb += [
            queue.w_en.eq(there & kept),
            queue.w_data.eq(result),
            self.room.eq(queue.level < _DEPTH - 2),
            self.late.valid.eq(queue.r_rdy),
            self.late.payload.eq(queue.r_data),
            queue.r_en.eq(self.late.ready),
        ]
