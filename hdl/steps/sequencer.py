"""Runs steps one after the other: events through the decider, then the records that account for them."""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.parameters import CoreParameters
from hdl.records import (
    INSTRUMENT_NUMBER_BITS,
    TIME_BITS,
    VENUE_NUMBER_BITS,
    WORD_BITS,
    Drop,
    RecordKind,
    acknowledge_layout,
    count_bit,
    count_layout,
    quote_layout,
    record_layout,
    trade_layout,
    trigger_layout,
    volume_layout,
)
from hdl.steps.item import TRADE_COUNT_BITS, ItemKind, item_layout
from market.fastpath.specification import STATUS_INTERVAL_NS
from market.fastpath.state import Counter, FrameCounter

_DROP_COUNTERS: Final = {
    Drop.BAD_FCS: FrameCounter.BAD_FCS,
    Drop.NOT_OURS: FrameCounter.NOT_OURS,
    Drop.BAD_IP: FrameCounter.BAD_IP,
    Drop.BAD_UDP: FrameCounter.BAD_UDP,
    Drop.DUPLICATE: FrameCounter.DUPLICATE,
    Drop.BAD_MESSAGE: FrameCounter.BAD_MESSAGE,
}


def _mask(*counters: Counter | FrameCounter) -> int:
    return sum(1 << count_bit(counter) for counter in counters)


class Sequencer(wiring.Component):
    """The order of everything: one item, or one control message, from its start to its last record.

    A quote that is still arriving is started early (``key`` says that the arriving frame's channel and message are
    known): the decider is prepared while no step is under way, and ``speculating`` holds until the frame ended.
    Its ``loaded`` comes from the feed; that of a queued quote from here. ``resolve`` follows the frame's end, with
    ``accept`` cleared for a dropped frame.

    A control message is granted between steps and owns the state until ``control_finished``; its T, step and time
    flag are those of ``begin_step``, which the intake numbers.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        super().__init__(
            {
                "items": In(stream.Signature(item_layout)),
                "frame_open": In(1),
                "frame_now": In(TIME_BITS),
                "key": In(1),
                "key_instrument": In(INSTRUMENT_NUMBER_BITS),
                "key_venue": In(VENUE_NUMBER_BITS),
                "feed_loaded": In(1),
                "feed_quote": In(quote_layout),
                "frame_ended": In(1),
                "speculating": Out(1),
                # the decider
                "ready": In(1),
                "prepare": Out(1),
                "instrument": Out(INSTRUMENT_NUMBER_BITS),
                "venue": Out(VENUE_NUMBER_BITS),
                "time": Out(TIME_BITS),
                "loaded": Out(1),
                "quote": Out(quote_layout),
                "resolve": Out(1),
                "accept": Out(1),
                "committed": In(1),
                "outcome_counts": In(count_layout),
                "fires": In(1),
                "trigger": In(trigger_layout(parameters)),
                "heard": Out(1),
                "heard_venue": Out(VENUE_NUMBER_BITS),
                "heard_time": Out(TIME_BITS),
                "last_id": In(WORD_BITS),
                "killed": In(1),
                # trades
                "trades": In(stream.Signature(trade_layout)),
                "trade": Out(stream.Signature(trade_layout)),
                "trade_valid": In(1),
                "trade_ready": Out(1),
                "trade_counts": In(count_layout),
                "trade_has_volume": In(1),
                "trade_volume": In(volume_layout(parameters)),
                # control
                "want": In(1),
                "grant": Out(1),
                "hold": Out(1),
                "begin_step": In(1),
                "step_backwards": In(1),
                "step_now": In(TIME_BITS),
                "step_number": In(WORD_BITS),
                "acknowledged": In(1),
                "acknowledge": In(acknowledge_layout),
                "acknowledge_ready": Out(1),
                "control_finished": In(1),
                "control_applied": In(1),
                "control_refused": In(1),
                "status_request": In(1),
                "load_parity": In(1),
                "parity": In(32),
                "control_step": Out(WORD_BITS),
                "control_now": Out(TIME_BITS),
                "last_step": In(WORD_BITS),
                "host_event": In(1),
                "epoch": In(32),
                # records
                "records": Out(stream.Signature(record_layout(parameters))),
                "last_status": Out(WORD_BITS),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One state machine; records leave it in the order trigger, acknowledgement, counts, status."""
        m = Module()
        item = self.items.payload
        from_feed = Signal()
        counts = Signal(count_layout)
        status_wanted = Signal()
        step_time, step_number = Signal(TIME_BITS), Signal(WORD_BITS)
        of_item, is_step = Signal(), Signal()
        remaining = Signal(TRADE_COUNT_BITS)
        loaded_early, prepared_once = Signal(), Signal()
        body = self.records.payload.body

        m.d.comb += [
            self.instrument.eq(Mux(self.items.valid, item.instrument, self.key_instrument)),
            self.venue.eq(Mux(self.items.valid, item.venue, self.key_venue)),
            self.time.eq(Mux(self.items.valid, item.time, self.frame_now)),
            self.quote.eq(Mux(from_feed, self.feed_quote, item.quote)),
            self.heard_venue.eq(item.venue),
            self.heard_time.eq(item.time),
            body.trigger.eq(self.trigger),
        ]
        # the fields of an arriving quote may be in before the decider could be prepared
        with m.If(self.feed_loaded):
            m.d.sync += loaded_early.eq(1)
        with m.If(self.loaded | self.frame_ended):
            m.d.sync += loaded_early.eq(0)
        # from its end on a quote is read from the queue: the next frame may overwrite what the feed holds
        with m.If(self.frame_ended):
            m.d.sync += [self.speculating.eq(0), prepared_once.eq(0), from_feed.eq(0)]
        loaded_once = Signal()
        with m.If(self.speculating & (self.feed_loaded | loaded_early) & ~loaded_once & ~self.frame_ended):
            m.d.comb += self.loaded.eq(1)
            m.d.sync += loaded_once.eq(1)

        with m.FSM(name="sequence"):
            with m.State("IDLE"):
                m.d.comb += self.idle.eq(~self.items.valid & ~self.speculating & ~self.want & self.ready)
                m.d.sync += [
                    counts.eq(0),
                    status_wanted.eq(0),
                    step_time.eq(item.time),
                    step_number.eq(item.step),
                    of_item.eq(self.items.valid),
                    is_step.eq(~self.items.valid | (item.kind != ItemKind.DROPPED)),
                ]
                with m.If(self.items.valid):
                    self._start_item(m, counts, remaining, loaded_once)
                    with m.If((item.kind == ItemKind.QUOTE) & ~item.speculated & self.ready):
                        m.d.comb += self.prepare.eq(1)
                        m.d.sync += from_feed.eq(0)
                with m.Elif(self.key & self.frame_open & self.ready & ~prepared_once & ~self.frame_ended):
                    m.d.comb += self.prepare.eq(1)
                    m.d.sync += [
                        self.speculating.eq(1),
                        prepared_once.eq(1),
                        from_feed.eq(1),
                        loaded_once.eq(0),
                    ]
                with m.Elif(self.want & ~self.speculating & self.ready & ~self.frame_ended):
                    m.d.comb += self.grant.eq(1)
                    m.next = "CONTROL-BEGIN"
            with m.State("LOAD"):
                m.d.comb += self.loaded.eq(1)
                m.next = "RESOLVE"
            with m.State("RESOLVE"):
                m.d.comb += [self.resolve.eq(1), self.accept.eq(1), self.heard.eq(1)]
                m.next = "COMMIT"
            with m.State("UNDO"):
                m.d.comb += self.resolve.eq(1)
                m.next = "COUNT"
            with m.State("COMMIT"), m.If(self.committed):
                m.d.sync += [
                    counts.mask.eq(counts.mask | self.outcome_counts.mask),
                    counts.both_cut.eq(self.outcome_counts.both_cut),
                ]
                m.next = "COUNT"
                with m.If(self.fires):
                    m.next = "TRIGGER"
            with m.State("TRIGGER"):
                m.d.comb += [self.records.valid.eq(1), self.records.payload.kind.eq(RecordKind.TRIGGER)]
                with m.If(self.records.ready):
                    m.next = "COUNT"
            self._trade_states(m, counts, remaining)
            self._control_states(m, counts, status_wanted, step_time, step_number)
            with m.State("COUNT"):
                m.d.comb += [
                    self.records.valid.eq(1),
                    self.records.payload.kind.eq(RecordKind.COUNT),
                    body.count.eq(counts),
                ]
                with m.If(self.records.ready):
                    m.next = "STATUS"
            with m.State("STATUS"):
                self._status_state(m, status_wanted, step_time, step_number, of_item, is_step)
        return m

    def _start_item(self, m: Module, counts: Signal, remaining: Signal, loaded_once: Signal) -> None:
        """First cycle of an item: what it counts whatever its events do, and where it goes from here."""
        item = self.items.payload
        frame, message = _mask(FrameCounter.FRAMES), _mask(FrameCounter.FRAMES, FrameCounter.MESSAGES)
        backwards = Mux(item.backwards, _mask(Counter.TIME_BACKWARDS), 0)
        with m.Switch(item.kind):
            with m.Case(ItemKind.DROPPED):
                with m.Switch(item.drop):
                    for drop, counter in _DROP_COUNTERS.items():
                        with m.Case(drop):
                            m.d.sync += counts.mask.eq(frame | _mask(counter))
                m.next = "COUNT"
                with m.If(item.speculated):
                    m.next = "UNDO"
            with m.Case(ItemKind.SKIPPED):
                m.d.sync += counts.mask.eq(frame | _mask(FrameCounter.SKIPPED_MESSAGES) | backwards)
                m.d.comb += self.heard.eq(1)
                m.next = "COUNT"
            with m.Case(ItemKind.QUOTE):
                m.d.sync += counts.mask.eq(message | backwards)
                with m.If(item.speculated):
                    m.next = "RESOLVE"
                    with m.If(~loaded_once):
                        m.next = "LOAD"
                with m.Elif(self.ready):
                    m.next = "LOAD"
            with m.Default():
                m.d.sync += [
                    counts.mask.eq(message | backwards),
                    remaining.eq(Mux(item.kind == ItemKind.TRADE, 1, item.trade_count)),
                ]
                m.d.comb += self.heard.eq(1)
                m.next = "TRADES"

    def _trade_states(self, m: Module, counts: Signal, remaining: Signal) -> None:
        """Each trade of an item: into the counter, then a count and a volume out of it."""
        item, body = self.items.payload, self.records.payload.body
        from_host = item.kind == ItemKind.TRADE
        host_trade = Signal(trade_layout)
        m.d.comb += [
            host_trade.instrument.eq(item.instrument),
            host_trade.venue.eq(item.venue),
            host_trade.price_exponent.eq(item.quote.price_exponent),
            host_trade.quantity_exponent.eq(item.quote.quantity_exponent),
            host_trade.aggressor.eq(item.aggressor),
            host_trade.price.eq(item.quote.bid_price),
            host_trade.quantity.eq(item.quote.bid_quantity),
            self.trade.payload.eq(Mux(from_host, host_trade, self.trades.payload)),
        ]
        with m.State("TRADES"):
            with m.If(remaining == 0):
                m.next = "COUNT"
            with m.Else():
                m.d.comb += [
                    self.trade.valid.eq(from_host | self.trades.valid),
                    self.trades.ready.eq(~from_host & self.trade.ready),
                ]
                with m.If(self.trade.valid & self.trade.ready):
                    m.d.sync += remaining.eq(remaining - 1)
                    m.next = "TRADE-COUNT"
        with m.State("TRADE-COUNT"):
            m.d.comb += [
                self.records.valid.eq(self.trade_valid),
                self.records.payload.kind.eq(RecordKind.COUNT),
                body.count.eq(self.trade_counts),
            ]
            with m.If(self.trade_valid & self.records.ready):
                m.next = "TRADE-VOLUME"
        with m.State("TRADE-VOLUME"):
            m.d.comb += [
                self.records.valid.eq(self.trade_has_volume),
                self.records.payload.kind.eq(RecordKind.VOLUME),
                body.volume.eq(self.trade_volume),
            ]
            with m.If(self.records.ready | ~self.trade_has_volume):
                m.d.comb += self.trade_ready.eq(1)
                m.next = "TRADES"

    def _control_states(
        self, m: Module, counts: Signal, status_wanted: Signal, step_time: Signal, step_number: Signal
    ) -> None:
        """A control message or host event that was granted; frames that end before it is numbered wait."""
        m.d.comb += [self.control_step.eq(step_number), self.control_now.eq(step_time)]
        loads_parity = Signal()
        with m.State("CONTROL-BEGIN"):
            m.d.comb += self.hold.eq(1)
            with m.If(self.host_event):
                m.next = "IDLE"
            with m.Elif(self.begin_step):
                m.d.sync += [
                    step_time.eq(self.step_now),
                    step_number.eq(self.step_number),
                    counts.mask.eq(Mux(self.step_backwards, _mask(Counter.TIME_BACKWARDS), 0)),
                ]
                m.next = "CONTROL"
            with m.Elif(self.acknowledged):
                m.next = "CONTROL-REPEATED"
            with m.Elif(self.control_finished):
                m.next = "IDLE"
        with m.State("CONTROL-REPEATED"):
            m.d.comb += [self.hold.eq(1), self.control_step.eq(self.last_step)]
            self._acknowledge(m)
            with m.If(self.control_finished):
                m.next = "IDLE"
        with m.State("CONTROL"):
            self._acknowledge(m)
            with m.If(self.acknowledged & self.records.ready):
                applied = Mux(self.control_applied, _mask(Counter.CONTROL_APPLIED), 0)
                refused = Mux(self.control_refused, _mask(Counter.CONTROL_REFUSED), 0)
                m.d.sync += [
                    counts.mask.eq(counts.mask | applied | refused),
                    status_wanted.eq(self.status_request),
                    loads_parity.eq(self.load_parity),
                ]
            with m.If(self.control_finished):
                m.next = "COUNT"
                with m.If(loads_parity):
                    m.next = "PARITY"
        with m.State("PARITY"):
            m.d.comb += [
                self.records.valid.eq(1),
                self.records.payload.kind.eq(RecordKind.PARITY),
                self.records.payload.body.parity.eq(self.parity),
            ]
            with m.If(self.records.ready):
                m.next = "COUNT"

    def _acknowledge(self, m: Module) -> None:
        body = self.records.payload.body
        m.d.comb += [
            self.records.valid.eq(self.acknowledged),
            self.records.payload.kind.eq(RecordKind.ACKNOWLEDGE),
            body.acknowledge.eq(self.acknowledge),
            self.acknowledge_ready.eq(self.records.ready),
        ]

    def _status_state(
        self, m: Module, status_wanted: Signal, step_time: Signal, step_number: Signal, of_item: Signal, is_step: Signal
    ) -> None:
        """End of a step: a status if one is due or requested. A dropped frame ends here, too, without a step."""
        status = self.records.payload.body.status
        next_status = Signal(TIME_BITS + 1)
        due, sends = Signal(), Signal()
        m.d.comb += [
            due.eq(step_time >= next_status),
            sends.eq(is_step & (due | status_wanted)),
            self.records.payload.kind.eq(RecordKind.STATUS),
            status.number.eq(self.last_status + 1),
            status.step.eq(step_number),
            status.time.eq(step_time),
            status.id.eq(self.last_id),
            status.epoch.eq(self.epoch),
            status.killed.eq(self.killed),
            self.records.valid.eq(sends),
        ]
        with m.If(~sends | self.records.ready):
            m.d.comb += self.items.ready.eq(of_item)
            m.next = "IDLE"
        with m.If(sends & self.records.ready):
            m.d.sync += self.last_status.eq(self.last_status + 1)
            with m.If(due):
                m.d.sync += next_status.eq(step_time + STATUS_INTERVAL_NS)
