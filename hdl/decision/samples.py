"""Samples of the basis, one other venue after the other."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.pick import one_of
from hdl.decision.schedule import Sampling, Schedule
from hdl.decision.shapes import basis_fields, instrument_fields
from hdl.parameters import CoreParameters
from market.fastpath.specification import BASIS_FRACTION_BITS, BASIS_SHIFT_LIMIT, SAMPLES_LIMIT

_COARSE_STEPS: Final = BASIS_SHIFT_LIMIT // 4 + 1


class BasisSample(wiring.Component):
    """What a sample would make of the basis of the event's venue v and one other venue w.

    Members
    -------
    at: the schedule of the pipeline; the shift is prepared by ``prepared``, the event's own ``Preparation.SUMS``.
    shift: of the instrument row.
    own_mid: the event's doubled mid, after ``Stage.COMPARE``.
    mid, first, value, samples: of w and of the pair, after ``Sampling.SUMS``.
    new_value, new_samples: within ``Sampling.VALUE``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        basis, mid = basis_fields(parameters), parameters.price_bits + 1
        super().__init__(
            {
                "at": In(Schedule()),
                "prepared": In(1),
                "shift": In(instrument_fields(parameters)["basis_shift"]),
                "own_mid": In(mid),
                "mid": In(mid),
                "first": In(1),
                "value": In(basis["value"]),
                "samples": In(basis["samples"]),
                "new_value": Out(basis["value"]),
                "new_samples": Out(basis["samples"]),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """The shift is done in two steps, by a multiple of four and by the rest."""
        m = Module()
        wide = signed(self.value.shape().width + 1)
        by_four, by_one = Signal(_COARSE_STEPS), Signal(4)
        with m.If(self.prepared):
            m.d.sync += [
                by_four.eq(Cat(self.shift[2:] == steps for steps in range(_COARSE_STEPS))),
                by_one.eq(Cat(self.shift[:2] == steps for steps in range(4))),
            ]
        difference, gap, coarse = (
            Signal(signed(self._parameters.price_bits + 2)),
            Signal(wide, name="gap"),
            Signal(wide, name="coarse"),
        )
        value = self._along(m, self.value, "value")
        samples = self._along(m, self.samples, "samples")
        target = self._along(m, difference, "difference", Sampling.GAP)
        with m.If(self.at.event[Sampling.TARGET]):
            m.d.sync += difference.eq(Mux(self.first, self.own_mid, self.mid) - Mux(self.first, self.mid, self.own_mid))
        with m.If(self.at.event[Sampling.GAP]):
            m.d.sync += gap.eq(difference.shift_left(BASIS_FRACTION_BITS) - value[0])
        with m.If(self.at.event[Sampling.COARSE]):
            m.d.sync += coarse.eq(one_of(by_four, (gap.shift_right(4 * steps) for steps in range(_COARSE_STEPS))))
        step = one_of(by_one, (coarse.shift_right(steps) for steps in range(4)))
        none, count = samples[-1] == 0, samples[-1]
        m.d.comb += [
            self.new_value.eq(Mux(none, target[-1].shift_left(BASIS_FRACTION_BITS), value[-1] + step.as_signed())),
            self.new_samples.eq(count + (count != SAMPLES_LIMIT)),
        ]
        return m

    def _along(self, m: Module, first: Any, name: str, since: Sampling = Sampling.TARGET) -> list[Any]:
        """What goes along with w: after each step from ``since`` to ``COARSE``."""
        copies: list[Any] = []
        if self._parameters.has_lone_other:
            return [first] * (Sampling.VALUE - since)
        for step in range(since, Sampling.VALUE):
            copy = Signal(first.shape(), name=f"{name}_{Sampling(step).name.lower()}")
            with m.If(self.at.event[step]):
                m.d.sync += copy.eq(copies[-1] if copies else first)
            copies.append(copy)
        return copies
