"""What a datagram says, kept until it is known whether the datagram counts, then given out in order."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out


class TrialQueue(wiring.Component):
    """A queue that takes entries on trial.

    Parameters
    ----------
    shape: of an entry.
    count_bits: enough for the entries of a datagram.
    depth: entries that may wait, less one; a power of two.

    Members
    -------
    begin: strobe: another datagram begins; entries put in from here on are its own.
    put, entry: strobe and entry: one more of the datagram. Not in two cycles that follow one another.
    count: level: entries of the datagram so far, 0 from the cycle after ``begin``.
    accept, discard: strobes, one per datagram in order: its entries count, or never were. Before the first entry of
        the next datagram.
    kept: the entries that count; ready every third cycle at most, 3 cycles after ``accept`` at the soonest.
    overrun: stays set once an entry of an accepted datagram had found no room, or one came before it was known what
        becomes of the datagram before.
    """

    def __init__(self, shape: Any, count_bits: int, *, depth: int) -> None:
        self._shape, self._depth = shape, depth
        super().__init__(
            {
                "begin": In(1),
                "put": In(1),
                "entry": In(shape),
                "count": Out(count_bits),
                "accept": In(1),
                "discard": In(1),
                "kept": Out(stream.Signature(shape)),
                "overrun": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Three pointers: written, counting, read. The read entry has a register behind the memory's own.

        A row is read only when it counts, so never in the cycle in which it is written: the memory's answer to that
        does not matter.
        """
        m = Module()
        m.submodules.rows = rows = memory.Memory(shape=self._shape, depth=self._depth, init=[])
        write, read = rows.write_port(), rows.read_port()
        written, counting, taken = (Signal(range(self._depth), name=name) for name in ("written", "counting", "taken"))
        full, unsettled, lost = Signal(), Signal(), Signal()
        m.d.comb += [
            write.addr.eq(written),
            write.data.eq(self.entry),
            write.en.eq(self.put & ~full),
            read.addr.eq(taken),
        ]
        m.d.sync += full.eq((written + 1)[: len(written)] == taken)
        with m.If(self.begin):
            m.d.sync += [self.count.eq(0), unsettled.eq(written != counting)]
        with m.Elif(self.put & ~full):
            m.d.sync += [written.eq(written + 1), self.count.eq(self.count + 1)]
        with m.If(self.put & full):
            m.d.sync += lost.eq(1)
        with m.If((self.put & unsettled) | (self.accept & lost)):
            m.d.sync += self.overrun.eq(1)
        with m.If(self.accept):
            m.d.sync += [counting.eq(written), unsettled.eq(0), lost.eq(0)]
        with m.Elif(self.discard):
            m.d.sync += [written.eq(counting), unsettled.eq(0), lost.eq(0)]
        self._give_out(m, read, taken, counting)
        return m

    def _give_out(self, m: Module, read: memory.ReadPort, taken: Signal, counting: Signal) -> None:
        with m.FSM():
            with m.State("ADDRESS"):
                m.d.comb += read.en.eq(taken != counting)
                with m.If(taken != counting):
                    m.next = "DATA"
            with m.State("DATA"):
                m.d.sync += [self.kept.payload.eq(read.data), self.kept.valid.eq(1), taken.eq(taken + 1)]
                m.next = "OFFER"
            with m.State("OFFER"), m.If(self.kept.ready):
                m.d.sync += self.kept.valid.eq(0)
                m.next = "ADDRESS"
