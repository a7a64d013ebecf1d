"""Keeps counters, volumes and parity, and lets every payload that decides or answers be made."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.fifo import SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from hdl.account.counters import INDEX_BITS, Counters
from hdl.account.parity import PARITY_BITS, Parity
from hdl.account.payloads import Payloads
from hdl.account.volumes import Volumes
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS, RecordKind, late_layout, record_layout, sizes_layout, word_stream

QUEUE_DEPTH: Final = 16
"""Records that may wait while a payload leaves."""


class Account(wiring.Component):
    """Records in; counters, parity and payloads out, in the order of the records (docs/fastpath.md, rule 6).

    A status is followed by the frame counters, a message of its own that is in no hash.

    Members
    -------
    records: what to count, add and send.
    late: imbalance and microprice, one for each trigger among the records, in their order.
    sizes: sizes in use; ``instruments`` must not change.
    words: Trigger, Acknowledge, Status and FrameCounters messages. One word per cycle if they are taken, but for
        those of a trigger on the 8-bit bus: one per 8 cycles, as they leave on the wire.
    parity: CRC-32 over all triggers before the present record; whole while ``idle``.
    probe_index, probe_value: while ``idle``, the counter at a position of a count mask, in the same cycle.
    idle: nothing is queued, being counted or being sent.

    Latency
    -------
    A trigger's first word is valid 4 cycles after its record is taken, if nothing was waiting before it.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "records": In(stream.Signature(record_layout(parameters))),
                "late": In(stream.Signature(late_layout(parameters))),
                "sizes": In(sizes_layout(parameters)),
                "words": Out(word_stream()),
                "parity": Out(PARITY_BITS),
                "probe_index": In(INDEX_BITS),
                "probe_value": Out(WORD_BITS),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """A queue, and who each record is for; what is sent waits until all that was counted before is in."""
        m = Module()
        shape = record_layout(self._parameters)
        m.submodules.queue = queue = SyncFIFOBuffered(width=shape.size, depth=QUEUE_DEPTH)
        m.submodules.counters = counters = Counters()
        m.submodules.volumes = volumes = Volumes(self._parameters)
        m.submodules.parity = parity = Parity(self._parameters)
        m.submodules.payloads = payloads = Payloads(self._parameters)
        record = shape(queue.r_data)
        volume_instrument = Signal(self._parameters.instrument_bits)
        at_rest = Signal()
        wiring.connect(m, wiring.flipped(self.late), payloads.late)
        wiring.connect(m, payloads.words, wiring.flipped(self.words))
        m.d.comb += [
            queue.w_data.eq(self.records.payload),
            queue.w_en.eq(self.records.valid),
            self.records.ready.eq(queue.w_rdy),
            at_rest.eq(~counters.busy & ~volumes.busy & ~parity.busy),
            self.idle.eq(at_rest & (queue.level == 0) & ~self.words.valid),
            counters.counts.eq(record.body.count),
            counters.index.eq(Mux(payloads.busy, payloads.counter_index, self.probe_index)),
            self.probe_value.eq(counters.value),
            volumes.trade.eq(record.body.volume),
            volumes.instrument.eq(volume_instrument),
            volumes.which.eq(payloads.volume_which),
            parity.word.eq(payloads.words.payload.data),
            parity.valid.eq(payloads.parity_valid),
            parity.value.eq(record.body.parity),
            self.parity.eq(parity.parity),
            payloads.record.eq(record),
            payloads.parity.eq(parity.parity),
            payloads.parity_ready.eq(parity.ready),
            payloads.counter_value.eq(counters.value),
            payloads.volume_instrument.eq(volume_instrument),
            payloads.volume_value.eq(volumes.value),
        ]
        with m.If(payloads.busy | payloads.done):
            m.d.comb += queue.r_en.eq(payloads.done)
        with m.Elif(queue.r_rdy), m.Switch(record.kind):
            with m.Case(RecordKind.COUNT):
                m.d.comb += [counters.count.eq(~counters.busy), queue.r_en.eq(~counters.busy)]
            with m.Case(RecordKind.VOLUME):
                m.d.comb += [volumes.add.eq(~volumes.busy), queue.r_en.eq(~volumes.busy)]
            with m.Case(RecordKind.PARITY):
                m.d.comb += [parity.load.eq(~parity.busy), queue.r_en.eq(~parity.busy)]
            with m.Default():
                m.d.comb += payloads.start.eq(at_rest)
        with m.If(payloads.start & (record.kind == RecordKind.STATUS)):
            m.d.sync += volume_instrument.eq(volume_instrument + 1)
            with m.If(volume_instrument + 1 == self.sizes.instruments):
                m.d.sync += volume_instrument.eq(0)
        return m
