"""Finds the lowest row with a key, several rows per cycle."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.ethernet.content_match import lowest_set

_COMPARED_BITS: Final = 24


class RowSearch(wiring.Component):
    """Keys in banks of distributed RAM, one row of each bank per cycle; no row has a key at power-on.

    Parameters
    ----------
    rows: the rows.
    key_bits: width of a key.
    banks: rows that are compared in one cycle, a power of two.

    Members
    -------
    write: strobe: row ``write_row`` has ``write_key``, or none without ``write_enabled``.
    start: strobe: a search for ``key`` begins, which must hold until its end. One that is under way is given up.
    busy: a search is under way; after ``start`` for at most ``search_cycles``.
    found, index: a row has the key, and the lowest one that has; they hold until the next search's end.
    """

    def __init__(self, rows: int, key_bits: int, banks: int) -> None:
        self._rows, self._banks = rows, banks
        self.search_cycles = -(-rows // banks) + 1
        super().__init__(
            {
                "write": In(1),
                "write_row": In(range(rows)),
                "write_key": In(key_bits),
                "write_enabled": In(1),
                "start": In(1),
                "key": In(key_bits),
                "busy": Out(1),
                "found": Out(1),
                "index": Out(range(rows)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """Keys are compared in one cycle, the lowest hit is chosen in the next; the first hit ends a search."""
        m = Module()
        steps = -(-self._rows // self._banks)
        step, step_of_hits = Signal(range(steps)), Signal(range(steps))
        compared, last = Signal(), Signal()
        hits = Signal(self._banks)
        self._compare(m, step, hits)
        m.d.sync += [step_of_hits.eq(step), compared.eq(self.busy), last.eq(step == steps - 1)]
        with m.If(self.busy):
            m.d.sync += step.eq(step + 1)
        lowest, any_hit = lowest_set(m, hits)
        with m.If(self.busy & compared & (any_hit | last)):
            bank_bits = (self._banks - 1).bit_length()
            m.d.sync += [
                self.busy.eq(0),
                self.found.eq(any_hit),
                self.index.eq(Cat(lowest[:bank_bits] if bank_bits else lowest, step_of_hits)),
            ]
        with m.If(self.start):
            m.d.sync += [self.busy.eq(1), compared.eq(0), step.eq(0)]
        return m

    def _compare(self, m: Module, step: Signal, hits: Signal) -> None:
        bank_bits = (self._banks - 1).bit_length()
        for number in range(self._banks):
            bank = memory.Memory(
                shape=unsigned(len(self.key) + 1),
                depth=-(-self._rows // self._banks),
                init=[],
                attrs={"ram_style": "distributed"},
            )
            m.submodules[f"bank_{number}"] = bank
            read, write = bank.read_port(domain="comb"), bank.write_port()
            m.d.comb += [
                read.addr.eq(step),
                write.addr.eq(self.write_row[bank_bits:]),
                write.data.eq(Cat(self.write_key, self.write_enabled)),
                write.en.eq(self.write & (self.write_row[:bank_bits] == number)),
            ]
            wanted, parts = Cat(self.key, 1), Signal(-(-len(read.data) // _COMPARED_BITS), name=f"parts_{number}")
            for at in range(len(parts)):
                part = slice(at * _COMPARED_BITS, (at + 1) * _COMPARED_BITS)
                m.d.sync += parts[at].eq(read.data[part] == wanted[part])
            m.d.comb += hits[number].eq(parts.all())
