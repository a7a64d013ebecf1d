"""Last of all: whether everything that this core can be brought to has been seen."""

from __future__ import annotations

from typing import Any

import cocotb

from tests.hdl.cocotb.session import bench_of, write_coverage


@cocotb.test()
async def everything_has_been_seen(dut: Any) -> None:
    coverage = (await bench_of(dut)).coverage
    table = coverage.table()
    write_coverage(table)
    cocotb.log.info("coverage:\n%s", table)
    assert coverage.missing == []
