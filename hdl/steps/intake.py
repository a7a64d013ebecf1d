"""Takes what arrived, in the order of arrival's end: numbers the steps, and queues them for their turn."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.block_queue import BlockQueue
from hdl.records import (
    DROP_BITS,
    INSTRUMENT_NUMBER_BITS,
    MANTISSAS,
    TIME_BITS,
    VENUE_NUMBER_BITS,
    WORD_BITS,
    Drop,
    channel_layout,
    narrowed,
    quote_layout,
    trade_layout,
)
from hdl.small_queue import SmallQueue
from hdl.steps.clock import StepClock
from hdl.steps.item import TRADE_COUNT_BITS, ItemKind, item_layout, narrow_item_layout, pass_item
from market.fastpath.feeds.verdict import BAD, OLD, SKIPPED

QUEUE_DEPTH: Final = 8
"""Steps that may wait while the trades of one long datagram are counted."""
PACKET_QUEUE_DEPTH: Final = 32
"""The same while the messages of one long packet change a book."""


class Intake(wiring.Component):
    """Frames at their ends, host events and the time of control messages; out come items in order.

    Parameters
    ----------
    depth: items that may wait.
    mantissa_bits: of prices and quantities, if mantissas of frames are ``narrowed`` ones; those of the host become so,
        and items wait in distributed RAM.
    judges_first: whether a frame is judged in a cycle of its own before it is numbered, and items wait in block RAM;
        ends are then two cycles apart.

    Members
    -------
    A frame is described by levels that hold from ``end`` until it is numbered: ``found`` and ``row`` of the
    channel table; ``verdict``, ``is_quote``, ``quote`` and ``trade_count`` of the feed. The table may change between a
    frame's end and its number, so both verdicts of the receiver are kept until then. ``is_packet``: its events come
    from the books. Host events come with a strobe and are taken at once; ``begin_step`` numbers a control message.
    While ``hold`` is set a frame's end waits, one at most. ``accepted`` and ``refused`` tell feed and log, in the cycle
    in which a frame is numbered, whether its content counts; ``now`` and ``step`` are then already the frame's own
    (``next_now``, ``next_step``).

    ``frame_now`` is T of the frame that is arriving (``frame_open``), if nothing is numbered before it. ``queued``: an
    item may be on its way to ``items``, where it is from the third cycle after its number on; without ``judges_first``
    from the first. ``overrun`` stays set once an item found the queue full: then a step is missing.
    """

    def __init__(
        self, depth: int = QUEUE_DEPTH, *, judges_first: bool = False, mantissa_bits: int | None = None
    ) -> None:
        self._depth, self._judges_first, self._mantissa_bits = depth, judges_first, mantissa_bits
        super().__init__(
            {
                "begin": In(1),
                "time": In(WORD_BITS),
                "end": In(1),
                "drop_when_found": In(DROP_BITS),
                "drop_when_unknown": In(DROP_BITS),
                "found": In(1),
                "row": In(channel_layout),
                "verdict": In(2),
                "is_quote": In(1),
                "is_packet": In(1),
                "quote": In(quote_layout),
                "trade_count": In(TRADE_COUNT_BITS),
                "speculating": In(1),
                "hold": In(1),
                "begin_step": In(1),
                "control_time": In(WORD_BITS),
                "host_quote": In(1),
                "host_instrument": In(INSTRUMENT_NUMBER_BITS),
                "host_venue": In(VENUE_NUMBER_BITS),
                "host_fields": In(quote_layout),
                "host_trade": In(1),
                "host_trade_fields": In(trade_layout),
                "accepted": Out(1),
                "refused": Out(1),
                "next_now": Out(TIME_BITS),
                "next_step": Out(WORD_BITS),
                "backwards": Out(1),
                "now": Out(TIME_BITS),
                "step": Out(WORD_BITS),
                "frame_now": Out(TIME_BITS),
                "frame_open": Out(1),
                "items": Out(stream.Signature(item_layout)),
                "queued": Out(1),
                "overrun": Out(1),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Host events and control messages come before a frame that ends in the same cycle."""
        m = Module()
        m.submodules.clock = clock = StepClock(registered=self._judges_first)
        bits = self._mantissa_bits
        shape = item_layout if bits is None else narrow_item_layout(bits)
        queue: Any = (BlockQueue if self._judges_first and bits is None else SmallQueue)(shape, self._depth)
        m.submodules.queue = queue
        waiting, ending, drop = self._frame_end(m)
        frame_time = self._frame_times(m, waiting)

        from_host, written = Signal(), Signal(2)
        if bits is None:
            wiring.connect(m, queue.after, wiring.flipped(self.items))
        else:
            m.d.comb += [self.items.valid.eq(queue.after.valid), queue.after.ready.eq(self.items.ready)]
            m.d.comb += pass_item(self.items.payload, queue.after.payload)
        m.d.sync += written.eq(Cat(queue.before.valid, written))
        m.d.comb += [
            from_host.eq(self.host_quote | self.host_trade),
            clock.time.eq(frame_time),
            clock.control_time.eq(self.control_time),
            clock.of_control.eq(self.begin_step | from_host),
            self.next_now.eq(clock.next_now),
            self.next_step.eq(clock.next_step),
            self.backwards.eq(clock.backwards),
            self.now.eq(clock.now),
            self.step.eq(clock.step),
            self.frame_now.eq(clock.frame_now),
            self.accepted.eq(ending & (drop == Drop.NONE)),
            self.refused.eq(ending & (drop != Drop.NONE)),
            clock.advance.eq(self.begin_step | from_host | self.accepted),
        ]
        item = Signal(item_layout)
        self._describe_frame(m, item, drop)
        with m.If(from_host):
            self._describe_host_event(m, item)
        m.d.comb += [
            item.backwards.eq(clock.backwards),
            item.step.eq(clock.next_step),
            item.time.eq(clock.next_now),
            *([queue.before.payload.eq(item)] if bits is None else pass_item(queue.before.payload, item)),
            queue.before.valid.eq(from_host | ending),
            self.queued.eq(written.any() if self._judges_first else 0),
            self.idle.eq(~self.frame_open & ~waiting & queue.empty),
        ]
        with m.If(queue.before.valid & ~queue.before.ready):
            m.d.sync += self.overrun.eq(1)
        return m

    def _frame_times(self, m: Module, waiting: Signal) -> Signal:
        """Time of the frame that waits to be numbered, else of the oldest whose end is still to come.

        The next frame may begin before the end of the one before it is known.
        """
        oldest, latest, ended = Signal(WORD_BITS), Signal(WORD_BITS), Signal(WORD_BITS)
        open_frames = Signal(range(3))
        m.d.comb += self.frame_open.eq((open_frames != 0) & ~waiting & ~self.queued)
        m.d.sync += open_frames.eq(open_frames + self.begin - self.end)
        with m.If(self.begin):
            m.d.sync += latest.eq(self.time)
        with m.If(self.end):
            m.d.sync += [ended.eq(oldest), oldest.eq(Mux(self.begin, self.time, latest))]
            with m.If(self.begin & (open_frames == 2)):
                m.d.sync += oldest.eq(latest)
        with m.Elif(self.begin & (open_frames == 0)):
            m.d.sync += oldest.eq(self.time)
        return Mux(waiting, ended, oldest)

    def _frame_end(self, m: Module) -> tuple[Signal, Signal, Signal]:
        """Whether a frame waits to be numbered, whether it is numbered now, and why it is dropped if it is."""
        waiting, ending = Signal(), Signal()
        when_found, when_unknown, drop = Signal(DROP_BITS), Signal(DROP_BITS), Signal(DROP_BITS)
        with m.If(self.end):
            m.d.sync += [
                waiting.eq(1),
                when_found.eq(self.drop_when_found),
                when_unknown.eq(self.drop_when_unknown),
            ]
        with m.Elif(ending):
            m.d.sync += waiting.eq(0)
        m.d.comb += [
            ending.eq(waiting & ~self.hold & ~self.begin_step & ~self.host_quote & ~self.host_trade),
            drop.eq(Mux(self.found, when_found, when_unknown)),
        ]
        with m.If(self.found & (when_found == Drop.NONE)):
            with m.If(self.verdict == BAD):
                m.d.comb += drop.eq(Drop.BAD_MESSAGE)
            with m.Elif(self.verdict == OLD):
                m.d.comb += drop.eq(Drop.DUPLICATE)
        if not self._judges_first:
            return waiting, ending, drop
        judged, judgement = Signal(), Signal(DROP_BITS)
        m.d.sync += [judged.eq(waiting & ~self.hold & ~ending & ~self.end), judgement.eq(drop)]
        with m.If(~judged):
            m.d.comb += ending.eq(0)
        return waiting, ending, judgement

    def _describe_frame(self, m: Module, item: Signal, drop: Signal) -> None:
        m.d.comb += [
            item.drop.eq(drop),
            item.speculated.eq(self.speculating),
            item.instrument.eq(self.row.instrument),
            item.venue.eq(self.row.venue),
            item.trade_count.eq(self.trade_count),
            item.quote.eq(self.quote),
        ]
        with m.If(drop != Drop.NONE):
            m.d.comb += item.kind.eq(ItemKind.DROPPED)
        with m.Elif(self.verdict == SKIPPED):
            m.d.comb += item.kind.eq(ItemKind.SKIPPED)
        with m.Elif(self.is_packet):
            m.d.comb += item.kind.eq(ItemKind.PACKET)
        with m.Elif(self.is_quote):
            m.d.comb += item.kind.eq(ItemKind.QUOTE)
        with m.Else():
            m.d.comb += item.kind.eq(ItemKind.TRADES)

    def _describe_host_event(self, m: Module, item: Signal) -> None:
        trade = self.host_trade_fields
        m.d.comb += item.speculated.eq(0)
        with m.If(self.host_quote):
            m.d.comb += [
                item.kind.eq(ItemKind.QUOTE),
                item.instrument.eq(self.host_instrument),
                item.venue.eq(self.host_venue),
                *self._quote_of_host(item),
            ]
        with m.Else():
            m.d.comb += [
                item.kind.eq(ItemKind.TRADE),
                item.instrument.eq(trade.instrument),
                item.venue.eq(trade.venue),
                item.aggressor.eq(trade.aggressor),
                item.quote.price_exponent.eq(trade.price_exponent),
                item.quote.quantity_exponent.eq(trade.quantity_exponent),
                item.quote.bid_price.eq(self._kept("bid_price", trade.price)),
                item.quote.bid_quantity.eq(self._kept("bid_quantity", trade.quantity)),
            ]

    def _quote_of_host(self, item: Signal) -> list[Any]:
        if self._mantissa_bits is None:
            return [item.quote.eq(self.host_fields)]
        return [item.quote[name].eq(self._kept(name, self.host_fields[name])) for name in quote_layout.members]

    def _kept(self, name: str, value: Value) -> Value:
        return value if self._mantissa_bits is None or name not in MANTISSAS else narrowed(value, self._mantissa_bits)
