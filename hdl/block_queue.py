"""A queue in block RAM."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Signal, Value, unsigned
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out


class BlockQueue(wiring.Component):
    """Holds what comes in until it is taken; what goes out is in a register.

    Parameters
    ----------
    shape: of an entry.
    depth: entries, a power of two; two more fit behind the memory.
    registered: whether there is a register in front of the memory, too.

    Members
    -------
    before, after: the stream; an entry is in ``after`` from the third cycle after it came in on, or from the fourth if
        ``registered``. ``before`` is not ready while all places of the memory are taken, and sometimes with one less,
        or two if ``registered``.
    empty: nothing is held. room: ``before`` will be ready in the next cycle, too, whatever comes now.
    """

    def __init__(self, shape: Any, depth: int, *, registered: bool = False) -> None:
        if depth & (depth - 1):
            raise ValueError(f"{depth} entries; expected a power of two")
        self._shape, self._depth, self._registered = shape, depth, registered
        signature = stream.Signature(shape)
        super().__init__({"before": In(signature), "after": Out(signature), "empty": Out(1, init=1), "room": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """From the memory to its output, and on to the register. An entry is read later than it was written, so it
        does not matter what a read and a write of one place at the same time would show: the memory is told so."""
        m = Module()
        before, after = self.before, self.after
        bits = Value.cast(before.payload).shape().width
        m.submodules.store = store = memory.Memory(
            shape=unsigned(bits), depth=self._depth, init=[], attrs={"no_rw_check": 1, "ram_style": "block"}
        )
        write, read = store.write_port(), store.read_port(domain="comb")
        written, fetched = Signal(range(2 * self._depth)), Signal(range(2 * self._depth))
        shown, is_shown, has_room = Signal(bits, reset_less=True), Signal(), Signal(init=1)
        moves, fetches, waits, arrives = Signal(), Signal(), Signal(), Signal()
        later = m.d.sync if self._registered else m.d.comb
        later += [write.data.eq(before.payload), write.en.eq(arrives)]
        m.d.comb += [
            before.ready.eq(has_room),
            write.addr.eq(written[:-1]),
            arrives.eq(before.valid & before.ready),
            read.addr.eq(fetched[:-1]),
            waits.eq(fetched != written),
            moves.eq(~after.valid | after.ready),
            fetches.eq(~is_shown | moves),
            self.empty.eq(~waits & ~is_shown & ~after.valid & (~write.en if self._registered else 1)),
        ]
        # as many entries may come while this is found out
        on_their_way = 2 if self._registered else 1
        held = (written - fetched)[: len(written)]
        m.d.sync += [
            has_room.eq(held < self._depth - on_their_way),
            self.room.eq(held < self._depth - on_their_way - 1),
        ]
        with m.If(write.en):
            m.d.sync += written.eq(written + 1)
        with m.If(fetches):
            m.d.sync += [shown.eq(read.data), is_shown.eq(waits), fetched.eq(fetched + waits)]
        with m.If(moves):
            m.d.sync += [Value.cast(after.payload).eq(shown), after.valid.eq(is_shown)]
        return m
