"""The notional of a trigger: the control unit multiplies once per row, the gate never."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Cat, Mux, Signal

from hdl.control.product import BOUND_BITS, HIGH_BITS, ProductOrder
from hdl.formal.bench import Bench, Design
from hdl.formal.proof import Proof
from hdl.formal.solver import Mode
from hdl.records import WORD_BITS

_FACTOR_BITS: Final = 6
_START: Final = 4
_DONE: Final = _START + BOUND_BITS + 1
_LOST_BIT: Final = "the highest bit of the quantity is lost"
_LOST_BOUND: Final = "the high bits of the bound are lost"


def _build(mutation: str) -> Design:
    """Four loads, a start, and what the unit then says of a price and a quantity that are no larger."""
    subject = ProductOrder()
    bench = Bench(subject)
    bench.free_inputs("value", "load_multiplicand", "load_multiplier", "load_bound", "load_bound_high", "start")
    m, step = bench.m, Signal(range(_DONE + 2))
    with m.If(step <= _DONE):
        m.d.sync += step.eq(step + 1)
    high, largest, price, quantity = (
        bench.fixed(name, _FACTOR_BITS) for name in ("high", "largest", "price", "quantity")
    )
    low_bound, high_bound = bench.fixed("low_bound", WORD_BITS), bench.fixed("high_bound", HIGH_BITS)
    multiplier = largest[:-1] if mutation == _LOST_BIT else largest
    loads = (
        (subject.load_multiplicand, high),
        (subject.load_multiplier, multiplier),
        (subject.load_bound, low_bound),
        (subject.load_bound_high, 0 if mutation == _LOST_BOUND else high_bound),
    )
    for number, (strobe, value) in enumerate(loads):
        m.d.comb += strobe.eq(step == number)
        with m.If(step == number):
            m.d.comb += subject.value.eq(value)
    m.d.comb += subject.start.eq(step == _START)
    # a product is not begun while another one is under way
    bench.assume((step != 0) | (bench.peek("left", range(BOUND_BITS + 1)) == 0))
    bench.assume((price <= high) & (quantity <= largest))
    product, notional = high * largest, Cat(low_bound, high_bound)
    with m.If(step == _DONE):
        bench.claim(subject.done & (subject.above == (product > notional)) & (subject.below == (product < notional)))
        bench.claim(subject.above | (price * quantity <= notional))
    bench.reach((step == _DONE) & ~subject.above & (product > 1) & ~subject.below)
    bench.reach((step == _DONE) & Mux(high_bound == 0, subject.above, 0))
    return bench.design()


NOTIONAL: Final = Proof(
    name="notional",
    statement=(
        "the control unit finds a row's highest price times its largest quantity above the notional exactly if it is, "
        "and if it is not, no price and quantity below those have a larger product: so no trigger has; factors of "
        f"{_FACTOR_BITS} bits, any notional"
    ),
    build=_build,
    mutations=(_LOST_BIT, _LOST_BOUND),
    mode=Mode.BOUNDED,
    depth=_DONE + 1,
    mutation_depth=_DONE + 1,
    cover_depth=_DONE + 1,
    any_state=True,
    first_claim=_DONE,
    is_long=True,
)
