"""The decision machine as a whole: its schedule, and that what has not passed the gate leaves no trigger.

What an event compares and what is stored are taken out: the proofs hold whatever they say.
"""

from __future__ import annotations

from typing import Final

from amaranth.hdl import Cat, Signal

from hdl.decision.decider import Decider
from hdl.decision.schedule import Preparation, Stage, last_cycle, prepare_cycles
from hdl.formal.bench import Bench, Design
from hdl.formal.proof import Proof
from hdl.formal.small import SMALL
from hdl.formal.solver import Mode
from market.fastpath import layout

_CUTS: Final = (
    "stores",
    "late_values",
    *(f"event.{part}" for part in ("admission", "own_bid", "own_ask", "imbalance", "choice", "record")),
    "event.others",
    *(f"event.contender_{number}" for number in range(SMALL.others)),
)
_EVENT_STATE: Final = 1
_COMMAND_STATE: Final = 2
"""States of the machine while an event, a command is under way."""
_WRITTEN: Final = 7
"""State of the command steps in which a command has been written."""
_BEGIN: Final = prepare_cycles(SMALL)
"""Cycles from ``prepare`` on in which an event cannot begin yet."""
_LAST: Final = last_cycle(SMALL)
_LONG: Final = 15
"""Counts of cycles stop here."""
_PIN_UNSEEN: Final = "the pin is not seen"
_KILL_LOST: Final = "kill messages are lost"
_UNREADY: Final = "an event is prepared while another one is under way"
_NEVER_ABANDONED: Final = "a frame's drop is not told"


class _Machine:
    """The decider with whoever keeps to what its ports ask for, and a record of the event that is under way."""

    def __init__(self, mutation: str) -> None:
        self.subject = subject = Decider(SMALL)
        self.bench = bench = Bench(subject)
        bench.cut(*_CUTS)
        bench.free_inputs("kill", "command", "resolve")
        self.kill, self.apply, self.template = bench.free("kill"), bench.free("apply"), bench.free("template", 8)
        self.resolve = bench.free("resolve")
        is_kill = self.template == layout.TEMPLATE_KILL
        drops = self.resolve & ~subject.accept
        bench.m.d.comb += [
            subject.kill.eq(self.kill & (mutation != _PIN_UNSEEN)),
            subject.command.apply.eq(self.apply),
            subject.command.template.eq(
                self.template & ~is_kill.replicate(8) if mutation == _KILL_LOST else self.template
            ),
            subject.resolve.eq(self.resolve & ~drops if mutation == _NEVER_ABANDONED else self.resolve),
        ]
        self._ask(mutation)
        self._follow()

    def _ask(self, mutation: str) -> None:
        """Who uses the machine asks only when it is ready, and resolves an event once."""
        bench, subject, m = self.bench, self.subject, self.bench.m
        asked = subject.prepare + self.apply + subject.forget
        bench.assume(asked <= 1)
        bench.assume(subject.ready | ~(self.apply | subject.forget | (subject.prepare & (mutation != _UNREADY))))
        busy, template, accepted = Signal(), Signal(8), Signal()
        with m.If(self.apply):
            m.d.sync += [busy.eq(1), template.eq(self.template)]
        with m.Elif(subject.command.done):
            m.d.sync += busy.eq(0)
        bench.assume(~busy | (self.template == template))
        with m.If(subject.prepare):
            m.d.sync += accepted.eq(0)
        with m.Elif(self.resolve):
            m.d.sync += accepted.eq(1)
        bench.assume(~(self.resolve & accepted))
        self.busy, self.accepted = busy, accepted

    def _follow(self) -> None:
        """Cycles since ``prepare``, and since the event began, 0 before."""
        subject, m = self.subject, self.bench.m
        self.preparation = Cat(self.bench.peek(f"at__preparation__{number}") for number in range(len(Preparation)))
        self.event = Cat(self.bench.peek(f"at__event__{number}") for number in range(len(Stage)))
        self.under_way, self.since, self.age = Signal(), Signal(range(_LONG + 1)), Signal(range(_LONG + 1))
        with m.If(subject.prepare):
            m.d.sync += [self.under_way.eq(1), self.since.eq(1), self.age.eq(0)]
        with m.Else():
            with m.If(subject.committed | (self.resolve & ~subject.accept)):
                m.d.sync += self.under_way.eq(0)
            with m.If(self.since != _LONG):
                m.d.sync += self.since.eq(self.since + 1)
            with m.If(self.event[Stage.SCALE] | ((self.age != 0) & (self.age != _LONG))):
                m.d.sync += self.age.eq(self.age + 1)

    def tell(self) -> None:
        """What the registers are while an event is under way: induction begins anywhere, so it has to be told."""
        bench, state = self.bench, self.bench.peek("state", 2)
        may_begin, finished, accepted = (bench.peek(name) for name in ("may_begin", "finished", "accepted"))
        bench.claim(self.under_way == (state == _EVENT_STATE))
        for number, strobe in enumerate(self.preparation):
            bench.claim(strobe == (self.under_way & (self.since == number + 1)))
        for number, strobe in enumerate(self.event[1:], start=1):
            bench.claim(strobe == (self.under_way & (self.age == number)))
        bench.claim(self.busy == (bench.peek("commands.state", 3) != 0))
        # a command, or a quote that is forgotten
        bench.claim((self.busy | bench.peek("forgets")) == (state == _COMMAND_STATE))
        bench.claim(~(self.busy & bench.peek("forgets")))
        begins = self.since >= _BEGIN
        bench.claim(~self.under_way | (may_begin == (begins & (self.age == 0))))
        bench.claim(self.under_way | ~may_begin)
        bench.claim(~self.under_way | (finished == (self.age > _LAST)))
        bench.claim(~self.under_way | (accepted == self.accepted))
        bench.claim(~self.subject.committed | (self.under_way & finished & accepted))
        bench.claim((self.age == 0) | begins)


def _schedule(mutation: str) -> Design:
    machine = _Machine(mutation)
    bench, subject, m = machine.bench, machine.subject, machine.bench.m
    if not mutation:
        machine.tell()
    for number, strobe in enumerate(machine.preparation):
        bench.claim(~strobe | (machine.under_way & (machine.since == number + 1)))
    bench.claim(~machine.event[Stage.SCALE] | ((machine.since >= _BEGIN) & (machine.age == 0)))
    for number, strobe in enumerate(machine.event[1:], start=1):
        bench.claim(~strobe | (machine.under_way & (machine.age == number)))
    with m.If(subject.committed):
        bench.claim((machine.age > _LAST) & machine.accepted)
    is_load = bench.peek("load")
    bench.claim(~is_load | ~machine.under_way | (machine.since == 1))
    bench.reach(subject.committed)
    return bench.design()


def _passing(mutation: str) -> Design:
    machine = _Machine(mutation)
    bench, subject, m = machine.bench, machine.subject, machine.bench.m
    if not mutation:
        machine.tell()
    armed, passed = Signal(), Signal()
    kill_before = bench.past(machine.kill)
    with m.If(subject.command.done):
        with m.If(machine.template == layout.TEMPLATE_REARM):
            m.d.sync += armed.eq(~kill_before)
        with m.If((machine.template == layout.TEMPLATE_KILL) | (machine.template == layout.TEMPLATE_HELLO)):
            m.d.sync += armed.eq(0)
    with m.If(machine.kill):
        m.d.sync += armed.eq(0)
    with m.If(subject.prepare):
        m.d.sync += passed.eq(0)
    with m.Elif(subject.early):
        m.d.sync += passed.eq(1)
    bench.claim_after(~subject.early | bench.past(armed & ~machine.kill))
    bench.claim(~(subject.committed & subject.fires) | passed)
    if not mutation:
        _tell_passing(machine, armed, passed)
    bench.reach(subject.committed & subject.fires)
    return bench.design()


def _tell_passing(machine: _Machine, armed: Signal, passed: Signal) -> None:
    """What is armed, by the steps of a command, and what has passed, by the event's."""
    bench, subject = machine.bench, machine.subject
    steps, register = bench.peek("commands.state", 3), bench.peek("allowance.armed")
    template, kill_before = machine.template, bench.past(machine.kill)
    is_rearm = template == layout.TEMPLATE_REARM
    is_kill = (template == layout.TEMPLATE_KILL) | (template == layout.TEMPLATE_HELLO)
    m = bench.m
    # only a reset writes more than once
    bench.claim((steps <= 1) | (bench.peek("commands.resets") == (template == layout.TEMPLATE_RESET)))
    with m.If(steps != _WRITTEN):
        bench.claim(register == armed)
    with m.Elif(is_rearm):
        bench.claim_after(register == ~kill_before)
    with m.Elif(is_kill):
        bench.claim(~register)
    with m.Else():
        bench.claim(register == armed)
    late = machine.age > Stage.GATE
    bench.claim(~(machine.under_way & late & subject.fires) | subject.early | passed)
    bench.claim(~subject.early | (machine.age == Stage.GATE + 1))


SCHEDULE: Final = Proof(
    name="schedule",
    statement=(
        "the steps of an event come in their order, each once, the comparisons behind the preparation that they need; "
        "rows are loaded before the first of them only; an event is committed once it is accepted, behind its last "
        "step, and not at all once its frame was dropped. Whatever is compared and stored; 2 venues"
    ),
    build=_schedule,
    mutations=(_UNREADY, _NEVER_ABANDONED),
    mode=Mode.PROVE,
    depth=2,
    mutation_depth=18,
    cover_depth=18,
)
PASSING: Final = Proof(
    name="killed machine",
    statement=(
        "no trigger passes the gate while the pin is set, nor from Kill, Hello, pin or power-on until a Rearm; no "
        "trigger is committed that has not passed. Whatever is compared and stored; 2 venues"
    ),
    build=_passing,
    mutations=(_PIN_UNSEEN, _KILL_LOST, _UNREADY),
    mode=Mode.PROVE,
    depth=2,
    mutation_depth=28,
    cover_depth=28,
    is_long=True,
)
DECIDER: Final = (SCHEDULE, PASSING)
