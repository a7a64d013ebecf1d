"""Binance's depth updates: the fields of them that the fast loop would take."""

from __future__ import annotations

from typing import Final

DEPTH_FIELDS: Final = ("firstBookUpdateId", "lastBookUpdateId", "priceExponent", "qtyExponent")
DEPTH_GROUPS: Final = {"bids": ("price", "qty"), "asks": ("price", "qty")}
