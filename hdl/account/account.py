"""Keeps counters, volumes and parity, and lets every payload that decides or answers be made."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.account.counters import INDEX_BITS, Counters
from hdl.account.parity import PARITY_BITS, Parity
from hdl.account.payloads import Payloads
from hdl.account.volumes import Volumes
from hdl.block_queue import BlockQueue
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS, RecordKind, late_layout, record_layout, sizes_layout, word_stream
from hdl.small_queue import SmallQueue

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
    room: ``records`` will be ready in the next cycle, too.
    idle: nothing is queued, being counted or being sent.

    Latency
    -------
    A trigger's first word is valid 6 cycles after its record is taken, 3 on the 64-bit bus, if nothing was waiting
    before it.
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
                "room": Out(1),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """A queue, and who each record is for; what is sent waits until all that was counted before is in."""
        m = Module()
        shape = record_layout(self._parameters)
        # the ways to and from a row of block RAMs that are all in use are more than a small device has
        in_block = self._parameters.registers_rows and not self._parameters.compact
        queue: Any = BlockQueue(shape, QUEUE_DEPTH, registered=True) if in_block else SmallQueue(shape, QUEUE_DEPTH)
        m.submodules.queue = queue
        m.submodules.counters = counters = Counters()
        m.submodules.parity = parity = Parity(self._parameters)
        m.submodules.payloads = payloads = Payloads(self._parameters)
        record = queue.after.payload
        volume_instrument = Signal(self._parameters.instrument_bits)
        volumes_add, volumes_busy = Signal(), Signal()
        at_rest, rests, counts, adds, loads = (
            Signal(name=name) for name in ("at_rest", "rests", "counts", "adds", "loads")
        )
        # who is free is known a cycle late, and so not where something has begun in that cycle
        m.d.sync += [
            rests.eq(at_rest & ~counters.count & ~volumes_add & ~parity.load),
            counts.eq(~counters.busy & ~counters.count),
            adds.eq(~volumes_busy & ~volumes_add),
            loads.eq(~parity.busy & ~parity.load),
        ]
        wiring.connect(m, wiring.flipped(self.records), queue.before)
        wiring.connect(m, wiring.flipped(self.late), payloads.late)
        wiring.connect(m, payloads.words, wiring.flipped(self.words))
        m.d.comb += [
            self.room.eq(queue.room),
            at_rest.eq(~counters.busy & ~volumes_busy & ~parity.busy),
            self.idle.eq(at_rest & queue.empty & ~self.words.valid),
            counters.counts.eq(record.body.count),
            counters.index.eq(Mux(payloads.busy, payloads.counter_index, self.probe_index)),
            self.probe_value.eq(counters.value),
            parity.word.eq(payloads.words.payload.data),
            parity.valid.eq(payloads.parity_valid),
            parity.value.eq(record.body.parity),
            self.parity.eq(parity.parity),
            payloads.record.eq(record),
            payloads.parity.eq(parity.parity),
            payloads.parity_ready.eq(parity.ready),
            payloads.counter_value.eq(counters.value),
            payloads.volume_instrument.eq(volume_instrument),
        ]
        if self._parameters.trades:
            m.submodules.volumes = volumes = Volumes(self._parameters)
            m.d.comb += [
                volumes.add.eq(volumes_add),
                volumes_busy.eq(volumes.busy),
                volumes.trade.eq(record.body.volume),
                volumes.instrument.eq(volume_instrument),
                volumes.which.eq(payloads.volume_which),
                payloads.volume_value.eq(volumes.value),
            ]
        with m.If(payloads.busy | payloads.done):
            m.d.comb += queue.after.ready.eq(payloads.done)
        with m.Elif(queue.after.valid), m.Switch(record.kind):
            with m.Case(RecordKind.COUNT):
                m.d.comb += [counters.count.eq(counts), queue.after.ready.eq(counts)]
            with m.Case(RecordKind.VOLUME):
                m.d.comb += [volumes_add.eq(adds), queue.after.ready.eq(adds)]
            with m.Case(RecordKind.PARITY):
                m.d.comb += [parity.load.eq(loads), queue.after.ready.eq(loads)]
            with m.Default():
                m.d.comb += payloads.start.eq(rests)
        with m.If(payloads.start & (record.kind == RecordKind.STATUS)):
            m.d.sync += volume_instrument.eq(volume_instrument + 1)
            with m.If(volume_instrument + 1 == self.sizes.instruments):
                m.d.sync += volume_instrument.eq(0)
        return m
