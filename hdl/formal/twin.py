"""Two of a component beside each other, of which one is changed: what is alike in both, and what need not be."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from amaranth.hdl import Signal, Value
from amaranth.lib import wiring

from hdl.formal.bench import SUBJECT, TWIN, Bench

_MODULE: Final = re.compile(rf"module \\top\.{SUBJECT}\.?(\S*)")
_WIRE: Final = re.compile(r"\s*wire width (\d+) (?:\w+ \d+ +)?\\(\S+)")
_MEMORY: Final = re.compile(r"\s*memory width (\d+) size (\d+) \\(\S+)")
_CELL: Final = re.compile(r"\s*cell (\S+) ")
_OUTPUT: Final = re.compile(r"\s*connect \\Q \\(\S+)$")


@dataclass(frozen=True, slots=True)
class Change:
    """One bit of one port of a cell that is another one: what ``yosys mutate`` makes of it.

    Parameters
    ----------
    cell: its name, with the names of the instances on the way and points between.
    mode: ``inv``, ``const0``, ``const1``, ``cnot0`` or ``cnot1``; the last two with ``control_bit``.
    """

    cell: str
    mode: str
    port: str
    bit: int
    control_bit: int | None = None

    def command(self, instance: str = TWIN) -> str:
        """The command that makes it, in the twin or in the subject itself."""
        *way, cell = self.cell.split(".")
        module = ".".join(("top", instance, *way))
        control = "" if self.control_bit is None else f" -ctrlbit {self.control_bit}"
        return f"mutate -mode {self.mode} -module {module} -cell {cell} -port {self.port} -portbit {self.bit}{control}"


class TwinBench(Bench):
    """A component twice, with the same inputs, which may have any value in any cycle.

    Parameters
    ----------
    build: makes the component.
    change: what is another one in the second.
    driven: members of the component that are driven here instead, as ``free_inputs`` takes them.
    """

    def __init__(self, build: Callable[[], Any], change: Change, driven: tuple[str, ...] = ()) -> None:
        super().__init__(build())
        self._registers = registers_of(build())
        self.m.submodules[TWIN] = self.twin = build()
        self.change(change.command())
        self.free_inputs(*driven)
        for path, member, value in self.subject.signature.flatten(self.subject):
            other: Any = self.twin
            for name in path:
                other = other[name] if isinstance(name, int) else getattr(other, name)
            if member.flow == wiring.In and isinstance(Value.cast(value), Signal):
                self.m.d.comb += Value.cast(other).eq(Value.cast(value))

    def pair(self, register: str) -> tuple[Signal, Signal]:
        """A register of the component and of its twin: a name as ``peek`` takes it."""
        width = self._registers[register]
        return self.peek(register, width), self.peek(register, width, instance=TWIN)

    def differs(self, register: str) -> Value:
        """The bits of a register that are not as in the twin."""
        ours, theirs = self.pair(register)
        return ours ^ theirs

    def claim_alike(self, apart: Collection[str] = ()) -> None:
        """Every register and row of a memory is as in the twin, but for those that are named."""
        for register in self._registers:
            if register not in apart:
                self.claim(self.differs(register) == 0)


def registers_of(component: Any) -> dict[str, int]:
    """Registers and rows of memories of a component and all in it: names as ``Bench.peek`` takes them, and bits."""
    found: dict[str, int] = {}
    wires: dict[str, int] = {}
    prefix = cell = ""
    bench = Bench(component)
    bench.free_inputs()
    _, begin, rest = bench.design().description.partition(f"module \\top.{SUBJECT}\n")
    for line in (begin + rest).splitlines():
        if module := _MODULE.match(line):
            prefix, wires = f"{module[1]}." if module[1] else "", {}
        elif wire := _WIRE.match(line):
            wires[wire[2]] = int(wire[1])
        elif rows := _MEMORY.match(line):
            found.update({f"{prefix}{rows[3]}[{row}]": int(rows[1]) for row in range(int(rows[2]))})
        elif kind := _CELL.match(line):
            cell = kind[1]
        elif (output := _OUTPUT.match(line)) and cell == "$dff":
            found[prefix + output[1]] = wires[output[1]]
    return found
