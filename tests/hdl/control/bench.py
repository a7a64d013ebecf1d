"""Runs a control unit in the simulator with a model of what it is connected to, and checks its side of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from amaranth.hdl import Value

from hdl.control.host_events import QUOTE_FIELDS, TRADE_FIELDS
from hdl.control.unit import ControlUnit
from hdl.parameters import CoreParameters
from hdl.records import acknowledge_layout, sizes_values
from market.fastpath.conformance.case import SCHEMA
from market.fastpath.specification import Refusal, Result
from market.wire.sbe import encode
from tests.hdl.compiled import compiled
from tests.hdl.control.exchanges import FROM_OWNERS, Exchange

LIMIT = 1_000
"""Cycles after which a unit that does not move is given up."""
ACKNOWLEDGE_NAMES = tuple(acknowledge_layout.members)


class ControlBench:
    """The sequencer and the owners of the state, as a unit sees them, for one message after the other."""

    def __init__(self, unit: ControlUnit, ctx: Any, draw: np.random.Generator | None) -> None:
        self._unit, self._ctx, self._draw = unit, ctx, draw
        self.cycle = 0
        self.strobes = {"begin": 0, "taken": 0, "passed": 0, "begin_step": 0, "apply": 0, "finished": 0}
        self.waits: list[int] = []
        """Cycles from each message's last byte to ``want``."""

    async def tick(self) -> None:
        """One cycle; counts the strobes in it."""
        unit, ctx = self._unit, self._ctx
        for name in self.strobes:
            signal = unit.command.apply if name == "apply" else getattr(unit, name)
            self.strobes[name] += ctx.get(signal)
        await ctx.tick()
        self.cycle += 1

    async def pause(self) -> None:
        """Now and then some cycles."""
        if self._draw is not None and self._draw.integers(4) == 0:
            for _ in range(self._draw.integers(1, 6)):
                await self.tick()

    async def until(self, level: Any, what: str) -> None:
        """Wait for a level."""
        for _ in range(LIMIT):
            if self._ctx.get(level):
                return
            await self.tick()
        raise AssertionError(f"{what} did not come in {LIMIT} cycles")

    async def send(self, message: bytes) -> None:
        """The bytes of a message."""
        unit, ctx = self._unit, self._ctx
        await self.until(unit.octets.ready, "ready")
        for at, octet in enumerate(message):
            ctx.set(unit.octets.payload.data, octet)
            ctx.set(unit.octets.payload.last, int(at == len(message) - 1))
            ctx.set(unit.octets.valid, 1)
            await self.tick()
            ctx.set(unit.octets.valid, 0)
            if self._draw is not None and self._draw.integers(50) == 0:
                await self.pause()

    async def exchange(self, given: Exchange) -> None:
        """One message from its first byte to the end of its turn; one without bytes never was."""
        if not given.message:
            return
        unit, ctx = self._unit, self._ctx
        self.strobes = dict.fromkeys(self.strobes, 0)
        self._set_sizes(given)
        assert ctx.get(unit.idle)
        await self.send(given.message)
        assert not ctx.get(unit.idle)
        if given.acknowledgement is None:
            await self.until(unit.passed, "passed")
            await self.tick()
            assert self.strobes == {**dict.fromkeys(self.strobes, 0), "begin": 1, "passed": 1}
            return
        sent = self.cycle
        await self.until(unit.want, "want")
        self.waits.append(self.cycle - sent + 1)
        await self.pause()
        ctx.set(unit.killed, given.killed)
        ctx.set(unit.last_id, given.last_id)
        ctx.set(unit.last_status, given.last_status)
        ctx.set(unit.step, given.step - given.is_step)
        ctx.set(unit.grant, 1)
        await self.tick()
        ctx.set(unit.grant, 0)
        await self.answer(given)

    async def event(self, message: bytes) -> dict[str, int]:
        """A quote or trade event from its first byte to its strobe; what is in its fields then."""
        unit, ctx = self._unit, self._ctx
        self.strobes = dict.fromkeys(self.strobes, 0)
        await self.send(message)
        await self.until(unit.want, "want")
        await self.pause()
        ctx.set(unit.grant, 1)
        await self.tick()
        ctx.set(unit.grant, 0)
        assert ctx.get(unit.host_event)
        assert ctx.get(unit.host_quote) != ctx.get(unit.host_trade)
        if ctx.get(unit.host_quote):
            fields = {name: ctx.get(getattr(unit.host_fields, name)) for name in QUOTE_FIELDS}
            fields |= {name: ctx.get(getattr(unit, name)) for name in ("host_instrument", "host_venue")}
        else:
            fields = {name: ctx.get(getattr(unit.host_trade_fields, name)) for name in TRADE_FIELDS}
        await self.tick()
        assert self.strobes == {**dict.fromkeys(self.strobes, 0), "begin": 1, "taken": 1, "finished": 1}
        return fields

    async def answer(self, given: Exchange) -> None:
        """From the grant to the end of the turn."""
        unit, ctx = self._unit, self._ctx
        assert ctx.get(unit.begin_step) == given.is_step
        assert ctx.get(unit.passed) == (not given.is_step)
        await self.tick()
        ctx.set(unit.step, given.step)
        ctx.set(unit.step_time, given.time)
        if given.reaches_owner:
            await self.until(unit.command.apply, "apply")
            await self.own(given)
        await self.until(unit.acknowledged, "acknowledged")
        await self.pause()
        assert self._acknowledgement() == given.acknowledgement
        assert ctx.get(unit.applied) == (given.result is Result.APPLIED)
        assert ctx.get(unit.refused) == (given.result is Result.REFUSED)
        assert ctx.get(unit.status_request) == given.status_requested
        loads_parity = given.result is Result.APPLIED and given.message[2] == 23
        assert ctx.get(unit.load_parity) == loads_parity
        assert not loads_parity or ctx.get(unit.parity) == given.parity
        ctx.set(unit.record_ready, 1)
        await self.tick()
        ctx.set(unit.record_ready, 0)
        assert ctx.get(unit.finished)
        await self.tick()
        assert ctx.get(unit.idle)
        assert ctx.get(unit.epoch) == given.epoch
        step = int(given.is_step)
        expected = {"begin": 1, "taken": step, "passed": 1 - step, "begin_step": step, "finished": 1}
        assert self.strobes == {**expected, "apply": int(given.reaches_owner)}

    async def own(self, given: Exchange) -> None:
        """The owner's part: what it is told, and its answer."""
        unit, ctx = self._unit, self._ctx
        told = ctx.get(Value.cast(unit.command.message)).to_bytes(len(unit.command.message) // 8, "little")
        assert told[: len(given.message)] == given.message[: len(told)]
        assert ctx.get(unit.command.template) == given.message[2]
        assert ctx.get(unit.command.time) == given.time
        await self.tick()
        await self.pause()
        assert ctx.get(unit.command.time) == given.time
        ctx.set(unit.command.refusal, given.refusal if given.refusal in FROM_OWNERS else Refusal.NONE)
        ctx.set(unit.command.done, 1)
        await self.tick()
        ctx.set(unit.command.done, 0)

    def _acknowledgement(self) -> bytes:
        seen = self._ctx.get(self._unit.acknowledge)
        return encode(SCHEMA, "Acknowledge", {name: int(getattr(seen, name)) for name in ACKNOWLEDGE_NAMES})

    def _set_sizes(self, given: Exchange) -> None:
        ctx, sizes = self._ctx, self._unit.sizes
        for name, value in sizes_values(given.sizes).items():
            ctx.set(getattr(sizes, name), value)


def run_bench(
    parameters: CoreParameters,
    run: Callable[[ControlBench], Any],
    seed: int | None = None,
    *,
    host_events: bool = False,
) -> ControlBench:
    """Simulate a unit with what a function does on its bench; with a seed everything pauses at random."""
    benches: list[ControlBench] = []
    unit = compiled(ControlUnit, parameters, host_events=host_events)

    async def testbench(ctx: Any) -> None:
        benches.append(ControlBench(unit.component, ctx, None if seed is None else np.random.default_rng(seed)))
        await run(benches[0])

    unit.run(testbench)
    return benches[0]


def run_exchanges(parameters: CoreParameters, exchanges: Sequence[Exchange], seed: int | None = None) -> ControlBench:
    """Run messages one after the other through one unit."""

    async def run(bench: ControlBench) -> None:
        for exchange in exchanges:
            await bench.exchange(exchange)

    return run_bench(parameters, run, seed)
