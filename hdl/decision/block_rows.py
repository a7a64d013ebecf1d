"""Rows of a table that are read one after the other, in block RAM where there are many of them and time for it."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import delayed
from hdl.decision.shapes import Fields, bundle
from hdl.parameters import CoreParameters

_DISTRIBUTED_ROWS: Final = 16
"""Rows that one cell of distributed RAM has."""


class BlockRows(wiring.Component):
    """A table of rows, all zero at power-on: one read or one write of a whole row per cycle, a read prevails.

    Parameters
    ----------
    fields: the row's fields. depth: rows.
    registered: whether there is a register behind the memory's own. Block RAM is slow to show what it has read.
    in_block: it may be in block RAM; without a register behind it ``row`` should then go straight to one.
    few: it is in block RAM, however few rows there are.

    Members
    -------
    read: strobe; ``row`` is that of ``address`` from the next cycle on, or the one behind it if ``registered``.
    write: strobe; ``write_row`` is written to ``write_address``.
    """

    def __init__(self, fields: Fields, depth: int, *, registered: bool, in_block: bool, few: bool = False) -> None:
        self._fields, self._depth, self._registered, self._few = fields, depth, registered, few
        self._in_block = in_block and depth > _DISTRIBUTED_ROWS
        super().__init__(
            {
                "address": In(range(depth)),
                "read": In(1),
                "row": Out(bundle(fields)),
                "write": In(1),
                "write_address": In(range(depth)),
                "write_row": In(bundle(fields)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        style: dict[str, Any] = {} if self._in_block else {"ram_style": "distributed"}
        if self._few:
            style = {"ram_style": "block", "no_rw_check": 1}
        shown = delayed(m, self.read, "reading") if self._registered else None
        for name, shape in self._fields.items():
            m.submodules[name] = store = memory.Memory(shape=shape, depth=self._depth, init=[], attrs=style)
            write, read = store.write_port(), store.read_port(domain="comb")
            found = getattr(self.row, name) if shown is None else Signal(shape, name=f"{name}_read")
            m.d.comb += [
                read.addr.eq(self.address),
                # never both at once: so block RAM needs no logic for what such a read would show
                write.en.eq(self.write & ~self.read),
                write.addr.eq(self.write_address),
                write.data.eq(getattr(self.write_row, name)),
            ]
            with m.If(self.read):
                m.d.sync += found.eq(read.data)
            if shown is not None:
                with m.If(shown):
                    m.d.sync += getattr(self.row, name).eq(found)
        return m


def scanned_rows(fields: Fields, parameters: CoreParameters) -> BlockRows:
    """A table with a row per (instrument, venue); in a compact core it is in block RAM, however few they are."""
    registered = parameters.registers_rows
    return BlockRows(fields, parameters.places, registered=registered, in_block=registered, few=parameters.compact)
