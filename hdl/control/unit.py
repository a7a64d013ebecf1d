"""The control protocol: numbering, checks, the step that a message is, and its acknowledgement."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.control.checker import REFUSAL_BITS, Checker
from hdl.control.form import MessageForm, leads_count
from hdl.control.host_events import EVENT_BITS, HostEvents
from hdl.control.message import message_view
from hdl.control.message_buffer import MessageBuffer
from hdl.control.program import WORD_BYTES, compile_checks
from hdl.control.rules import Condition
from hdl.octet_stream import octet_stream
from hdl.parameters import CoreParameters
from hdl.records import (
    INSTRUMENT_NUMBER_BITS,
    TIME_BITS,
    VENUE_NUMBER_BITS,
    WORD_BITS,
    ControlCommand,
    acknowledge_layout,
    quote_layout,
    sizes_layout,
    trade_layout,
)
from market.fastpath import layout
from market.fastpath.specification import Refusal, Result

STATUS_MESSAGES: Final = (layout.TEMPLATE_HEARTBEAT, layout.TEMPLATE_STATUS_REQUEST)
LOADS: Final = (layout.TEMPLATE_LOAD_BASIS, layout.TEMPLATE_LOAD_IDENTITY)
_GROUPS: Final = {
    "hello": (layout.TEMPLATE_HELLO,),
    "rearm": (layout.TEMPLATE_REARM,),
    "set_position": (layout.TEMPLATE_SET_POSITION,),
    "load_identity": (layout.TEMPLATE_LOAD_IDENTITY,),
    "load": LOADS,
    "status": STATUS_MESSAGES,
}
"""Templates that are treated alike beyond their checks."""


class _State(IntEnum):
    RECEIVE = 0
    FORM = 1
    NUMBER = 2
    CHECK = 3
    WANT = 4
    BEGIN = 5
    BEGUN = 6
    APPLY = 7
    DONE = 8
    ANSWER = 9
    FINISH = 10
    LEAVE = 11


class ControlUnit(wiring.Component):
    """Messages of the host, one at a time: received and checked beside everything else, applied between steps.

    Parameters
    ----------
    parameters: the build.
    host_events: whether QuoteEvent and TradeEvent are taken as steps of their own instead of as unknown messages.

    Members
    -------
    octets: messages as bytes. The next one waits until the one before it is finished.
    begin: strobe: a message's first byte is taken; the time of this cycle is the message's.
    sizes, killed, last_id, last_status: of the state, read after ``grant``. step, step_time: number and T of the last
        step; from the second cycle after ``begin_step`` on those of the step that it began.
    idle: no whole message is in.
    want: a message is in that must have its turn. grant: strobe: no step is under way, until ``finished``.
    begin_step: strobe: the message is a step.
    taken, passed: strobes, one of them for every message: it is a step (with ``begin_step`` or an event), or it is
        none; at the earliest 2 cycles after its last byte.
    command: what passed all checks, for the owners of the state.
    acknowledged: ``acknowledge`` stands until ``record_ready``, with the levels ``applied`` or ``refused`` (neither:
        not a step), ``status_request`` and ``load_parity``: the parity becomes ``parity``.
    finished: strobe.
    epoch: of the last Hello.
    host_event: strobe, with ``finished``: the message is an event, a quote (``host_quote``: ``host_instrument``,
        ``host_venue``, ``host_fields``) or a trade (``host_trade``: ``host_trade_fields``).

    Latency
    -------
    ``want`` 6 cycles after the last byte of a message without checks, else 9 and 4 more per row of its program, and 64
    or 96 more per product: 273 for an instrument row. From ``grant`` to ``begin_step`` 1 cycle, to ``apply`` 3; from
    ``done`` to ``acknowledged`` 1, from ``record_ready`` to ``finished`` 1.
    """

    def __init__(self, parameters: CoreParameters, host_events: bool = False) -> None:
        self._parameters, self._host_events = parameters, host_events
        self._words = -(-parameters.control_bytes // WORD_BYTES)
        super().__init__(
            {
                "octets": In(octet_stream()),
                "begin": Out(1),
                "sizes": In(sizes_layout(parameters)),
                "killed": In(1),
                "last_id": In(WORD_BITS),
                "last_status": In(WORD_BITS),
                "step": In(WORD_BITS),
                "step_time": In(TIME_BITS),
                "idle": Out(1),
                "want": Out(1),
                "grant": In(1),
                "begin_step": Out(1),
                "taken": Out(1),
                "passed": Out(1),
                "command": Out(ControlCommand(parameters)),
                "acknowledge": Out(acknowledge_layout),
                "acknowledged": Out(1),
                "record_ready": In(1),
                "applied": Out(1),
                "refused": Out(1),
                "status_request": Out(1),
                "load_parity": Out(1),
                "parity": Out(32),
                "finished": Out(1),
                "epoch": Out(32),
                "host_event": Out(1),
                "host_quote": Out(1),
                "host_trade": Out(1),
                "host_instrument": Out(INSTRUMENT_NUMBER_BITS),
                "host_venue": Out(VENUE_NUMBER_BITS),
                "host_fields": Out(quote_layout),
                "host_trade_fields": Out(trade_layout),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        """One state machine; what is known about the message is registered on the way."""
        m = Module()
        program = compile_checks()
        m.submodules.buffer = buffer = MessageBuffer(self._words)
        m.submodules.form = form = MessageForm(program, self._host_events)
        m.submodules.checker = checker = Checker(self._parameters, program)
        octets = Cat(*(buffer.words[at] for at in range(self._words)))
        header = message_view(octets, "Heartbeat")
        wiring.connect(m, wiring.flipped(self.octets), buffer.octets)
        m.d.comb += [
            self.begin.eq(buffer.begin),
            form.head.eq(Cat(*(buffer.words[at] for at in range(form.head_words)))),
            form.length.eq(buffer.length),
            checker.begin.eq(form.begin),
            checker.word.eq(buffer.read_word),
            buffer.read_index.eq(checker.word_index),
            checker.sizes.eq(self.sizes),
            checker.conditions.eq(self._conditions(octets)),
            self.command.template.eq(header.templateId),
            self.command.message.eq(octets),
            self.command.time.eq(self.step_time),
        ]
        self._run(m, octets, header, buffer, form, checker)
        if self._host_events:
            self._give_events(m, octets)
        return m

    def _conditions(self, octets: Value) -> Value:
        basis = message_view(octets, "LoadBasis")
        holds = {
            Condition.VENUES_ASCEND: basis.firstVenue < basis.secondVenue,
            Condition.LEAD_PER_VENUE: leads_count(octets) == self.sizes.venues,
        }
        return Cat(*(holds[condition] for condition in Condition))

    def _run(self, m: Module, octets: Value, header: Any, buffer: Any, form: Any, checker: Any) -> None:
        state, result, refusal = Signal(_State), Signal(Result), Signal(REFUSAL_BITS)
        is_event, is_next, behind, is_step = Signal(), Signal(), Signal(), Signal()
        one_of = {name: Signal(name=f"is_{name}") for name in _GROUPS}
        last, expected = Signal(WORD_BITS), Signal(WORD_BITS, init=1)
        template = header.templateId
        m.d.comb += [
            self.acknowledge.sequence.eq(header.sequence),
            self.acknowledge.step.eq(self.step),
            self.acknowledge.expected.eq(expected),
            self.acknowledge.template.eq(template),
            self.acknowledge.result.eq(result),
            self.acknowledge.refusal.eq(refusal),
            self.applied.eq(is_step & (refusal == Refusal.NONE)),
            self.refused.eq(is_step & (refusal != Refusal.NONE)),
            self.status_request.eq(self.applied & one_of["status"]),
            self.load_parity.eq(self.applied & one_of["load_identity"]),
            self.parity.eq(message_view(octets, "LoadIdentity").parity),
            self.idle.eq((state == _State.RECEIVE) & ~buffer.full),
            self.want.eq(state == _State.WANT),
            self.taken.eq(self.begin_step | self.host_event),
            self.acknowledged.eq(state == _State.ANSWER),
            self.command.apply.eq(state == _State.APPLY),
            self.finished.eq((state == _State.FINISH) | self.host_event),
            buffer.release.eq(self.finished | (state == _State.LEAVE)),
        ]
        wrong_status, wrong_id = self._wrong_numbers(m, octets)
        m.d.sync += [expected.eq(last + 1), self.begin_step.eq(0)]
        with m.Switch(state):
            with m.Case(_State.RECEIVE), m.If(buffer.complete):
                m.d.sync += [state.eq(_State.FORM), is_step.eq(0), refusal.eq(Refusal.NONE)]
            with m.Case(_State.FORM):
                m.d.sync += [
                    state.eq(_State.NUMBER),
                    *(flag.eq(_is_one_of(template, _GROUPS[name])) for name, flag in one_of.items()),
                    is_next.eq(header.sequence == expected),
                    behind.eq(header.sequence <= last),
                ]
                with m.If(buffer.length < layout.CONTROL_SIZE_LEAST):
                    m.d.sync += state.eq(_State.LEAVE)
            with m.Case(_State.NUMBER):
                m.d.sync += [state.eq(_State.WANT), is_event.eq(form.is_event & form.good)]
                with m.If(~(is_next | form.is_event | one_of["hello"]) | ~(is_next | form.good)):
                    m.d.sync += result.eq(Mux(behind, Result.REPEATED, Result.OUT_OF_ORDER))
                with m.Elif(~form.good):
                    m.d.sync += [is_step.eq(1), refusal.eq(Refusal.BAD_MESSAGE)]
                with m.Elif(~form.is_event):
                    m.d.sync += is_step.eq(1)
                    with m.If(form.has_checks):
                        m.d.comb += checker.start.eq(1)
                        m.d.sync += state.eq(_State.CHECK)
            with m.Case(_State.CHECK), m.If(checker.done):
                m.d.sync += [state.eq(_State.WANT), refusal.eq(checker.refusal)]
            with m.Case(_State.WANT), m.If(self.grant):
                m.d.sync += [state.eq(_State.BEGIN), self.begin_step.eq(is_step & ~is_event)]
            with m.Case(_State.BEGIN):
                with m.If(is_event):
                    m.d.comb += self.host_event.eq(1)
                    m.d.sync += state.eq(_State.RECEIVE)
                with m.Elif(is_step):
                    m.d.sync += [state.eq(_State.BEGUN), last.eq(header.sequence)]
                with m.Else():
                    m.d.comb += self.passed.eq(1)
                    m.d.sync += state.eq(_State.ANSWER)
            with m.Case(_State.BEGUN):
                m.d.sync += state.eq(_State.APPLY)
                with m.If(refusal != Refusal.NONE):
                    m.d.sync += [state.eq(_State.ANSWER), result.eq(Result.REFUSED)]
                with m.Else():
                    for name, wrong, why in (
                        ("rearm", wrong_status, Refusal.WRONG_STATUS),
                        ("set_position", wrong_id, Refusal.WRONG_ID),
                        ("load", ~self.killed, Refusal.NOT_KILLED),
                    ):
                        with m.If(one_of[name] & wrong):
                            m.d.sync += [state.eq(_State.ANSWER), result.eq(Result.REFUSED), refusal.eq(why)]
            with m.Case(_State.APPLY):
                m.d.sync += state.eq(_State.DONE)
            with m.Case(_State.DONE), m.If(self.command.done):
                refused = self.command.refusal != Refusal.NONE
                m.d.sync += [
                    state.eq(_State.ANSWER),
                    refusal.eq(self.command.refusal),
                    result.eq(Mux(refused, Result.REFUSED, Result.APPLIED)),
                ]
                with m.If(one_of["hello"]):
                    m.d.sync += self.epoch.eq(message_view(octets, "Hello").epoch)
            with m.Case(_State.ANSWER), m.If(self.record_ready):
                m.d.sync += state.eq(_State.FINISH)
            with m.Case(_State.FINISH):
                m.d.sync += state.eq(_State.RECEIVE)
            with m.Case(_State.LEAVE):
                m.d.comb += self.passed.eq(1)
                m.d.sync += state.eq(_State.RECEIVE)

    def _wrong_numbers(self, m: Module, octets: Value) -> tuple[Signal, Signal]:
        """Whether the message names another status than the last, another id than the last."""
        wrong_status, wrong_id = Signal(), Signal()
        m.d.sync += [
            wrong_status.eq(message_view(octets, "Rearm").statusNumber != self.last_status),
            wrong_id.eq(message_view(octets, "SetPosition").lastId != self.last_id),
        ]
        return wrong_status, wrong_id

    def _give_events(self, m: Module, octets: Value) -> None:
        m.submodules.events = events = HostEvents()
        is_quote = message_view(octets, "QuoteEvent").templateId == layout.TEMPLATE_QUOTE_EVENT
        m.d.comb += [
            events.message.eq(octets[:EVENT_BITS]),
            self.host_quote.eq(self.host_event & is_quote),
            self.host_trade.eq(self.host_event & ~is_quote),
            self.host_instrument.eq(events.instrument),
            self.host_venue.eq(events.venue),
            self.host_fields.eq(events.quote),
            self.host_trade_fields.eq(events.trade),
        ]


def _is_one_of(value: Value, numbers: tuple[int, ...]) -> Value:
    return Cat(*(value == number for number in numbers)).any()
