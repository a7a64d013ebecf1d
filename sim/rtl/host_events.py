"""Quotes and trades that no frame brought, as the messages that a core built for simulation takes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.errors import Rejected
from market.fastpath import layout


def _rows_of(name: str) -> np.dtype[np.void]:
    """A message with its header as one row of an array; fields in the schema's order."""
    message = layout.SCHEMA.message(name)
    formats = ["<u8", *(f"<{field.primitive.code}" for field in message.fields.values())]
    offsets = [0, *(layout.HEADER_SIZE + field.offset for field in message.fields.values())]
    size = layout.HEADER_SIZE + message.block_length
    return np.dtype({"names": ["header", *message.fields], "formats": formats, "offsets": offsets, "itemsize": size})


_QUOTE: Final = _rows_of("QuoteEvent")
_TRADE: Final = _rows_of("TradeEvent")


def quote_messages(events: NDArray[np.int64]) -> NDArray[np.uint8]:
    """QuoteEvent messages, ``uint8[n, size]``, of rows of ``QUOTE_COLUMNS``; times are not part of them.

    Raises ``Rejected`` for a number that its field cannot carry.
    """
    return _messages(_QUOTE, layout.QUOTE_EVENT_HEADER, events)


def trade_messages(events: NDArray[np.int64]) -> NDArray[np.uint8]:
    """TradeEvent messages, ``uint8[n, size]``; raises as ``quote_messages``.

    Rows: instrument, venue, price exponent, quantity exponent, aggressor, price, quantity.
    """
    return _messages(_TRADE, layout.TRADE_EVENT_HEADER, events)


def _messages(row: np.dtype[Any], header: int, events: NDArray[np.int64]) -> NDArray[np.uint8]:
    made = np.zeros(len(events), dtype=row)
    made["header"] = header
    for column, name in enumerate((row.names or ())[1:]):
        values, field = events[:, column], np.iinfo(row[name])
        outside = values[(values < field.min) | (values > field.max)]
        if len(outside):
            raise Rejected(f"an event has {name} {outside[0]}; a message can carry {field.min} to {field.max}")
        made[name] = values
    return made.view(np.uint8).reshape(len(events), row.itemsize)
