"""Binance's SBE messages as records: the same as its JSON, exactly or refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from market.wire.binance_sbe import decode_messages, new_batch
from market.wire.binance_sbe_records import take_messages
from market.wire.binary import pack
from market.wire.markets import Market, market_table
from market.wire.records import (
    AGGRESSOR,
    AGGRESSOR_BUY,
    AGGRESSOR_SELL,
    ASK_PRICE,
    ASK_QUANTITY,
    BID_PRICE,
    BID_QUANTITY,
    DIFF,
    EVENT_NS,
    FIRST_ID,
    IGNORED,
    KIND,
    LAST_ID,
    LINE,
    MARKET,
    PRICE,
    QUANTITY,
    QUOTE,
    REASON,
    RECEIVE_NS,
    REJECTED,
    TRADE,
    TRADE_ID,
    Batch,
    Reject,
)
from market.wire.sbe import encode, load_schema
from market.wire.schemas import BINANCE_STREAM

SCHEMA = load_schema(BINANCE_STREAM)
MARKETS = [Market("ETHUSDT", 2, 4), Market("BTCUSDT", 2, 5)]
TIME_US = 1_700_000_000_000_000


def message(name: str, symbol: str = "BTCUSDT", exponents: tuple[int, int] = (-8, -8), **values: Any) -> bytes:
    common = {"eventTime": TIME_US, "priceExponent": exponents[0], "qtyExponent": exponents[1], "symbol": symbol}
    return encode(SCHEMA, name, common | values)


def top(bid: int, bids: int, ask: int, asks: int, **other: Any) -> bytes:
    values = {"bookUpdateId": 7, "bidPrice": bid, "bidQty": bids, "askPrice": ask, "askQty": asks}
    return message("BestBidAskStreamEvent", **(values | other))


def level(price: int, quantity: int) -> dict[str, int]:
    return {"price": price, "qty": quantity}


def trade(number: int, price: int, quantity: int, is_buyer_maker: int) -> dict[str, int]:
    return {"id": number, "isBuyerMaker": is_buyer_maker} | level(price, quantity)


def decoded(*messages: bytes, records: int = 64, levels: int = 64) -> list[Batch]:
    """Batches of so many records and levels."""
    buffer, bounds = pack(list(messages))
    rows = new_batch(64, 256)
    count = decode_messages(buffer, bounds, rows)
    assert count == len(messages)
    times = np.arange(100, 100 + count, dtype=np.int64)
    batches, first = [], 0
    bids, asks, trades = rows.entries
    while first < count:
        batch = Batch(records, levels)
        batch.restart()
        first = take_messages(
            buffer, times, rows.rows, bids, asks, trades, market_table(MARKETS),
            batch.records, batch.bids, batch.asks, batch.cursor, first, count, 1,
        )  # fmt: skip
        batches.append(batch)
    return batches


def test_best_prices() -> None:
    row = decoded(top(6_170_001_000_000, 150_000_000, 6_170_002_000_000, 1_000))[0].records[0]
    assert row[[KIND, MARKET, LAST_ID, RECEIVE_NS, LINE]].tolist() == [QUOTE, 1, 7, 100, 1]
    assert row[EVENT_NS] == TIME_US * 1_000
    assert row[[BID_PRICE, BID_QUANTITY, ASK_PRICE, ASK_QUANTITY]].tolist() == [6_170_001, 150_000, 6_170_002, 1]


def test_each_trade_is_a_record() -> None:
    trades = [trade(5, 100_000_000, 100_000_000, 1), trade(6, 200_000_000, 1_000, 0)]
    batch = decoded(message("TradesStreamEvent", transactTime=TIME_US, trades=trades))[0]
    columns = [KIND, TRADE_ID, LAST_ID, PRICE, QUANTITY, AGGRESSOR]
    assert batch.filled()[:, columns].tolist() == [
        [TRADE, 5, 5, 100, 100_000, AGGRESSOR_SELL],
        [TRADE, 6, 6, 200, 1, AGGRESSOR_BUY],
    ]


def diff(bids: list[dict[str, int]], asks: list[dict[str, int]], **other: Any) -> bytes:
    ids = {"firstBookUpdateId": 3, "lastBookUpdateId": 5}
    return message("DepthDiffStreamEvent", bids=bids, asks=asks, **(ids | other))


def test_book_updates_with_their_levels() -> None:
    first = diff([level(100_000_000, 100_000_000), level(200_000_000, 0)], [level(300_000_000, 1_000)])
    second = diff([], [level(400_000_000, 2_000)])
    batch = decoded(first, second)[0]
    assert batch.filled()[:, [KIND, FIRST_ID, LAST_ID]].tolist() == [[DIFF, 3, 5], [DIFF, 3, 5]]
    assert batch.filled()[:, 7:11].tolist() == [[0, 2, 0, 1], [2, 0, 1, 1]]
    assert batch.bids[:2].tolist() == [[100, 100_000], [200, 0]]
    assert batch.asks[:2].tolist() == [[300, 1], [400, 2]]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (top(1, 100_000_000, 200_000_000, 100_000_000), Reject.PRECISION),
        (top(100_000_000, 1, 200_000_000, 100_000_000), Reject.PRECISION),
        (top(0, 100_000_000, 200_000_000, 100_000_000), Reject.NEGATIVE),
        (top(100_000_000, -1, 200_000_000, 100_000_000), Reject.NEGATIVE),
        (top(10**17, 1, 10**17, 1, exponents=(4, 0)), Reject.OVERFLOW),
        (top(1, 1, 1, 1, exponents=(100, 0)), Reject.OVERFLOW),
        (top(1, 1, 1, 1, exponents=(-100, 0)), Reject.PRECISION),
        (top(100_000_000, 100_000_000, 200_000_000, 100_000_000, symbol="DOGEUSDT"), Reject.UNKNOWN_SYMBOL),
        (diff([level(100_000_000, 100_000_000), level(1, 1)], []), Reject.PRECISION),
        (message("TradesStreamEvent", transactTime=1, trades=[trade(1, 1, 1, 0)]), Reject.PRECISION),
        (b"\0" * 30, Reject.MALFORMED),
    ],
)
def test_what_is_not_exact_is_refused_whole(sent: bytes, reason: Reject) -> None:
    batch = decoded(sent)[0]
    assert batch.filled()[:, [KIND, REASON]].tolist() == [[REJECTED, reason]]
    assert batch.cursor[2] == batch.cursor[3] == 0


def test_other_messages_are_ignored() -> None:
    book = message("DepthSnapshotStreamEvent", bookUpdateId=1, bids=[], asks=[])
    empty = message("TradesStreamEvent", transactTime=1, trades=[])
    assert decoded(book, empty)[0].filled()[:, KIND].tolist() == [IGNORED, IGNORED]


def test_what_finds_no_room_begins_the_next_batch() -> None:
    trades = message("TradesStreamEvent", transactTime=1, trades=[trade(n, 100_000_000, 1_000, 0) for n in range(3)])
    assert [batch.count for batch in decoded(trades, trades, trades, records=4)] == [3, 3, 3]
    two = diff([level(100_000_000, 1_000)] * 2, [])
    assert [batch.count for batch in decoded(two, two, two, levels=5)] == [2, 1]
    assert [batch.filled()[:, REASON].tolist() for batch in decoded(two, trades, records=2, levels=1)] == [
        [Reject.TOO_LONG],
        [Reject.TOO_LONG],
    ]
