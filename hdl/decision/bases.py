"""The stored bases in block RAM, read one after the other."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import NewAddress, address_of, delayed
from hdl.decision.block_rows import BlockRows
from hdl.decision.command_fields import command_field
from hdl.decision.pick import one_of
from hdl.decision.shapes import assign, basis_fields, bundle
from hdl.parameters import CoreParameters
from hdl.records import TIME_BITS

_LOADED: Final = {"value": "basis", "samples": "samples", "sample_time": "sampleTime"}
_SAMPLE: Final = ("value", "samples")


class BasisStore(wiring.Component):
    """Bases of every instrument and pair of venues. What a pair has before its first sample or load means nothing.

    Members
    -------
    address: what the instrument and the venue v become that everything else is about.
    read: strobe; in the next cycle, or the one behind it where rows have registers, ``basis`` has the basis of v and
        the venue ``other``, and should go straight to registers; ``first``: v is the first one of that pair.
    numbers, beyond: see ``Scan``.
    begin: strobe; samples of all pairs will be put.
    put: strobe; ``sample`` is what the next pair, in the order of the other venues, may become.
    store: strobe; from now on samples that have been put are stored, one per cycle, those of the pairs in ``stored``,
        with the time ``time``, which both stay as they are until the next address.
    busy: an address that was taken now could be read too early.
    write_message: strobe; the basis in ``message``, a LoadBasis of v as the first of the pair, is stored in the
        next cycle.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        basis = bundle(basis_fields(parameters))
        super().__init__(
            {
                "address": In(NewAddress()),
                "read": In(1),
                "other": In(parameters.venue_bits),
                "first": In(1),
                "basis": Out(basis),
                "numbers": In(parameters.venue_bits).array(parameters.others),
                "beyond": In(parameters.others),
                "begin": In(1),
                "put": In(1),
                "sample": In(bundle({name: basis_fields(parameters)[name] for name in _SAMPLE})),
                "store": In(1),
                "stored": In(parameters.others),
                "time": In(TIME_BITS),
                "busy": Out(1),
                "write_message": In(1),
                "message": In(parameters.control_bytes * 8),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        fields, message = basis_fields(self._parameters), self.message
        address = address_of(m, self.address, self._parameters, copy=2)
        loading = delayed(m, self.write_message, "loading")
        reads = delayed(m, self.read, "reading") if self._parameters.registers_rows else self.read
        writing, written, place = self._samples(m, address, reads)
        m.submodules.rows = rows = BlockRows(fields, 1 << len(place), registered=False, in_block=True)
        row = rows.write_row
        place_read = self._place(address, self.first, self.other)
        if self._parameters.registers_rows:
            held = Signal(len(place), name="place_read")
            with m.If(self.read):
                m.d.sync += held.eq(place_read)
            place_read = held
        m.d.comb += [
            rows.address.eq(place_read),
            rows.read.eq(reads),
            rows.write.eq(writing | loading),
            rows.write_address.eq(place),
            *assign(self.basis, rows.row, fields),
            row.value.eq(written["value"]),
            row.samples.eq(written["samples"]),
            row.sample_time.eq(self.time),
        ]
        with m.If(loading):
            second = command_field(message, "LoadBasis", "secondVenue")
            m.d.comb += place.eq(self._place(address, 1, second[: self._parameters.venue_bits]))
            m.d.comb += [
                getattr(row, name).eq(command_field(message, "LoadBasis", source)) for name, source in _LOADED.items()
            ]
        return m

    def _place(self, address: Any, first: Any, other: Any) -> Value:
        if self._parameters.compact and self._parameters.others == 1:
            return Cat(address.instrument)
        lower, higher = Mux(first, address.venue, other), Mux(first, other, address.venue)
        return Cat(lower, higher, address.instrument)

    def _samples(self, m: Module, address: Any, reads: Value) -> tuple[Signal, dict[str, Any], Signal]:
        """Each pair's sample waits for its turn in a place of its own; whether one is written now, and where."""
        others, fields = self._parameters.others, basis_fields(self._parameters)
        put, turn, there, left = Signal(others, init=1), Signal(others, init=1), Signal(others), Signal(others)
        may_store, moves = Signal(), Signal()
        m.d.comb += [
            moves.eq(may_store & (turn & there).any() & ~reads),
            self.busy.eq(may_store & (left[1] if others > 1 else 0)),
        ]
        held = {name: [Signal(fields[name], name=f"{name}_{each}") for each in range(others)] for name in _SAMPLE}
        for name, places in held.items():
            for number, mine in enumerate(places):
                with m.If(self.put & put[number]):
                    m.d.sync += mine.eq(getattr(self.sample, name))
        m.d.sync += there.eq((there | Mux(self.put, put, 0)) & ~Mux(moves, turn, 0))
        with m.If(self.put):
            m.d.sync += put.eq(put.rotate_left(1))
        with m.If(moves):
            m.d.sync += [turn.eq(turn.rotate_left(1)), left.eq(left >> 1)]
        with m.If(self.begin):
            m.d.sync += left.eq(-1)
        with m.If(self.store):
            m.d.sync += may_store.eq(1)
        with m.If(self.address.take):
            m.d.sync += [put.eq(1), turn.eq(1), there.eq(0), may_store.eq(0)]
        place_written = self._place(address, (turn & self.beyond).any(), one_of(turn, self.numbers))
        place = Signal(len(place_written))
        m.d.comb += place.eq(place_written)
        writing = Signal()
        m.d.comb += writing.eq(moves & (turn & self.stored).any())
        return writing, {name: one_of(turn, places) for name, places in held.items()}, place
