"""Makes the payloads that records ask for: trigger, acknowledgement, status and, behind it, the frame counters."""

from __future__ import annotations

from dataclasses import dataclass
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
    start: strobe: send what ``record`` asks for. Only given while not ``busy``, with counters, volumes and parity at
        rest; ``record`` stays until ``done``, a strobe in the last cycle that it is needed.
    words: the payloads; ``valid`` may last longer than ``busy``.
    late: taken with a trigger's last word.
    parity: the parity that trigger and status carry. Words of a trigger are given to it with the strobe
        ``parity_valid``, at the earliest when ``parity_ready``.
    counter_index, counter_value: a counter, read in the same cycle.
    volume_which, volume_value: a sum of the instrument ``volume_instrument``, read one cycle later.
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
                "word": Out(WORD_BITS),
                "counter_index": Out(INDEX_BITS),
                "counter_value": In(WORD_BITS),
                "volume_instrument": In(parameters.instrument_bits),
                "volume_which": Out(VOLUME_BITS),
                "volume_value": In(WORD_BITS),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """A place counter selects the next word into the register before the output."""
        m = Module()
        trigger, acknowledge, status, frames = passages = self._passages()
        at, counter = Signal(range(frames.counters + 1)), Signal(INDEX_BITS)
        take, in_counters, last_counter = Signal(), Signal(), Signal()
        self._select(m, passages, at)
        m.d.comb += [
            take.eq(self.busy & self._ready(m, trigger, status, at, take) & (~self.words.valid | self.words.ready)),
            in_counters.eq((at == status.counters) | (at == frames.counters)),
            last_counter.eq((counter == COUNTER_COUNT - 1) | (counter == FRAME_COUNTERS_AT + FRAME_COUNTER_COUNT - 1)),
            self.counter_index.eq(counter),
            self.parity_valid.eq(take & (at <= trigger.last)),
            self.late.ready.eq(take & (at == trigger.last)),
            self.done.eq(
                take & ((at == trigger.last) | (at == acknowledge.last) | ((at == frames.counters) & last_counter)),
            ),
        ]
        with m.If(self.start):
            m.d.sync += [self.busy.eq(1), counter.eq(0), self._parity_before.eq(self.parity)]
            with m.Switch(self.record.kind):
                with m.Case(RecordKind.TRIGGER):
                    m.d.sync += at.eq(trigger.start)
                with m.Case(RecordKind.ACKNOWLEDGE):
                    m.d.sync += at.eq(acknowledge.start)
                with m.Default():
                    m.d.sync += at.eq(status.start)
        with m.Elif(take):
            m.d.sync += self.busy.eq(~self.done)
            with m.If(~in_counters | last_counter):
                m.d.sync += at.eq(at + 1)
            with m.If(in_counters):
                m.d.sync += counter.eq(Mux(last_counter, FRAME_COUNTERS_AT, counter + 1))

        with m.If(take):
            m.d.sync += [
                self.words.valid.eq(1),
                self.words.payload.data.eq(Mux(in_counters, self.counter_value, self.word)),
                self.words.payload.first.eq(Cat(at == passage.start for passage in passages).any()),
                self.words.payload.last.eq(self.done | ((at == status.counters) & last_counter)),
            ]
        with m.Elif(self.words.ready):
            m.d.sync += self.words.valid.eq(0)
        return m

    def _ready(self, m: Module, trigger: Passage, status: Passage, at: Signal, take: Signal) -> Signal:
        """Whether what the present word is made of is there."""
        ready, settled = Signal(), Signal()
        m.d.sync += settled.eq(~take)
        with m.If(at <= trigger.last):
            m.d.comb += ready.eq(self.parity_ready & ((at < trigger.place("imbalance")) | self.late.valid))
        with m.Else():
            m.d.comb += ready.eq(settled | ~Cat(at == status.place(field) for field in VOLUME_FIELDS).any())
        return ready

    def _select(self, m: Module, passages: tuple[Passage, ...], at: Signal) -> None:
        """The word at a place, and which volume it needs."""
        _, _, status, _ = passages
        with m.Switch(at):
            for passage in passages:
                for place, word in enumerate(passage.words, passage.start):
                    with m.Case(place):
                        m.d.comb += self.word.eq(word)
                        for field, which in VOLUME_FIELDS.items():
                            if place == status.place(field):
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
