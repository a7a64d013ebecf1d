"""Finds a destination row by row, several rows per cycle."""

from __future__ import annotations

from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import memory, wiring

from hdl.ethernet.content_match import lowest_set
from hdl.ethernet.row_match import KEY_BITS, match_members


def search_cycles(rows: int, rows_at_once: int) -> int:
    """From ``write`` to ``done``, and from ``lookup`` to ``answered`` at most: a row that is found is the answer."""
    return -(-rows // rows_at_once) + 2


class ScanMatch(wiring.Component):
    """Keys in banks of distributed RAM, one row of each compared at a time; members: see ``match_members``.

    Parameters
    ----------
    rows: of the table. rows_at_once: banks, a power of two.
    """

    def __init__(self, rows: int, rows_at_once: int) -> None:
        self._rows, self._rows_at_once = rows, rows_at_once
        super().__init__(match_members(rows))

    def elaborate(self, platform: object) -> Module:
        """A search begins with each lookup, and again with each write; the first match of a search counts."""
        m = Module()
        steps = -(-self._rows // self._rows_at_once)
        step, last_step = Signal(range(steps)), Signal(range(steps))
        searching, compared, was_last, settled = Signal(), Signal(), Signal(), Signal()
        key, asked, writes, hits = Signal(KEY_BITS), Signal(), Signal(), Signal(self._rows_at_once)
        bank_bits = (self._rows_at_once - 1).bit_length()
        for number in range(self._rows_at_once):
            bank = memory.Memory(shape=unsigned(KEY_BITS + 1), depth=steps, init=[])
            m.submodules[f"bank_{number}"] = bank
            read, write = bank.read_port(domain="comb"), bank.write_port()
            m.d.comb += [
                read.addr.eq(step),
                write.addr.eq(self.write_row[bank_bits:]),
                write.data.eq(Cat(self.write_key, self.write_enabled)),
                write.en.eq(self.write & (self.write_row[:bank_bits] == number)),
            ]
            m.d.sync += hits[number].eq(read.data == Cat(key, 1))
        m.d.sync += [
            compared.eq(searching),
            was_last.eq(step == steps - 1),
            last_step.eq(step),
            self.answered.eq(0),
            self.done.eq(0),
        ]
        with m.If(searching):
            m.d.sync += [step.eq(step + 1), searching.eq(step != steps - 1)]
        lowest, any_hit = lowest_set(m, hits)
        with m.If(compared & ~settled & (any_hit | was_last)):
            m.d.sync += [
                self.found.eq(any_hit),
                self.index.eq(Cat(lowest[:bank_bits], last_step) if bank_bits else last_step),
                settled.eq(1),
                asked.eq(0),
                self.answered.eq(asked),
            ]
        with m.If(compared & was_last & writes):
            m.d.sync += [self.done.eq(1), writes.eq(0)]
        with m.If(self.write):
            m.d.sync += writes.eq(1)
        with m.If(self.lookup | self.write):
            m.d.sync += [searching.eq(1), compared.eq(0), settled.eq(0), step.eq(0)]
        with m.If(self.lookup):
            m.d.sync += [key.eq(self.key), asked.eq(1), self.answered.eq(0), self.found.eq(0)]
        return m
