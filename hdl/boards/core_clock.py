"""A clock for the core from the board's own one: a phase-locked loop of ECP5, and a gate that is shut until it is good.

Ref: Lattice FPGA-TN-02200, "ECP5 and ECP5-5G sysCLOCK PLL/DLL Design and Usage Guide".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from amaranth.hdl import ClockSignal, Const, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from market.errors import Fatal

SETTLE_BITS: Final = 16
"""The gate opens when the loop has been locked for 2^16 cycles of the board's clock, 0.7 to 2.6 ms."""
_OSCILLATOR_HERTZ: Final = (400_000_000, 800_000_000)
_DETECTOR_HERTZ: Final = 12_000_000
"""The least frequency for the phase detector, a little above its limit of 10 MHz."""
_OUTPUT_HERTZ: Final = 400_000_000
"""The greatest frequency of an output, that which is fed back included."""
_LARGEST_DIVIDER: Final = 128
_GUESS_HERTZ: Final = 600_000_000


@dataclass(frozen=True, slots=True)
class LoopDividers:
    """Of the reference, of the feedback, of the output that is fed back, and of the core's output."""

    reference: int
    feedback: int
    fed_back: int
    core: int


def loop_dividers(board_hertz: int, core_hertz: int) -> LoopDividers:
    """Dividers that make exactly ``core_hertz``, the oscillator in the middle of its range; Fatal if none do."""
    found = [
        LoopDividers(reference, feedback, fed_back, core)
        for core in range(1, _LARGEST_DIVIDER + 1)
        if _OSCILLATOR_HERTZ[0] <= core * core_hertz <= _OSCILLATOR_HERTZ[1]
        for reference in range(1, board_hertz // _DETECTOR_HERTZ + 1)
        for fed_back in range(-(-core * core_hertz // _OUTPUT_HERTZ), _LARGEST_DIVIDER + 1)
        for feedback in [core * core_hertz * reference // (board_hertz * fed_back)]
        if 1 <= feedback <= _LARGEST_DIVIDER and feedback * fed_back * board_hertz == core * core_hertz * reference
    ]
    if not found:
        raise Fatal(f"a loop cannot make {core_hertz} Hz of {board_hertz} Hz")
    return min(found, key=lambda each: (abs(each.core * core_hertz - _GUESS_HERTZ), each.reference, each.fed_back))


class LockWatch(wiring.Component):
    """Whether a loop's clock may be used, in the domain ``board``.

    Members
    -------
    locked: what the loop says, at any time. opens: it has been locked for 2^16 cycles, and never since was not.
    """

    def __init__(self) -> None:
        super().__init__({"locked": In(1), "opens": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """A counter that a lost lock sets back, and then a flag that it sets for good."""
        m = Module()
        is_locked, waited, failed = Signal(), Signal(SETTLE_BITS + 1), Signal()
        m.submodules.lock = FFSynchronizer(self.locked, is_locked, o_domain="board")
        with m.If(~waited[-1]):
            m.d.board += waited.eq(waited + 1)
            with m.If(~is_locked):
                m.d.board += waited.eq(0)
        with m.Elif(~is_locked):
            m.d.board += failed.eq(1)
        m.d.board += self.opens.eq(waited[-1] & ~failed)
        return m


class CoreClock(wiring.Component):
    """Makes the core's clock in the domain ``board``, which must be driven by the board's own clock.

    The clock stands still until the loop has been locked for a while: what runs on it begins with its initial values at
    a good clock, and needs no reset. If the loop loses its lock later, the clock stops for good: a core that stands
    still sends nothing.

    Parameters
    ----------
    board_hertz, hertz: of both clocks; the latter becomes a constraint of the platform.

    Members
    -------
    clock: for a domain's ``ClockSignal``.
    """

    def __init__(self, board_hertz: int, hertz: int) -> None:
        self._hertz, self._dividers = hertz, loop_dividers(board_hertz, hertz)
        super().__init__({"clock": Out(1)})

    def elaborate(self, platform: Any) -> Module:
        """The loop, its lock watched by the board's clock, the gate."""
        m = Module()
        dividers = self._dividers
        fed_back, made, locked, gated = Signal(), Signal(), Signal(), Signal(name="core_clock", attrs={"keep": "true"})
        m.submodules.loop = Instance(
            "EHXPLLL",
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            p_PLLRST_ENA="DISABLED",
            p_INTFB_WAKE="DISABLED",
            p_STDBY_ENABLE="DISABLED",
            p_DPHASE_SOURCE="DISABLED",
            p_OUTDIVIDER_MUXA="DIVA",
            p_OUTDIVIDER_MUXB="DIVB",
            p_FEEDBK_PATH="CLKOP",
            p_CLKI_DIV=dividers.reference,
            p_CLKFB_DIV=dividers.feedback,
            p_CLKOP_ENABLE="ENABLED",
            p_CLKOP_DIV=dividers.fed_back,
            p_CLKOP_CPHASE=dividers.fed_back // 2,
            p_CLKOP_FPHASE=0,
            p_CLKOS_ENABLE="ENABLED",
            p_CLKOS_DIV=dividers.core,
            p_CLKOS_CPHASE=dividers.fed_back // 2,
            p_CLKOS_FPHASE=0,
            i_CLKI=ClockSignal("board"),
            i_CLKFB=fed_back,
            i_RST=Const(0),
            i_STDBY=Const(0),
            i_PHASESEL0=Const(0),
            i_PHASESEL1=Const(0),
            i_PHASEDIR=Const(1),
            i_PHASESTEP=Const(1),
            i_PHASELOADREG=Const(1),
            i_PLLWAKESYNC=Const(0),
            i_ENCLKOP=Const(0),
            i_ENCLKOS=Const(0),
            o_CLKOP=fed_back,
            o_CLKOS=made,
            o_LOCK=locked,
        )
        m.submodules.watch = watch = LockWatch()
        m.d.comb += watch.locked.eq(locked)
        m.submodules.gate = Instance("DCCA", i_CLKI=made, i_CE=watch.opens, o_CLKO=gated)
        m.d.comb += self.clock.eq(gated)
        platform.add_clock_constraint(gated, self._hertz)
        return m
