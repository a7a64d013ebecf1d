"""Rows of a table in distributed RAM, one memory per field."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.shapes import Fields, bundle


class RowMemory(wiring.Component):
    """A table of rows, all zero at power-on: asynchronous reads, one write of a whole row per cycle.

    Parameters
    ----------
    fields: the row's fields.
    depth: rows.
    reads: read ports.

    Members
    -------
    address: per read port, the row that is read.
    read: per read port, the row, in the same cycle; a row that is being written is read as it was.
    write: strobe; ``write_row`` is written to ``write_address``.
    """

    def __init__(self, fields: Fields, depth: int, reads: int = 1) -> None:
        self._fields, self._depth, self._reads = fields, depth, reads
        super().__init__(
            {
                "address": In(range(depth)).array(reads),
                "read": Out(bundle(fields)).array(reads),
                "write": In(1),
                "write_address": In(range(depth)),
                "write_row": In(bundle(fields)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        for name, shape in self._fields.items():
            store = memory.Memory(shape=shape, depth=self._depth, init=[], attrs={"ram_style": "distributed"})
            m.submodules[name] = store
            write = store.write_port()
            m.d.comb += [
                write.en.eq(self.write),
                write.addr.eq(self.write_address),
                write.data.eq(getattr(self.write_row, name)),
            ]
            for port in range(self._reads):
                read = store.read_port(domain="comb")
                m.d.comb += [
                    read.addr.eq(self.address[port]),
                    getattr(self.read[port], name).eq(read.data),
                ]
        return m
