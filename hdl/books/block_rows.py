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
    read: strobe, not with ``write``: ``data`` is the row at ``read_at`` from two cycles later on, until the next read.
    fetched: the same one cycle earlier, straight from the memory: late in its cycle.
    write: strobe: the row at ``write_at`` is ``new``.
    """

    def __init__(self, bits: int, depth: int) -> None:
        self._bits, self._depth = bits, depth
        super().__init__(
            {
                "read": In(1),
                "read_at": In(range(depth)),
                "data": Out(bits),
                "fetched": Out(bits),
                "write": In(1),
                "write_at": In(range(depth)),
                "new": In(bits),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """The memory's own register is written out, with an enable that says that no row is read while one is written:
        synthesis then adds no logic to give what the row was."""
        m = Module()
        m.submodules.rows = rows = memory.Memory(shape=unsigned(self._bits), depth=self._depth, init=[])
        read, write = rows.read_port(domain="comb"), rows.write_port()
        arrives = Signal()
        m.d.sync += arrives.eq(self.read)
        m.d.comb += [
            read.addr.eq(self.read_at),
            write.addr.eq(self.write_at),
            write.data.eq(self.new),
            write.en.eq(self.write),
        ]
        with m.If(self.read & ~self.write):
            m.d.sync += self.fetched.eq(read.data)
        with m.If(arrives):
            m.d.sync += self.data.eq(self.fetched)
        return m
