"""States of the sequencer for items: quotes, trades, and frames without events."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Mux, Signal

from hdl.records import Drop, trade_layout
from hdl.steps.control_states import end_step
from hdl.steps.item import ItemKind
from hdl.steps.work import Work, mask_of
from market.fastpath.state import Counter, FrameCounter

_DROP_COUNTERS: Final = {
    Drop.BAD_FCS: FrameCounter.BAD_FCS,
    Drop.NOT_OURS: FrameCounter.NOT_OURS,
    Drop.BAD_IP: FrameCounter.BAD_IP,
    Drop.BAD_UDP: FrameCounter.BAD_UDP,
    Drop.DUPLICATE: FrameCounter.DUPLICATE,
    Drop.BAD_MESSAGE: FrameCounter.BAD_MESSAGE,
}


def first_counts(m: Module, ports: Any, work: Work) -> None:
    """What the oldest item counts whatever its events do."""
    item = ports.items.payload
    frame, message = mask_of(FrameCounter.FRAMES), mask_of(FrameCounter.FRAMES, FrameCounter.MESSAGES)
    backwards = Mux(item.backwards, mask_of(Counter.TIME_BACKWARDS), 0)
    mask = work.first_counts
    with m.Switch(item.kind):
        with m.Case(ItemKind.DROPPED), m.Switch(item.drop):
            for drop, counter in _DROP_COUNTERS.items():
                with m.Case(drop):
                    m.d.comb += mask.eq(frame | mask_of(counter))
        with m.Case(ItemKind.SKIPPED):
            m.d.comb += mask.eq(frame | mask_of(FrameCounter.SKIPPED_MESSAGES) | backwards)
        with m.Case(ItemKind.PACKET):
            m.d.comb += mask.eq(frame | backwards)
        with m.Default():
            m.d.comb += mask.eq(message | backwards)


def start_item(m: Module, ports: Any, work: Work) -> None:
    """First cycle of an item: where it goes from here."""
    item = ports.items.payload
    m.d.sync += work.remaining.eq(0)
    with m.Switch(item.kind):
        with m.Case(ItemKind.DROPPED):
            m.next = "COUNT"
            with m.If(item.speculated):
                m.next = "UNDO"
        with m.Case(ItemKind.SKIPPED):
            m.d.comb += ports.heard.eq(1)
            m.next = "TRADES"
        with m.Case(ItemKind.QUOTE):
            with m.If(item.speculated):
                m.next = "RESOLVE"
                with m.If(~work.loaded_once):
                    m.next = "LOAD"
            with m.Elif(work.ready):
                m.next = "LOAD"
        with m.Case(ItemKind.PACKET):
            m.d.comb += [ports.heard.eq(1), ports.packet.eq(1)]
            m.next = "PACKET"
        with m.Default():
            m.d.sync += work.remaining.eq(Mux(item.kind == ItemKind.TRADE, 1, item.trade_count))
            m.d.comb += ports.heard.eq(1)
            m.next = "TRADES"


def quote_states(m: Module, ports: Any, work: Work) -> None:
    """A quote from its fields to its trigger; what an abandoned one leaves is undone."""
    counts = work.counts
    with m.State("LOAD"), m.If(~work.asked):
        m.d.comb += work.load.eq(1)
        m.next = "RESOLVE"
    with m.State("RESOLVE"):
        m.d.comb += [ports.resolve.eq(1), ports.accept.eq(1), ports.heard.eq(1)]
        m.next = "COMMIT"
    with m.State("UNDO"):
        m.d.comb += ports.resolve.eq(1)
        m.next = "COUNT"
    m.d.comb += [
        work.counted.mask.eq(counts.mask | ports.outcome_counts.mask),
        work.counted.both_cut.eq(ports.outcome_counts.both_cut),
    ]
    with m.State("COMMIT"), m.If(ports.committed):
        m.next = "COUNT"
        with m.If(work.of_packet):
            m.next = "EVENT-COUNT"
        with m.Else():
            m.d.sync += counts.eq(work.counted)
        with m.If(ports.fires):
            m.next = "TRIGGER"
        with m.Elif(~work.of_packet):
            end_step(m, ports, work)
    with m.State("TRIGGER"):
        m.d.comb += work.offers.eq(1)
        with m.If(work.room):
            m.next = "COUNT"
            with m.If(work.of_packet):
                m.next = "EVENT-COUNT"


def trade_states(m: Module, ports: Any, work: Work) -> None:
    """Each trade of an item: into the counter, then a count and a volume out of it."""
    item, remaining = ports.items.payload, work.remaining
    from_host = item.kind == ItemKind.TRADE
    with m.State("TRADES"):
        with m.If(remaining == 0):
            m.next = "COUNT"
        with m.Else():
            m.d.comb += [
                ports.trade.valid.eq(from_host | ports.trades.valid),
                ports.trades.ready.eq(~from_host & ports.trade.ready),
            ]
            with m.If(ports.trade.valid & ports.trade.ready):
                m.d.sync += remaining.eq(remaining - 1)
                m.next = "TRADE-COUNT"
    with m.State("TRADE-COUNT"):
        m.d.comb += work.offers.eq(ports.trade_valid)
        with m.If(ports.trade_valid & work.room):
            m.next = "TRADE-VOLUME"
    with m.State("TRADE-VOLUME"):
        m.d.comb += work.offers.eq(ports.trade_has_volume)
        with m.If(work.room | ~ports.trade_has_volume):
            m.d.comb += ports.trade_ready.eq(1)
            m.next = "TRADES"
            with m.If(work.of_packet):
                m.next = "PACKET"


def choose_trade(m: Module, ports: Any, work: Work) -> None:
    """The trade that the counter is given: of the feed's queue, of the host, or of a packet."""
    item, event = ports.items.payload, ports.events.payload
    stated = Signal(trade_layout)
    quote = Mux(work.of_packet, event.quote, item.quote)
    fields = type(item.quote)(item.quote.shape(), quote)
    price, quantity = fields.bid_price, fields.bid_quantity
    if ports.is_compact:
        # mantissas of items are narrow numbers in wide fields
        price, quantity = (
            Mux(work.of_packet, event.quote[name], item.quote[name][: ports.price_bits + 2].as_signed())
            for name in ("bid_price", "bid_quantity")
        )
    m.d.comb += [
        stated.instrument.eq(Mux(work.of_packet, event.instrument, item.instrument)),
        stated.venue.eq(item.venue),
        stated.price_exponent.eq(fields.price_exponent),
        stated.quantity_exponent.eq(fields.quantity_exponent),
        stated.aggressor.eq(Mux(work.of_packet, event.aggressor, item.aggressor)),
        stated.price.eq(price),
        stated.quantity.eq(quantity),
        ports.trade.payload.eq(Mux(work.of_packet | (item.kind == ItemKind.TRADE), stated, ports.trades.payload)),
    ]
