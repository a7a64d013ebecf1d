"""Runs steps one after the other: events through the decider, then the records that account for them."""

from __future__ import annotations

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.books.records import event_layout
from hdl.parameters import CoreParameters
from hdl.records import (
    INSTRUMENT_NUMBER_BITS,
    MANTISSAS,
    TIME_BITS,
    VENUE_NUMBER_BITS,
    WORD_BITS,
    acknowledge_layout,
    count_layout,
    narrowed,
    quote_layout,
    record_layout,
    trade_layout,
    trigger_layout,
    volume_layout,
)
from hdl.steps.control_states import control_states, end_step, follow_status, hold_frames, status_state
from hdl.steps.item import ItemKind, item_layout
from hdl.steps.item_states import choose_trade, first_counts, quote_states, start_item, trade_states
from hdl.steps.packet_states import packet_states, unused_states
from hdl.steps.record_choice import choose_record
from hdl.steps.work import Work


class _Copies:
    """A bit in several registers, each for its share of what it drives.

    Synthesis makes one register of those that are alike, so they differ in their first values and in being stored
    inverted. The first value must not matter.
    """

    def __init__(self, name: str) -> None:
        self._registers = [Signal(init=number & 1, name=f"{name}_{number}") for number in range(4)]

    def copy(self, number: int) -> Value:
        """The copy for a share."""
        register = self._registers[number % 4]
        return ~register if number & 2 else register

    def become(self, value: int) -> list[Any]:
        """Assignments to all copies."""
        return [register.eq(value ^ (number >> 1)) for number, register in enumerate(self._registers)]


class Sequencer(wiring.Component):
    """The order of everything: one item, or one control message, from its start to its last record.

    A quote that is still arriving is started early (``key`` says that the arriving frame's channel and message are
    known): the decider is prepared while no step is under way, and ``speculating`` holds until the frame ended.
    Its ``loaded`` comes from the feed; that of a queued quote from here. ``resolve`` follows the frame's end, with
    ``accept`` cleared for a dropped frame.

    The events of a packet come from the books, from the strobe ``packet`` on until the last one.

    Records are given in the cycle behind one of ``room``, and must then be taken.

    A control message is granted between steps and owns the state until ``control_finished``; its T, step and time
    flag are those of ``begin_step``, which the intake numbers.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._follows_packets = bool(parameters.packet_feeds)
        self._registers = parameters.registers_rows
        self.counts_trades, self.is_compact = parameters.trades, parameters.compact
        self.price_bits = parameters.price_bits
        super().__init__(
            {
                "items": In(stream.Signature(item_layout)),
                "queued": In(1),
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
                "forget": Out(1),
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
                # packets
                "packet": Out(1),
                "events": In(stream.Signature(event_layout)),
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
                "room": In(1),
                "last_status": Out(WORD_BITS),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One state machine; records leave it in the order trigger, acknowledgement, counts, status."""
        m = Module()
        work = Work()
        from_feed, prepared_once = _Copies("from_feed"), Signal()
        self._ask(m, work)
        self._address(m, work, from_feed)
        if self.counts_trades:
            choose_trade(m, self, work)
        first_counts(m, self, work)
        follow_status(m, work)
        self._arriving(m, work, from_feed, prepared_once)
        hold_frames(m, self, work, self._follows_packets)
        with m.FSM(name="sequence") as states:
            with m.State("IDLE"):
                self._idle_state(m, work, from_feed, prepared_once)
            quote_states(m, self, work)
            if self.counts_trades:
                trade_states(m, self, work)
            else:
                unused_states(m, "TRADES", "TRADE-COUNT", "TRADE-VOLUME")
            if self._follows_packets:
                packet_states(m, self, work)
            else:
                unused_states(m, "PACKET", "EVENT-COUNT")
            control_states(m, self, work)
            with m.State("COUNT"):
                end_step(m, self, work)
            with m.State("STATUS"):
                status_state(m, self, work)
        choose_record(m, self, work, states)
        return m

    def _ask(self, m: Module, work: Work) -> None:
        """What the states ask of the decider goes to it a cycle later where its rows are in block RAM, far apart."""
        later = m.d.sync if self._registers else m.d.comb
        loads = Signal()
        later += [self.prepare.eq(work.prepare), self.forget.eq(work.forget)]
        # an item is taken out behind its step then: it is still shown in the first cycle of the state between steps
        later += [self.items.ready.eq(work.item_done), loads.eq(work.load)]
        m.d.comb += self.loaded.eq(loads)
        m.d.comb += work.ready.eq(self.ready)
        if self._registers:
            m.d.comb += work.ready.eq(self.ready & ~self.prepare & ~self.forget)
            m.d.comb += work.asked.eq(self.prepare)

    def _address(self, m: Module, work: Work, from_feed: _Copies) -> None:
        """What the decider is told: of the oldest item, or of the packet that it is, or of the frame that arrives."""
        item, event = self.items.payload, self.events.payload
        if self._follows_packets:
            m.d.sync += work.of_packet.eq(self.items.valid & (item.kind == ItemKind.PACKET) & ~self.items.ready)
        later = m.d.sync if self._registers else m.d.comb
        later += [
            self.instrument.eq(
                Mux(work.of_packet, event.instrument, Mux(self.items.valid, item.instrument, self.key_instrument))
            ),
            self.venue.eq(Mux(self.items.valid, item.venue, self.key_venue)),
            self.time.eq(Mux(self.items.valid, item.time, self.frame_now)),
        ]
        m.d.comb += [
            self.heard_venue.eq(item.venue),
            self.heard_time.eq(item.time),
        ]
        # a quote is on the shortest way to a trigger, and a choice of all its bits would take its time
        for number, name in enumerate(quote_layout.members):
            of_feed = from_feed.copy(number)
            feed, of_event, of_item = (quote[name] for quote in (self.feed_quote, event.quote, item.quote))
            if self.is_compact and name in MANTISSAS:
                feed, of_item = (value[: self.price_bits + 2] for value in (feed, of_item))
                of_event = narrowed(of_event, self.price_bits)
            later_quote = Mux(work.of_packet, of_event, of_item)
            m.d.comb += self.quote[name].eq(Mux(of_feed, feed, later_quote))

    def _arriving(self, m: Module, work: Work, from_feed: _Copies, prepared_once: Signal) -> None:
        """The quote of the arriving frame: its fields may be in before the decider could be prepared."""
        loaded_early = Signal()
        with m.If(self.feed_loaded):
            m.d.sync += loaded_early.eq(1)
        with m.If(self.loaded | self.frame_ended):
            m.d.sync += loaded_early.eq(0)
        with m.If(self.frame_ended):
            m.d.sync += [self.speculating.eq(0), prepared_once.eq(0)]
        # once the queue shows a quote it is read from there: the next frame may overwrite what the feed holds
        with m.If(self.items.valid & ~self.items.ready):
            m.d.sync += from_feed.become(0)
        with m.If(self.speculating & (self.feed_loaded | loaded_early) & ~work.loaded_once & ~work.asked):
            m.d.comb += self.loaded.eq(1)
            m.d.sync += work.loaded_once.eq(1)

    def _idle_state(self, m: Module, work: Work, from_feed: _Copies, prepared_once: Signal) -> None:
        """Between steps: the oldest item first, then the frame that arrives, then control."""
        item = self.items.payload
        has_item = Signal()
        m.d.comb += [
            has_item.eq(self.items.valid & ~self.items.ready),
            self.idle.eq(~self.items.valid & ~self.speculating & ~self.want & work.ready & ~self.records.valid),
        ]
        m.d.sync += [
            work.counts.mask.eq(Mux(has_item, work.first_counts, 0)),
            work.counts.both_cut.eq(0),
            work.status_wanted.eq(0),
            work.time.eq(item.time),
            work.number.eq(item.step),
            work.of_item.eq(has_item),
            work.is_step.eq(~has_item | (item.kind != ItemKind.DROPPED)),
        ]
        with m.If(has_item):
            start_item(m, self, work)
            with m.If((item.kind == ItemKind.QUOTE) & ~item.speculated & work.ready):
                m.d.comb += work.prepare.eq(1)
        with m.Elif(self.items.ready):
            pass
        with m.Elif(self.key & self.frame_open & work.ready & ~prepared_once):
            m.d.comb += work.prepare.eq(1)
            m.d.sync += [self.speculating.eq(1), prepared_once.eq(1), work.loaded_once.eq(0)]
            m.d.sync += from_feed.become(1)
        with m.Elif(self.want & ~self.speculating & work.ready):
            m.d.sync += work.holds.eq(1)
            m.next = "CONTROL-WAIT"
