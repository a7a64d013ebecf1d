"""A component with the interface of Amaranth's simulator, as compiled C++: the same benches, many times faster.

Only ports are there to be read and driven, by themselves, in parts, or several at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from typing import Any

from amaranth.hdl import Const, ShapeCastable, Signal, Value, ValueCastable

from tests.hdl.decision.ports import Ports
from tests.hdl.decision.verilated import Compiled

Bench = Callable[[Any], Awaitable[None]]
Piece = tuple[str, int, int]
"""Of a port: its name, the first bit, and how many."""


class CompiledContext:
    """What a test bench of Amaranth's simulator is given; one bench drives it."""

    def __init__(self, component: Any, ports: Ports) -> None:
        self._ports = ports
        self._names = {
            id(Value.cast(value)): "__".join(map(str, path))
            for path, _, value in component.signature.flatten(component)
        }
        self._driven: dict[str, int] = {}

    def get(self, expression: Any) -> Any:
        """The value of ports as it is in this cycle."""
        value = Value.cast(expression)
        bits, at = 0, 0
        for name, start, width in self._pieces(value):
            bits |= (self._ports.get(name) >> start & (1 << width) - 1) << at
            at += width
        if value.shape().signed and bits >> at - 1:
            bits -= 1 << at
        shape = expression.shape() if isinstance(expression, ValueCastable) else None
        return shape.from_bits(bits) if isinstance(shape, ShapeCastable) else bits

    def set(self, expression: Any, given: Any) -> None:
        """Drive ports."""
        if isinstance(expression, ValueCastable) and isinstance(shape := expression.shape(), ShapeCastable):
            given = shape.const(given)
        bits = given if isinstance(given, int) else Const.cast(given).value
        for name, start, width in self._pieces(Value.cast(expression)):
            part = (1 << width) - 1 << start
            driven = self._driven.get(name, 0) & ~part | bits << start & part
            self._driven[name] = driven
            self._ports.set(name, driven)
            bits >>= width

    async def tick(self) -> None:
        """Go on to the next cycle."""
        await self._ports.tick()

    def _pieces(self, value: Value) -> Iterator[Piece]:
        """The parts of ports that a value is, lowest first; raises TypeError for one that has to be computed."""
        if isinstance(value, Signal):
            yield self._names[id(value)], 0, len(value)
        elif hasattr(value, "parts"):
            for part in value.parts:
                yield from self._pieces(part)
        elif hasattr(value, "start"):
            at = 0
            for name, start, width in self._pieces(value.value):
                first, last = max(value.start - at, 0), min(value.stop - at, width)
                if first < last:
                    yield name, start + first, last - first
                at += width
        elif getattr(value, "operator", "") in ("u", "s"):
            yield from self._pieces(value.operands[0])
        else:
            raise TypeError(f"{value!r} is no port, nor parts of some")


class CompiledComponent:
    """A component with its model; every run has one of its own, as at power-on.

    Attributes
    ----------
    component: whose members a bench names.
    """

    def __init__(self, make: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        self._compiled = Compiled(make, *arguments, **named)
        self.component = self._compiled.component

    def run(self, bench: Bench) -> None:
        """Run a bench to its end."""

        async def test(ports: Ports) -> None:
            await bench(CompiledContext(self.component, ports))

        self._compiled.run(test)


@cache
def compiled(make: Callable[..., Any], *arguments: Any, **named: Any) -> CompiledComponent:
    """A component made with these arguments, the same one for all who ask."""
    return CompiledComponent(make, *arguments, **named)
