"""Ports of a component by their flattened names, driven and read as integers by a test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from amaranth.hdl import Value
from amaranth.sim import Simulator

from hdl.decision.schedule import Preparation, Stage

PERIOD_S = 8e-9


class Ports(Protocol):
    """A component under test; ``cycle`` counts the clock edges so far."""

    cycle: int

    def set(self, name: str, value: int) -> None:
        """Drive an input; the low bits of ``value`` count."""

    def get(self, name: str) -> int:
        """Read a port as an unsigned number."""

    async def tick(self) -> None:
        """Go on to the next cycle."""


class SimulatedPorts:
    """The ports of a component in Amaranth's simulator."""

    def __init__(self, component: Any, context: Any) -> None:
        self._context = context
        self._values = {
            "__".join(map(str, path)): Value.cast(value) for path, _, value in component.signature.flatten(component)
        }
        self.cycle = 0

    def set(self, name: str, value: int) -> None:
        port = self._values[name]
        self._context.set(port.as_unsigned(), value & ((1 << len(port)) - 1))

    def get(self, name: str) -> int:
        return int(self._context.get(self._values[name].as_unsigned()))

    async def tick(self) -> None:
        await self._context.tick()
        self.cycle += 1


def simulate(component: Any, test: Callable[[Ports], Awaitable[None]]) -> None:
    """Run a test on a component in Amaranth's simulator."""

    async def bench(context: Any) -> None:
        await test(SimulatedPorts(component, context))

    simulator = Simulator(component)
    simulator.add_clock(PERIOD_S)
    simulator.add_testbench(bench)
    simulator.run()


async def run_preparation(ports: Ports) -> None:
    """Give a part of the machine the strobes of the preparation, one per cycle."""
    await _run_strobes(ports, [f"at__preparation__{step}" for step in range(len(Preparation))])


async def run_event(ports: Ports, last: Stage = Stage.RESULT) -> None:
    """Give a part of the machine the strobes of the event up to one of them, one per cycle."""
    await _run_strobes(ports, [f"at__event__{stage}" for stage in range(last + 1)])


async def _run_strobes(ports: Ports, names: list[str]) -> None:
    for name in names:
        ports.set(name, 1)
        await ports.tick()
        ports.set(name, 0)


def as_signed(value: int, bits: int) -> int:
    """A port's value as a two's complement number."""
    return value - (1 << bits) if value >> bits - 1 else value
