"""Gap marks: what a receiver writes between a venue's messages when the connection broke."""

from __future__ import annotations

import pytest

from market.wire.lines import gap_mark
from market.wire.markets import SEQUENCE, Market, market_table
from market.wire.records import GAP, KIND, MARKET, REASON, RECEIVE_NS, REJECTED, TRADE, Batch, Reject
from market.wire.venues import VENUES

MARKETS = [Market("BTCUSDT", 2, 5), Market("ETHUSDT", 2, 5), Market("A-SYMBOL-OF-MORE-THAN-16", 2, 5)]
TRADE_LINE = b'{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"1.00","q":"1.0","m":true}'
JUMP_NS = 10**9


def decoded(lines: list[bytes], *, venue: str = "binance-spot", records: int = 64) -> list[tuple[int, ...]]:
    """Kind, market, reason and receive time of every record, in batches of so many."""
    table = market_table(MARKETS)
    block = b"".join(b"%d %s\n" % (2_000_000_000 + index, line) for index, line in enumerate(lines))
    batch, found = Batch(records, 64), []
    batch.restart()
    while True:
        batch.clear()
        VENUES[venue].decode_lines(block, JUMP_NS, table, batch.records, batch.bids, batch.asks, batch.cursor, 0)
        if not batch.count:
            break
        found += [tuple(int(row[c]) for c in (KIND, MARKET, REASON, RECEIVE_NS)) for row in batch.filled()]
    assert batch.position == len(block)
    return found


@pytest.mark.parametrize("venue", VENUES)
def test_a_mark_is_a_gap_of_every_market(venue: str) -> None:
    records = decoded([gap_mark()], venue=venue)
    assert records == [(GAP, market, 0, 2_000_000_000) for market in range(len(MARKETS))]


@pytest.mark.parametrize("index", range(len(MARKETS)))
def test_a_mark_with_a_symbol_is_a_gap_of_that_market(index: int) -> None:
    assert decoded([gap_mark(MARKETS[index].symbol)]) == [(GAP, index, 0, 2_000_000_000)]


def test_marks_stand_between_messages() -> None:
    kinds = [kind for kind, *_ in decoded([TRADE_LINE, gap_mark(), TRADE_LINE])]
    assert kinds == [TRADE, GAP, GAP, GAP, TRADE]


def test_a_mark_that_finds_no_room_begins_the_next_batch() -> None:
    records = decoded([TRADE_LINE, TRADE_LINE, gap_mark(), TRADE_LINE], records=4)
    assert [kind for kind, *_ in records] == [TRADE, TRADE, GAP, GAP, GAP, TRADE]


def test_a_mark_that_no_batch_holds_is_refused() -> None:
    assert [reason for _, _, reason, _ in decoded([gap_mark()], records=2)] == [Reject.TOO_LONG]


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        (gap_mark("DOGEUSDT"), Reject.UNKNOWN_SYMBOL),
        (gap_mark("X" * 40), Reject.UNKNOWN_SYMBOL),
        (b'{"tickwire":"gap",}', Reject.MALFORMED),
        (b'{"tickwire":"gap"}  ', Reject.MALFORMED),
    ],
)
def test_what_only_looks_like_a_mark_is_refused(mark: bytes, reason: Reject) -> None:
    assert [(record[0], record[2]) for record in decoded([mark])] == [(REJECTED, reason)]


def test_a_connection_numbers_its_messages_anew_after_a_mark() -> None:
    table = market_table(MARKETS)
    table[SEQUENCE] = 7
    block = b"2000000000 %s\n" % gap_mark()
    batch = Batch(8, 8)
    batch.restart()
    VENUES["coinbase"].decode_lines(block, JUMP_NS, table, batch.records, batch.bids, batch.asks, batch.cursor, 0)
    assert table[SEQUENCE] == -1
