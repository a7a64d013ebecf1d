"""BASIS against one other venue: the doubled mids that an event must reach, and the step of the basis."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import at_least, at_most
from hdl.decision.pick import one_of
from hdl.decision.schedule import Preparation, Schedule, Stage
from hdl.decision.shapes import basis_fields, bundle, doubled_limit_shape, instrument_fields, price_shape
from hdl.parameters import CoreParameters
from hdl.records import TIME_BITS
from market.fastpath.specification import BASIS_FRACTION_BITS, BASIS_SHIFT_LIMIT, SAMPLES_LIMIT

_COARSE_STEPS: Final = BASIS_SHIFT_LIMIT // 4 + 1


class Basis(wiring.Component):
    """Limits, conditions and samples of BASIS between the event's venue v and one other venue w.

    Members
    -------
    at: the schedule.
    first: v is the first of the pair, that is, below w; time: T.
    bid, ask: the stored quote of w; stored: the basis of the pair.
    threshold, warm_up, interval, shift: of the instrument row.
    warm: the pair has samples enough; due: a sample would be taken now. After ``Preparation.PRODUCTS``.
    base: the doubled mid at which v is neither rich nor cheap; after ``Preparation.PRODUCTS``.
    own_bid, own_ask: of the event, in ``Stage.COMPARE``.
    rich, cheap: v is rich, cheap by the threshold; after ``Stage.COMPARE``.
    own_mid: the event's doubled mid, after ``Stage.COMPARE``.
    sampled: what a sample would make of ``stored``; after ``Stage.RESULT``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        price, row = price_shape(parameters), instrument_fields(parameters)
        super().__init__(
            {
                "at": In(Schedule()),
                "first": In(1),
                "time": In(TIME_BITS),
                "bid": In(price),
                "ask": In(price),
                "stored": In(bundle(basis_fields(parameters))),
                "threshold": In(row["basis_threshold"]),
                "warm_up": In(row["basis_warm_up"]),
                "interval": In(row["basis_interval"]),
                "shift": In(row["basis_shift"]),
                "own_bid": In(price),
                "own_ask": In(price),
                "own_mid": In(parameters.price_bits + 1),
                "warm": Out(1),
                "due": Out(1),
                "base": Out(doubled_limit_shape(parameters)),
                "rich": Out(1),
                "cheap": Out(1),
                "sampled": Out(bundle(basis_fields(parameters))),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        first, mid = Signal(), Signal(unsigned(self._parameters.price_bits + 1))
        self._prepare(m, first, mid)
        self._sample(m, first, mid)
        return m

    def _prepare(self, m: Module, first: Signal, mid: Signal) -> None:
        usual, age = Signal(signed(self._parameters.price_bits + 3)), Signal(signed(TIME_BITS + 1))
        rich_limit = Signal(doubled_limit_shape(self._parameters))
        cheap_limit = Signal.like(rich_limit)
        stored = self.stored.value.shift_right(BASIS_FRACTION_BITS)
        with m.If(self.at.preparation[Preparation.READ]):
            m.d.sync += first.eq(self.first)
        with m.If(self.at.preparation[Preparation.SUMS]):
            m.d.sync += [
                mid.eq(self.bid + self.ask),
                usual.eq(Mux(first, stored, -stored)),
                age.eq(self.time - self.stored.sample_time),
                self.warm.eq(at_least(self.stored.samples, self.warm_up) & (self.stored.samples != 0)),
            ]
        with m.If(self.at.preparation[Preparation.PRODUCTS]):
            m.d.sync += [
                self.base.eq(mid + usual),
                self.due.eq((self.stored.samples == 0) | at_least(age, self.interval)),
            ]
        with m.If(self.at.preparation[Preparation.PARTS]):
            m.d.sync += [
                rich_limit.eq(self.base + self.threshold),
                cheap_limit.eq(self.base - self.threshold),
            ]
        with m.If(self.at.event[Stage.COMPARE]):
            m.d.sync += [
                self.rich.eq(at_least(self.own_bid + self.own_ask, rich_limit)),
                self.cheap.eq(at_most(self.own_bid + self.own_ask, cheap_limit)),
            ]

    def _sample(self, m: Module, first: Signal, mid: Signal) -> None:
        """The shift is done in two steps, by a multiple of four and by the rest."""
        value = self.stored.value.shape()
        target, gap, coarse, step = (
            Signal(signed(value.width + 1), name=name) for name in ("target", "gap", "coarse", "step")
        )
        none = self.stored.samples == 0
        difference = Mux(first, self.own_mid, mid) - Mux(first, mid, self.own_mid)
        by_four, by_one = Signal(_COARSE_STEPS), Signal(4)
        with m.If(self.at.preparation[Preparation.SUMS]):
            m.d.sync += [
                by_four.eq(Cat(self.shift[2:] == steps for steps in range(_COARSE_STEPS))),
                by_one.eq(Cat(self.shift[:2] == steps for steps in range(4))),
            ]
        with m.If(self.at.event[Stage.CHOOSE]):
            m.d.sync += target.eq(difference.shift_left(BASIS_FRACTION_BITS))
        with m.If(self.at.event[Stage.GATE]):
            m.d.sync += gap.eq(target - self.stored.value)
        with m.If(self.at.event[Stage.SELECT]):
            m.d.sync += coarse.eq(one_of(by_four, (gap.shift_right(4 * steps) for steps in range(_COARSE_STEPS))))
        with m.If(self.at.event[Stage.RECORD]):
            m.d.sync += step.eq(one_of(by_one, (coarse.shift_right(steps) for steps in range(4))))
        with m.If(self.at.event[Stage.RESULT]):
            m.d.sync += [
                self.sampled.value.eq(Mux(none, target, self.stored.value + step)),
                self.sampled.samples.eq(self.stored.samples + (self.stored.samples != SAMPLES_LIMIT)),
                self.sampled.sample_time.eq(self.time),
            ]
