"""What a datagram says, kept until it is known whether the datagram counts, then given out in order."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Signal, Value
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
    kept: the entries that count; ready every third cycle at most, 3 cycles after ``accept`` at the soonest, one
        more for an entry that is put in then.
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

        Nothing is read in a cycle with a write, and the memory's own register is one of ours that tools move into the
        memory: they see then that it does not matter what the memory answers if a row is read while it is written, and
        spare a register and a choice per bit.
        """
        m = Module()
        m.submodules.rows = rows = memory.Memory(shape=self._shape, depth=self._depth, init=[])
        write, read = rows.write_port(), rows.read_port(domain="comb")
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
        self._give_out(m, read, taken, (taken != counting) & ~write.en)
        return m

    def _give_out(self, m: Module, read: memory.ReadPort, taken: Signal, may_read: Value) -> None:
        found = Signal.like(Value.cast(read.data), reset_less=True)
        with m.FSM():
            with m.State("ADDRESS"), m.If(may_read):
                m.d.sync += found.eq(read.data)
                m.next = "DATA"
            with m.State("DATA"):
                m.d.sync += [
                    Value.cast(self.kept.payload).eq(found),
                    self.kept.valid.eq(1),
                    taken.eq(taken + 1),
                ]
                m.next = "OFFER"
            with m.State("OFFER"), m.If(self.kept.ready):
                m.d.sync += self.kept.valid.eq(0)
                m.next = "ADDRESS"
