"""A table that is read one row after the other, with and without a register behind the memory."""

from __future__ import annotations

import pytest
from amaranth.hdl import unsigned

from hdl.decision.block_rows import BlockRows
from tests.hdl.decision.ports import Ports, simulate


@pytest.mark.parametrize("few", [False, True], ids=["many", "few"])
@pytest.mark.parametrize(("registered", "cycles"), [(False, 1), (True, 2)])
def test_a_row_is_shown_so_many_cycles_after_it_was_read_and_stays(registered: bool, cycles: int, few: bool) -> None:
    async def test(ports: Ports) -> None:
        for row, value in enumerate((5, 6, 7)):
            ports.set("write", 1)
            ports.set("write_address", row)
            ports.set("write_row__value", value)
            await ports.tick()
        ports.set("write", 0)
        shown = []
        for cycle in range(8):
            ports.set("read", int(cycle < 3))
            ports.set("address", cycle if cycle < 3 else 0)
            await ports.tick()
            shown.append(ports.get("row__value"))
        assert shown == [0] * (cycles - 1) + [5, 6, 7] + [7] * (6 - cycles)

    simulate(BlockRows({"value": unsigned(4)}, 4, registered=registered, in_block=True, few=few), test)


def test_a_row_is_not_written_in_a_cycle_of_a_read() -> None:
    async def test(ports: Ports) -> None:
        for name, value in (("write", 1), ("read", 1), ("write_row__value", 9)):
            ports.set(name, value)
        await ports.tick()
        ports.set("write", 0)
        await ports.tick()
        assert ports.get("row__value") == 0

    simulate(BlockRows({"value": unsigned(4)}, 4, registered=False, in_block=True), test)
