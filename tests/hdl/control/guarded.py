"""An authority before a control unit whose sequencer and owners agree to everything, as one component to simulate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.sim import Simulator

from hdl.control.authority import Authority
from hdl.control.unit import ControlUnit
from hdl.parameters import CoreParameters
from market.fastpath import layout
from market.fastpath.specification import EngineSizes, Refusal, Result

LIMIT = 12_000
"""Cycles after which a message that does nothing is given up."""


class Guarded(wiring.Component):
    """Authority and unit; ``armed`` follows Kill and Rearm as the state would."""

    def __init__(self, parameters: CoreParameters) -> None:
        self.authority, self.unit = Authority(parameters), ControlUnit(parameters)
        self.armed = Signal()
        super().__init__({})

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.submodules.authority, m.submodules.unit = authority, unit = self.authority, self.unit
        wiring.connect(m, authority.octets, unit.octets)
        m.d.comb += [
            authority.idle.eq(unit.idle),
            authority.applied.eq(unit.applied),
            authority.armed.eq(self.armed),
            unit.killed.eq(~self.armed),
            unit.grant.eq(unit.want),
            unit.record_ready.eq(1),
        ]
        m.d.sync += unit.command.done.eq(unit.command.apply)
        with m.If(unit.command.apply & (unit.command.template == layout.TEMPLATE_REARM)):
            m.d.sync += self.armed.eq(1)
        with m.If(unit.command.apply & (unit.command.template == layout.TEMPLATE_KILL)):
            m.d.sync += self.armed.eq(0)
        return m


Answer = tuple[Result, Refusal] | str
"""What the unit says, or the name of the counter that grew instead."""
COUNTERS = ("forged", "replayed", "loosened")


def run_sealed(
    parameters: CoreParameters, sizes: EngineSizes, key: bytes, sealed: Sequence[bytes], floor: int = 0
) -> list[Answer]:
    """Send sealed messages one after the other; what became of each."""
    guarded = Guarded(parameters)
    authority, unit = guarded.authority, guarded.unit
    answers: list[Answer] = []

    async def bench(ctx: Any) -> None:
        ctx.set(authority.key, int.from_bytes(key, "little"))
        ctx.set(authority.floor, floor)
        ctx.set(authority.tighten_only, 1)
        ctx.set(unit.sizes.venues, sizes.venues)
        ctx.set(unit.sizes.instruments, sizes.instruments)
        ctx.set(unit.sizes.top0, sizes.top)
        answers.extend([await one(ctx, message) for message in sealed])

    async def one(ctx: Any, message: bytes) -> Answer:
        before = {name: ctx.get(getattr(authority, name)) for name in COUNTERS}
        for at, octet in enumerate(message):
            ctx.set(authority.sealed.payload.data, octet)
            ctx.set(authority.sealed.payload.last, int(at == len(message) - 1))
            ctx.set(authority.sealed.valid, 1)
            assert ctx.get(authority.sealed.ready)
            await ctx.tick()
        ctx.set(authority.sealed.valid, 0)
        answer: Answer | None = None
        for _ in range(LIMIT):
            if ctx.get(unit.acknowledged):
                seen = ctx.get(unit.acknowledge)
                answer = Result(seen.result), Refusal(seen.refusal)
            if ctx.get(authority.sealed.ready):
                break
            await ctx.tick()
        assert ctx.get(authority.sealed.ready), "the authority did not come to an end"
        grown = [name for name in COUNTERS if ctx.get(getattr(authority, name)) != before[name]]
        assert len(grown) == (answer is None)
        return grown[0] if answer is None else answer

    simulator = Simulator(guarded)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return answers
