"""Bytes that are written before it is known whether they are wanted."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out


class PayloadRing(wiring.Component):
    """A ring of rows in block RAM, written region by region; a region is kept or dropped after it was closed.

    The next region may be written before the one before it is kept or dropped, but not closed. A dropped region with
    another one behind it stays in the ring until the reader has passed it.

    Parameters
    ----------
    bits: width of a row.
    depth: rows, a power of two.
    reserve: rows that must be free for ``roomy``.

    Members
    -------
    write: strobe: ``data`` goes to the open region. Without room the region is lost.
    close: strobe, not with ``write``: the open region ends, and waits; a new one is open.
    keep, drop: strobes: what becomes of the region that waits, from the cycle after ``close`` on.
    start: its first row. lost: it is not complete.
    row: the row to be read; with ``fetch``, ``read_data`` is its content from the next cycle on, until the next one.
    reading: everything before ``row`` may be written over.
    unread: kept regions still have to be read; without any, everything before the waiting region may be.
    roomy: ``reserve`` rows are free, as of the cycle before.
    """

    def __init__(self, bits: int, depth: int, reserve: int = 0) -> None:
        if depth & (depth - 1):
            raise ValueError(f"{depth} rows; expected a power of two")
        self._bits, self._depth, self._reserve = bits, depth, reserve
        super().__init__(
            {
                "write": In(1),
                "data": In(bits),
                "close": In(1),
                "keep": In(1),
                "drop": In(1),
                "start": Out(range(depth)),
                "lost": Out(1),
                "row": In(range(depth)),
                "fetch": In(1),
                "read_data": Out(bits),
                "reading": In(1),
                "unread": In(1),
                "roomy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """A row of the ring stays free, so that equal pointers mean an empty ring."""
        m = Module()
        m.submodules.store = store = memory.Memory(shape=unsigned(self._bits), depth=self._depth, init=[])
        port, read = store.write_port(), store.read_port()
        rows = range(self._depth)
        written, after_written = Signal(rows), Signal(rows, init=1)
        open_start, oldest = Signal(rows), Signal(rows)
        waiting, open_lost, has_room = Signal(), Signal(), Signal()
        m.d.comb += [
            has_room.eq(after_written != oldest),
            port.addr.eq(written),
            port.data.eq(self.data),
            port.en.eq(self.write & has_room & ~open_lost),
            read.addr.eq(self.row),
            read.en.eq(self.fetch),
            self.read_data.eq(read.data),
        ]
        m.d.sync += self.roomy.eq((oldest - written - 1)[: len(written)] >= self._reserve)
        with m.If(port.en):
            m.d.sync += [written.eq(after_written), after_written.eq(after_written + 1)]
        with m.If(self.write & ~has_room):
            m.d.sync += open_lost.eq(1)
        with m.If(self.close):
            m.d.sync += [
                self.start.eq(open_start),
                self.lost.eq(open_lost),
                open_start.eq(written),
                open_lost.eq(0),
                waiting.eq(1),
            ]
        with m.Elif(self.keep | self.drop):
            m.d.sync += waiting.eq(0)
            with m.If(self.drop & (written == open_start) & ~self.write):
                m.d.sync += [written.eq(self.start), after_written.eq(self.start + 1), open_start.eq(self.start)]
        with m.If(self.reading):
            m.d.sync += oldest.eq(self.row)
        with m.Elif(~self.unread):
            m.d.sync += oldest.eq(Mux(waiting, self.start, open_start))
        return m
