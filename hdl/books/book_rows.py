"""Wire instruments: which row of which line an instrument of a message is, and what the row says."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.books.records import LINE_NUMBER_BITS
from hdl.books.row_search import RowSearch
from hdl.decision.row_memory import RowMemory
from hdl.decision.shapes import Fields, assign, bundle
from hdl.parameters import CoreParameters
from hdl.records import INSTRUMENT_NUMBER_BITS, WORD_BITS

BANKS: Final = 4
"""Rows that are compared at once."""


def row_fields(parameters: CoreParameters) -> Fields:
    """A row, less its wire instrument."""
    return {
        "enabled": unsigned(1),
        "line": unsigned(LINE_NUMBER_BITS),
        "instrument": unsigned(INSTRUMENT_NUMBER_BITS),
        "price_exponent": signed(8),
        "quantity_exponent": signed(8),
        "tick": unsigned(parameters.price_bits),
    }


class BookRows(wiring.Component):
    """The rows of wire instruments, none of them enabled at power-on.

    Parameters
    ----------
    parameters: the build; ``capacity.books`` are the rows.

    Members
    -------
    write: strobe: row ``write_book`` is ``write_row`` and has the wire instrument ``write_wire``.
    find: strobe: ``line`` and ``wire`` are looked for, and hold until the search is over. busy: until when; at most 5
        cycles for 16 rows.
    found, book: an enabled row has them, and the lowest one that has; they hold until the next search's end.
    number, row: a row by number, in the same cycle.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        books, fields = range(parameters.capacity.books), row_fields(parameters)
        super().__init__(
            {
                "write": In(1),
                "write_book": In(books),
                "write_wire": In(WORD_BITS),
                "write_row": In(bundle(fields)),
                "find": In(1),
                "line": In(LINE_NUMBER_BITS),
                "wire": In(WORD_BITS),
                "busy": Out(1),
                "found": Out(1),
                "book": Out(books),
                "number": In(books),
                "row": Out(bundle(fields)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        rows, fields = self._parameters.capacity.books, row_fields(self._parameters)
        m.submodules.search = search = RowSearch(rows, LINE_NUMBER_BITS + WORD_BITS, BANKS)
        m.submodules.store = store = RowMemory(fields, rows)
        m.d.comb += [
            search.write.eq(self.write),
            search.write_row.eq(self.write_book),
            search.write_key.eq(Cat(self.write_wire, self.write_row.line)),
            search.write_enabled.eq(self.write_row.enabled),
            search.start.eq(self.find),
            search.key.eq(Cat(self.wire, self.line)),
            self.busy.eq(search.busy),
            self.found.eq(search.found),
            self.book.eq(search.index),
            store.write.eq(self.write),
            store.write_address.eq(self.write_book),
            *assign(store.write_row, self.write_row, fields),
            store.address[0].eq(self.number),
            *assign(self.row, store.read[0], fields),
        ]
        return m
