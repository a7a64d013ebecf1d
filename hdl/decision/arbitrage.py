"""ARB against one other venue: the prices that an event must reach."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import at_least, at_most
from hdl.decision.schedule import Preparation, Schedule, Stage, follow
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
    """Limits and conditions of ARB between the event's venue v and one other venue w.

    Members
    -------
    at: the schedule.
    own_fee, fee: of v and of w.
    bid, ask: the stored quote of w.
    minimum_edge: of the instrument row.
    sell_base: ``ask_w + cost(ask_w)``, what selling at v must bring; the edge is what it brings above it.
    buy_base: ``bid_w - cost(bid_w)``, what buying at v may take. Both after ``Preparation.LIMITS``.
    own_bid, own_ask: of the event, in ``Stage.COMPARE``.
    sells, buys: the edge of selling, buying at v is large enough; after ``Stage.COMPARE``.
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
                "own_bid": In(price),
                "own_ask": In(price),
                "sell_base": Out(limit),
                "buy_base": Out(limit),
                "sells": Out(1),
                "buys": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        limit = limit_shape(self._parameters)
        fees, least, most = Signal(signed(FEES_BITS)), Signal(limit), Signal(limit)
        sell_limit, buy_limit = Signal(limit), Signal(limit)
        m.submodules.sell = sell = FeeProduct(self._parameters)
        m.submodules.buy = buy = FeeProduct(self._parameters)
        follow(m, self.at, sell, buy)
        for product, price in ((sell, self.ask), (buy, self.bid)):
            m.d.comb += [product.price.eq(price), product.fees.eq(fees)]
        with m.If(self.at.preparation[Preparation.SUMS]):
            # cost(p) = -((-p * fees) >> 20): the products are those of the fees' negative
            m.d.sync += [
                fees.eq(-self.own_fee - self.fee),
                least.eq(self.ask + self.minimum_edge),
                most.eq(self.bid - self.minimum_edge),
            ]
        with m.If(self.at.preparation[Preparation.LIMITS]):
            m.d.sync += [
                self.sell_base.eq(_with_cost(self.ask, sell)),
                sell_limit.eq(_with_cost(least, sell)),
                self.buy_base.eq(_without_cost(self.bid, buy)),
                buy_limit.eq(_without_cost(most, buy)),
            ]
        with m.If(self.at.event[Stage.COMPARE]):
            m.d.sync += [
                self.sells.eq(at_least(self.own_bid, sell_limit)),
                self.buys.eq(at_most(self.own_ask, buy_limit)),
            ]
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
