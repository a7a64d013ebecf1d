"""Rows in block RAM, with a register behind."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out


class BlockRows(wiring.Component):
    """A memory of rows, all zero at power-on.

    Parameters
    ----------
    bits: width of a row.
    depth: rows.

    Members
    -------
    read: strobe: ``data`` is the row at ``read_at`` from two cycles later on, until the next. Not with ``write``.
    write: strobe: the row at ``write_at`` is ``new``.
    """

    def __init__(self, bits: int, depth: int) -> None:
        self._bits, self._depth = bits, depth
        super().__init__(
            {
                "read": In(1),
                "read_at": In(range(depth)),
                "data": Out(bits),
                "write": In(1),
                "write_at": In(range(depth)),
                "new": In(bits),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """What the memories would answer while they are written is said not to matter."""
        m = Module()
        arrives = Signal()
        m.d.sync += arrives.eq(self.read)
        m.submodules.rows = rows = memory.Memory(shape=unsigned(self._bits), depth=self._depth, init=[])
        read, write = rows.read_port(), rows.write_port()
        m.d.comb += [
            read.addr.eq(self.read_at),
            read.en.eq(self.read & ~self.write),
            write.addr.eq(self.write_at),
            write.data.eq(self.new),
            write.en.eq(self.write),
        ]
        with m.If(arrives):
            m.d.sync += self.data.eq(read.data)
        return m
