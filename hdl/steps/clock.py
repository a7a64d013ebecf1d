"""T and the number of steps: both move when a step begins, and nowhere else."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.records import TIME_BITS, WORD_BITS


class StepClock(wiring.Component):
    """T = max(T, time), and the step's number (FASTPATH, Steps; docs/fastpath.md, rules 2 and 3).

    ``time`` is a receive time as it came, 64 bits; ``frame_now`` says, in the same cycle, what T would be. ``next_now``
    and ``backwards`` say what T would be and whether the time would count as going backwards, with ``time``, or, while
    ``of_control``, with ``control_time``, which must not have changed in the cycle before, and T neither.
    ``advance`` begins a step with them.

    Parameters
    ----------
    registered: ``time``, and T, must not have changed in the cycle before either.
    """

    def __init__(self, *, registered: bool = False) -> None:
        self._registered = registered
        super().__init__(
            {
                "time": In(WORD_BITS),
                "control_time": In(WORD_BITS),
                "of_control": In(1),
                "advance": In(1),
                "frame_now": Out(TIME_BITS),
                "next_now": Out(TIME_BITS),
                "next_step": Out(WORD_BITS),
                "backwards": Out(1),
                "now": Out(TIME_BITS),
                "step": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Both times are compared; which of them counts is known late."""
        m = Module()
        frame_backwards, control_backwards, control_now = Signal(), Signal(), Signal(TIME_BITS)
        later = m.d.sync if self._registered else m.d.comb
        later += frame_backwards.eq(self._is_before(self.time))
        m.d.comb += [
            self.frame_now.eq(Mux(frame_backwards, self.now, self.time[:TIME_BITS])),
            control_now.eq(Mux(control_backwards, self.now, self.control_time[:TIME_BITS])),
            self.backwards.eq(Mux(self.of_control, control_backwards, frame_backwards)),
            self.next_now.eq(Mux(self.of_control, control_now, self.frame_now)),
        ]
        m.d.sync += control_backwards.eq(self._is_before(self.control_time))
        with m.If(self.advance):
            m.d.sync += [self.now.eq(self.next_now), self.step.eq(self.next_step)]
        m.d.comb += self.next_step.eq(self.step + 1)
        return m

    def _is_before(self, time: Value) -> Value:
        return (time[TIME_BITS:] != 0) | (time[:TIME_BITS] < self.now)
