"""Cycles of a frame, on the stand-in: decided one cycle after the last beat, sent again one after the first."""

from __future__ import annotations

from pathlib import Path

import pytest

from hdl.parameters import BUS_BYTES, CoreParameters
from market.errors import Rejected
from sim.rtl.engine import CoreBuild, SoftFpga
from sim.rtl.latency import FrameCycles, frame_cycles
from sim.rtl.model import Area
from tests.sim.rtl.conftest import CAPACITY


def soft_fpga(stand_ins: dict[int, Path], bus_bytes: int, *keep: Area) -> SoftFpga:
    return SoftFpga(CoreBuild(CoreParameters(CAPACITY, bus_bytes), stand_ins[bus_bytes]), CAPACITY, keep=keep)


@pytest.mark.parametrize("bus_bytes", BUS_BYTES)
def test_cycles_count_from_the_first_beat(stand_ins: dict[int, Path], bus_bytes: int) -> None:
    soft = soft_fpga(stand_ins, bus_bytes, Area.MARKS)
    last = 64 // bus_bytes - 1
    for _ in range(2):
        assert frame_cycles(soft, bytes(64), 5) == FrameCycles(last, decided=last + 1, sent=1, ended=last + 1)


def test_a_dropped_frame_decides_nothing(stand_ins: dict[int, Path]) -> None:
    soft = soft_fpga(stand_ins, 1, Area.MARKS)
    assert frame_cycles(soft, bytes(9), 5) == FrameCycles(8, decided=None, sent=1, ended=9)


def test_a_core_without_marks_is_refused(stand_ins: dict[int, Path]) -> None:
    with pytest.raises(Rejected, match=r"Area\.MARKS"):
        frame_cycles(soft_fpga(stand_ins, 1), bytes(8), 5)
