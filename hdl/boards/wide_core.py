"""The core with a bus of 64 bits on LFE5UM5G-85F, between registers: what a board with a 10G line would hold.

There is no line: all that goes in comes from a shift register, and all that comes out is folded into one pin, so that
place and route has the whole core to place and nothing to leave out.
"""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Module, Signal, Value
from amaranth.lib import io, wiring
from amaranth.lib.wiring import In

from hdl.core import Core
from hdl.parameters import CoreParameters
from hdl.records import sizes_values
from market.fastpath.specification import DEFAULT_SIZES, EngineSizes, Feed

HERTZ: Final = 156_250_000
_RAW: Final = dict.fromkeys(("rst", "mdio", "mdc", "tx_clk", "tx_ctrl", "tx_data", "rx_clk", "rx_ctrl", "rx_data"), "-")
"""Ports without the buffers of the platform."""
_FOLD: Final = 8
"""Bits that one register of the way out folds into one."""


class WideCore(wiring.Component):
    """The stand-in, on the pins of an ECPIX-5: clock, data in and data out have a pin each.

    Settings, which a board has as constants, come from the shift register, too; the sizes in use are constants.
    """

    def __init__(self, sizes: EngineSizes = DEFAULT_SIZES, feeds: frozenset[Feed] = frozenset(Feed)) -> None:
        self._sizes, self._feeds = sizes, feeds
        super().__init__({})

    def elaborate(self, platform: Any) -> Module:
        """The core, a register in front of each input and behind each output."""
        m = Module()
        m.domains.sync = ClockDomain(reset_less=True)
        m.submodules.core = core = Core(CoreParameters(self._sizes, bus_bytes=8, feeds=self._feeds))
        pins = platform.request("eth_rgmii", 0, dir=_RAW)
        clock = Signal(name="core_clock", attrs={"keep": "true"})
        m.submodules.clock_pad = clock_pad = io.Buffer("i", pins.rx_clk)
        m.submodules.in_pad = in_pad = io.Buffer("i", pins.rx_ctrl)
        m.submodules.out_pad = out_pad = io.Buffer("o", pins.tx_ctrl)
        m.d.comb += [clock.eq(clock_pad.i), ClockSignal().eq(clock)]
        platform.add_clock_constraint(clock, HERTZ)
        inputs: list[Value] = []
        outputs: list[Value] = []
        for path, member, value in core.signature.flatten(core):
            signal = Value.cast(value)
            if path == ("sizes",):
                continue
            (inputs if member.flow == In else outputs).append(signal)
        m.d.comb += [core.sizes[name].eq(number) for name, number in sizes_values(self._sizes).items()]
        shifted = Signal(sum(len(signal) for signal in inputs))
        driven, held = Signal(len(shifted)), Signal(sum(len(signal) for signal in outputs))
        m.d.sync += [shifted.eq(Cat(in_pad.i, shifted)), driven.eq(shifted), held.eq(Cat(outputs))]
        m.d.comb += Cat(inputs).eq(driven)
        folded: Any = held
        while len(folded) > 1:
            parts = [folded[start : start + _FOLD].xor() for start in range(0, len(folded), _FOLD)]
            folded_next = Signal(len(parts))
            m.d.sync += folded_next.eq(Cat(parts))
            folded = folded_next
        m.d.comb += out_pad.o.eq(folded)
        return m
