"""Export: ports under their flattened names, constants left out, equal hardware as equal text."""

from __future__ import annotations

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import Module
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hdl.toolchain.verilog import Port, flat_verilog_of, ports_of, verilog_of


class Gated(wiring.Component):
    """A register of a component inside, which counts while it is told to."""

    def __init__(self) -> None:
        super().__init__({"enable": In(1), "count": Out(8)})

    def elaborate(self, platform: object) -> Module:
        m, inside = Module(), Module()
        with inside.If(self.enable):
            inside.d.sync += self.count.eq(self.count + 1)
        m.submodules.inside = inside
        return m


class Passer(wiring.Component):
    """Passes a struct on; one stream without back-pressure, one port without bits."""

    def __init__(self) -> None:
        pair = data.StructLayout({"low": 4, "high": 60})
        super().__init__(
            {
                "i": In(pair),
                "nothing": In(0),
                "o": Out(stream.Signature(pair, always_ready=True)),
                "bus": Out(wiring.Signature({"back": In(2)})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += [self.o.payload.eq(self.i), self.o.valid.eq(self.bus.back != 0)]
        return m


PORTS = (
    Port("i", 64, is_input=True),
    Port("o__payload", 64, is_input=False),
    Port("o__valid", 1, is_input=False),
    Port("bus__back", 2, is_input=True),
)


def test_ports_are_flattened_and_constants_are_none() -> None:
    component = Passer()
    text = verilog_of(component, "passer")
    assert ports_of(component) == PORTS
    (head,) = (line for line in text.splitlines() if line.startswith("module "))
    assert head.startswith("module passer(")
    assert all(port.name in head for port in PORTS)
    assert "nothing" not in text


def test_equal_hardware_is_equal_text() -> None:
    assert verilog_of(Passer(), "passer") == verilog_of(Passer(), "passer")


def test_flat_text_is_one_module_whose_registers_have_enables() -> None:
    assert verilog_of(Gated(), "gated").count("endmodule") == 2
    flat = flat_verilog_of(Gated(), "gated")
    assert flat.count("endmodule") == 1
    lines = [line.strip() for line in flat.splitlines()]
    clocked = lines.index("always @(posedge clk)")
    assert lines[clocked + 1].startswith("if (")
