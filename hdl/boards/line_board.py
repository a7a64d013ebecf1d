"""A board whose core is on one Ethernet line of 1 Gbit/s: what all such boards share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from amaranth.hdl import ClockDomain, ClockSignal, Module, Signal
from amaranth.lib import io, wiring
from amaranth.lib.cdc import FFSynchronizer

from hdl.boards.clock_watch import ClockWatch
from hdl.boards.core_clock import CoreClock
from hdl.boards.geared_core import CORE_HERTZ, LINE, GearedCore
from hdl.boards.line_core import LINE_HERTZ, LineCore
from hdl.boards.network import BoardNetwork
from hdl.boards.rgmii_pads import RgmiiPads
from hdl.control.seal import BoardSeal
from hdl.toolchain.board import Sparing
from market.fastpath.specification import EngineSizes, Feed

PHY_RESET_S: Final = 0.01
PRESS_BITS: Final = 16
"""The kill button counts once it has been down for 2^16 cycles of the core's clock, half a millisecond or one."""
BOARD_BUS_BYTES: Final = 8
"""The bus of a board's core, unless its build says otherwise: the one with which it comes nearest to its clock."""
COMPACT_SPARING: Final = Sparing(
    # where the line's clock is: its side, and the queues between both clocks
    apart=tuple(f"line_core.narrow.{part}" for part in ("side", "came", "leaves")),
    # what is read and may be used was written a cycle ago or earlier
    unshown=(
        "line_core.inbox",
        "line_core.core.authority",
        "line_core.core.authority.ratchet",
        *(f"line_core.core.core.event_log.{part}" for part in ("datagrams", "controls", "queue")),
        *(f"line_core.core.core.egress.{part}" for part in ("messages", "batch.buffer")),
    ),
)
"""Of a compact board."""
BOARD_FEEDS: Final = frozenset({Feed.BINANCE_SBE})
"""The feeds of a board with an 85F, unless its build says otherwise: those with which it has been routed."""


@dataclass(frozen=True, slots=True)
class BoardPins:
    """What the resources of a board are called.

    Parameters
    ----------
    clock, hertz: the board's own clock.
    button: kills while pressed, and from then on.
    control: how the names of the control lines end.
    serial: the serial line for control messages, if there is one.
    """

    clock: str
    hertz: int
    button: str
    control: str = "ctrl"
    serial: str | None = None


class LineBoard(wiring.Component):
    """The board. Its resources are requested from the platform that it is elaborated for.

    With a bus of eight bytes the core is a ``GearedCore``: it runs on a clock of its own that is made from the board's
    own, and the line's side on the clock that the PHY gives with what it receives, transmit included. With a bus of one
    byte everything but the reset of the PHY and the watch over the clock runs on the PHY's: no crossing between wire
    and decision; while that clock is not at 125 MHz time goes forward far enough that nothing from before is used when
    it is back. In both forms the kill line is set while it is not.

    Pins are not members. A serial line takes control messages at 115,200 baud. The button kills until the board is
    configured again.

    Parameters
    ----------
    bus_bytes: of the core, 1 or 8. core_hertz: of the clock of a core with a bus of eight bytes.
    compact: whether such a core is a compact one, and hears of trades only from feeds whose packets have them.
    """

    def __init__(
        self,
        pins: BoardPins,
        network: BoardNetwork,
        seal: BoardSeal,
        sizes: EngineSizes,
        feeds: frozenset[Feed] = frozenset(Feed),
        bus_bytes: int = BOARD_BUS_BYTES,
        core_hertz: int = CORE_HERTZ,
        *,
        compact: bool = False,
    ) -> None:
        self._pins, self._network, self._seal, self._sizes, self._feeds = pins, network, seal, sizes, feeds
        self._bus_bytes, self._core_hertz, self._compact = bus_bytes, core_hertz, compact
        super().__init__({})

    def elaborate(self, platform: Any) -> Module:
        """Pads, clocks, button and lights around the core on its line."""
        m = Module()
        pins = self._pins
        lines = [f"{way}_{name}" for way in ("tx", "rx") for name in ("clk", pins.control, "data")]
        ports = platform.request("eth_rgmii", 0, dir=dict.fromkeys(("rst", "mdio", "mdc", *lines), "-"))
        geared = self._bus_bytes != 1
        line_domain = LINE if geared else "sync"
        m.domains.sync = ClockDomain(reset_less=True)
        m.submodules.lines = pads = RgmiiPads(ports, LINE_HERTZ, control=pins.control, domain=line_domain)
        m.submodules.watch = watch = ClockWatch(LINE_HERTZ, pins.hertz, line_domain)
        m.submodules.line_core = core = (
            GearedCore(
                *(self._network, self._seal, self._sizes),
                feeds=self._feeds,
                hertz=self._core_hertz,
                compact=self._compact,
                has_serial=pins.serial is not None,
            )
            if geared
            else LineCore(self._network, self._seal, self._sizes, feeds=self._feeds)
        )
        self._board_clock(m, platform, ports)
        if geared:
            m.domains.line = ClockDomain(reset_less=True)
            m.submodules.core_clock = core_clock = CoreClock(pins.hertz, self._core_hertz)
            m.d.comb += ClockSignal().eq(core_clock.clock)
        m.d.comb += [
            ClockSignal(line_domain).eq(pads.rx_clk),
            core.received.eq(pads.received),
            pads.sent.eq(core.sent),
            core.lost.eq(watch.lost),
        ]
        if pins.serial is not None:
            line = platform.request(pins.serial, 0, dir={"rx": "-", "tx": "-"})
            m.submodules.serial = serial = io.Buffer("i", line.rx)
            m.d.comb += core.serial.eq(serial.i)
        self._kill(m, platform, core)
        for port, level in self.lights(platform, core):
            m.submodules += (light := io.Buffer("o", port))
            m.d.comb += light.o.eq(level)
        return m

    def lights(self, platform: Any, core: Any) -> list[tuple[Any, Any]]:
        """Raw ports of lights, and what each of them shows."""
        raise NotImplementedError

    def _board_clock(self, m: Module, platform: Any, ports: Any) -> None:
        """The board's own clock, and the reset of the PHY by it, for 10 ms or longer."""
        m.domains.board = ClockDomain(reset_less=True)
        m.submodules.clock = clock = io.Buffer("i", platform.request(self._pins.clock, 0, dir="-"))
        m.submodules.phy_reset = phy_reset = io.Buffer("o", ports.rst)
        waited = Signal(int(PHY_RESET_S * self._pins.hertz).bit_length() + 1)
        m.d.comb += [ClockSignal("board").eq(clock.i), phy_reset.o.eq(~waited[-1])]
        with m.If(~waited[-1]):
            m.d.board += waited.eq(waited + 1)

    def _kill(self, m: Module, platform: Any, core: Any) -> None:
        m.submodules.button_pad = button = io.Buffer("i", platform.request(self._pins.button, 0, dir="-"))
        pressed, held = Signal(), Signal(PRESS_BITS)
        m.submodules.button = FFSynchronizer(button.i, pressed)
        m.d.sync += held.eq(held + 1)
        with m.If(~pressed):
            m.d.sync += held.eq(0)
        with m.If(held.all()):
            m.d.sync += core.kill.eq(1)
