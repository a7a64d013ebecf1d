"""The decision machine of FASTPATH: one quote event from its key to its commit, and the state behind it."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.address import Address, NewAddress, address_of, delayed, pass_on
from hdl.decision.allowance import Allowance
from hdl.decision.candidate import leg_fields
from hdl.decision.commands import WRITES, CommandSteps
from hdl.decision.event import Event
from hdl.decision.late import LateValues
from hdl.decision.scaling import ScalingRead
from hdl.decision.schedule import (
    Preparation,
    Sampling,
    Schedule,
    Stage,
    cycle_of,
    follow,
    last_cycle,
    prepare_cycles,
    samples_late,
)
from hdl.decision.shapes import SCALING_FIELDS, assign
from hdl.decision.stores import Stores
from hdl.parameters import CoreParameters
from hdl.records import (
    INSTRUMENT_NUMBER_BITS,
    TIME_BITS,
    VENUE_NUMBER_BITS,
    ControlCommand,
    count_layout,
    late_layout,
    quote_layout,
    sizes_layout,
    trigger_layout,
)


class _State(IntEnum):
    IDLE = 0
    EVENT = 1
    COMMAND = 2


class Decider(wiring.Component):
    """Admits, compares, chooses, gates, and commits what an accepted event changes.

    Members
    -------
    sizes: in use, constant.
    ready: idle: may be prepared or commanded.
    prepare: strobe, when ready: an event of ``instrument`` and ``venue`` at T ``time`` will come.
    loaded: strobe, at least a cycle later: ``quote`` has the event, and is stable until ``resolve``.
    early: strobe: the candidate has passed the gate; what it changes is not committed yet.
    decided: level: ``outcome_counts``, ``fires`` and ``trigger`` are final, until the next ``prepare``.
    resolve: strobe: the event counts if ``accept``, else leaves no trace; the latter is possible at any time,
        the former from ``loaded`` on.
    committed: strobe: the writes of an accepted event are made in this cycle; ``ready`` follows.
    late: the late values of committed triggers, in order.
    forget: strobe, when ready: quote, sequence and bits of ``instrument`` and ``venue`` are forgotten, as by a reset,
        but not the basis.
    heard: strobe: ``heard_venue`` was heard at ``heard_time``.
    command: see ``ControlCommand``; of Settle the amounts are checked here, all else is done before.
    kill: the pin; ``killed`` by it or by message.
    last_id: of the last committed trigger; epoch: for triggers.
    scaling: a reader of the scaling table, for trades.

    Latency
    -------
    ``forget`` to ``ready``: 2 cycles.

    ``loaded`` to ``early``: ``LATENCY`` cycles, if ``prepare`` was ``prepare_cycles`` before ``loaded``. The same for
    every kind. ``decided`` comes 3 cycles after ``early``. ``resolve`` to ``committed``: 2 cycles, if it comes
    ``last_cycle`` after ``loaded`` or later.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "sizes": In(sizes_layout(parameters)),
                "ready": Out(1),
                "prepare": In(1),
                "forget": In(1),
                "instrument": In(INSTRUMENT_NUMBER_BITS),
                "venue": In(VENUE_NUMBER_BITS),
                "time": In(TIME_BITS),
                "loaded": In(1),
                "quote": In(quote_layout),
                "resolve": In(1),
                "accept": In(1),
                "early": Out(1),
                "decided": Out(1),
                "outcome_counts": Out(count_layout),
                "fires": Out(1),
                "trigger": Out(trigger_layout(parameters)),
                "committed": Out(1),
                "late": Out(stream.Signature(late_layout(parameters))),
                "heard": In(1),
                "heard_venue": In(VENUE_NUMBER_BITS),
                "heard_time": In(TIME_BITS),
                "command": In(ControlCommand(parameters)),
                "kill": In(1),
                "killed": Out(1),
                "epoch": In(32),
                "last_id": Out(64),
                "scaling": In(ScalingRead(parameters)),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        state = Signal(_State)
        m.submodules.stores = stores = Stores(self._parameters)
        m.submodules.commands = commands = CommandSteps(self._parameters)
        m.submodules.event = event = Event(self._parameters)
        m.submodules.allowance = allowance = Allowance(self._parameters)
        m.submodules.late_values = late = LateValues(self._parameters)
        wiring.connect(m, stores.loaded, event.loaded)
        wiring.connect(m, event.changes, stores.changes)
        wiring.connect(m, stores.other, event.other)
        wiring.connect(m, late.late, wiring.flipped(self.late))
        at, pipeline = Schedule().create(path=("at",)), event.pipeline
        follow(m, at, event, allowance)

        commit = self._states(m, state, at, event)
        forgets = delayed(m, self.forget, "forgets")
        with m.If(forgets):
            m.d.sync += state.eq(_State.IDLE)
        address = self._address(m, stores, commands)
        self._decide(m, at, event, allowance)
        self._command(m, stores, commands, allowance)
        fires = self.committed & event.fires
        m.d.comb += [
            self.ready.eq((state == _State.IDLE) & late.room & ~stores.busy),
            self.early.eq(event.early),
            event.abandon.eq(self.resolve & ~self.accept),
            stores.load.eq(delayed(m, self.prepare | commands.address.take, "load")),
            stores.read.eq(pipeline.preparation[Preparation.READ] | pipeline.event[Sampling.READ]),
            stores.turn.eq(pipeline.preparation[Preparation.READ]),
            stores.restart.eq(at.event[Stage.SELECT] if samples_late(self._parameters) else 0),
            stores.read_row.eq(pipeline.preparation[Preparation.ROWS]),
            stores.follow.eq(delayed(m, pipeline.preparation[Preparation.READ], "follows")),
            stores.select.eq(at.event[Stage.GATE]),
            stores.fetch.eq(at.event[Stage.SELECT]),
            stores.begin.eq(at.event[Stage.SCALE]),
            stores.store.eq(self.resolve & self.accept),
            stores.put.eq(pipeline.event[Sampling.VALUE]),
            stores.time.eq(event.time),
            stores.commit.eq(commit),
            *assign(stores, event, ("selected", "own_sells", "value", "samples")),
            *assign(event, stores, ("beyond", "other_venue")),
            event.other_here.eq(stores.here),
            event.other_first.eq(stores.first),
            stores.forget_quote.eq(Mux(forgets, address.here, commands.forget)),
            *assign(stores, self, ("heard", "heard_venue", "heard_time")),
            stores.reader.instrument.eq(self.scaling.instrument),
            stores.reader.venue.eq(self.scaling.venue),
            *assign(self.scaling.row, stores.reader.row, SCALING_FIELDS),
            *assign(event, address, ("venue", "here")),
            allowance.instrument.eq(address.instrument),
            allowance.cooldown.eq(stores.loaded.row.cooldown),
            allowance.passed.eq(fires),
            late.start.eq(at.event[Stage.CHOOSE]),
            late.keep.eq(fires),
            *assign(late, event, ("difference", "total", "bid", "ask")),
        ]
        return m

    def _states(self, m: Module, state: Signal, at: Any, event: Event) -> Signal:
        """Runs the schedules; returns the strobe of a commit."""
        may_begin, waiting, finished, accepted = (
            Signal(name=name) for name in ("may_begin", "waiting", "finished", "accepted")
        )
        begin, commit, abandon, running = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            running.eq(state == _State.EVENT),
            abandon.eq(self.resolve & ~self.accept),
            begin.eq(may_begin & (waiting | self.loaded)),
            commit.eq(running & finished & accepted & ~self.committed),
        ]
        m.d.sync += self.committed.eq(commit)
        prepared, last = self._strobes(m, at, event, begin, abandon)
        with m.If(self.prepare):
            m.d.sync += [state.eq(_State.EVENT), self.decided.eq(0)]
            m.d.sync += [each.eq(0) for each in (may_begin, waiting, finished, accepted)]
        with m.Elif(abandon & running):
            m.d.sync += [state.eq(_State.IDLE), self.decided.eq(0), may_begin.eq(0)]
        with m.Elif(running):
            m.d.sync += [
                may_begin.eq((may_begin | prepared) & ~begin),
                waiting.eq(waiting | self.loaded),
                self.decided.eq(self.decided | at.event[Stage.RECORD]),
                finished.eq(finished | last),
                accepted.eq(accepted | self.resolve),
            ]
            with m.If(self.committed):
                m.d.sync += state.eq(_State.IDLE)
        with m.If(self.command.apply | self.forget):
            m.d.sync += state.eq(_State.COMMAND)
        with m.If(self.command.done):
            m.d.sync += state.eq(_State.IDLE)
        return commit

    def _strobes(self, m: Module, at: Any, event: Event, begin: Signal, abandon: Signal) -> tuple[Any, Any]:
        """The schedules of event and pipeline; the strobes before an event may begin, and at its end."""
        parameters, others = self._parameters, self._parameters.others
        preparation = Signal(prepare_cycles(parameters) + 1)
        behind = Signal(max(int(Stage.RESULT), cycle_of(parameters, Sampling.VALUE) + others - 1))
        cycles = Cat(begin, behind)
        m.d.sync += [
            preparation.eq(Cat(self.prepare, Mux(abandon, 0, preparation))),
            behind.eq(Mux(abandon, 0, cycles)),
        ]
        pipeline = event.pipeline
        for step in Preparation:
            cycle = cycle_of(parameters, step)
            m.d.comb += [
                at.preparation[step].eq(preparation[cycle]),
                pipeline.preparation[step].eq(preparation[cycle : cycle + others].any()),
            ]
        for stage in Stage:
            m.d.comb += at.event[stage].eq(cycles[stage])
        for each in Sampling:
            cycle = cycle_of(parameters, each)
            m.d.comb += pipeline.event[each].eq(cycles[cycle : cycle + others].any())
        for turns, step in ((event.turns.limits, Preparation.LIMITS), (event.turns.orders, Preparation.ORDERS)):
            cycle = cycle_of(parameters, step)
            m.d.comb += turns.eq(preparation[cycle : cycle + others])
        return preparation[prepare_cycles(parameters) - 2], cycles[last_cycle(parameters)]

    def _address(self, m: Module, stores: Stores, commands: CommandSteps) -> Address:
        """The address of the stores, and a copy of it for the event."""
        new = NewAddress().create(path=("new",))
        of_event = self.prepare | self.forget
        m.d.comb += [
            new.take.eq(of_event | commands.address.take),
            new.instrument.eq(Mux(of_event, self.instrument, commands.address.instrument)),
            new.venue.eq(Mux(of_event, self.venue, commands.address.venue)),
            new.next.eq(commands.address.next),
        ]
        pass_on(m, new, stores.address)
        return address_of(m, new, self._parameters, copy=0)

    def _decide(self, m: Module, at: Any, event: Event, allowance: Allowance) -> None:
        """The event's key, the gate's state, and the trigger."""
        trigger, time = self.trigger, Signal(TIME_BITS)
        with m.If(self.prepare):
            m.d.sync += [
                time.eq(self.time),
                event.in_build.eq((self.instrument < self.sizes.instruments) & (self.venue < self.sizes.venues)),
                trigger.instrument.eq(self.instrument),
                trigger.cause_venue.eq(self.venue),
            ]
        with m.If(self.command.apply):
            m.d.sync += time.eq(self.command.time)
        with m.If(at.event[Stage.SELECT]):
            m.d.sync += [
                trigger.id.eq(self.last_id + 1),
                trigger.epoch.eq(self.epoch),
                trigger.sequence.eq(self.quote.sequence),
                trigger.time.eq(time),
            ]
        m.d.comb += [
            *assign(event, self, ("sizes", "quote")),
            *assign(event, allowance, ("killed", "leased", "cool", "rate_free")),
            event.time.eq(time),
            allowance.time.eq(time),
            allowance.kill.eq(self.kill),
            *assign(self, allowance, ("killed", "last_id")),
            self.fires.eq(event.fires),
            self.outcome_counts.eq(event.counts),
            *[trigger[name].eq(getattr(event.legs, name)) for name in leg_fields(self._parameters)],
        ]

    def _command(self, m: Module, stores: Stores, commands: CommandSteps, allowance: Allowance) -> None:
        command = commands.command
        m.d.comb += [
            *assign(command, self.command, ("apply", "template", "message", "time")),
            *assign(self.command, command, ("done", "refusal")),
            stores.message.eq(self.command.message),
            stores.settle_select.eq(commands.select),
            stores.settle_check.eq(commands.check),
            *assign(stores, commands, ("settle", "forget", *WRITES)),
            commands.settlement_fits.eq(stores.settlement_fits),
            allowance.command.eq(commands.write),
            allowance.template.eq(self.command.template),
            allowance.message.eq(self.command.message),
        ]
