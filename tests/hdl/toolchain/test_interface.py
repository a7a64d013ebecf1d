"""The document of a component's ports says what its Verilog has."""

from __future__ import annotations

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import Fragment

from hdl.core import Core
from hdl.parameters import CoreParameters
from hdl.toolchain.interface import interface_document
from hdl.toolchain.verilog import ports_of


def test_every_port_of_the_core_with_its_bits_and_fields() -> None:
    core = Core(CoreParameters())
    text = interface_document(core, "some_core")
    Fragment.get(core, None)
    assert "Module `some_core`" in text
    assert "The fast loop of FASTPATH" in text
    for port in ports_of(core):
        assert f"| `{port.name}` | {'in' if port.is_input else 'out'} | {port.bits} |" in text
    assert "`source_link` [47:0]" in text
    assert "`last` [8]" in text
