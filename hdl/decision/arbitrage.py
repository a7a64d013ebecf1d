"""ARB against the other venues, one after the other: the prices that an event must reach."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.pipeline import carried
from hdl.decision.schedule import Preparation, Schedule, follow
from hdl.decision.shapes import VENUE_FIELDS, limit_shape, price_shape
from hdl.parameters import CoreParameters
from market.fastpath.specification import FEE_FRACTION_BITS

FEES_BITS: Final = VENUE_FIELDS["fee"].width + 1
_LIMB_BITS: Final = 16
"""A price is multiplied in limbs that fit an 18 x 18 multiplier."""
_FRACTION_BITS: Final = FEE_FRACTION_BITS - _LIMB_BITS
"""What is still to be cut off when the lowest limb's product has lost its lowest limb."""


class FeeProduct(wiring.Component):
    """``floor(price * fees / 2^16)`` as a sum of two parts; exact, as only the lowest product loses bits.

    Members
    -------
    at: the schedule: ``price`` and ``fees`` are read in ``Preparation.PRODUCTS``.
    low, high: the parts, after ``Preparation.PARTS``: the result is low + high x 2^16.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._limbs = -(-parameters.price_bits // _LIMB_BITS)
        super().__init__(
            {
                "at": In(Schedule()),
                "price": In(price_shape(parameters)),
                "fees": In(signed(FEES_BITS)),
                "low": Out(signed(_LIMB_BITS + FEES_BITS + 1)),
                "high": Out(signed(_LIMB_BITS + FEES_BITS)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        products = []
        for limb in range(self._limbs):
            part = self.price[limb * _LIMB_BITS : (limb + 1) * _LIMB_BITS]
            product = Signal(signed(_LIMB_BITS + FEES_BITS), name=f"product_{limb}")
            with m.If(self.at.preparation[Preparation.PRODUCTS]):
                m.d.sync += product.eq(part * self.fees)
            products.append(product)
        with m.If(self.at.preparation[Preparation.PARTS]):
            m.d.sync += self.low.eq((products[0].shift_right(_LIMB_BITS)) + (products[1] if self._limbs > 1 else 0))
            if self._limbs > 2:
                m.d.sync += self.high.eq(products[2])
        return m


class Arbitrage(wiring.Component):
    """Limits of ARB between the event's venue v and one other venue w. The edge is what goes beyond, and the minimum.

    Members
    -------
    at: the schedule of the pipeline.
    own_fee, fee: of v and of w.
    bid, ask: the stored quote of w; ``fee`` and they are those of ``Preparation.SUMS``.
    minimum_edge: of the instrument row.
    sell_limit: ``ask_w + cost(ask_w)`` and the minimum edge, what selling at v must bring.
    buy_limit: ``bid_w - cost(bid_w)`` less the minimum edge, what buying at v may take. Both within ``LIMITS``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        price, limit = price_shape(parameters), limit_shape(parameters)
        super().__init__(
            {
                "at": In(Schedule()),
                "own_fee": In(VENUE_FIELDS["fee"]),
                "fee": In(VENUE_FIELDS["fee"]),
                "bid": In(price),
                "ask": In(price),
                "minimum_edge": In(signed(parameters.price_bits + 3)),
                "sell_limit": Out(limit),
                "buy_limit": Out(limit),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        price, limit = price_shape(self._parameters), limit_shape(self._parameters)
        fees = Signal(signed(FEES_BITS))
        m.submodules.sell = sell = FeeProduct(self._parameters)
        m.submodules.buy = buy = FeeProduct(self._parameters)
        follow(m, self.at, sell, buy)
        with m.If(self.at.preparation[Preparation.SUMS]):
            # cost(p) = -((-p * fees) >> 20): the products are those of the fees' negative
            m.d.sync += fees.eq(-self.own_fee - self.fee)
        sides = (
            (sell, self.ask, self.ask + self.minimum_edge, self.sell_limit, _with_cost),
            (buy, self.bid, self.bid - self.minimum_edge, self.buy_limit, _without_cost),
        )
        for product, stored, sum_of_edge, reached, limit_of in sides:
            multiplied = Signal(price, name=f"{stored.name}_multiplied")
            first = Signal(limit, name=f"{stored.name}_worth")
            worth = carried(m, self.at, first, Preparation.PARTS, lone=self._parameters.has_lone_other)
            m.d.comb += [product.price.eq(multiplied), product.fees.eq(fees), reached.eq(limit_of(worth[-1], product))]
            with m.If(self.at.preparation[Preparation.SUMS]):
                m.d.sync += [multiplied.eq(stored), worth[0].eq(sum_of_edge)]
        return m


def _fraction(value: Value) -> Value:
    return value.shift_left(_FRACTION_BITS)


def _with_cost(value: Value, product: FeeProduct) -> Value:
    """``value + cost``: value - floor(product / 16), which is the floor of (16 value + 15 - product) / 16."""
    rounding = (1 << _FRACTION_BITS) - 1
    return (_fraction(value) + rounding - product.low - product.high.shift_left(_LIMB_BITS)).shift_right(_FRACTION_BITS)


def _without_cost(value: Value, product: FeeProduct) -> Value:
    """``value - cost``: value + floor(product / 16)."""
    return (_fraction(value) + product.low + product.high.shift_left(_LIMB_BITS)).shift_right(_FRACTION_BITS)
