"""T and the number of steps: both move when a step begins, and nowhere else."""

from __future__ import annotations

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.records import TIME_BITS, WORD_BITS


class StepClock(wiring.Component):
    """T = max(T, time), and the step's number (FASTPATH, Steps; docs/fastpath.md, rules 2 and 3).

    ``time`` is a receive time as it came, 64 bits; ``next_now`` and ``backwards`` say, in the same cycle, what T
    would be and whether the time would count as going backwards. ``advance`` begins a step with them.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "time": In(WORD_BITS),
                "advance": In(1),
                "next_now": Out(TIME_BITS),
                "next_step": Out(WORD_BITS),
                "backwards": Out(1),
                "now": Out(TIME_BITS),
                "step": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The comparison is combinational: ``time`` is a register wherever it comes from."""
        m = Module()
        beyond = Signal()
        m.d.comb += [
            beyond.eq(self.time[TIME_BITS:] != 0),
            self.backwards.eq(beyond | (self.time[:TIME_BITS] < self.now)),
            self.next_now.eq(self.now),
            self.next_step.eq(self.step + 1),
        ]
        with m.If(~self.backwards):
            m.d.comb += self.next_now.eq(self.time[:TIME_BITS])
        with m.If(self.advance):
            m.d.sync += [self.now.eq(self.next_now), self.step.eq(self.next_step)]
        return m
