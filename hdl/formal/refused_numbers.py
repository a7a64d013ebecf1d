"""Which bits of a quote's numbers may be wrong without anything following from it: of those that are refused or cut.

Two admissions beside each other, each with the imbalance behind it, are given the same quote, but for one bit of one
number. Where another bit of that number says that it is out of range they say the same of the quote. Of a quote that is
not admitted the scaled numbers mean nothing, nor does a scaled quantity that is cut: that is the admission's contract,
and no part of this.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from amaranth.hdl import Const, Module, Signal, Value

from hdl.decision.admission import Admission
from hdl.decision.imbalance import Imbalance
from hdl.decision.schedule import Preparation, Stage
from hdl.decision.shapes import SCALING_FIELDS, assign
from hdl.formal.bench import TWIN, Bench, Design
from hdl.formal.proof import Proof
from hdl.formal.solver import Mode
from hdl.parameters import CoreParameters
from hdl.records import quote_layout


@dataclass(frozen=True, slots=True)
class WrongBit:
    """A bit of a quote's number that is inverted where another one of it is set."""

    field: str
    bit: int
    where: int


NEGATIVE_PRICE: Final = WrongBit("bid_price", 60, 63)
LARGE_QUANTITY: Final = WrongBit("ask_quantity", 43, 58)
_INSIDE: Final = "bits that a number in range may have"
_LOW_BIT: Final = 21
_ALIKE: Final = ("sizes", "in_build", "sequence_known", "sequence")
_ROW: Final = ("threshold", "maximum_spread", "enabled", "bid_shown", "ask_shown")
_ADMITTED: Final = ("bid", "ask", "bid_cut", "ask_cut")
_CYCLES: Final = 4
"""What is prepared; what is scaled and checked; the verdict; the conditions of the imbalance."""


@dataclass(frozen=True, slots=True)
class _Judges:
    """An admission and the imbalance that follows from it."""

    admission: Any
    imbalance: Any

    def connect(self, m: Module, step: Signal) -> None:
        """Each stage in a cycle of its own."""
        for part in (self.admission, self.imbalance):
            m.d.comb += [
                part.at.preparation[Preparation.SUMS].eq(step == 0),
                part.at.event[Stage.SCALE].eq(step == 1),
                part.at.event[Stage.COMPARE].eq(step == 2),
                part.at.event[Stage.CHOOSE].eq(step == 3),
            ]
        m.d.comb += [
            *assign(self.imbalance, self.admission, (*_ADMITTED, "admitted", "quote")),
            self.imbalance.top.eq(self.admission.quantity_top),
        ]


def _judged(wrong: WrongBit, mutation: str) -> Design:
    """One event: the same strobes for both, and everything else stays as it is."""
    parameters = CoreParameters()
    ours, theirs = (_Judges(Admission(parameters), Imbalance(parameters)) for _ in range(2))
    bench = Bench(ours.admission)
    m = bench.m
    m.submodules[TWIN], m.submodules.imbalance, m.submodules.other_imbalance = (
        theirs.admission,
        ours.imbalance,
        theirs.imbalance,
    )
    step = Signal(range(_CYCLES + 1))
    with m.If(step != _CYCLES):
        m.d.sync += step.eq(step + 1)
    bench.free_inputs("at", fixed=(*_ALIKE, "scaling", "quote"))
    for name in _ALIKE:
        m.d.comb += Value.cast(getattr(theirs.admission, name)).eq(Value.cast(getattr(ours.admission, name)))
    m.d.comb += assign(theirs.admission.scaling, ours.admission.scaling, SCALING_FIELDS)
    for name in _ROW:
        given = bench.fixed(name, len(getattr(ours.imbalance, name)))
        m.d.comb += [getattr(each.imbalance, name).eq(given) for each in (ours, theirs)]
    number = Value.cast(ours.admission.quote[wrong.field])
    bit, where = (_LOW_BIT, _LOW_BIT - 1) if mutation else (wrong.bit, wrong.where)
    bench.assume(number[where])
    for name in quote_layout.members:
        changed = number ^ Const(1 << bit, len(number)) if name == wrong.field else ours.admission.quote[name]
        m.d.comb += Value.cast(theirs.admission.quote[name]).eq(changed)
    for each in (ours, theirs):
        each.connect(m, step)
    _claim(bench, step, ours, theirs)
    admitted = ours.admission.admitted
    bench.reach((step == _CYCLES) & (admitted if wrong is LARGE_QUANTITY else ~admitted))
    return bench.design()


def _claim(bench: Bench, step: Signal, ours: _Judges, theirs: _Judges) -> None:
    """After the verdict, and after the conditions, which are judged with it."""
    admission, other = ours.admission, theirs.admission
    with bench.m.If(step >= _CYCLES - 1):
        for name in ("rejected", "admitted", "stored", "cuts", "quantity_top", "quantity_top_value"):
            bench.claim(getattr(admission, name) == getattr(other, name))
        for name in _ADMITTED:
            bench.claim(~admission.admitted | (getattr(admission, name) == getattr(other, name)))
        for side in ("bid", "ask"):
            is_cut = getattr(admission, f"{side}_cut")
            same = getattr(admission, f"{side}_uncut") == getattr(other, f"{side}_uncut")
            bench.claim(~admission.admitted | is_cut | same)
        for name in ("difference", "total"):
            same = getattr(ours.imbalance, name) == getattr(theirs.imbalance, name)
            bench.claim(~admission.admitted | same)
    with bench.m.If(step == _CYCLES):
        bench.claim(ours.imbalance.conditions == theirs.imbalance.conditions)


def _proof(name: str, wrong: WrongBit, what: str) -> Proof:
    return Proof(
        name=name,
        statement=(
            f"a quote is admitted, refused and cut as it is, and its imbalance judged, if bit {wrong.bit} of its "
            f"{wrong.field.replace('_', ' ')} is wrong where {what} (bit {wrong.where}); so are the scaled numbers of "
            "one that is admitted, but for a quantity that is cut; prices of 48 bits"
        ),
        build=partial(_judged, wrong),
        mutations=(_INSIDE,),
        mode=Mode.BOUNDED,
        depth=_CYCLES + 1,
        mutation_depth=_CYCLES + 1,
        cover_depth=_CYCLES + 1,
        any_state=True,
        first_claim=_CYCLES - 1,
        is_long=True,
    )


REFUSED_PRICE: Final = _proof("refused prices", NEGATIVE_PRICE, "the price is negative")
CUT_QUANTITY: Final = _proof("cut quantities", LARGE_QUANTITY, "the quantity is larger than any that is kept")
REFUSED_NUMBERS: Final = (REFUSED_PRICE, CUT_QUANTITY)
