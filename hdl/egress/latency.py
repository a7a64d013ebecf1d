"""Measures every trigger on the wire: from the last byte of the message that caused it to its own first byte."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Mux, Signal, signed, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.egress.latency_buckets import BUCKETS, LATENCY_BOUNDS
from hdl.egress.settings import HEADERS_BYTES
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS, FrameBus
from market.fastpath import layout

COUNT_BITS: Final = 32
LATENCY_BITS: Final = 16
"""Signed; a latency that does not fit counts as the nearest that does."""
FRAMES_KEPT: Final = 16
"""Frames that came last, among which a trigger's is looked for."""
_CYCLE_BITS: Final = 32
_TIME_BITS: Final = 32
_SEQUENCE_BYTES: Final = 4
_TEMPLATE_AT: Final = HEADERS_BYTES + layout.HEADER_TEMPLATE
_TIME_AT: Final = HEADERS_BYTES + layout.TRIGGER_CAUSE_TIME

_frame_layout: Final = data.StructLayout(
    {"kept": unsigned(1), "begin": unsigned(_TIME_BITS), "end": unsigned(_CYCLE_BITS)}
)


class LatencyMeter(wiring.Component):
    """Watches both lines; a trigger names the time of its cause, which is the time at which that frame began.

    Parameters
    ----------
    parameters: the build.
    preamble_cycles: from the preamble's beginning to the cycle in which a frame's first beat passes.

    Members
    -------
    rx, tx: frames, watched; ``tx_passes`` in the cycles in which a beat of ``tx`` passes.
    time: of now, as the core is given it.
    measured, minimum, maximum: how many triggers, and the cycles of the quickest and the slowest; before
        the first one the least is above the greatest.
    unmatched: triggers without a known frame: of a step whose T was not its frame's own time, of an event that came
        without a frame, or after many other frames.
    bucket, count: how many were in a bucket of ``LATENCY_BOUNDS``, read in the same cycle.
    idle: no trigger is being looked up.

    Latency
    -------
    A trigger is counted at most 21 cycles after the last beat of its frame. Padding behind a message counts
    as part of it.
    """

    def __init__(self, parameters: CoreParameters, preamble_cycles: int = 0) -> None:
        self._bus_bytes, self._preamble_cycles = parameters.bus_bytes, preamble_cycles
        super().__init__(
            {
                "rx": In(FrameBus(parameters)),
                "tx": In(FrameBus(parameters)),
                "tx_passes": In(1),
                "time": In(WORD_BITS),
                "measured": Out(COUNT_BITS),
                "unmatched": Out(COUNT_BITS),
                "minimum": Out(signed(LATENCY_BITS), init=(1 << LATENCY_BITS - 1) - 1),
                "maximum": Out(signed(LATENCY_BITS), init=-(1 << LATENCY_BITS - 1)),
                "bucket": In(range(BUCKETS)),
                "count": Out(COUNT_BITS),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """Frames into a ring; behind each trigger's frame the ring is searched, the latest first."""
        m = Module()
        cycle = Signal(_CYCLE_BITS)
        m.d.sync += cycle.eq(cycle + 1)
        m.submodules.frames = frames = memory.Memory(shape=_frame_layout, depth=FRAMES_KEPT, init=[])
        write, read = frames.write_port(), frames.read_port(domain="comb")
        self._keep_frame(m, write, cycle)
        sent, first_out, cause = self._watch_sent(m, cycle)
        entry, at, left = Signal(_frame_layout), Signal(range(FRAMES_KEPT)), Signal(range(FRAMES_KEPT + 1))
        cycles, found = Signal(signed(_CYCLE_BITS)), Signal()
        m.d.comb += read.addr.eq(at)
        m.d.sync += [entry.eq(read.data), found.eq(0)]
        with m.FSM(name="search") as search:
            m.d.comb += self.idle.eq(search.ongoing("REST"))
            with m.State("REST"):
                m.d.sync += [at.eq(write.addr - 1), left.eq(FRAMES_KEPT)]
                with m.If(sent):
                    m.next = "READ"
            with m.State("READ"):
                m.d.sync += at.eq(at - 1)
                m.next = "COMPARE"
            with m.State("COMPARE"):
                m.d.sync += [at.eq(at - 1), left.eq(left - 1), cycles.eq(first_out - entry.end)]
                with m.If(entry.kept & (entry.begin == cause)):
                    m.d.sync += found.eq(1)
                    m.next = "FOUND"
                with m.Elif(left == 1):
                    m.d.sync += self.unmatched.eq(self.unmatched + 1)
                    m.next = "REST"
            with m.State("FOUND"):
                m.next = "SORT"
            with m.State("SORT"):
                m.next = "COUNT"
            with m.State("COUNT"):
                m.next = "REST"
        self._count(m, cycles, found, search.ongoing("COUNT"))
        return m

    def _keep_frame(self, m: Module, write: Any, cycle: Signal) -> None:
        """When a frame began, by the core's time, and the cycle of the last byte before its check sequence."""
        rx, begin, at = self.rx, Signal(_TIME_BITS), Signal(range(FRAMES_KEPT))
        now = self.time[:_TIME_BITS]
        ago = _SEQUENCE_BYTES if self._bus_bytes == 1 else rx.count <= _SEQUENCE_BYTES
        with m.If(rx.valid & rx.first):
            m.d.sync += begin.eq(now)
        m.d.comb += [
            write.addr.eq(at),
            write.en.eq(rx.valid & rx.last),
            write.data.kept.eq(1),
            write.data.begin.eq(Mux(rx.first, now, begin)),
            write.data.end.eq(cycle - ago),
        ]
        with m.If(write.en):
            m.d.sync += at.eq(at + 1)

    def _watch_sent(self, m: Module, cycle: Signal) -> tuple[Signal, Signal, Signal]:
        """A strobe behind a whole trigger's frame; the cycle of its first byte, and the time of its cause.

        Both stay while the next frame leaves.
        """
        tx, sent = self.tx, Signal()
        beats = (_TIME_AT + _TIME_BITS // 8 - 1) // self._bus_bytes + 1
        at, place = Signal(range(beats + 1)), Signal(range(beats + 1))
        first_out, template, cause = Signal(_CYCLE_BITS), Signal(16), Signal(_TIME_BITS)
        kept_first_out, kept_cause = Signal.like(first_out), Signal.like(cause)
        m.d.comb += place.eq(Mux(tx.first, 0, at))
        m.d.sync += sent.eq(0)
        with m.If(self.tx_passes):
            m.d.sync += at.eq(Mux(place == beats, beats, place + 1))
            with m.If(tx.first):
                m.d.sync += first_out.eq(cycle - self._preamble_cycles)
            self._capture(m, place, _TEMPLATE_AT, template)
            self._capture(m, place, _TIME_AT, cause)
            with m.If(tx.last & (template == layout.TEMPLATE_TRIGGER) & (place == beats) & ~tx.error):
                m.d.sync += [sent.eq(1), kept_first_out.eq(first_out), kept_cause.eq(cause)]
        return sent, kept_first_out, kept_cause

    def _capture(self, m: Module, place: Signal, at: int, into: Signal) -> None:
        """Bytes of the frame, least significant first, wherever its beats have them."""
        for number in range(len(into) // 8):
            beat, lane = divmod(at + number, self._bus_bytes)
            with m.If(place == beat):
                m.d.sync += into.word_select(number, 8).eq(self.tx.data.word_select(lane, 8))

    def _count(self, m: Module, cycles: Signal, found: Signal, counts: Any) -> None:
        """First the nearest latency that fits, then its bucket, then the counters."""
        most = (1 << LATENCY_BITS - 1) - 1
        latency, number = Signal(signed(LATENCY_BITS)), Signal(range(BUCKETS))
        m.submodules.buckets = buckets = memory.Memory(shape=COUNT_BITS, depth=BUCKETS, init=[])
        write, shown, counted = buckets.write_port(), *(buckets.read_port(domain="comb") for _ in range(2))
        with m.If(found):
            m.d.sync += latency.eq(Mux(cycles > most, most, Mux(cycles < -most - 1, -most - 1, cycles)))
        m.d.sync += number.eq(sum((latency >= bound for bound in LATENCY_BOUNDS[1:]), latency >= LATENCY_BOUNDS[0]))
        m.d.comb += [
            shown.addr.eq(self.bucket),
            self.count.eq(shown.data),
            counted.addr.eq(number),
            write.addr.eq(number),
            write.data.eq(counted.data + 1),
            write.en.eq(counts),
        ]
        with m.If(counts):
            m.d.sync += self.measured.eq(self.measured + 1)
            with m.If(latency < self.minimum):
                m.d.sync += self.minimum.eq(latency)
            with m.If(latency > self.maximum):
                m.d.sync += self.maximum.eq(latency)
