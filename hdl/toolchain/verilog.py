"""A component as Verilog, with a list of its ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from amaranth.back import verilog
from amaranth.hdl import Signal, Value
from amaranth.lib import wiring

CLOCK: Final = "clk"
"""The port of the one clock domain, ``sync``."""


@dataclass(frozen=True, slots=True)
class Port:
    """One port of a component: its flattened name (``rx__valid``), its width in bits, and whether it is an input."""

    name: str
    bits: int
    is_input: bool


def ports_of(component: Any) -> tuple[Port, ...]:
    """The ports of a component in the order of its signature; members that are constants or without bits are none."""
    return tuple(
        Port(name, len(value), flow == wiring.In) for name, value, flow in _flattened(component) if _is_port(value)
    )


def verilog_of(component: Any, name: str) -> str:
    """The Verilog of a component as a module of that name; its ports are those of ``ports_of`` and the clock.

    Positions in the source are left out, so that equal hardware is equal text.
    """
    ports = {name: (value, None) for name, value, _ in _flattened(component) if _is_port(value)}
    text = verilog.convert(component, name=name, ports=ports, emit_src=False, strip_internal_attrs=True)
    return str(text)


def _flattened(component: Any) -> list[tuple[str, Value, Any]]:
    members = component.signature.flatten(component)
    return [("__".join(map(str, path)), Value.cast(value), member.flow) for path, member, value in members]


def _is_port(value: Value) -> bool:
    return isinstance(value, Signal) and len(value) > 0
