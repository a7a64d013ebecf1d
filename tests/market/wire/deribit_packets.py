"""Packets of Deribit's legacy multicast, made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from market.wire.sbe import encode, encode_packet, load_schema
from market.wire.schemas import DERIBIT_MULTICAST

SCHEMA = load_schema(DERIBIT_MULTICAST)
ASK, BID = 0, 1
CREATED, CHANGED, DELETED = 0, 1, 2
Change = tuple[int, int, float, float]
Level = tuple[int, float, float]


def book(instrument: int, previous: int, change: int, changes: Sequence[Change], *, last: bool = True) -> bytes:
    """A book message; changes are (side, change, price, amount)."""
    rows = [dict(zip(("side", "change", "price", "amount"), values, strict=True)) for values in changes]
    ids = {"instrumentId": instrument, "prevChangeId": previous, "changeId": change}
    return encode(SCHEMA, "Book", {**ids, "timestampMs": 1000 + change, "isLast": int(last), "changes": rows})


def snapshot(
    instrument: int, change: int, levels: Sequence[Level], *, last: bool = True, complete: bool = True
) -> bytes:
    """A snapshot message, or a piece of one; levels are (side, price, amount)."""
    rows = [dict(zip(("side", "price", "amount"), values, strict=True)) for values in levels]
    flags = {"isBookComplete": int(complete), "isLastInBook": int(last)}
    return encode(
        SCHEMA, "Snapshot", {"instrumentId": instrument, "timestampMs": 5, "changeId": change, **flags, "levels": rows}
    )


def ticker(instrument: int, bid: float | None, bid_amount: float, ask: float | None, ask_amount: float) -> bytes:
    """A ticker with nothing but its best prices."""
    best = {"bestBidPrice": bid, "bestBidAmount": bid_amount, "bestAskPrice": ask, "bestAskAmount": ask_amount}
    return encode(SCHEMA, "Ticker", {"instrumentId": instrument, "instrumentState": 1, "timestampMs": 7, **best})


def trades(instrument: int, deals: Sequence[tuple[int, float, float, int]]) -> bytes:
    """A trade message; deals are (direction, price, amount, trade id)."""
    fixed: dict[str, Any] = {"timestampMs": 9, "tradeSeq": 1, "tickDirection": 0, "liquidation": 0}
    fixed |= {"blockTradeId": 0, "comboTradeId": 0}
    rows = [dict(zip(("direction", "price", "amount", "tradeId"), values, strict=True)) | fixed for values in deals]
    return encode(SCHEMA, "Trades", {"instrumentId": instrument, "trades": rows})


def index_price() -> bytes:
    """A message that no book needs."""
    return encode(SCHEMA, "PriceIndex", {"indexName": "btc_usd", "price": 1.0, "timestampMs": 1})


def packet(sequence: int, *messages: bytes, channel: int = 3) -> bytes:
    """A packet of messages."""
    return encode_packet(SCHEMA, {"channelId": channel, "sequence": sequence}, list(messages))
