"""The core: frames, control messages and time in; triggers, answers, the log and frames out."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.account.account import Account
from hdl.books.packets import PacketBooks
from hdl.books.records import event_layout
from hdl.control.unit import ControlUnit
from hdl.decision.decider import Decider
from hdl.decision.shapes import assign
from hdl.decision.trades import TradeCounter
from hdl.egress.egress import Egress
from hdl.egress.settings import egress_layout
from hdl.ethernet.channels import ChannelTable
from hdl.ethernet.receiver import FrameReceiver
from hdl.feeds.binance import BinanceDecoder
from hdl.log.event_log import RING_BYTES, EventLog
from hdl.message_merger import MessageMerger
from hdl.octet_stream import octet_stream
from hdl.parameters import CoreParameters
from hdl.records import DROP_BITS, WORD_BITS, FrameBus, late_layout, sizes_layout, word_layout, word_stream
from hdl.steps.intake import PACKET_QUEUE_DEPTH, QUEUE_DEPTH, Intake
from hdl.steps.sequencer import Sequencer
from hdl.stream_stage import StreamStage
from market.fastpath import layout
from market.fastpath.feeds.verdict import BAD
from market.fastpath.specification import Feed, Refusal, StepKind

PROBE_BITS: Final = 6
_PAYLOAD: Final = ("valid", "first", "last", "data", "count")
BOOK_TEMPLATES: Final = (
    layout.TEMPLATE_LINE_ROW,
    layout.TEMPLATE_BOOK_ROW,
    layout.TEMPLATE_BOOK_CLEAR,
    layout.TEMPLATE_BOOK_ORDER,
    layout.TEMPLATE_BOOK_READY,
)
"""Control messages about lines and books; in a build without them their rows are outside the build."""


class Core(wiring.Component):
    """The fast loop of FASTPATH, from wire to wire.

    Parameters
    ----------
    parameters: the build.
    host_events: whether the host may feed quote and trade events as control messages.

    Members
    -------
    rx, tx, tx_ready: frames in and out; see ``FrameBus`` and ``Egress``.
    time: of now; a frame's and a control message's is that of its first beat.
    sizes: in use; they must not change. settings: addresses of what is sent.
    kill: pin; while set nothing passes the gate.
    control: control messages as bytes. control_idle: none is in whole. control_applied: the last one was applied.
    reports: messages of others, which are sent between those of the core.
    words, log: taps of what is sent, which wait for both takers: messages in words, LogStep messages in bytes.
    probe_index, probe_value: counters by their position in a count mask, while ``idle``.
    parity, last_id, killed: of the state.
    frame_end, drop: strobe and verdict of the receiver. early: strobe: a trigger has passed the gate.
    idle: nothing is under way. overrun: sticky: a step was lost for want of room. No legal input does that on the 8-bit
        bus; on the 64-bit bus a full line of long trades, short quotes or orders does (docs/hardware.md).
    """

    def __init__(self, parameters: CoreParameters, host_events: bool = False) -> None:
        self._parameters, self._host_events = parameters, host_events
        super().__init__(
            {
                "rx": In(FrameBus(parameters)),
                "tx": Out(FrameBus(parameters)),
                "tx_ready": In(1),
                "time": In(WORD_BITS),
                "sizes": In(sizes_layout(parameters)),
                "settings": In(egress_layout),
                "kill": In(1),
                "control": In(octet_stream()),
                "control_idle": Out(1),
                "control_applied": Out(1),
                "reports": In(word_stream()),
                "words": Out(word_stream()),
                "log": Out(octet_stream()),
                "probe_index": In(PROBE_BITS),
                "probe_value": Out(WORD_BITS),
                "parity": Out(32),
                "last_id": Out(WORD_BITS),
                "killed": Out(1),
                "frame_end": Out(1),
                "drop": Out(DROP_BITS),
                "early": Out(1),
                "idle": Out(1),
                "overrun": Out(1),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """The components of the chapter headings below, and the wires between them."""
        m = Module()
        parameters = self._parameters
        m.submodules.receiver = self.receiver = FrameReceiver(parameters)
        m.submodules.channels = self.channels = ChannelTable(parameters)
        m.submodules.binance = self.binance = BinanceDecoder(parameters)
        m.submodules.intake = self.intake = Intake(
            PACKET_QUEUE_DEPTH if parameters.packet_feeds else QUEUE_DEPTH,
            judges_first=parameters.registers_rows,
            mantissa_bits=parameters.price_bits if parameters.compact else None,
        )
        m.submodules.sequencer = self.sequencer = Sequencer(parameters)
        m.submodules.decider = self.decider = Decider(parameters)
        m.submodules.unit = self.unit = ControlUnit(parameters, self._host_events)
        m.submodules.account = self.account = Account(parameters)
        m.submodules.event_log = self.event_log = EventLog(parameters, RING_BYTES // (2 if parameters.compact else 1))
        m.submodules.egress = self.egress = Egress(parameters)
        self._receive(m)
        self._intake(m)
        self._decide(m)
        if parameters.trades:
            self._count_trades(m)
        self._control(m)
        books_idle, books_overrun = self._follow(m) if parameters.packet_feeds else (Const(1), Const(0))
        self._log(m)
        self._send(m)
        m.d.comb += [
            self.overrun.eq(self.intake.overrun | self.binance.overrun | books_overrun),
            self.idle.eq(
                books_idle
                & self.intake.idle
                & self.sequencer.idle
                & self.unit.idle
                & self.account.idle
                & self.event_log.idle
                & self.egress.idle
                & ~self.rx.valid
            ),
        ]
        return m

    def _receive(self, m: Module) -> None:
        """Frames to payloads, their channels, and the feed's decoder."""
        receiver, channels, binance = self.receiver, self.channels, self.binance
        wiring.connect(m, wiring.flipped(self.rx), receiver.rx)
        for name in _PAYLOAD:
            m.d.comb += getattr(binance.payload, name).eq(getattr(receiver.payload, name))
        if self._parameters.ahead_bytes:
            m.d.comb += binance.ahead.eq(receiver.ahead)
        m.d.comb += [
            *assign(channels, receiver, ("lookup", "address", "port")),
            receiver.found.eq(channels.found),
            binance.length.eq(receiver.length),
            binance.row.eq(channels.row),
            binance.accept.eq(self.intake.accepted),
            binance.discard.eq(self.intake.refused),
            self.frame_end.eq(receiver.end),
            self.drop.eq(receiver.drop),
        ]

    def _intake(self, m: Module) -> None:
        """Ends of frames, host events and control messages to numbered steps."""
        intake, receiver, channels, binance, unit = self.intake, self.receiver, self.channels, self.binance, self.unit
        is_binance = Signal()
        later = m.d.sync if self._parameters.registers_rows else m.d.comb
        # the row that an earlier lookup found says nothing of this one
        later += is_binance.eq(channels.found & (channels.row.feed == Feed.BINANCE_SBE))
        control_time = Signal(WORD_BITS)
        with m.If(unit.begin):
            m.d.sync += control_time.eq(self.time)
        # a frame shorter than Ethernet's least may end before its channel is found
        searching = Signal()
        with m.If(receiver.lookup):
            m.d.sync += searching.eq(1)
        with m.Elif(channels.answered):
            m.d.sync += searching.eq(0)
        m.d.comb += [
            *assign(intake, receiver, ("begin", "end", "drop_when_found", "drop_when_unknown")),
            *assign(intake, channels, ("found", "row")),
            *assign(intake, binance, ("is_quote", "quote", "trade_count")),
            intake.verdict.eq(Mux(is_binance, binance.verdict, BAD)),
            intake.time.eq(self.time),
            intake.control_time.eq(control_time),
            intake.speculating.eq(self.sequencer.speculating),
            intake.hold.eq(self.sequencer.hold | searching),
            *assign(intake, unit, ("begin_step", "host_quote", "host_trade", "host_instrument", "host_venue")),
            *assign(intake, unit, ("host_fields", "host_trade_fields")),
        ]
        # what table and decoder say is about the arriving frame from its lookup and its first payload beat on
        looked_up, decoded = Signal(), Signal()
        with m.If(receiver.begin):
            m.d.sync += [looked_up.eq(0), decoded.eq(0)]
        with m.If(receiver.lookup):
            m.d.sync += looked_up.eq(1)
        with m.If(receiver.payload.valid & receiver.payload.first):
            m.d.sync += decoded.eq(1)
        m.d.comb += self.sequencer.key.eq(looked_up & channels.found & is_binance & decoded & binance.is_quote)

    def _decide(self, m: Module) -> None:
        """Steps through the decider to records."""
        sequencer, decider, account = self.sequencer, self.decider, self.account
        intake, channels, binance = self.intake, self.channels, self.binance
        wiring.connect(m, intake.items, sequencer.items)
        wiring.connect(m, sequencer.records, account.records)
        if self._parameters.registers_rows:
            m.submodules.late = late = StreamStage(late_layout(self._parameters))
            wiring.connect(m, decider.late, late.before)
            wiring.connect(m, late.after, account.late)
        else:
            wiring.connect(m, decider.late, account.late)
        m.d.comb += [
            *assign(sequencer, intake, ("frame_open", "frame_now", "queued")),
            sequencer.frame_ended.eq(intake.accepted | intake.refused),
            sequencer.key_instrument.eq(channels.row.instrument),
            sequencer.key_venue.eq(channels.row.venue),
            sequencer.feed_loaded.eq(binance.loaded),
            sequencer.feed_quote.eq(binance.quote),
            *assign(sequencer, decider, ("ready", "committed", "outcome_counts", "fires", "trigger")),
            *assign(sequencer, decider, ("last_id", "killed")),
            *assign(decider, sequencer, ("prepare", "forget", "instrument", "venue", "time", "loaded", "quote")),
            *assign(decider, sequencer, ("resolve", "accept", "heard", "heard_venue", "heard_time")),
            decider.sizes.eq(self.sizes),
            decider.kill.eq(self.kill),
            decider.epoch.eq(self.unit.epoch),
            sequencer.room.eq(account.room),
            account.sizes.eq(self.sizes),
        ]

    def _count_trades(self, m: Module) -> None:
        """Trades through their counter to records."""
        m.submodules.trades = trades = TradeCounter(self._parameters)
        sequencer, outcome = self.sequencer, trades.outcome
        wiring.connect(m, self.binance.trades, sequencer.trades)
        wiring.connect(m, sequencer.trade, trades.trade)
        wiring.connect(m, trades.scaling, self.decider.scaling)
        m.d.comb += [
            trades.sizes.eq(self.sizes),
            sequencer.trade_valid.eq(outcome.valid),
            outcome.ready.eq(sequencer.trade_ready),
            sequencer.trade_counts.eq(outcome.payload.counts),
            sequencer.trade_has_volume.eq(outcome.payload.has_volume),
            sequencer.trade_volume.eq(outcome.payload.volume),
        ]

    def _control(self, m: Module) -> None:
        """Control messages to the owners of what they change: the channel table, and for all else the decider."""
        unit, sequencer, decider, channels = self.unit, self.sequencer, self.decider, self.channels
        self._admit_control(m)
        # a message's template is there long before the message is applied
        self.for_books, self.is_reset, for_channels = Signal(), Signal(), Signal()
        template = unit.command.template
        m.d.sync += [
            self.for_books.eq(Cat(*(template == each for each in BOOK_TEMPLATES)).any()),
            self.is_reset.eq(template == layout.TEMPLATE_RESET),
            for_channels.eq(template == layout.TEMPLATE_CHANNEL_ROW),
        ]
        for owner, is_owner in ((channels, for_channels), (decider, ~for_channels)):
            m.d.comb += [
                owner.command.apply.eq(unit.command.apply & is_owner),
                *assign(owner.command, unit.command, ("template", "message", "time")),
            ]
        has_owner = Signal()
        m.d.comb += [
            self.control_idle.eq(unit.idle),
            self.control_applied.eq(unit.applied),
            has_owner.eq(~self.for_books),
            unit.command.done.eq(Mux(for_channels, channels.command.done, decider.command.done)),
            unit.command.refusal.eq(Mux(for_channels, channels.command.refusal, decider.command.refusal)),
            unit.sizes.eq(self.sizes),
            *assign(unit, decider, ("killed", "last_id")),
            unit.last_status.eq(sequencer.last_status),
            unit.step.eq(sequencer.control_step),
            unit.step_time.eq(sequencer.control_now),
            unit.grant.eq(sequencer.grant),
            unit.record_ready.eq(sequencer.acknowledge_ready),
            *assign(sequencer, unit, ("want", "begin_step", "acknowledged", "acknowledge", "host_event")),
            *assign(sequencer, unit, ("status_request", "load_parity", "parity", "epoch")),
            sequencer.control_finished.eq(unit.finished),
            sequencer.control_applied.eq(unit.applied),
            sequencer.control_refused.eq(unit.refused),
            sequencer.step_backwards.eq(self.intake.backwards),
            sequencer.step_now.eq(self.intake.next_now),
            sequencer.step_number.eq(self.intake.next_step),
            sequencer.last_step.eq(self.intake.step),
        ]
        with m.If(~has_owner):
            m.d.comb += unit.command.refusal.eq(Refusal.UNKNOWN_ROW)

    def _follow(self, m: Module) -> tuple[Value, Value]:
        """Feeds of numbered packets, their lines and books; whether all is at rest, and whether anything was lost."""
        m.submodules.books = books = PacketBooks(self._parameters)
        receiver, intake, unit, decider = self.receiver, self.intake, self.unit, self.decider
        for name in _PAYLOAD:
            m.d.comb += getattr(books.payload, name).eq(getattr(receiver.payload, name))
        events_rest: Value = Const(1)
        if self._parameters.paced:
            # from their queue they go through scaling in the same cycle
            m.submodules.events = stage = StreamStage(event_layout)
            wiring.connect(m, books.events, stage.before)
            wiring.connect(m, stage.after, self.sequencer.events)
            events_rest = stage.empty
        else:
            wiring.connect(m, books.events, self.sequencer.events)
        pair = books.forget.payload
        m.d.comb += [
            books.sizes.eq(self.sizes),
            books.length.eq(receiver.length),
            *assign(books, self.channels.row, ("venue", "feed")),
            books.accept.eq(intake.accepted),
            books.discard.eq(intake.refused),
            intake.is_packet.eq(books.is_packet),
            books.command.apply.eq(unit.command.apply & (self.for_books | self.is_reset)),
            *assign(books.command, unit.command, ("template", "message", "time")),
            books.forget.ready.eq(decider.ready),
        ]
        with m.If(books.is_packet):
            m.d.comb += intake.verdict.eq(books.verdict)
        with m.If(books.searching):
            m.d.comb += intake.hold.eq(1)
        with m.If(self.for_books):
            m.d.comb += [
                decider.command.apply.eq(0),
                unit.command.done.eq(books.command.done),
                unit.command.refusal.eq(books.command.refusal),
            ]
        with m.If(books.forget.valid):
            m.d.comb += [
                decider.forget.eq(decider.ready),
                decider.instrument.eq(pair.instrument),
                decider.venue.eq(pair.venue),
            ]
        return books.idle & events_rest, books.overrun

    def _admit_control(self, m: Module) -> None:
        """The host's bytes; a message begins only when the log has room for it: the host can wait, frames cannot."""
        inside, flows = Signal(), Signal()
        m.d.comb += [
            flows.eq(inside | self.event_log.control_room),
            self.unit.octets.payload.eq(self.control.payload),
            self.unit.octets.valid.eq(self.control.valid & flows),
            self.control.ready.eq(self.unit.octets.ready & flows),
        ]
        with m.If(self.control.valid & self.control.ready):
            m.d.sync += inside.eq(~self.control.payload.last)

    def _log(self, m: Module) -> None:
        """Every step with what it was made of."""
        log, receiver, unit, intake = self.event_log, self.receiver, self.unit, self.intake
        kind = Mux(unit.host_event, Mux(unit.host_quote, StepKind.QUOTE, StepKind.TRADE), StepKind.CONTROL)
        # all of it a cycle later where there are many rows of block RAM to write to
        later = m.d.sync if self._parameters.registers_rows else m.d.comb
        later += [getattr(log.payload, name).eq(getattr(receiver.payload, name)) for name in _PAYLOAD]
        later += [
            *assign(log, receiver, ("length", "end")),
            *assign(log, intake, ("accepted", "refused")),
            log.octet.eq(self.control.valid & self.control.ready),
            log.octet_data.eq(self.control.payload.data),
            log.octet_last.eq(self.control.payload.last),
            log.control_accepted.eq(unit.taken),
            log.control_refused.eq(unit.passed),
            log.control_kind.eq(kind),
            log.number.eq(intake.next_step),
            log.time.eq(intake.next_now),
            log.channel.eq(Mux(unit.taken, 0, self.channels.row.channel)),
        ]

    def _send(self, m: Module) -> None:
        """Words and log to the way out and to the taps."""
        egress, account, sequencer = self.egress, self.account, self.sequencer
        m.submodules.messages = messages = MessageMerger(word_layout)
        wiring.connect(m, egress.tx, wiring.flipped(self.tx))
        wiring.connect(m, account.words, messages.preferred)
        wiring.connect(m, wiring.flipped(self.reports), messages.other)
        for source, way_out, tap in (
            (messages.merged, egress.words, self.words),
            (self.event_log.log, egress.log, self.log),
        ):
            m.d.comb += [
                way_out.payload.eq(source.payload),
                tap.payload.eq(source.payload),
                way_out.valid.eq(source.valid & tap.ready),
                tap.valid.eq(source.valid & way_out.ready),
                source.ready.eq(tap.ready & way_out.ready),
            ]
        m.d.comb += [
            egress.settings.eq(self.settings),
            egress.tx_ready.eq(self.tx_ready),
            egress.trigger_early.eq(self.decider.early),
            egress.abort.eq(sequencer.resolve & ~sequencer.accept),
            self.early.eq(self.decider.early),
            account.probe_index.eq(self.probe_index),
            self.probe_value.eq(account.probe_value),
            self.parity.eq(account.parity),
            self.last_id.eq(self.decider.last_id),
            self.killed.eq(self.decider.killed),
        ]
