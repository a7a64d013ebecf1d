"""Kill, lease, rate and cooldown over any run of messages, events and triggers.

The bench plays the decision machine: an event goes through its preparation, and ends at any time from then on,
with or without a trigger; messages come between events; T never runs back.
"""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Mux, Signal, unsigned

from hdl.decision.allowance import Allowance
from hdl.decision.command_fields import command_field
from hdl.decision.schedule import Preparation
from hdl.decision.shapes import INSTANT_BITS
from hdl.formal.bench import Bench, Design
from hdl.formal.proof import Proof
from hdl.formal.small import SMALL
from hdl.formal.solver import Mode
from hdl.records import DURATION_BITS, TIME_BITS
from market.fastpath import layout

_IDLE: Final = 0
_RATE_TIME_BITS: Final = 10
_RATE_DURATION_BITS: Final = 5
_PREPARED: Final = len(Preparation) + 1
_PIN_UNSEEN = "the pin is not seen"
_KILL_LOST = "kill messages are lost"
_EVERY_MESSAGE = "status requests count as heartbeats"
_FREE_TRIGGERS = "triggers cost nothing"
_NO_COOLDOWN = "the cooldown is taken as 0"


class _Run:
    """The machine around the allowance: phase of the event, T, messages, triggers."""

    def __init__(self, bench: Bench, mutation: str) -> None:
        self.bench, subject = bench, bench.subject
        m: Module = bench.m
        bench.free_inputs("at", "instrument", "time", "cooldown", "kill", "passed", "command", "template")
        self.kill, self.command, self.template = bench.free("kill"), bench.free("command"), bench.free("template", 8)
        self.passed, begins, ends = bench.free("passed"), bench.free("begins"), bench.free("ends")
        self.phase = Signal(range(_PREPARED + 1))
        self.time, self.cooldown = Signal(TIME_BITS), Signal(DURATION_BITS)
        next_time, next_cooldown = bench.free("next_time", TIME_BITS), bench.free("next_cooldown", DURATION_BITS)
        with m.If(self.phase == _IDLE):
            bench.assume(next_time >= self.time)
            m.d.sync += [self.time.eq(next_time), self.cooldown.eq(next_cooldown), self.phase.eq(begins)]
        with m.Elif(self.passed | ends):
            m.d.sync += self.phase.eq(_IDLE)
        with m.Elif(self.phase < _PREPARED):
            m.d.sync += self.phase.eq(self.phase + 1)
        allowed = self.after(Preparation.PARTS) & subject.leased & subject.cool & subject.rate_free
        bench.assume(~self.passed | allowed)
        bench.assume(~self.command | (self.phase == _IDLE))
        lost = (self.template == layout.TEMPLATE_KILL) & (mutation == _KILL_LOST)
        as_heartbeat = (self.template == layout.TEMPLATE_STATUS_REQUEST) & (mutation == _EVERY_MESSAGE)
        m.d.comb += [
            *[strobe.eq(self.phase == number + 1) for number, strobe in enumerate(subject.at.preparation)],
            subject.time.eq(self.time),
            subject.cooldown.eq(0 if mutation == _NO_COOLDOWN else self.cooldown),
            subject.kill.eq(0 if mutation == _PIN_UNSEEN else self.kill),
            subject.passed.eq(0 if mutation == _FREE_TRIGGERS else self.passed),
            subject.command.eq(self.command & ~lost),
            subject.template.eq(Mux(as_heartbeat, layout.TEMPLATE_HEARTBEAT, self.template)),
        ]

    def after(self, step: Preparation) -> Any:
        """The event is behind that step of its preparation."""
        return self.phase > step + 1

    def message(self, template: int) -> Any:
        """Such a message takes effect."""
        return self.command & (self.template == template)


def _kill(mutation: str) -> Design:
    bench = Bench(Allowance(SMALL))
    run, m = _Run(bench, mutation), bench.m
    armed = Signal()
    with m.If(run.message(layout.TEMPLATE_REARM)):
        m.d.sync += armed.eq(1)
    with m.If(run.message(layout.TEMPLATE_KILL) | run.message(layout.TEMPLATE_HELLO) | run.kill):
        m.d.sync += armed.eq(0)
    bench.claim(bench.subject.killed == (run.kill | ~armed))
    bench.reach(~bench.subject.killed & run.after(Preparation.PARTS))
    return bench.design()


def _lease(mutation: str) -> Design:
    bench = Bench(Allowance(SMALL))
    run, m, subject = _Run(bench, mutation), bench.m, bench.subject
    lease, lease_until = Signal(DURATION_BITS), Signal(INSTANT_BITS)
    with m.If(run.message(layout.TEMPLATE_ENGINE_ROW)):
        m.d.sync += lease.eq(command_field(subject.message, "EngineRow", "lease"))
    with m.If(run.message(layout.TEMPLATE_HEARTBEAT)):
        m.d.sync += lease_until.eq(run.time + lease)
    if not mutation:
        bench.claim(bench.peek("lease", DURATION_BITS) == lease)
        bench.claim(bench.peek("lease_until", INSTANT_BITS) == lease_until)
    with m.If(run.after(Preparation.PRODUCTS)):
        bench.claim(subject.leased == (run.time <= lease_until))
    bench.reach(run.passed & (run.time > lease))
    return bench.design()


def _rate(mutation: str) -> Design:
    """From any trigger on, ``spent`` is what this and all later ones cost."""
    bench = Bench(Allowance(SMALL))
    run, m, subject = _Run(bench, mutation), bench.m, bench.subject
    interval, tolerance = Signal(DURATION_BITS), Signal(DURATION_BITS)
    chosen, is_anchored, since, spent = bench.free("chosen"), Signal(), Signal(TIME_BITS), Signal(INSTANT_BITS + 1)
    with m.If(run.message(layout.TEMPLATE_ENGINE_ROW)):
        m.d.sync += [
            interval.eq(command_field(subject.message, "EngineRow", "rateInterval")),
            tolerance.eq(command_field(subject.message, "EngineRow", "rateTolerance")),
        ]
    bench.assume(~is_anchored | ~run.message(layout.TEMPLATE_ENGINE_ROW))
    bench.assume((run.time >> _RATE_TIME_BITS == 0) & ((interval | tolerance) >> _RATE_DURATION_BITS == 0))
    with m.If(run.passed & is_anchored):
        m.d.sync += spent.eq(spent + interval)
        bench.claim(spent <= run.time - since + tolerance)
    with m.If(run.passed & chosen & ~is_anchored):
        m.d.sync += [is_anchored.eq(1), since.eq(run.time), spent.eq(interval)]
    if not mutation:
        _rate_invariants(bench, run, interval, tolerance)
        with m.If(is_anchored):
            bench.claim(since <= run.time)
            bench.claim(bench.peek("rate_at", INSTANT_BITS) >= since + spent)
    bench.reach(run.passed & is_anchored & (interval > 1) & (tolerance > interval))
    return bench.design()


def _rate_invariants(bench: Bench, run: _Run, interval: Signal, tolerance: Signal) -> None:
    """What the registers are in each phase: induction begins anywhere, so it has to be told."""
    m, instant = bench.m, unsigned(INSTANT_BITS)
    rate_at, latest, start = (bench.peek(name, instant) for name in ("rate_at", "latest", "start"))
    bench.claim(bench.peek("interval", DURATION_BITS) == interval)
    bench.claim(bench.peek("tolerance", DURATION_BITS) == tolerance)
    # a trigger leads T by two durations at most: no sum runs over
    bench.claim(rate_at <= run.time + (1 << (_RATE_DURATION_BITS + 1)))
    is_ahead = rate_at > run.time
    with m.If(run.after(Preparation.SUMS)):
        bench.claim((latest == run.time + tolerance) & (bench.peek("ahead") == is_ahead))
    with m.If(run.after(Preparation.PRODUCTS)):
        bench.claim(bench.subject.rate_free == (rate_at <= latest))
        bench.claim(start == Mux(is_ahead, rate_at, run.time))
    with m.If(run.after(Preparation.PARTS)):
        bench.claim(bench.peek("next_rate_at", instant) == start + interval)


def _cooldown(mutation: str) -> Design:
    bench = Bench(Allowance(SMALL))
    run, m, subject = _Run(bench, mutation), bench.m, bench.subject
    until, has_passed = Signal(INSTANT_BITS), Signal()
    with m.If(run.passed):
        m.d.sync += [until.eq(run.time + run.cooldown), has_passed.eq(1)]
        bench.claim(~has_passed | (run.time >= until))
    if not mutation:
        instant = unsigned(INSTANT_BITS)
        bench.claim(bench.peek("cooldowns.read__0__until", instant) == until)
        with m.If(run.after(Preparation.READ)):
            bench.claim(bench.peek("until", instant) == until)
        with m.If(run.after(Preparation.SUMS)):
            bench.claim(subject.cool == (run.time >= until))
            bench.claim(bench.peek("next_until", instant) == run.time + run.cooldown)
    bench.reach(run.passed & has_passed & (run.cooldown > 1))
    return bench.design()


KILL: Final = Proof(
    name="kill",
    statement=(
        "killed from the cycle of the pin, or the one behind a Kill or Hello, until a Rearm; at power-on; full widths"
    ),
    build=_kill,
    mutations=(_PIN_UNSEEN, _KILL_LOST),
    mode=Mode.PROVE,
    depth=2,
    mutation_depth=4,
    cover_depth=9,
)
LEASE: Final = Proof(
    name="lease",
    statement="the lease that an event sees ends the lease's length behind the last Heartbeat; full widths",
    build=_lease,
    mutations=(_EVERY_MESSAGE,),
    mode=Mode.PROVE,
    depth=2,
    mutation_depth=9,
    cover_depth=10,
)
RATE: Final = Proof(
    name="rate",
    statement=(
        "from any trigger to any later one, all but the last cost at most the time between them and the tolerance: "
        f"no more tokens are spent than the bucket held and was refilled; T below 2^{_RATE_TIME_BITS}, durations below "
        f"2^{_RATE_DURATION_BITS}, engine row unchanged meanwhile"
    ),
    build=_rate,
    mutations=(_FREE_TRIGGERS,),
    mode=Mode.PROVE,
    depth=2,
    mutation_depth=16,
    cover_depth=16,
)
COOLDOWN: Final = Proof(
    name="cooldown",
    statement="between two triggers of an instrument there is the cooldown of the former; full widths, 1 instrument",
    build=_cooldown,
    mutations=(_NO_COOLDOWN,),
    mode=Mode.PROVE,
    depth=2,
    mutation_depth=16,
    cover_depth=16,
)
ALLOWANCE: Final = (KILL, LEASE, RATE, COOLDOWN)
