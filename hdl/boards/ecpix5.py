"""LambdaConcept ECPIX-5 with LFE5UM5G-85F: the core on its Ethernet line."""

from __future__ import annotations

from typing import Any, Final

from hdl.boards.geared_core import CORE_HERTZ
from hdl.boards.line_board import BOARD_BUS_BYTES, BOARD_FEEDS, BoardPins, LineBoard
from hdl.boards.network import BoardNetwork
from hdl.control.seal import BoardSeal
from market.fastpath.specification import DEFAULT_SIZES, EngineSizes, Feed

_PINS: Final = BoardPins(clock="clk100", hertz=100_000_000, button="rst", serial="uart")


class Ecpix5(LineBoard):
    """The board, see ``LineBoard``; the button is ``rst``, the serial line that of the USB plug.

    LED 0: red, killed; green, the clock is good. LED 1: blue, an error on the line since the configuration. LED 2: red,
    the core lost a step.
    """

    def __init__(
        self,
        network: BoardNetwork,
        seal: BoardSeal,
        sizes: EngineSizes = DEFAULT_SIZES,
        feeds: frozenset[Feed] = BOARD_FEEDS,
        bus_bytes: int = BOARD_BUS_BYTES,
        core_hertz: int = CORE_HERTZ,
    ) -> None:
        super().__init__(_PINS, network, seal, sizes, feeds, bus_bytes, core_hertz)

    def lights(self, platform: Any, core: Any) -> list[tuple[Any, Any]]:
        """Three LEDs of three colours."""
        leds = [platform.request("rgb_led", number, dir=dict.fromkeys("rgb", "-")) for number in range(3)]
        return [(leds[0].r, core.killed), (leds[0].g, ~core.lost), (leds[1].b, core.erred), (leds[2].r, core.overrun)]
