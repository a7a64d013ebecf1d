"""One event, step 8, and everything else that leaves the fast loop, as bytes.

The layouts are written out by hand here, so that a slip in the schema compiler shows up as a difference.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import MappingProxyType

from market.fastpath.reference.conditions import Condition, Leg
from market.fastpath.reference.events import QuoteEvent, TradeEvent
from market.fastpath.reference.integers import imbalance, microprice, wrapped
from market.fastpath.reference.state import Counters, State
from market.fastpath.specification import DropReason, GateReason, Kind, Refusal, RejectReason, Result, Side, StepKind

HEADER = struct.Struct("<HHHH")
SCHEMA_ID = 5449
SCHEMA_VERSION = 1
NO_VENUE = 255

TRIGGER = struct.Struct("<QII BBH BBBB qqqq q qq qq")
STATUS = struct.Struct("<QQqQIIBxHxxxx QQQ QQQQ QQQQQQ QQQ QQQQQQQ QQQ QQ")
ACKNOWLEDGE = struct.Struct("<QQQHBBxxxx")
LOG_STEP = struct.Struct("<QqBxHxxxx")
FRAME_COUNTERS = struct.Struct("<Q Q QQQQQQ QQ QQ")
QUOTE_EVENT = struct.Struct("<HBbbxxxqqqqq")
TRADE_EVENT = struct.Struct("<HBbbBxxqq")


def _message(template: int, layout: struct.Struct, *values: int) -> bytes:
    return HEADER.pack(layout.size, template, SCHEMA_ID, SCHEMA_VERSION) + layout.pack(*values)


def trigger(state: State, event: QuoteEvent, chosen: Condition, size: int) -> bytes:
    """The trigger of a candidate that has passed the gate; parity is the one before it."""
    quote = state.quotes[event.instrument][event.venue]
    first, second = (*chosen.legs, Leg(NO_VENUE, Side.NONE, 0, 0))[:2]
    value = imbalance(quote.bid_quantity, quote.ask_quantity)
    return _message(
        1,
        TRIGGER,
        state.last_id,
        state.epoch,
        state.parity,
        chosen.kind,
        event.venue,
        event.instrument,
        first.venue,
        first.side,
        second.venue,
        second.side,
        first.price,
        size,
        second.price,
        size if second.side is not Side.NONE else 0,
        chosen.magnitude,
        event.sequence,
        state.time,
        value,
        microprice(quote.bid_price, quote.ask_price, value),
    )


def named_counters(counters: Counters) -> Mapping[str, int]:
    """Counters by the names of the status message's fields, in its order, wrapped."""
    named = {
        "quoteEvents": counters.quote_events,
        "tradeEvents": counters.trade_events,
        "timeBackwards": counters.time_backwards,
        "quantityCut": counters.quantity_cut,
        "rejectUnknown": counters.rejects[RejectReason.UNKNOWN],
        "rejectOldSequence": counters.rejects[RejectReason.OLD_SEQUENCE],
        "rejectExponent": counters.rejects[RejectReason.EXPONENT],
        "rejectEmpty": counters.rejects[RejectReason.EMPTY],
        "rejectRange": counters.rejects[RejectReason.RANGE],
        "rejectCrossed": counters.rejects[RejectReason.CROSSED],
        "candidateArb": counters.candidates[Kind.ARB],
        "candidateBasis": counters.candidates[Kind.BASIS],
        "candidateImbalance": counters.candidates[Kind.IMBALANCE],
        "gateKill": counters.gates[GateReason.KILL],
        "gateLease": counters.gates[GateReason.LEASE],
        "gateInstrument": counters.gates[GateReason.INSTRUMENT],
        "gateCooldown": counters.gates[GateReason.COOLDOWN],
        "gateCollar": counters.gates[GateReason.COLLAR],
        "gatePosition": counters.gates[GateReason.POSITION],
        "gateRate": counters.gates[GateReason.RATE],
        "triggerArb": counters.triggers[Kind.ARB],
        "triggerBasis": counters.triggers[Kind.BASIS],
        "triggerImbalance": counters.triggers[Kind.IMBALANCE],
        "controlApplied": counters.control_applied,
        "controlRefused": counters.control_refused,
    }
    return MappingProxyType({name: wrapped(value) for name, value in named.items()})


def status(state: State) -> bytes:
    """The status that is made now; its number is already counted."""
    instrument = state.status_number % state.sizes.instruments
    volume = state.volumes[instrument]
    return _message(
        2,
        STATUS,
        state.status_number,
        state.step,
        state.time,
        state.last_id,
        state.epoch,
        state.parity,
        state.killed,
        instrument,
        wrapped(volume.buy),
        wrapped(volume.sell),
        wrapped(volume.count),
        *named_counters(state.counters).values(),
    )


def acknowledgement(state: State, sequence: int, template: int, result: Result, refusal: Refusal) -> bytes:
    """The answer to a control message, naming the last step and the number expected next."""
    return _message(3, ACKNOWLEDGE, sequence, state.expected_sequence, state.step, template, result, refusal)


def frame_counters(state: State) -> bytes:
    """What became of the frames so far, naming the last step."""
    counters = state.frame_counters
    return _message(
        41,
        FRAME_COUNTERS,
        state.step,
        wrapped(counters.frames),
        *(wrapped(counters.drops[reason]) for reason in sorted(DropReason)),
        wrapped(counters.messages),
        wrapped(counters.skipped_messages),
        wrapped(counters.gaps),
        wrapped(counters.heartbeats),
    )


def log_step(state: State, kind: StepKind, channel: int, payload: bytes) -> bytes:
    """The event log's record of the step that has just been made."""
    head = _message(40, LOG_STEP, state.step, state.time, kind, channel)
    return head + struct.pack("<H", len(payload)) + payload


def quote_event(event: QuoteEvent) -> bytes:
    """The log's payload of a step that was a quote event."""
    return _message(50, QUOTE_EVENT, *event)


def trade_event(event: TradeEvent) -> bytes:
    """The log's payload of a step that was a trade event."""
    return _message(51, TRADE_EVENT, *event)
