"""LambdaConcept ECPIX-5 with LFE5UM5G-85F: the core on its Ethernet line, 8 bits at 125 MHz."""

from __future__ import annotations

from typing import Any, Final

from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer

from hdl.boards.clock_watch import ClockWatch
from hdl.boards.network import BoardNetwork
from hdl.boards.rgmii import RgmiiReceiver, RgmiiTransmitter
from hdl.boards.rgmii_pads import RgmiiPads
from hdl.core import Core
from hdl.ethernet.inbox import Inbox
from hdl.parameters import CoreParameters
from hdl.records import WORD_BITS
from market.fastpath.specification import DEFAULT_SIZES, SCALING_SHIFT_LIMIT, EngineSizes

LINE_HERTZ: Final = 125_000_000
BOARD_HERTZ: Final = 100_000_000
NS_PER_CYCLE: Final = 1_000_000_000 // LINE_HERTZ
PHY_RESET_BITS: Final = 20
"""The PHY stays in reset for 2^20 cycles of the board's clock, 10 ms."""
PRESS_BITS: Final = 16
"""The kill button counts once it has been down for 2^16 cycles of the line's clock, half a millisecond."""
FORWARD_BIT: Final = 42
"""When the line's clock is lost, time goes forward by 2^42 ns, 73 minutes: every quote and lease of before is old."""
_RAW: Final = dict.fromkeys(("rst", "mdio", "mdc", "tx_clk", "tx_ctrl", "tx_data", "rx_clk", "rx_ctrl", "rx_data"), "-")
"""Ports without the buffers of the platform."""


class Ecpix5(wiring.Component):
    """The board. Its resources are requested from the platform that it is elaborated for.

    Everything but the reset of the PHY and the watch over the clock runs on the clock that the PHY gives with what it
    receives, transmit included: no crossing between wire and decision. While that clock is not at 125 MHz the kill
    line is set, and time goes forward far enough that nothing from before is used when it is back.

    Pins are not members. The button ``rst`` kills until the board is configured again. LED 0: red, killed; green, the
    clock is good. LED 1: blue, an error on the line since the configuration. LED 2: red, the core lost a step.
    """

    def __init__(self, network: BoardNetwork, sizes: EngineSizes = DEFAULT_SIZES) -> None:
        self._network, self._sizes = network, sizes
        self._parameters = CoreParameters(sizes, bus_bytes=1)
        super().__init__({})

    def elaborate(self, platform: Any) -> Module:
        """Pads, line, inbox and core."""
        m = Module()
        pads = platform.request("eth_rgmii", 0, dir=_RAW)
        m.submodules.lines = lines = RgmiiPads(pads, LINE_HERTZ)
        m.submodules.watch = watch = ClockWatch(LINE_HERTZ, BOARD_HERTZ)
        m.submodules.receiver = receiver = RgmiiReceiver(self._parameters)
        m.submodules.transmitter = transmitter = RgmiiTransmitter(self._parameters)
        m.submodules.inbox = inbox = Inbox(self._parameters)
        m.submodules.core = core = Core(self._parameters)
        m.d.comb += [
            ClockSignal().eq(lines.rx_clk),
            receiver.line.eq(lines.received),
            lines.sent.eq(transmitter.line),
            core.tx_ready.eq(transmitter.ready),
            inbox.address.eq(int(self._network.address)),
            inbox.port.eq(self._network.control_port),
            core.words.ready.eq(1),
            core.log.ready.eq(1),
        ]
        for name in receiver.rx.signature.members:
            m.d.comb += [
                getattr(core.rx, name).eq(getattr(receiver.rx, name)),
                getattr(inbox.rx, name).eq(getattr(receiver.rx, name)),
            ]
        wiring.connect(m, inbox.octets, core.control)
        wiring.connect(m, core.tx, transmitter.tx)
        m.domains.sync = ClockDomain(reset_less=True)
        self._board_clock(m, platform, pads)
        self._constants(m, core)
        self._time(m, core, watch)
        self._kill(m, platform, core, watch)
        self._lights(m, platform, core, watch, receiver)
        return m

    def _board_clock(self, m: Module, platform: Any, pads: Any) -> None:
        """The board's own clock, and the reset of the PHY by it."""
        m.domains.board = ClockDomain(reset_less=True)
        m.submodules.clock = clock = io.Buffer("i", platform.request("clk100", 0, dir="-"))
        m.submodules.phy_reset = phy_reset = io.Buffer("o", pads.rst)
        waited = Signal(PHY_RESET_BITS + 1)
        m.d.comb += [ClockSignal("board").eq(clock.i), phy_reset.o.eq(~waited[-1])]
        with m.If(~waited[-1]):
            m.d.board += waited.eq(waited + 1)

    def _constants(self, m: Module, core: Core) -> None:
        """Sizes and addresses."""
        network, sizes = self._network, self._sizes
        for name, value in {
            "source_link": network.link,
            "destination_link": network.host_link,
            "source_address": int(network.address),
            "destination_address": int(network.host),
            "source_port": network.control_port,
            "message_port": network.message_port,
            "log_port": network.log_port,
        }.items():
            m.d.comb += core.settings[name].eq(value)
        m.d.comb += [core.sizes[name].eq(getattr(sizes, name)) for name in ("venues", "instruments", "channels")]
        m.d.comb += [core.sizes[f"top{k}"].eq(sizes.top // 10**k) for k in range(SCALING_SHIFT_LIMIT + 1)]

    def _time(self, m: Module, core: Core, watch: ClockWatch) -> None:
        """Nanoseconds since the configuration."""
        now, was_lost = Signal(WORD_BITS), Signal(init=1)
        m.d.comb += core.time.eq(now)
        m.d.sync += [now.eq(now + NS_PER_CYCLE), was_lost.eq(watch.lost)]
        with m.If(watch.lost & ~was_lost):
            m.d.sync += now[FORWARD_BIT:].eq(now[FORWARD_BIT:] + 1)

    def _kill(self, m: Module, platform: Any, core: Core, watch: ClockWatch) -> None:
        button = platform.request("rst", 0)
        pressed, held, pushed = Signal(), Signal(PRESS_BITS), Signal()
        m.submodules.button = FFSynchronizer(button.i, pressed)
        m.d.sync += held.eq(held + 1)
        with m.If(~pressed):
            m.d.sync += held.eq(0)
        with m.If(held.all()):
            m.d.sync += pushed.eq(1)
        m.d.sync += core.kill.eq(pushed | watch.lost)

    def _lights(self, m: Module, platform: Any, core: Core, watch: ClockWatch, receiver: RgmiiReceiver) -> None:
        lights = [platform.request("rgb_led", number) for number in range(3)]
        erred, overran = Signal(), Signal()
        m.d.sync += [
            erred.eq(receiver.errors != 0),
            overran.eq(core.overrun),
            lights[0].r.o.eq(core.killed | core.kill),
            lights[0].g.o.eq(~watch.lost),
            lights[1].b.o.eq(erred),
            lights[2].r.o.eq(overran),
        ]
