"""Steps and time: one accepted frame or event, or one control message, at a time."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence

from market.errors import Rejected
from market.fastpath.reference import payloads
from market.fastpath.reference.admission import admit, count_trade, withdraw
from market.fastpath.reference.basis import sample_basis
from market.fastpath.reference.binance import read_message as read_feed
from market.fastpath.reference.choice import choose, size, take_edges
from market.fastpath.reference.conditions import conditions
from market.fastpath.reference.control import SENDS_STATUS, apply
from market.fastpath.reference.events import QuoteEvent, TradeEvent
from market.fastpath.reference.frames import Datagram, read_frame
from market.fastpath.reference.gate import gate, pass_gate
from market.fastpath.reference.integers import wrapped
from market.fastpath.reference.lines import Outcome, Packet
from market.fastpath.reference.messages import Template, read_message
from market.fastpath.reference.state import State
from market.fastpath.specification import NO_INSTRUMENT, DropReason, EngineSizes, Feed, Refusal, Result, Side, StepKind

STATUS_INTERVAL_NS = 10_000_000
TIME_LIMIT_NS = 1 << 62


class ReferenceEngine:
    """The fast loop in plain integers, an ``Engine`` of market/engine.py; some 10^4 events per second.

    Raises ``BoundViolated`` if a value leaves the 64 bits that the specification claims for it.
    """

    def __init__(self, sizes: EngineSizes) -> None:
        self.state = State(sizes)
        self._outputs: list[bytes] = []
        self._log: list[bytes] = []
        self._decisions = hashlib.sha256()

    def push(self, frames: Sequence[bytes], receive_ns: Sequence[int]) -> None:
        """Take Ethernet frames; an accepted one is a step with all its events, a dropped one only counts.

        Raises ``Rejected`` if there is not one time per frame.
        """
        if len(frames) != len(receive_ns):
            raise Rejected(f"{len(frames)} frames came with {len(receive_ns)} receive times; expected one per frame")
        for frame, time in zip(frames, receive_ns, strict=True):
            self._frame(bytes(frame), int(time))

    def frame_counters(self) -> bytes:
        """A FrameCounters message, header included."""
        return payloads.frame_counters(self.state)

    def push_quotes(self, events: Iterable[Sequence[int]]) -> None:
        """Take top-of-book events, one step each: nine fields of ``QuoteEvent`` and the time, ns."""
        for row in events:
            *fields, time = (int(value) for value in row)
            event = QuoteEvent(*fields)
            self._count_as_frame()
            self._begin_step(time)
            self._hear(event.venue)
            self._quote(event)
            self._end_step(StepKind.QUOTE, payloads.quote_event(event))

    def trade(
        self,
        instrument: int,
        venue: int,
        price_exponent: int,
        quantity_exponent: int,
        aggressor: int,
        price: int,
        quantity: int,
        time_ns: int,
    ) -> None:
        """Take one trade as a step of its own."""
        event = TradeEvent(instrument, venue, price_exponent, quantity_exponent, Side(aggressor), price, quantity)
        self._count_as_frame()
        self._begin_step(time_ns)
        self._hear(venue)
        count_trade(self.state, event)
        self._end_step(StepKind.TRADE, payloads.trade_event(event))

    def control(self, message: bytes, time_ns: int) -> None:
        """Take one control message: apply or refuse it as a step, or only acknowledge it again."""
        state = self.state
        read = read_message(message)
        if read is None:
            return
        if read.template is not Template.HELLO and read.sequence != state.expected_sequence:
            behind = read.sequence <= state.last_sequence
            result = Result.REPEATED if behind else Result.OUT_OF_ORDER
            self._outputs.append(
                payloads.acknowledgement(state, read.sequence, read.template_number, result, Refusal.NONE)
            )
            return
        self._begin_step(time_ns)
        state.last_sequence = read.sequence
        refusal = apply(state, read)
        if refusal is Refusal.NONE:
            state.counters.control_applied += 1
            result = Result.APPLIED
        else:
            state.counters.control_refused += 1
            result = Result.REFUSED
        self._outputs.append(payloads.acknowledgement(state, read.sequence, read.template_number, result, refusal))
        requested = refusal is Refusal.NONE and read.template in SENDS_STATUS
        self._end_step(StepKind.CONTROL, message, status_requested=requested)

    def outputs(self) -> list[bytes]:
        """Payloads since the last call."""
        taken, self._outputs = self._outputs, []
        return taken

    def event_log(self) -> list[bytes]:
        """Log messages since the last call."""
        taken, self._log = self._log, []
        return taken

    @property
    def counters(self) -> Mapping[str, int]:
        """Counters by the names of the status message's fields."""
        return payloads.named_counters(self.state.counters)

    @property
    def parity(self) -> int:
        """CRC-32 over all trigger payloads so far."""
        return self.state.parity

    @property
    def decision_hash(self) -> str:
        """SHA-256, as hex, over all trigger and status payloads so far."""
        return self._decisions.hexdigest()

    def _frame(self, frame: bytes, time: int) -> None:
        counters = self.state.frame_counters
        counters.frames += 1
        datagram = read_frame(self.state, frame)
        if isinstance(datagram, DropReason):
            counters.drops[datagram] += 1
            return
        if datagram.row.feed == Feed.BINANCE_SBE:
            self._message(datagram, time)
            return
        packet = self.state.lines.read(datagram.row.venue, Feed(datagram.row.feed), datagram.payload)
        if isinstance(packet, DropReason):
            counters.drops[packet] += 1
            return
        self._begin_step(time)
        self._hear(packet.venue)
        self._packet(packet)
        self._end_step(StepKind.DATAGRAM, datagram.payload, datagram.channel)

    def _packet(self, packet: Packet) -> None:
        """The events of a packet of numbered messages, in a step."""
        counters, outcome = self.state.frame_counters, Outcome()
        for event in self.state.lines.take(packet, outcome):
            if isinstance(event, QuoteEvent):
                self._quote(event)
            elif isinstance(event, TradeEvent):
                count_trade(self.state, event)
            else:
                withdraw(self.state, event.event)
        counters.messages += outcome.applied
        counters.skipped_messages += outcome.skipped
        counters.gaps += outcome.gaps
        counters.heartbeats += not packet.messages

    def _message(self, datagram: Datagram, time: int) -> None:
        """A datagram that is one message."""
        counters, row = self.state.frame_counters, datagram.row
        instrument = NO_INSTRUMENT if row.instrument is None else row.instrument
        message = read_feed(datagram.payload, instrument, row.venue)
        if message is None:
            counters.drops[DropReason.BAD_MESSAGE] += 1
            return
        counters.messages += not message.skipped
        counters.skipped_messages += message.skipped
        self._begin_step(time)
        self._hear(row.venue)
        for event in message.events:
            if isinstance(event, QuoteEvent):
                self._quote(event)
            else:
                count_trade(self.state, event)
        self._end_step(StepKind.DATAGRAM, datagram.payload, datagram.channel)

    def _count_as_frame(self) -> None:
        """A step that was fed as an event is a frame of one message."""
        self.state.frame_counters.frames += 1
        self.state.frame_counters.messages += 1

    def _begin_step(self, time: int) -> None:
        state = self.state
        state.step = wrapped(state.step + 1)
        if time < state.time or time >= TIME_LIMIT_NS:
            state.counters.time_backwards += 1
        else:
            state.time = time

    def _hear(self, venue: int) -> None:
        if self.state.has_venue(venue):
            self.state.seen[venue] = self.state.time

    def _quote(self, event: QuoteEvent) -> None:
        """One event, steps 1 to 9."""
        state = self.state
        if not admit(state, event):
            return
        rises = take_edges(state, event.instrument, list(conditions(state, event.instrument, event.venue)))
        chosen = choose(rises, event.venue)
        if chosen is not None:
            state.counters.candidates[chosen.kind] += 1
            quantity = size(state, event.instrument, chosen)
            reason = gate(state, event.instrument, chosen.legs, quantity)
            if reason is None:
                pass_gate(state, event.instrument, chosen.legs, quantity)
                payload = payloads.trigger(state, event, chosen, quantity)
                state.parity = zlib.crc32(payload, state.parity)
                state.counters.triggers[chosen.kind] += 1
                self._decide(payload)
            else:
                state.counters.gates[reason] += 1
        sample_basis(state, event.instrument, event.venue)

    def _end_step(self, kind: StepKind, payload: bytes, channel: int = 0, status_requested: bool = False) -> None:
        state = self.state
        due = state.time >= state.next_status
        if due:
            state.next_status = state.time + STATUS_INTERVAL_NS
        if due or status_requested:
            state.status_number = wrapped(state.status_number + 1)
            self._decide(payloads.status(state))
        self._log.append(payloads.log_step(state, kind, channel, payload))

    def _decide(self, payload: bytes) -> None:
        self._outputs.append(payload)
        self._decisions.update(payload)
