"""ButterStick with LFE5UM5G-85F: the core on its Ethernet line."""

from __future__ import annotations

from typing import Any, Final

from hdl.boards.geared_core import CORE_HERTZ
from hdl.boards.line_board import BOARD_BUS_BYTES, BOARD_FEEDS, BoardPins, LineBoard
from hdl.boards.network import BoardNetwork
from hdl.control.seal import BoardSeal
from market.fastpath.specification import DEFAULT_SIZES, EngineSizes, Feed

_PINS: Final = BoardPins(clock="clk30", hertz=30_000_000, button="button", control="ctl")


class Butterstick(LineBoard):
    """The board, see ``LineBoard``. Its lights are multiplexed and stay dark."""

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
        """None."""
        return []
