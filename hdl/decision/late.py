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

_LIMB_BITS: Final = 16
_DEPTH: Final = 32
_COMPACT_DEPTH: Final = 16


def digit_bits(parameters: CoreParameters) -> int:
    """Bits of the quotient that a cycle finds."""
    return 1 if parameters.compact else 2


def digits(parameters: CoreParameters) -> int:
    """Digits of the quotient, each of which takes a cycle."""
    return -(-IMBALANCE_FRACTION_BITS // digit_bits(parameters))


def late_cycles(parameters: CoreParameters) -> int:
    """From ``start`` to the result; two starts are at least as far apart when the first one is kept."""
    return digits(parameters) + 5


class LateValues(wiring.Component):
    """Divides while the rest of the machine decides and commits, and keeps the results of committed triggers.

    Members
    -------
    start: strobe; begins with the quantities' ``difference`` and ``total`` and the prices ``bid`` and ``ask``, and
        forgets what was begun before and not kept.
    keep: strobe; what was begun last is the next of ``late``, as soon as it is there.
    late: results in the order in which they were kept.
    room: one more can be kept, and, in a compact core, nothing is divided any more by the time of its start.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters, self._divides = parameters, Signal()
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
        bits, digit_width, count = self._parameters.price_bits, digit_bits(self._parameters), digits(self._parameters)
        remainder, quotient = Signal(bits + 1), Signal(count * digit_width)
        once = Signal(bits + 1)
        left, divided = Signal(range(count + 1)), Signal()
        wide = remainder.shift_left(digit_width)
        digit, rest = self._digit(m, wide, once)
        m.d.sync += divided.eq((left == 1) & ~self.start)
        with m.If(self.start):
            m.d.sync += [
                remainder.eq(Mux(self.difference < 0, -self.difference, self.difference)),
                once.eq(self.total),
                left.eq(count),
            ]
        with m.Elif(left != 0):
            m.d.sync += [
                remainder.eq(rest),
                quotient.eq(Cat(digit, quotient)),
                left.eq(left - 1),
            ]
        if self._parameters.compact:
            # an event takes at least nine cycles to its own start
            m.d.sync += self._divides.eq(self.start | (left > 1))
        return divided, quotient[-IMBALANCE_FRACTION_BITS:]

    def _digit(self, m: Module, wide: Value, once: Signal) -> tuple[Value, Value]:
        """The next digit, and what is left of the remainder."""
        rest_of_once = wide - once
        if digit_bits(self._parameters) == 1:
            return ~rest_of_once[-1], Mux(rest_of_once[-1], wide, rest_of_once)
        thrice = Signal(len(once) + 2)
        with m.If(self.start):
            m.d.sync += thrice.eq(self.total + self.total.shift_left(1))
        rests = [rest_of_once, wide - once.shift_left(1), wide - thrice]
        once_fits, twice_fits, thrice_fits = (~rest[-1] for rest in rests)
        rest = Mux(twice_fits, Mux(thrice_fits, rests[2], rests[1]), Mux(once_fits, rests[0], wide))
        return Cat(thrice_fits | (once_fits & ~twice_fits), twice_fits), rest

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
        layout, depth = late_layout(self._parameters), _COMPACT_DEPTH if self._parameters.compact else _DEPTH
        m.submodules.queue = queue = fifo.SyncFIFO(width=layout.size, depth=depth)
        there, kept = Signal(), Signal()
        with m.If(queue.w_en):
            m.d.sync += [there.eq(0), kept.eq(0)]
        with m.Else():
            m.d.sync += [there.eq((there | finished) & ~self.start), kept.eq(kept | self.keep)]
        m.d.comb += [
            queue.w_en.eq(there & kept),
            queue.w_data.eq(result),
            self.room.eq((queue.level < depth - 2) & ~self._divides),
            self.late.valid.eq(queue.r_rdy),
            self.late.payload.eq(queue.r_data),
            queue.r_en.eq(self.late.ready),
        ]
