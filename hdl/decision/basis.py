"""BASIS against the other venues, one after the other: the doubled mids that an event must reach."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.compare import at_least
from hdl.decision.schedule import Preparation, Sampling, Schedule
from hdl.decision.shapes import basis_fields, bundle, doubled_limit_shape, instrument_fields, price_shape
from hdl.parameters import CoreParameters
from hdl.records import TIME_BITS
from market.fastpath.specification import BASIS_FRACTION_BITS


class Basis(wiring.Component):
    """Limits of BASIS between the event's venue v and one other venue w; |dev| is what goes beyond, and the threshold.

    Members
    -------
    at: the schedule of the pipeline.
    first: v is the first of the pair, that is, below w; time: T.
    bid, ask: the stored quote of w; stored: the basis of the pair; sampled: it has one. All of ``Preparation.SUMS``.
    threshold, warm_up, interval: of the instrument row.
    comparable: of w, after ``Preparation.PRODUCTS``.
    warm: the pair has samples enough; after ``Preparation.PRODUCTS``.
    due: a sample is taken now if the event counts; after ``Preparation.PARTS``.
    rich_limit, cheap_limit: doubled mids from which on v is rich, cheap by the threshold; after ``Preparation.PARTS``.
    mid, is_first, value, samples: for a sample: the doubled mid of w, ``first``, and what is stored, no samples if
        there is no basis; after ``Sampling.SUMS``.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        price, row, basis = price_shape(parameters), instrument_fields(parameters), basis_fields(parameters)
        super().__init__(
            {
                "at": In(Schedule()),
                "first": In(1),
                "time": In(TIME_BITS),
                "bid": In(price),
                "ask": In(price),
                "stored": In(bundle(basis)),
                "sampled": In(1),
                "threshold": In(row["basis_threshold"]),
                "warm_up": In(row["basis_warm_up"]),
                "interval": In(row["basis_interval"]),
                "comparable": In(1),
                "warm": Out(1),
                "due": Out(1),
                "rich_limit": Out(doubled_limit_shape(parameters)),
                "cheap_limit": Out(doubled_limit_shape(parameters)),
                "mid": Out(unsigned(parameters.price_bits + 1)),
                "is_first": Out(1),
                "value": Out(basis["value"]),
                "samples": Out(basis["samples"]),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        at, base = self.at, Signal(doubled_limit_shape(self._parameters))
        age, sample_time = Signal(signed(TIME_BITS + 1)), Signal(TIME_BITS)
        none, none_then = Signal(), Signal()
        m.d.comb += none.eq(self.samples == 0)
        with m.If(at.preparation[Preparation.SUMS] | at.event[Sampling.SUMS]):
            m.d.sync += [
                self.mid.eq(self.bid + self.ask),
                self.is_first.eq(self.first),
                self.value.eq(self.stored.value),
                self.samples.eq(Mux(self.sampled, self.stored.samples, 0)),
                sample_time.eq(self.stored.sample_time),
            ]
        usual = self.value.shift_right(BASIS_FRACTION_BITS)
        negative = ~self.is_first
        # one adder: a difference is a sum with the complement and a carry, which is made one place below
        signed_usual = Cat(negative, usual.as_unsigned() ^ negative.replicate(len(usual))).as_signed()
        with m.If(at.preparation[Preparation.PRODUCTS]):
            m.d.sync += [
                base.eq((Cat(Const(1, 1), self.mid) + signed_usual).shift_right(1)),
                age.eq(self.time - sample_time),
                self.warm.eq(at_least(self.samples, self.warm_up) & ~none),
                none_then.eq(none),
            ]
        with m.If(at.preparation[Preparation.PARTS]):
            m.d.sync += [
                self.rich_limit.eq(base + self.threshold),
                self.cheap_limit.eq(base - self.threshold),
                self.due.eq(self.comparable & (none_then | at_least(age, self.interval))),
            ]
        return m
