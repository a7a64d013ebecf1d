"""What the gate knows without the candidate: kill, lease, cooldown, rate; and the last trigger's id."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decision.command_fields import command_field
from hdl.decision.compare import above, at_least, at_most
from hdl.decision.row_memory import RowMemory
from hdl.decision.schedule import Preparation, Schedule
from hdl.decision.shapes import INSTANT_BITS, Fields
from hdl.parameters import CoreParameters
from hdl.records import DURATION_BITS, TIME_BITS
from market.fastpath import layout

_COOLDOWN: Final[Fields] = {"until": unsigned(INSTANT_BITS)}


class Allowance(wiring.Component):
    """The engine row, and the state that lets triggers pass or stops them.

    Members
    -------
    at: the schedule; the flags below are ready at the end of ``Preparation.PRODUCTS``.
    instrument, time: of the event; ``cooldown`` is the one of its row.
    kill: the pin. As long as it is high nothing passes, and it leaves the engine killed.
    killed: killed by message or pin, now.
    leased, cool, rate_free: T is inside the lease, behind the cooldown, within the rate.
    passed: strobe; a trigger is committed: id, rate and cooldown move on.
    last_id: id of the last committed trigger.
    command: strobe; ``message`` (of ``template``, at ``time``) takes effect if it is one of EngineRow, Hello,
        Heartbeat, Kill, Rearm, LoadIdentity.
    """

    def __init__(self, parameters: CoreParameters) -> None:
        self._parameters = parameters
        super().__init__(
            {
                "at": In(Schedule()),
                "instrument": In(parameters.instrument_bits),
                "time": In(TIME_BITS),
                "cooldown": In(DURATION_BITS),
                "kill": In(1),
                "killed": Out(1),
                "leased": Out(1),
                "cool": Out(1),
                "rate_free": Out(1),
                "passed": In(1),
                "last_id": Out(64),
                "command": In(1),
                "template": In(8),
                "message": In(parameters.control_bytes * 8),
            }
        )

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        armed = Signal()
        m.d.comb += self.killed.eq(~armed | self.kill)
        with m.If(self.passed):
            m.d.sync += self.last_id.eq(self.last_id + 1)
        lease = self._engine_row(m)
        lease_until = Signal(INSTANT_BITS)
        with m.If(self.at.preparation[Preparation.PRODUCTS]):
            m.d.sync += self.leased.eq(at_most(self.time, lease_until))
        with m.If(self.command), m.Switch(self.template):
            with m.Case(layout.TEMPLATE_HELLO, layout.TEMPLATE_KILL):
                m.d.sync += armed.eq(0)
            with m.Case(layout.TEMPLATE_REARM):
                m.d.sync += armed.eq(1)
            with m.Case(layout.TEMPLATE_HEARTBEAT):
                m.d.sync += lease_until.eq(self.time + lease)
            with m.Case(layout.TEMPLATE_LOAD_IDENTITY):
                m.d.sync += self.last_id.eq(command_field(self.message, "LoadIdentity", "id"))
        with m.If(self.kill):
            m.d.sync += armed.eq(0)
        self._cooldown(m)
        return m

    def _engine_row(self, m: Module) -> Signal:
        """Rate limit, and the lease, which is returned."""
        interval, tolerance, lease = (Signal(DURATION_BITS, name=name) for name in ("interval", "tolerance", "lease"))
        with m.If(self.command & (self.template == layout.TEMPLATE_ENGINE_ROW)):
            m.d.sync += [
                interval.eq(command_field(self.message, "EngineRow", "rateInterval")),
                tolerance.eq(command_field(self.message, "EngineRow", "rateTolerance")),
                lease.eq(command_field(self.message, "EngineRow", "lease")),
            ]
        rate_at, latest, start, next_rate_at = (
            Signal(INSTANT_BITS, name=name) for name in ("rate_at", "latest", "start", "next_rate_at")
        )
        ahead = Signal()
        with m.If(self.at.preparation[Preparation.SUMS]):
            m.d.sync += [
                latest.eq(self.time + tolerance),
                ahead.eq(above(rate_at, self.time)),
            ]
        with m.If(self.at.preparation[Preparation.PRODUCTS]):
            m.d.sync += [
                self.rate_free.eq(at_most(rate_at, latest)),
                start.eq(Mux(ahead, rate_at, self.time)),
            ]
        with m.If(self.at.preparation[Preparation.PARTS]):
            m.d.sync += next_rate_at.eq(start + interval)
        with m.If(self.passed):
            m.d.sync += rate_at.eq(next_rate_at)
        return lease

    def _cooldown(self, m: Module) -> None:
        m.submodules.cooldowns = cooldowns = RowMemory(_COOLDOWN, self._parameters.instruments)
        until = Signal(INSTANT_BITS)
        m.d.comb += [
            cooldowns.address[0].eq(self.instrument),
            cooldowns.write_address.eq(self.instrument),
            cooldowns.write.eq(self.passed),
        ]
        next_until = Signal(INSTANT_BITS)
        m.d.comb += cooldowns.write_row.until.eq(next_until)
        with m.If(self.at.preparation[Preparation.READ]):
            m.d.sync += until.eq(cooldowns.read[0].until)
        with m.If(self.at.preparation[Preparation.SUMS]):
            m.d.sync += [
                self.cool.eq(at_least(self.time, until)),
                next_until.eq(self.time + self.cooldown),
            ]
