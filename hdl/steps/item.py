"""What waits between the end of a frame and its turn: a numbered step with its events, or a drop to count."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from amaranth.hdl import Value, unsigned
from amaranth.lib import data

from hdl.records import (
    DROP_BITS,
    INSTRUMENT_NUMBER_BITS,
    MANTISSAS,
    SIDE_BITS,
    TIME_BITS,
    VENUE_NUMBER_BITS,
    WORD_BITS,
    quote_layout,
)


class ItemKind(IntEnum):
    """What an item asks for."""

    DROPPED = 0
    """Count a frame by its ``drop``; not a step."""
    SKIPPED = 1
    """A step without events."""
    QUOTE = 2
    TRADES = 3
    """A step whose ``trade_count`` trades wait in the feed's queue."""
    TRADE = 4
    """A step of one trade of the host: price and quantity stand in the bid's place."""
    PACKET = 5
    """A step whose events come from the books."""


TRADE_COUNT_BITS: Final = 7

item_layout: Final = data.StructLayout(
    {
        "kind": unsigned(3),
        "drop": unsigned(DROP_BITS),
        "speculated": unsigned(1),
        "backwards": unsigned(1),
        "step": unsigned(WORD_BITS),
        "time": unsigned(TIME_BITS),
        "instrument": unsigned(INSTRUMENT_NUMBER_BITS),
        "venue": unsigned(VENUE_NUMBER_BITS),
        "aggressor": unsigned(SIDE_BITS),
        "trade_count": unsigned(TRADE_COUNT_BITS),
        "quote": quote_layout,
    }
)
"""``speculated``: the machine was already prepared for this frame while it arrived."""


def narrow_item_layout(bits: int) -> data.StructLayout:
    """An item with ``narrowed`` mantissas and no more."""
    mantissas = dict.fromkeys(MANTISSAS, unsigned(bits + 2))
    quote = data.StructLayout({name: field.shape for name, field in quote_layout} | mantissas)
    return data.StructLayout({name: field.shape for name, field in item_layout} | {"quote": quote})


def pass_item(target: Any, source: Any) -> list[Any]:
    """Assignments of an item to a narrow one, or the other way round."""
    others = [target[name].eq(source[name]) for name in item_layout.members if name != "quote"]
    return [*others, *(target.quote[name].eq(Value.cast(source.quote[name])) for name in quote_layout.members)]
