"""Colorlight 5A-75B (7.0, 8.x) with LFE5U-25F: a small build of the core on its first line."""

from __future__ import annotations

from typing import Any, Final

from hdl.boards.geared_core import COMPACT_HERTZ
from hdl.boards.line_board import BOARD_BUS_BYTES, BoardPins, LineBoard
from hdl.boards.network import BoardNetwork
from hdl.control.seal import BoardSeal
from market.fastpath.specification import EngineSizes, Feed

SMALL_SIZES: Final = EngineSizes(venues=2, instruments=8, price_bits=32, channels=16)
SMALL_FEEDS: Final = frozenset({Feed.BINANCE_SBE})
"""What a device with 24k lookup tables has room for: a pair of venues, fed by BestBidAsk, and prices of 32 bits."""
_PINS: Final = BoardPins(clock="clk25", hertz=25_000_000, button="button", control="ctl")


class Colorlight(LineBoard):
    """The board, see ``LineBoard``; the second line is not used. The LED is lit while killed."""

    def __init__(
        self,
        network: BoardNetwork,
        seal: BoardSeal,
        sizes: EngineSizes = SMALL_SIZES,
        feeds: frozenset[Feed] = SMALL_FEEDS,
        bus_bytes: int = BOARD_BUS_BYTES,
        core_hertz: int = COMPACT_HERTZ,
    ) -> None:
        super().__init__(_PINS, network, seal, sizes, feeds, bus_bytes, core_hertz, compact=True)

    def lights(self, platform: Any, core: Any) -> list[tuple[Any, Any]]:
        """The only LED."""
        return [(platform.request("led", 0, dir="-"), core.killed)]
