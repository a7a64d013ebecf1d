"""Boards, and the platforms that they are built with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amaranth_boards.butterstick import ButterStickPlatform
from amaranth_boards.colorlight_5a75b_r7_0 import Colorlight_5A75B_R70Platform
from amaranth_boards.ecpix5 import ECPIX585Platform

from hdl.boards.board import Board
from hdl.boards.butterstick import Butterstick
from hdl.boards.colorlight import Colorlight
from hdl.boards.ecpix5 import Ecpix5
from hdl.boards.line_board import BOARD_BUS_BYTES, COMPACT_SPARING
from hdl.boards.network import BoardNetwork
from hdl.boards.wide_core import WideCore
from hdl.control.seal import BoardSeal
from hdl.toolchain.board import Sparing
from market.fastpath.specification import Feed


@dataclass(frozen=True, slots=True)
class BoardBuild:
    """What a build begins with: a platform, the top for it, and how ``build_board`` places and maps it."""

    platform: Any
    top: Any
    sparing: Sparing | None = None


def board_build(
    board: Board,
    network: BoardNetwork,
    seal: BoardSeal,
    feeds: frozenset[Feed] | None = None,
    bus_bytes: int = BOARD_BUS_BYTES,
    core_hertz: int | None = None,
) -> BoardBuild:
    """The build of a board with these addresses and this seal, neither of which ``WIDE_CORE`` has.

    ``feeds``: that there are decoders for; None for those that the board is made for. ``bus_bytes``: of the core on an
    Ethernet line: 8 at ``core_hertz``, by default that of the board's own top, 1 at the line's 125 MHz.
    """
    chosen: dict[str, Any] = {} if feeds is None else {"feeds": feeds}
    clock = {} if core_hertz is None else {"core_hertz": core_hertz}
    on_line = {**chosen, **clock, "bus_bytes": bus_bytes}
    match board:
        case Board.ECPIX5:
            return BoardBuild(ECPIX585Platform(), Ecpix5(network, seal, **on_line))
        case Board.BUTTERSTICK:
            return BoardBuild(ButterStickPlatform(), Butterstick(network, seal, **on_line))
        case Board.COLORLIGHT:
            sparing = COMPACT_SPARING if bus_bytes == BOARD_BUS_BYTES else None
            return BoardBuild(Colorlight_5A75B_R70Platform(), Colorlight(network, seal, **on_line), sparing=sparing)
        case Board.WIDE_CORE:
            return BoardBuild(ECPIX585Platform(), WideCore(**chosen))
