"""Makes the payloads that records ask for: trigger, acknowledgement, status and, behind it, the frame counters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.account.counters import INDEX_BITS
from hdl.account.parity import PARITY_BITS
from hdl.account.payload_words import word_of_field, words_of
from hdl.account.volumes import VOLUME_BITS, Volume
from hdl.parameters import CoreParameters
from hdl.records import FRAME_COUNTERS_AT, WORD_BITS, RecordKind, late_layout, record_layout, word_stream
from market.fastpath import layout
from market.fastpath.specification import Side
from market.fastpath.state import COUNTER_COUNT, FRAME_COUNTER_COUNT

VOLUME_FIELDS: Final = {"buyVolume": Volume.BUY, "sellVolume": Volume.SELL, "tradeCount": Volume.TRADES}
_ACKNOWLEDGE_FIELDS: Final = ("sequence", "expected", "step", "template", "result", "refusal")
_STATUS_HEAD: Final = (
    *("number", "step", "time", "id", "epoch", "parity", "killed", "volumeInstrument"),
    *VOLUME_FIELDS,
)
_FIRST_COUNTERS: Final = {"Status": "quoteEvents", "FrameCounters": "frames"}


@dataclass(frozen=True)
class Passage:
    """The words of a message that are not counters, at consecutive places of one numbering for all messages.

    Counters come at the place behind them, one after the other.
    """

    message: str
    start: int
    words: list[Value]

    @property
    def last(self) -> int:
        """Place of the last word that is no counter."""
        return self.start + len(self.words) - 1

    @property
    def counters(self) -> int:
        """Place of the counters."""
        return self.last + 1

    def place(self, field: str) -> int:
        """Place of the word that has a field."""
        return self.start + word_of_field(self.message, field)


class Payloads(wiring.Component):
    """Sends the payloads of one record, in words.

    Members
    -------
    start: strobe: send what ``record`` asks for. Only given while neither ``busy`` nor ``done``, with
        counters, volumes and parity at rest; ``record`` stays until ``done``, a strobe in the cycle after the last one
        of ``busy``.
    words: the payloads; ``valid`` may last longer than ``busy``.
    late: taken with a trigger's last word.
    parity: the parity that trigger and status carry. The words of a trigger in ``words`` are given to it with the
        strobe ``parity_valid``; ``parity_ready`` says that it can take one in the next cycle.
    counter_index, counter_value: a counter, read in the same cycle.
    volume_which, volume_value: a sum of the instrument ``volume_instrument``, read two cycles later.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parity_before = Signal(PARITY_BITS)
        super().__init__(
            {
                "start": In(1),
                "busy": Out(1),
                "done": Out(1),
                "record": In(record_layout(parameters)),
                "words": Out(word_stream()),
                "late": In(stream.Signature(late_layout(parameters))),
                "parity": In(PARITY_BITS),
                "parity_ready": In(1),
                "parity_valid": Out(1),
                "counter_index": Out(INDEX_BITS),
                "counter_value": In(WORD_BITS),
                "volume_instrument": In(parameters.instrument_bits),
                "volume_which": Out(VOLUME_BITS),
                "volume_value": In(WORD_BITS),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """One bit walks along the places and selects the word for the register before the output.

        Counters are read one ahead.
        """
        m = Module()
        trigger, acknowledge, status, frames = passages = self._passages()
        at, counter = Signal(frames.counters + 1), Signal(INDEX_BITS)
        take, ends, in_trigger, in_counters, last_counter = Signal(), Signal(), Signal(), Signal(), Signal()
        ready = self._ready(m, trigger, status, at, in_trigger, take)
        word, read_counter = Signal(WORD_BITS), Signal(WORD_BITS)
        self._select(m, passages, at, word)
        m.d.comb += [
            take.eq(self.busy & ready & (~self.words.valid | self.words.ready)),
            in_counters.eq(at[status.counters] | at[frames.counters]),
            last_counter.eq((counter == COUNTER_COUNT) | (counter == FRAME_COUNTERS_AT + FRAME_COUNTER_COUNT)),
            self.counter_index.eq(counter),
            self.late.ready.eq(take & at[trigger.last]),
            ends.eq(at[trigger.last] | at[acknowledge.last] | (at[frames.counters] & last_counter)),
        ]
        m.d.sync += [self.done.eq(take & ends), self.parity_valid.eq(take & in_trigger)]
        with m.If(self.start):
            m.d.sync += [self.busy.eq(1), counter.eq(0), self._parity_before.eq(self.parity)]
            m.d.sync += in_trigger.eq(self.record.kind == RecordKind.TRIGGER)
            with m.Switch(self.record.kind):
                with m.Case(RecordKind.TRIGGER):
                    m.d.sync += at.eq(1 << trigger.start)
                with m.Case(RecordKind.ACKNOWLEDGE):
                    m.d.sync += at.eq(1 << acknowledge.start)
                with m.Default():
                    m.d.sync += at.eq(1 << status.start)
        with m.Elif(take):
            m.d.sync += self.busy.eq(~ends)
            with m.If(~in_counters | last_counter):
                m.d.sync += at.eq(at << 1)
            with m.If(in_counters | at[status.last] | at[frames.last]):
                m.d.sync += [
                    read_counter.eq(self.counter_value),
                    counter.eq(Mux(in_counters & last_counter, FRAME_COUNTERS_AT, counter + 1)),
                ]

        with m.If(take):
            m.d.sync += [
                self.words.valid.eq(1),
                self.words.payload.data.eq(Mux(in_counters, read_counter, word)),
                self.words.payload.first.eq(Cat(at[passage.start] for passage in passages).any()),
                self.words.payload.last.eq(ends | (at[status.counters] & last_counter)),
            ]
        with m.Elif(self.words.ready):
            m.d.sync += self.words.valid.eq(0)
        return m

    def _ready(
        self, m: Module, trigger: Passage, status: Passage, at: Signal, in_trigger: Signal, take: Signal
    ) -> Signal:
        """Whether what the present word is made of is there."""
        ready, waited, settled = Signal(), Signal(), Signal()
        m.d.sync += [waited.eq(~take), settled.eq(~take & waited)]
        is_late = at[trigger.place("imbalance")] | at[trigger.place("microprice")]
        with m.If(in_trigger):
            m.d.comb += ready.eq(self.parity_ready & (~is_late | self.late.valid))
        with m.Else():
            m.d.comb += ready.eq(settled | ~Cat(at[status.place(field)] for field in VOLUME_FIELDS).any())
        return ready

    def _select(self, m: Module, passages: tuple[Passage, ...], at: Signal, target: Signal) -> None:
        """The word at a place, and which volume it needs."""
        _, _, status, _ = passages
        places = [(at[place], word) for passage in passages for place, word in enumerate(passage.words, passage.start)]
        selected = [word & here.replicate(WORD_BITS) for here, word in places]
        m.d.comb += target.eq(reduce(or_, selected))
        for field, which in VOLUME_FIELDS.items():
            with m.If(at[status.place(field)]):
                m.d.comb += self.volume_which.eq(which)

    def _passages(self) -> tuple[Passage, ...]:
        body = self.record.body
        later = {
            name: [field for field in layout.SCHEMA.message(name).fields if field not in head]
            for name, head in (("Status", _STATUS_HEAD), ("FrameCounters", ("step",)))
        }
        heads = {
            "Trigger": words_of("Trigger", self._trigger_fields()),
            "Acknowledge": words_of("Acknowledge", {name: body.acknowledge[name] for name in _ACKNOWLEDGE_FIELDS}),
            "Status": words_of("Status", self._status_fields(), later["Status"]),
            "FrameCounters": words_of("FrameCounters", {"step": body.status.step}, later["FrameCounters"]),
        }
        passages: list[Passage] = []
        start = 0
        for name, words in heads.items():
            first_counter = _FIRST_COUNTERS.get(name)
            kept = words if first_counter is None else words[: word_of_field(name, first_counter)]
            passages.append(Passage(name, start, kept))
            start += len(kept) + (first_counter is not None)
        return tuple(passages)

    def _trigger_fields(self) -> dict[str, Any]:
        body = self.record.body.trigger
        return {
            "id": body.id,
            "epoch": body.epoch,
            "parity": self._parity_before,
            "kind": body.kind,
            "causeVenue": body.cause_venue,
            "instrument": body.instrument,
            "firstVenue": body.first_venue,
            "firstSide": body.first_side,
            "secondVenue": body.second_venue,
            "secondSide": body.second_side,
            "firstPrice": body.first_price,
            "firstQuantity": body.quantity,
            "secondPrice": body.second_price,
            "secondQuantity": Mux(body.second_side == Side.NONE, 0, body.quantity),
            "edge": body.edge,
            "causeSequence": body.sequence,
            "causeTime": body.time,
            "imbalance": self.late.payload.imbalance,
            "microprice": self.late.payload.microprice,
        }

    def _status_fields(self) -> dict[str, Any]:
        body = self.record.body.status
        own = {name: body[name] for name in ("number", "step", "time", "id", "epoch", "killed")}
        volumes = dict.fromkeys(VOLUME_FIELDS, self.volume_value)
        return own | volumes | {"parity": self._parity_before, "volumeInstrument": self.volume_instrument}
