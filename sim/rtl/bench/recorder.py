"""Turns what engine and core did into points of coverage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.fastpath import layout, state
from market.fastpath.specification import NO_VENUE, DropReason, GateReason, Kind, Refusal, RejectReason, Result, Side
from market.fastpath.state import Counter, FrameCounter
from market.wire.sbe import decode
from sim.rtl.bench.coverage import Coverage
from sim.rtl.bench.goals import TRADE_REJECTS, Passage, Shape

BEST_BID_ASK: Final = 10_001
TRADES: Final = 10_000
"""Templates of Binance."""
_TEMPLATE: Final = slice(2, 4)
_TRADES_ROOT: Final = 8 + 18
_MANY_TRADES: Final = 50
_COUNTERS: Final = slice(state.COUNTERS, state.COUNTERS + state.COUNTER_COUNT)
_FRAME_COUNTERS: Final = slice(state.FRAME_COUNTERS, state.FRAME_COUNTERS + state.FRAME_COUNTER_COUNT)
_NAMES: Final = {message.template_id: name for name, message in layout.SCHEMA.messages.items()}

Words = NDArray[np.int64]


class Recorder:
    """Hits points of a coverage.

    Parameters
    ----------
    engine_state: of the CPU engine that the core is compared with; its counters say what a step did.
    """

    def __init__(self, coverage: Coverage, engine_state: Words) -> None:
        self.coverage = coverage
        self._state = engine_state
        self._counters, self._frames = engine_state[_COUNTERS].copy(), engine_state[_FRAME_COUNTERS].copy()

    def _grown(self) -> tuple[Words, Words]:
        """By how much the counters have grown since the last call."""
        counters, frames = self._state[_COUNTERS].copy(), self._state[_FRAME_COUNTERS].copy()
        grown = counters - self._counters, frames - self._frames
        self._counters, self._frames = counters, frames
        return grown

    def frame(self, octets: bytes, payload: bytes | None) -> None:
        """The engine was given a frame; ``payload`` is what its log says of it, None: it was dropped."""
        counters, frames = self._grown()
        if payload is None:
            for drop in DropReason:
                if frames[FrameCounter.BAD_FCS + drop]:
                    self.coverage.hit("dropped", drop.name)
            return
        self._passage(octets, payload)
        if frames[FrameCounter.SKIPPED_MESSAGES]:
            self._pass(Passage.SKIPPED)
        if counters[Counter.TIME_BACKWARDS]:
            self._pass(Passage.FRAME_BACKWARDS)
        template = int.from_bytes(payload[_TEMPLATE], "little")
        if template == BEST_BID_ASK:
            self._rejected("quote rejected", RejectReason, counters)
            self._quote(payload, counters)
        elif template == TRADES:
            self._rejected("trade rejected", TRADE_REJECTS, counters)
            self._trades(payload, counters)

    def _rejected(self, group: str, reasons: Iterable[RejectReason], counters: Words) -> None:
        for reason in reasons:
            if counters[Counter.REJECT_UNKNOWN + reason]:
                self.coverage.hit(group, reason.name)

    def _quote(self, payload: bytes, counters: Words) -> None:
        for kind in Kind:
            if not counters[Counter.CANDIDATE_ARB - 1 + kind]:
                continue
            self.coverage.hit("candidate", kind.name)
            for reason in GateReason:
                if counters[Counter.GATE_KILL + reason]:
                    self.coverage.hit("gate", f"{reason.name} {kind.name}")
        if counters[Counter.QUANTITY_CUT]:
            bid, ask = (int.from_bytes(payload[at : at + 8], "little") for at in (34, 50))
            larger = "bid" if bid > ask else "ask"
            self.coverage.hit("quantity cut", "both" if counters[Counter.QUANTITY_CUT] == 2 else larger)

    def _passage(self, octets: bytes, payload: bytes) -> None:
        at = octets.index(payload) if payload else 0
        if octets[12:14] == b"\x81\x00":
            self._pass(Passage.TAGGED)
        if payload and len(octets) - 4 - at > len(payload):
            self._pass(Passage.PADDED)
        if payload:
            has_checksum = octets[at - 2 : at] != b"\0\0"
            self._pass(Passage.WITH_CHECKSUM if has_checksum else Passage.WITHOUT_CHECKSUM)

    def _trades(self, payload: bytes, counters: Words) -> None:
        entries = int.from_bytes(payload[_TRADES_ROOT + 2 : _TRADES_ROOT + 6], "little")
        if entries == 0:
            self._pass(Passage.NO_TRADES)
        if entries >= _MANY_TRADES:
            self._pass(Passage.MANY_TRADES)
        for number in range(entries):
            maker = payload[_TRADES_ROOT + 6 + 25 * number + 24]
            self.coverage.hit("trade", {0: "BUY", 1: "SELL"}.get(maker, "NONE"))
        if counters[Counter.QUANTITY_CUT]:
            self.coverage.hit("quantity cut", "trade", int(counters[Counter.QUANTITY_CUT]))

    def control(self) -> None:
        """The engine was given a control message."""
        counters, _ = self._grown()
        if counters[Counter.TIME_BACKWARDS]:
            self._pass(Passage.CONTROL_BACKWARDS)

    def message(self, message: bytes) -> None:
        """The core sent a message, and it was the right one."""
        template = int.from_bytes(message[_TEMPLATE], "little")
        if template == layout.TEMPLATE_TRIGGER:
            self.coverage.hit("trigger", shape_of(decode(layout.SCHEMA, message).fields).value)
        elif template == layout.TEMPLATE_ACKNOWLEDGE:
            self._acknowledged(decode(layout.SCHEMA, message).fields)

    def _acknowledged(self, fields: Mapping[str, Any]) -> None:
        result, refusal = Result(fields["result"]), Refusal(fields["refusal"])
        self.coverage.hit("control result", result.name)
        if result is Result.APPLIED:
            self.coverage.hit("control applied", _NAMES[fields["template"]])
        if refusal:
            self.coverage.hit("control refused", refusal.name)

    def _pass(self, passage: Passage) -> None:
        self.coverage.hit("passage", passage.value)


def shape_of(trigger: Mapping[str, Any]) -> Shape:
    """A trigger's kind by its legs."""
    cause, first = trigger["causeVenue"], trigger["firstVenue"]
    single, sells = trigger["secondVenue"] == NO_VENUE, trigger["firstSide"] == Side.SELL
    if trigger["kind"] == Kind.IMBALANCE:
        return Shape.IMBALANCE_SELLS if sells else Shape.IMBALANCE_BUYS
    if trigger["kind"] == Kind.ARB:
        return Shape.ARB_SOLD if first == cause else Shape.ARB_BOUGHT
    if single:
        return Shape.LEAD_SELLS if sells else Shape.LEAD_BUYS
    return Shape.BASIS_RICH if first == cause else Shape.BASIS_CHEAP
