"""What synthesis makes of a core decides as its description does."""

from __future__ import annotations

from pathlib import Path

import pytest

from hdl.parameters import CoreParameters
from market.fastpath.conformance import load_corpus
from sim.rtl.library import say_on_standard_error
from sim.rtl.model import Area, Model
from sim.rtl.mutations_inputs import is_for
from sim.rtl.mutations_library import library_of_netlist
from sim.rtl.netlist import SMALL, failing, netlist_build, synthesised
from sim.rtl.sizes import sizes_port
from sim.rtl.top import SoftTop
from tests.sim.rtl.conftest import CAPACITY
from tests.sim.rtl.stand_in import StandIn


def answers(library: Path) -> list[bytes]:
    model = Model(library, sizes_port(CoreParameters(CAPACITY, 1), CAPACITY), keep=list(Area))
    for number in range(0, 90, 3):
        model.frames([bytes(range(number)), b"frame!"], [number, number + 1], 8)
        model.control([bytes(range(1, number + 2))], [number + 2])
    model.settle()
    return [model.take(area) for area in Area]


def test_the_cells_do_what_the_description_says(stand_ins: dict[int, Path]) -> None:
    parameters = CoreParameters(CAPACITY, 1)
    netlist = synthesised(SoftTop(StandIn(parameters), parameters))
    assert netlist.cells["LUT4"] > 100
    assert netlist.cells["TRELLIS_FF"] > 100
    assert netlist.cells["$__PDPW16KD_"] > 0
    assert answers(library_of_netlist(netlist.verilog, say_on_standard_error)) == answers(stand_ins[1])


@pytest.mark.long
def test_the_netlist_of_the_core_passes_the_corpus() -> None:
    parameters = CoreParameters(SMALL, 1)
    build, cells = netlist_build(parameters)
    assert cells["LUT4"] > 5_000
    cases = [case for case in load_corpus() if is_for(case, parameters)]
    assert len(cases) > 100
    assert failing(build, cases) == {}
