"""A small component with the core's ports, which says what it was given: harness and tools are tried on it."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, fifo, wiring
from amaranth.lib.wiring import In, Out

from hdl.egress.settings import egress_layout
from hdl.octet_stream import octet_stream
from hdl.parameters import CoreParameters
from hdl.records import DROP_BITS, Drop, FrameBus, sizes_layout, word_stream
from market.fastpath import layout

ADDRESS_PROBE: Final = 61
"""Probe that reads the address that frames are sent to."""
SIZES_PROBE: Final = 62
"""Probe that reads the number of venues in use."""
_LOG_BYTES: Final = layout.LOG_STEP_PAYLOAD
_echo_layout: Final = data.StructLayout({"header": 64, "time": 64, "count": 32, "total": 32})


class StandIn(wiring.Component):
    """Answers each frame and each control message with a message of three words, in order.

    Words: the header of a Trigger or of an Acknowledge; the time at its first beat or byte; its bytes and their sum,
    32 bits each. A frame with an odd number of bytes is dropped and not answered. A control message also makes a
    LogStep without payload; its number counts them. Control bytes are taken in two cycles of four.

    ``parity`` and every probe count good frames, a probe's index added; ``last_id`` counts control messages; what is
    received is sent again in the next cycle; ``early`` comes with a good frame's end.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self.parameters = parameters
        super().__init__(
            {
                "rx": In(FrameBus(parameters)),
                "tx": Out(FrameBus(parameters)),
                "tx_ready": In(1),
                "time": In(64),
                "sizes": In(sizes_layout(parameters)),
                "settings": In(egress_layout),
                "kill": In(1),
                "control": In(octet_stream()),
                "words": Out(word_stream()),
                "log": Out(octet_stream()),
                "probe_index": In(6),
                "probe_value": Out(64),
                "parity": Out(32),
                "last_id": Out(64),
                "killed": Out(1),
                "idle": Out(1),
                "overrun": Out(1),
                "frame_end": Out(1),
                "drop": Out(DROP_BITS),
                "early": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Two writers into one queue, which is read out word by word."""
        m = Module()
        m.submodules.echoes = self.echoes = fifo.SyncFIFOBuffered(width=_echo_layout.size, depth=64)
        self.busy = Signal(3)
        m.d.comb += [
            self.killed.eq(self.kill),
            self.probe_value.eq(self.parity + self.probe_index),
            self.idle.eq((self.busy == 0) & (self.echoes.level == 0)),
        ]
        with m.If(self.probe_index == SIZES_PROBE):
            m.d.comb += self.probe_value.eq(self.sizes.venues)
        with m.If(self.probe_index == ADDRESS_PROBE):
            m.d.comb += self.probe_value.eq(self.settings.destination_address)
        for name in FrameBus(self.parameters).members:
            m.d.sync += getattr(self.tx, name).eq(getattr(self.rx, name))
        self._receive(m)
        self._obey(m)
        self._answer(m)
        return m

    def _receive(self, m: Module) -> None:
        rx = self.rx
        echo, lanes = Signal(_echo_layout), Signal(16)
        total, count = Mux(rx.first, 0, echo.total), Mux(rx.first, 0, echo.count)
        held = [Mux(rx.count > lane, rx.data.word_select(lane, 8), 0) for lane in range(self.parameters.bus_bytes)]
        m.d.comb += lanes.eq(sum(held[1:], held[0]))
        m.d.sync += self.frame_end.eq(0)
        with m.If(rx.valid):
            m.d.sync += [
                echo.total.eq(total + lanes),
                echo.count.eq(count + rx.count),
                self.frame_end.eq(rx.last),
                self.busy[0].eq(1),
            ]
            with m.If(rx.first):
                m.d.sync += echo.time.eq(self.time)
        m.d.comb += self.drop.eq(Mux(echo.count[0], Drop.BAD_FCS, Drop.NONE))
        with m.If(self.frame_end):
            m.d.sync += self.busy[0].eq(rx.valid)
            with m.If(~echo.count[0]):
                m.d.comb += self.early.eq(1)
                m.d.sync += self.parity.eq(self.parity + 1)
        self.frame_echo, self.frame_echoed = echo, self.early

    def _obey(self, m: Module) -> None:
        control, beat = self.control, Signal(2)
        echo, first, ended = Signal(_echo_layout), Signal(init=1), Signal()
        m.d.sync += [beat.eq(beat + 1), ended.eq(0)]
        m.d.comb += control.ready.eq(beat[1] & ~self.busy[2] & ~ended)
        with m.If(control.valid & control.ready):
            m.d.sync += [
                echo.total.eq(Mux(first, 0, echo.total) + control.payload.data),
                echo.count.eq(Mux(first, 0, echo.count) + 1),
                first.eq(control.payload.last),
                ended.eq(control.payload.last),
                self.busy[1].eq(1),
            ]
            with m.If(first):
                m.d.sync += echo.time.eq(self.time)
        with m.If(ended):
            m.d.sync += [self.busy[1].eq(0), self.last_id.eq(self.last_id + 1)]
        wanted = Mux(ended, Value.cast(echo), Value.cast(self.frame_echo))
        header = Mux(ended, Const(layout.ACKNOWLEDGE_HEADER, 64), Const(layout.TRIGGER_HEADER, 64))
        m.d.comb += [
            self.echoes.w_en.eq(ended | self.frame_echoed),
            self.echoes.w_data.eq(Cat(header, wanted[64:])),
        ]
        self._log(m, ended, echo)

    def _log(self, m: Module, ended: Signal, echo: Signal) -> None:
        step, left = Signal(8 * _LOG_BYTES), Signal(range(_LOG_BYTES + 1))
        m.d.comb += [
            self.log.valid.eq(left != 0),
            self.log.payload.data.eq(step[:8]),
            self.log.payload.last.eq(left == 1),
        ]
        with m.If(ended):
            m.d.sync += [
                step.eq(Cat(Const(layout.LOG_STEP_HEADER, 64), (self.last_id + 1)[:64], echo.time)),
                left.eq(_LOG_BYTES),
                self.busy[2].eq(1),
            ]
        with m.Elif(self.log.valid & self.log.ready):
            m.d.sync += [step.eq(step >> 8), left.eq(left - 1)]
            with m.If(left == 1):
                m.d.sync += self.busy[2].eq(0)

    def _answer(self, m: Module) -> None:
        word = Signal(2)
        m.d.comb += [
            self.words.valid.eq(self.echoes.r_rdy),
            self.words.payload.data.eq(self.echoes.r_data.word_select(word, 64)),
            self.words.payload.first.eq(word == 0),
            self.words.payload.last.eq(word == 2),
        ]
        with m.If(self.words.valid & self.words.ready):
            m.d.sync += word.eq(word + 1)
            with m.If(self.words.payload.last):
                m.d.comb += self.echoes.r_en.eq(1)
                m.d.sync += word.eq(0)
