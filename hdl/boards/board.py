"""Names of the boards that there is a top for."""

from __future__ import annotations

from enum import Enum


class Board(Enum):
    """Boards by the name of their builds. ``WIDE_CORE`` is the core with a bus of 64 bits, and no board."""

    ECPIX5 = "ecpix5"
    BUTTERSTICK = "butterstick"
    COLORLIGHT = "colorlight"
    WIDE_CORE = "wide-core"
