"""Prices and totals of the best levels, from their numbers in the window."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.books.levels import index_shape
from hdl.books.records import BookSide
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS

_LIMB_BITS: Final = 18
"""Width of a hardware multiplier."""


class TopOfBook(wiring.Component):
    """``base + index * tick`` of a book's best bid and ask, and their totals.

    Parameters
    ----------
    parameters: the build.

    Members
    -------
    base, tick: of the book.
    found: strobe: the best price of ``side`` is the one numbered ``index``, if the side ``has_orders``.
    total: in the second cycle after it, what the price has.
    bid, bid_quantity, ask, ask_quantity: right in the third cycle after ``found``; zeros without orders.
    done: strobe: both are from the next cycle on, the ask having been found last.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        price, total = unsigned(parameters.price_bits), unsigned(parameters.price_bits)
        super().__init__(
            {
                "base": In(price),
                "tick": In(price),
                "found": In(1),
                "side": In(1),
                "has_orders": In(1),
                "index": In(index_shape(parameters)),
                "total": In(total),
                "bid": Out(signed(WORD_BITS)),
                "bid_quantity": Out(total),
                "ask": Out(signed(WORD_BITS)),
                "ask_quantity": Out(total),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        stage: Any = Cat(self.found, self.side, self.has_orders)
        multiplied, summed = Signal(len(stage)), Signal(len(stage))
        m.d.sync += [multiplied.eq(stage), summed.eq(multiplied)]
        price = self._price(m, multiplied[0])
        for side, best, quantity in (
            (BookSide.BID, self.bid, self.bid_quantity),
            (BookSide.ASK, self.ask, self.ask_quantity),
        ):
            with m.If(summed[0] & (summed[1] == side)):
                m.d.sync += [best.eq(Mux(summed[2], price, 0)), quantity.eq(Mux(summed[2], self.total, 0))]
        m.d.comb += self.done.eq(summed[0] & (summed[1] == BookSide.ASK))
        return m

    def _price(self, m: Module, multiplied: Value) -> Value:
        """Two cycles after the index: products of the tick's limbs; then every second one, and the base."""
        products = []
        for limb, begin in enumerate(range(0, len(self.tick), _LIMB_BITS)):
            products.append(product := Signal(2 * _LIMB_BITS, name=f"product_{limb}"))
            with m.If(self.found):
                m.d.sync += product.eq(self.tick[begin : begin + _LIMB_BITS] * self.index)
        even, odd = Signal(WORD_BITS), Signal(WORD_BITS)
        with m.If(multiplied):
            m.d.sync += [even.eq(self.base + Cat(products[::2])), odd.eq(Cat(products[1::2]).shift_left(_LIMB_BITS))]
        return even + odd
