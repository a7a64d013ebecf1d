"""A component as Verilog, with a list of its ports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from amaranth._toolchain.yosys import find_yosys
from amaranth.back import rtlil, verilog
from amaranth.hdl import Signal, Value
from amaranth.lib import wiring

_LEAST_YOSYS: Final = (0, 40)
_FLAT: Final = """
proc -norom
flatten
opt_clean
opt_dff
opt_clean -purge
memory_collect
write_verilog -norename -noattr
"""
"""One module; a register that only changes under a condition says so, and what it changes to is written inside."""


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
    text = verilog.convert(
        component, name=name, ports=named_ports(component), emit_src=False, strip_internal_attrs=True
    )
    return str(text)


def flat_verilog_of(component: Any, name: str) -> str:
    """The same hardware as one module, for simulators that skip what a register without its enable would compute."""
    described = rtlil.convert(component, name=name, ports=named_ports(component), emit_src=False)
    yosys = find_yosys(lambda version: version >= _LEAST_YOSYS)
    script = f"read_rtlil <<rtlil\n{described}\nrtlil\n{_FLAT}"
    return str(yosys.run(["-q", "-"], script, ignore_warnings=True))


def named_ports(component: Any) -> dict[str, tuple[Value, None]]:
    """The ports of a component by name, as Amaranth's back ends take them."""
    return {name: (value, None) for name, value, _ in _flattened(component) if _is_port(value)}


def _flattened(component: Any) -> list[tuple[str, Value, Any]]:
    members = component.signature.flatten(component)
    return [("__".join(map(str, path)), Value.cast(value), member.flow) for path, member, value in members]


def _is_port(value: Value) -> bool:
    return isinstance(value, Signal) and len(value) > 0
