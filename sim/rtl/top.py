"""The core as the harness holds it: a register on every port, and control messages given in words."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import CoreParameters
from hdl.records import DROP_BITS, WORD_BITS, FrameBus, sizes_layout

NAME: Final = "soft_fpga"
"""Name of the module, and of its class in C++ with a ``V`` in front."""
PROBE_BITS: Final = 6
_BYTES: Final = WORD_BITS // 8


class SoftTop(wiring.Component):
    """A core between registers, so that the harness needs one evaluation per cycle and sees no half-settled port.

    Whatever the harness sets before an edge is on the core's ports in the cycle after it; whatever the core shows in
    a cycle is what the harness reads after the edge that ends it. There is no reset: a new model is a reset one.

    Parameters
    ----------
    core: a component with the ports of the core.

    Members
    -------
    configure: takes ``sizes`` and ``addresses`` (the core's settings) over.
    control_valid: a word of a control message, ``control_count`` bytes of it in use; only while ``control_free``.
    control_free: another word can be given. control_empty: every byte given so far has been taken.
    word_valid, log_valid, tx_valid, frame_end, early: high for one cycle each time, with what belongs to them.
    idle: nothing is under way, the words of a control message included.
    """

    def __init__(self, core: Any, parameters: CoreParameters) -> None:
        self.core = core
        self.parameters = parameters
        bus = {f"{name}": member.shape for name, member in FrameBus(parameters).members.items()}
        super().__init__(
            {
                "clk": In(1),
                "configure": In(1),
                "sizes": In(sizes_layout(parameters)),
                "addresses": In(core.settings.shape()),
                "kill": In(1),
                "time": In(WORD_BITS),
                **{f"rx_{name}": In(shape) for name, shape in bus.items()},
                "control_valid": In(1),
                "control_data": In(WORD_BITS),
                "control_count": In(range(_BYTES + 1)),
                "control_last": In(1),
                "control_free": Out(1),
                "control_empty": Out(1),
                "word_valid": Out(1),
                "word_data": Out(WORD_BITS),
                "word_first": Out(1),
                "word_last": Out(1),
                "log_valid": Out(1),
                "log_data": Out(8),
                "log_last": Out(1),
                **{f"tx_{name}": Out(shape) for name, shape in bus.items()},
                "frame_end": Out(1),
                "drop": Out(DROP_BITS),
                "early": Out(1),
                "idle": Out(1),
                "overrun": Out(1),
                "killed": Out(1),
                "parity": Out(32),
                "last_id": Out(WORD_BITS),
                "probe_index": In(PROBE_BITS),
                "probe_value": Out(WORD_BITS),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Registers around the core; see the class."""
        m = Module()
        m.domains.sync = ClockDomain(reset_less=True)
        m.d.comb += ClockSignal().eq(self.clk)
        m.submodules.core = core = self.core
        for name in FrameBus(self.parameters).members:
            m.d.sync += getattr(core.rx, name).eq(getattr(self, f"rx_{name}"))
            with m.If(core.tx.valid):
                m.d.sync += getattr(self, f"tx_{name}").eq(getattr(core.tx, name))
        m.d.sync += [
            core.kill.eq(self.kill),
            core.time.eq(self.time),
            core.probe_index.eq(self.probe_index),
            self.tx_valid.eq(core.tx.valid),
            self.frame_end.eq(core.frame_end),
            self.early.eq(core.early),
            self.idle.eq(core.idle & self.control_empty & ~core.rx.valid),
            self.overrun.eq(core.overrun),
            self.killed.eq(core.killed),
            self.parity.eq(core.parity),
            self.last_id.eq(core.last_id),
            self.probe_value.eq(core.probe_value),
        ]
        with m.If(self.configure):
            m.d.sync += [core.sizes.eq(self.sizes), core.settings.eq(self.addresses)]
        with m.If(core.frame_end):
            m.d.sync += self.drop.eq(core.drop)
        m.d.comb += core.tx_ready.eq(1)
        self._take_outputs(m)
        self._give_control(m)
        return m

    def _take_outputs(self, m: Module) -> None:
        words, log = self.core.words, self.core.log
        m.d.comb += [words.ready.eq(1), log.ready.eq(1)]
        m.d.sync += [self.word_valid.eq(words.valid), self.log_valid.eq(log.valid)]
        with m.If(words.valid):
            m.d.sync += [
                self.word_data.eq(words.payload.data),
                self.word_first.eq(words.payload.first),
                self.word_last.eq(words.payload.last),
            ]
        with m.If(log.valid):
            m.d.sync += [self.log_data.eq(log.payload.data), self.log_last.eq(log.payload.last)]

    def _give_control(self, m: Module) -> None:
        """One word waits while the bytes of another go to the core."""
        control = self.core.control
        data, count, last, waits = Signal(WORD_BITS), Signal(4), Signal(), Signal()
        going, left, going_last = Signal(WORD_BITS), Signal(4), Signal()
        m.d.comb += [
            self.control_free.eq(~waits),
            self.control_empty.eq(~waits & (left == 0)),
            control.valid.eq(left != 0),
            control.payload.data.eq(going[:8]),
            control.payload.last.eq(going_last & (left == 1)),
        ]
        with m.If(self.control_valid):
            m.d.sync += [
                data.eq(self.control_data),
                count.eq(self.control_count),
                last.eq(self.control_last),
                waits.eq(1),
            ]
        with m.If(control.valid & control.ready):
            m.d.sync += [going.eq(going >> 8), left.eq(left - 1)]
        with m.If(waits & ((left == 0) | ((left == 1) & control.ready))):
            m.d.sync += [going.eq(data), left.eq(count), going_last.eq(last), waits.eq(0)]
