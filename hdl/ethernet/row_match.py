"""What a search through the destinations of the channel table is told and tells."""

from __future__ import annotations

from typing import Any, Final

from amaranth.lib.wiring import In, Out

ADDRESS_BITS: Final = 32
PORT_BITS: Final = 16
KEY_BITS: Final = ADDRESS_BITS + PORT_BITS
"""A destination: port in the low bits, address above."""


def match_members(rows: int) -> dict[str, Any]:
    """Members of a component that finds the lowest row with a key.

    ``write`` is a strobe: row ``write_row`` has ``write_key`` from now on, or none without ``write_enabled``; the three
    hold until ``done``, a strobe by which the last lookup has been done again. ``lookup`` is a strobe with ``key`` and
    clears ``found``; ``answered`` is a strobe, not before a write is done; ``found`` and ``index`` hold until the next
    lookup.
    """
    return {
        "write": In(1),
        "write_row": In(range(rows)),
        "write_key": In(KEY_BITS),
        "write_enabled": In(1),
        "done": Out(1),
        "lookup": In(1),
        "key": In(KEY_BITS),
        "answered": Out(1),
        "found": Out(1),
        "index": Out(range(rows)),
    }
