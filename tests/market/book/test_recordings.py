"""Golden test: books rebuilt from real recordings equal the venue's own best prices at the same update id."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from market.book import book as header
from market.book.book import new_books
from market.book.continuity import Rule
from market.book.intake import take_records
from market.wire.binance_json import decode_lines
from market.wire.markets import Market, market_table
from market.wire.records import CURSOR_POSITION, Batch

SPOT, FUTURES = Rule.OVERLAPPING, Rule.CHAINED_OVERLAP
CASES = [
    ("spot_btcusdt", Market("BTCUSDT", 2, 8), SPOT, 564, 0),
    ("spot_ethusdt", Market("ETHUSDT", 2, 8), SPOT, 577, 0),
    ("usdm_btcusdt", Market("BTCUSDT", 1, 3), FUTURES, 503, 126),
    ("usdm_ethusdt", Market("ETHUSDT", 2, 3), FUTURES, 471, 80),
    ("cm_btcusd_perp", Market("BTCUSD_PERP", 1, 8, Decimal(100)), FUTURES, 1124, 0),
    ("cm_ethusd_perp", Market("ETHUSD_PERP", 2, 8, Decimal(10)), FUTURES, 1345, 0),
]


@pytest.mark.parametrize(("name", "market", "rule", "checks", "late_checks"), CASES, ids=[case[0] for case in CASES])
def test_rebuilt_top_equals_stated_top(
    data: Path, name: str, market: Market, rule: Rule, checks: int, late_checks: int
) -> None:
    block = gzip.decompress((data / "binance-20240808" / f"{name}_20240808.gz").read_bytes())
    table, batch, books = market_table([market]), Batch(), new_books([rule])
    batch.restart()
    while batch.cursor[CURSOR_POSITION] < len(block):
        batch.clear()
        count = decode_lines(block, 10**10, table, batch.records, batch.bids, batch.asks, batch.cursor, 0)
        take_records(books, batch.records, count, batch.bids, batch.asks)
    assert (books[header.CHECKS], books[header.EQUAL]) == (checks, checks)
    assert (books[header.LATE_CHECKS], books[header.LATE_EQUAL]) == (late_checks, late_checks)
    assert books[header.SYNCHRONISED] == 1
    assert (books[header.GAPS], books[header.CROSSED], books[header.PRUNED]) == (0, 0, 0)


def test_the_six_recordings_hold_4584_comparisons() -> None:
    assert sum(case[3] for case in CASES) == 4584
