"""LambdaConcept ECPIX-5 with LFE5UM5G-85F: the core on its Ethernet line, 8 bits at 125 MHz."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer

from hdl.boards.clock_watch import ClockWatch
from hdl.boards.line_core import LINE_HERTZ, LineCore
from hdl.boards.network import BoardNetwork
from hdl.boards.rgmii_pads import RgmiiPads
from hdl.control.seal import BoardSeal
from market.fastpath.specification import DEFAULT_SIZES, EngineSizes

BOARD_HERTZ: Final = 100_000_000
PHY_RESET_BITS: Final = 20
"""The PHY stays in reset for 2^20 cycles of the board's clock, 10 ms."""
PRESS_BITS: Final = 16
"""The kill button counts once it has been down for 2^16 cycles of the line's clock, half a millisecond."""
_RAW: Final = dict.fromkeys(("rst", "mdio", "mdc", "tx_clk", "tx_ctrl", "tx_data", "rx_clk", "rx_ctrl", "rx_data"), "-")
"""Ports without the buffers of the platform."""


class Ecpix5(wiring.Component):
    """The board. Its resources are requested from the platform that it is elaborated for.

    Everything but the reset of the PHY and the watch over the clock runs on the clock that the PHY gives with what it
    receives, transmit included: no crossing between wire and decision. While that clock is not at 125 MHz the kill
    line is set, and time goes forward far enough that nothing from before is used when it is back.

    Pins are not members. The serial line is that of the USB plug, 115,200 baud, for control messages.

    The button ``rst`` kills until the board is configured again. LED 0: red, killed; green, the
    clock is good. LED 1: blue, an error on the line since the configuration. LED 2: red, the core lost a step.
    """

    def __init__(self, network: BoardNetwork, seal: BoardSeal, sizes: EngineSizes = DEFAULT_SIZES) -> None:
        self._network, self._seal, self._sizes = network, seal, sizes
        super().__init__({})

    def elaborate(self, platform: Any) -> Module:
        """Pads, clocks, button and lights around the core on its line."""
        m = Module()
        ports = platform.request("eth_rgmii", 0, dir=_RAW)
        m.domains.sync = ClockDomain(reset_less=True)
        m.submodules.lines = lines = RgmiiPads(ports, LINE_HERTZ)
        m.submodules.watch = watch = ClockWatch(LINE_HERTZ, BOARD_HERTZ)
        m.submodules.line_core = core = LineCore(self._network, self._seal, self._sizes)
        m.d.comb += [
            ClockSignal().eq(lines.rx_clk),
            core.received.eq(lines.received),
            lines.sent.eq(core.sent),
            core.lost.eq(watch.lost),
        ]
        self._board_clock(m, platform, ports)
        m.submodules.serial = serial = io.Buffer("i", platform.request("uart", 0, dir={"rx": "-", "tx": "-"}).rx)
        m.d.comb += core.serial.eq(serial.i)
        self._kill(m, platform, core)
        self._lights(m, platform, core)
        return m

    def _board_clock(self, m: Module, platform: Any, ports: Any) -> None:
        """The board's own clock, and the reset of the PHY by it."""
        m.domains.board = ClockDomain(reset_less=True)
        m.submodules.clock = clock = io.Buffer("i", platform.request("clk100", 0, dir="-"))
        m.submodules.phy_reset = phy_reset = io.Buffer("o", ports.rst)
        waited = Signal(PHY_RESET_BITS + 1)
        m.d.comb += [ClockSignal("board").eq(clock.i), phy_reset.o.eq(~waited[-1])]
        with m.If(~waited[-1]):
            m.d.board += waited.eq(waited + 1)

    def _kill(self, m: Module, platform: Any, core: LineCore) -> None:
        m.submodules.button_pad = button = io.Buffer("i", platform.request("rst", 0, dir="-"))
        pressed, held = Signal(), Signal(PRESS_BITS)
        m.submodules.button = FFSynchronizer(button.i, pressed)
        m.d.sync += held.eq(held + 1)
        with m.If(~pressed):
            m.d.sync += held.eq(0)
        with m.If(held.all()):
            m.d.sync += core.kill.eq(1)

    def _lights(self, m: Module, platform: Any, core: LineCore) -> None:
        lights = [platform.request("rgb_led", number, dir=dict.fromkeys("rgb", "-")) for number in range(3)]
        for port, level in (
            (lights[0].r, core.killed),
            (lights[0].g, ~core.lost),
            (lights[1].b, core.erred),
            (lights[2].r, core.overrun),
        ):
            m.submodules += (light := io.Buffer("o", port))
            m.d.comb += light.o.eq(level)
