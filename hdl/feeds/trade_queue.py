"""Trades of a datagram, kept until it is known whether the datagram counts."""

from __future__ import annotations

from typing import Final

from hdl.feeds.trial_queue import TrialQueue
from hdl.records import LENGTH_BITS, trade_layout
from market.wire.sbe import load_schema, stride_of
from market.wire.schemas import BINANCE_STREAM

_MOST_ENTRIES: Final = ((1 << LENGTH_BITS) - 1) // stride_of(load_schema(BINANCE_STREAM), "TradesStreamEvent", "trades")
TRADE_COUNT_BITS: Final = _MOST_ENTRIES.bit_length()
DEPTH: Final = 512
"""Trades that may wait; a full datagram has 57. Just fills its block memories."""


class TradeQueue(TrialQueue):
    """A ``TrialQueue`` of trades."""

    def __init__(self, *, depth: int = DEPTH) -> None:
        super().__init__(trade_layout, TRADE_COUNT_BITS, depth=depth)
