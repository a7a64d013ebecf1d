"""What a proof is built from: a design whose inputs are free, with assertions about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from amaranth.back import rtlil
from amaranth.hdl import Assert, Assume, ClockDomain, Cover, Module, Shape, Signal, Value
from amaranth.lib import wiring

SUBJECT: Final = "subject"
"""Name of the instance that is proven something about."""
TWIN: Final = "twin"
"""Name of a second instance of it, which may be changed."""
FIXED: Final = "fixed_"
"""Names of inputs that begin so have any value, but the same one in all cycles."""


_PLAIN: Final = str.maketrans(".[$", "___", "]")


@dataclass(frozen=True, slots=True)
class Design:
    """A design as RTLIL with its module ``top``.

    Parameters
    ----------
    description: RTLIL.
    peeks: input of ``top`` to the name of the register inside the subject that it stands for; one that ends with a
        number in brackets is a row of a memory, and then all memories are made of registers.
    cuts: modules and instances in them, as yosys selects them, whose outputs may have any value in any cycle.
    changes: commands of yosys that change the description before anything is made of it.
    """

    description: str
    peeks: dict[str, str]
    cuts: tuple[str, ...]
    changes: tuple[str, ...] = ()


class Bench:
    """A top module around a subject: every input that nothing drives may have any value in any cycle.

    Registers start at their first values; there is no reset.
    """

    def __init__(self, subject: Any) -> None:
        self.m = Module()
        self._clock = ClockDomain("sync", reset_less=True)
        self.m.domains += self._clock
        self.m.submodules[SUBJECT] = self.subject = subject
        self._inputs: dict[str, Value] = {}
        self._peeks: dict[str, str] = {}
        self._cuts: list[str] = []
        self._changes: list[str] = []
        self._begun = Signal(name="begun")
        self.m.d.sync += self._begun.eq(1)

    def free(self, name: str, shape: Any = 1) -> Signal:
        """A signal of any value in any cycle."""
        signal = Signal(shape, name=name)
        self._inputs[name] = signal
        return signal

    def fixed(self, name: str, shape: Any = 1) -> Signal:
        """A signal of any value, the same one in all cycles."""
        signal = Signal(shape, name=name)
        self._inputs[FIXED + name] = signal
        return signal

    def free_inputs(self, *driven: str, fixed: tuple[str, ...] = ()) -> None:
        """Frees the subject's inputs, but for those that are driven here, and with those that stay as they are.

        Both are members of the subject, or members of members with points between.
        """
        for path, member, value in self.subject.signature.flatten(self.subject):
            signal = Value.cast(value)
            is_driven = path[0] in driven or ".".join(map(str, path)) in driven
            if member.flow == wiring.In and not is_driven and len(signal) and isinstance(signal, Signal):
                kind = FIXED if path[0] in fixed else "in_"
                self._inputs[kind + "__".join(map(str, path))] = signal

    def peek(self, register: str, shape: Any = 1, *, instance: str = SUBJECT) -> Signal:
        """A register inside the subject: its name, with the names of the instances on the way and points between.

        A memory's name with a number in brackets is that row of it; only for designs of small memories. ``instance``:
        the subject's, or its twin's.
        """
        name = f"peek_{'' if instance == SUBJECT else instance}{register.translate(_PLAIN)}"
        if name not in self._peeks:
            self._peeks[name] = f"{instance}.{register}"
            self.free(name, shape)
        return self._inputs[name]

    def change(self, command: str) -> None:
        """Has yosys change the description first, by one of its commands."""
        self._changes.append(command)

    def cut(self, *instances: str) -> None:
        """Takes instances out of the subject: all that they put out may have any value in any cycle.

        What is proven then holds whatever they do. A name is that of the instance, with the names of the instances on
        the way and points between.
        """
        for instance in instances:
            *way, name = SUBJECT, *instance.split(".")
            self._cuts.append(f"{'.'.join(('top', *way))}/{name}")

    def past(self, value: Any) -> Signal:
        """What a value was one cycle ago; its first value means nothing: see ``claim_after``."""
        signal = Signal(Shape.cast(Value.cast(value).shape()), name=f"past_{len(self._inputs)}")
        self.m.d.sync += signal.eq(value)
        return signal

    def assume(self, condition: Any) -> None:
        """Only runs in which this holds in every cycle are looked at."""
        self.m.d.comb += Assume(condition)

    def claim(self, condition: Any) -> None:
        """This holds in every cycle."""
        self.m.d.comb += Assert(condition)

    def claim_after(self, condition: Any) -> None:
        """This holds in every cycle but the first."""
        self.m.d.comb += Assert(~self._begun | condition)

    def reach(self, condition: Any) -> None:
        """There is a run in which this holds in some cycle."""
        self.m.d.comb += Cover(condition)

    def design(self) -> Design:
        """The design, complete."""
        ports = {name: (value, None) for name, value in {"clk": self._clock.clk, **self._inputs}.items()}
        description = rtlil.convert(self.m, name="top", ports=ports, emit_src=False)
        return Design(description, dict(self._peeks), tuple(self._cuts), tuple(self._changes))
