"""Binance's JSON becomes exact integers; what is broken is refused with a reason and changes nothing."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.wire import records
from market.wire.binance_json import decode_lines
from market.wire.markets import Market, market_table
from market.wire.records import Batch, Column, Kind, Reject

BTC = Market("BTCUSDT", 2, 8)
ETH = Market("ETHUSDT", 2, 8)
COIN = Market("BTCUSD_PERP", 1, 8, Decimal(100))
SECOND = 10**9
DIFF = (
    '{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":5,"u":9,'
    '"b":[["100.01","1.5"],["99.00","0.00"]],"a":[["100.02","2"]]}'
)
QUOTE = '{"u":12,"s":"BTCUSDT","b":"100.01","B":"1.5","a":"100.02","A":"2.25"}'
TRADE = (
    '{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":77,"p":"100.01","q":"0.02","T":1723161255342,"m":true,"M":true}'
)
SNAPSHOT = '{"lastUpdateId":7,"bids":[["100.00","1"]],"asks":[["100.10","2"],["100.20","3"]]}'


def decode(*messages: str, markets: list[Market] | None = None, batch: Batch | None = None) -> Batch:
    block = "".join(f"{1_723_161_255_000_000_000 + i} {message}\n" for i, message in enumerate(messages)).encode()
    return decode_block(block, markets, batch)


def decode_block(block: bytes, markets: list[Market] | None = None, batch: Batch | None = None) -> Batch:
    batch = batch or Batch()
    batch.restart()
    table = market_table(markets or [BTC])
    decode_lines(block, 10 * SECOND, table, batch.records, batch.bids, batch.asks, batch.cursor, 0)
    return batch


def outcome(batch: Batch, index: int = 0) -> tuple[Kind, Reject]:
    row = batch.filled()[index]
    return Kind(int(row[Column.KIND])), Reject(int(row[Column.REASON]))


def columns(batch: Batch, index: int, *names: int) -> list[int]:
    return [int(batch.filled()[index][name]) for name in names]


@pytest.mark.parametrize("frame", ["{}", '{{"stream":"btcusdt@x","data":{}}}', '{{"data":{},"stream":"x"}}'])
def test_a_depth_update_bare_or_in_a_combined_frame(frame: str) -> None:
    batch = decode(frame.format(DIFF))
    assert outcome(batch) == (Kind.DIFF, Reject.NONE)
    assert columns(batch, 0, Column.FIRST_ID, Column.LAST_ID, Column.PREVIOUS_ID) == [5, 9, -1]
    assert columns(batch, 0, Column.EVENT_NS) == [1_723_161_255_208_000_000]
    assert batch.bids[:2].tolist() == [[10_001, 150_000_000], [9_900, 0]]
    assert batch.asks[:1].tolist() == [[10_002, 200_000_000]]


def test_a_stated_quote() -> None:
    batch = decode(QUOTE)
    assert outcome(batch) == (Kind.QUOTE, Reject.NONE)
    names = (Column.LAST_ID, records.BID_PRICE, records.BID_QUANTITY, records.ASK_PRICE, records.ASK_QUANTITY)
    assert columns(batch, 0, *names) == [12, 10_001, 150_000_000, 10_002, 225_000_000]


@pytest.mark.parametrize(("maker", "aggressor"), [("true", records.AGGRESSOR_SELL), ("false", records.AGGRESSOR_BUY)])
def test_a_trade_names_its_aggressor(maker: str, aggressor: int) -> None:
    batch = decode(TRADE.replace('"m":true', f'"m":{maker}'))
    assert outcome(batch) == (Kind.TRADE, Reject.NONE)
    names = (records.TRADE_ID, records.PRICE, records.QUANTITY, records.AGGRESSOR)
    assert columns(batch, 0, *names) == [77, 10_001, 2_000_000, aggressor]


def test_an_aggregate_trade_is_a_trade_known_by_its_aggregate_number() -> None:
    message = '{"e":"aggTrade","E":1,"s":"BTCUSDT","a":31,"p":"100.01","q":"1","f":5,"l":6,"T":1,"m":false,"M":true}'
    batch = decode(message)
    assert outcome(batch) == (Kind.TRADE, Reject.NONE)
    assert columns(batch, 0, records.TRADE_ID, records.PRICE) == [31, 10_001]


def test_a_rest_snapshot_belongs_to_the_only_market() -> None:
    batch = decode(SNAPSHOT)
    assert outcome(batch) == (Kind.SNAPSHOT, Reject.NONE)
    assert columns(batch, 0, Column.LAST_ID, Column.BIDS, Column.ASKS) == [7, 1, 2]


def test_a_snapshot_without_a_symbol_is_refused_among_several_markets() -> None:
    assert outcome(decode(SNAPSHOT, markets=[BTC, ETH])) == (Kind.REJECTED, Reject.UNKNOWN_SYMBOL)
    named = SNAPSHOT.replace('"bids"', '"symbol":"ETHUSDT","bids"')
    batch = decode(named, markets=[BTC, ETH])
    assert outcome(batch) == (Kind.SNAPSHOT, Reject.NONE)
    assert columns(batch, 0, Column.MARKET) == [1]


@pytest.mark.parametrize("stream", ["ethusdt@snapshot", "ethusdt"])
def test_a_snapshot_in_a_frame_belongs_to_the_streams_symbol(stream: str) -> None:
    frame = f'{{"stream":"{stream}","data":{SNAPSHOT}}}'
    batch = decode(frame, markets=[BTC, ETH])
    assert outcome(batch) == (Kind.SNAPSHOT, Reject.NONE)
    assert columns(batch, 0, Column.MARKET) == [1]


def test_fields_may_come_before_the_symbol_that_scales_them() -> None:
    message = '{"b":"100.01","B":"1.5","a":"100.02","A":"2.25","u":12,"s":"ETHUSDT"}'
    batch = decode(message, markets=[BTC, ETH])
    assert outcome(batch) == (Kind.QUOTE, Reject.NONE)
    assert columns(batch, 0, Column.MARKET, records.BID_PRICE) == [1, 10_001]


def test_inverse_quantities_are_floored_into_base_units() -> None:
    message = (
        '{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSD_PERP","ps":"BTCUSD","U":1,"u":2,"pu":0,'
        '"b":[["61784.3","7"]],"a":[["61784.4","0"]]}'
    )
    batch = decode(message, markets=[COIN])
    assert outcome(batch) == (Kind.DIFF, Reject.NONE)
    assert columns(batch, 0, Column.PREVIOUS_ID) == [0]
    expected = int(Decimal(7) * 100 / Decimal("61784.3") * 10**8)
    assert batch.bids[0].tolist() == [617_843, expected]
    assert batch.asks[0].tolist() == [617_844, 0]


@pytest.mark.parametrize(
    "message", ['{"result":null,"id":1}', '{"e":"kline","s":"BTCUSDT","k":{"t":1}}', "{}"[:0] + '{"x":1}']
)
def test_other_events_are_ignored(message: str) -> None:
    assert outcome(decode(message)) == (Kind.IGNORED, Reject.NONE)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("not json", Reject.MALFORMED),
        ("", Reject.MALFORMED),
        (DIFF[:-1], Reject.MALFORMED),
        (DIFF + "}", Reject.MALFORMED),
        (DIFF.replace('["100.02","2"]', '["100.02"]'), Reject.MALFORMED),
        (DIFF.replace("BTCUSDT", "DOGEUSDT"), Reject.UNKNOWN_SYMBOL),
        (DIFF.replace('"U":5,', ""), Reject.MISSING_FIELD),
        (DIFF.replace('"s":"BTCUSDT",', ""), Reject.MISSING_FIELD),
        (QUOTE.replace('"B":"1.5",', ""), Reject.MISSING_FIELD),
        (TRADE.replace('"m":true,', ""), Reject.MISSING_FIELD),
        (DIFF.replace('"100.02"', '"-100.02"'), Reject.NEGATIVE),
        (DIFF.replace('"100.02"', '"0.00"'), Reject.NEGATIVE),
        (QUOTE.replace('"100.01"', '"0"'), Reject.NEGATIVE),
        (QUOTE.replace('"1.5"', '"-1.5"'), Reject.NEGATIVE),
        (QUOTE.replace('"u":12', '"u":-12'), Reject.NEGATIVE),
        (QUOTE.replace('"1.5"', '"NaN"'), Reject.BAD_NUMBER),
        (QUOTE.replace('"1.5"', '"1.5'), Reject.MALFORMED),
        (QUOTE.replace('"100.01"', '"100.011"'), Reject.PRECISION),
        (QUOTE.replace('"100.01"', '"1' + "0" * 30 + '"'), Reject.OVERFLOW),
    ],
)
def test_bad_messages_are_refused_with_a_reason(message: str, reason: Reject) -> None:
    batch = decode(message, QUOTE)
    assert outcome(batch, 0) == (Kind.REJECTED, reason)
    assert outcome(batch, 1) == (Kind.QUOTE, Reject.NONE)


@pytest.mark.parametrize("stamp", [b"", b"x", b"12", b"-5", b"1723161255000000000", b"99999999999999999999 "])
def test_an_unreadable_receive_time_is_refused(stamp: bytes) -> None:
    assert outcome(decode_block(stamp + QUOTE.encode() + b"\n")) == (Kind.REJECTED, Reject.BAD_TIME)


def test_a_stamp_far_ahead_of_the_next_line_is_refused() -> None:
    quote = QUOTE.encode()
    start = 1_723_161_255 * SECOND
    stamps = [start, start + 3600 * SECOND, start + 1, start + 2 * 3600 * SECOND]
    batch = decode_block(b"".join(b"%d %s\n" % (stamp, quote) for stamp in stamps))
    reasons = [outcome(batch, i)[1] for i in range(4)]
    assert reasons == [Reject.NONE, Reject.FUTURE_TIME, Reject.NONE, Reject.NONE]


def test_carriage_returns_are_part_of_the_line_end() -> None:
    assert outcome(decode_block(b"1723161255000000000 " + QUOTE.encode() + b"\r\n")) == (Kind.QUOTE, Reject.NONE)


def test_a_full_batch_goes_on_where_it_stopped() -> None:
    batch = Batch(records=8, levels=3)
    block = b"".join(b"%d %s\n" % (1_723_161_255_000_000_000 + i, DIFF.encode()) for i in range(5))
    table = market_table([BTC])
    batch.restart()
    lines: list[int] = []
    while batch.cursor[records.CURSOR_POSITION] < len(block):
        batch.clear()
        decode_lines(block, SECOND, table, batch.records, batch.bids, batch.asks, batch.cursor, 0)
        assert batch.count == 1, "three level rows hold one update of two bids"
        lines.extend(batch.filled()[:, Column.LINE].tolist())
    assert lines == [1, 2, 3, 4, 5]


def test_a_message_of_more_levels_than_an_empty_batch_holds_is_refused() -> None:
    assert outcome(decode(DIFF, batch=Batch(records=8, levels=1))) == (Kind.REJECTED, Reject.TOO_LONG)


@given(position=st.integers(0, 400), byte=st.integers(0, 255), cut=st.booleans(), which=st.integers(0, 3))
@settings(derandomize=True, deadline=None, max_examples=1500)
def test_damaged_bytes_never_do_more_than_one_record_per_line(position: int, byte: int, cut: bool, which: int) -> None:
    message = bytearray((DIFF, QUOTE, TRADE, SNAPSHOT)[which].encode())
    position %= len(message)
    message[position] = byte
    damaged = bytes(message[:position]) if cut else bytes(message)
    batch = decode_block(b"1723161255000000000 " + damaged + b"\n1723161255000000001 " + QUOTE.encode() + b"\n")
    lines = damaged.count(b"\n") + 2
    assert batch.count == lines
    assert outcome(batch, lines - 1) == (Kind.QUOTE, Reject.NONE)
    try:
        json.loads(damaged)
    except (ValueError, RecursionError):
        unreadable = all(outcome(batch, i)[0] in (Kind.REJECTED, Kind.IGNORED) for i in range(lines - 1))
        # Names that nothing reads are skipped without checking their escapes and characters.
        assert unreadable or byte >= 0x20


def _levels(rows: Any, price_decimals: int, lots: Any) -> Iterator[list[int]]:
    for price, quantity in rows:
        ticks = Decimal(price).scaleb(price_decimals)
        yield [int(ticks), lots(Decimal(price), Decimal(quantity))]


RECORDINGS = [
    ("spot_btcusdt_20240808.gz", Market("BTCUSDT", 2, 8), {"DIFF": 3451, "QUOTE": 28040, "TRADE": 9757, "SNAPSHOT": 1}),
    (
        "usdm_btcusdt_20240808.gz",
        Market("BTCUSDT", 1, 3),
        {"DIFF": 6551, "QUOTE": 66089, "TRADE": 21313, "SNAPSHOT": 1},
    ),
    ("cm_btcusd_perp_20240808.gz", COIN, {"DIFF": 26847, "QUOTE": 19136, "TRADE": 2286, "SNAPSHOT": 1}),
]


@pytest.mark.parametrize(
    ("name", "market", "kinds"), RECORDINGS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_recorded_levels_equal_decimal_arithmetic(data: Path, name: str, market: Market, kinds: dict[str, int]) -> None:
    block = gzip.decompress((data / "binance-20240808" / name).read_bytes())
    batch = decode_block(block, [market], Batch(records=100_000, levels=700_000))
    found = Counter(Kind(kind).name for kind in batch.filled()[:, Column.KIND].tolist())
    assert found == kinds

    def lots(price: Decimal, quantity: Decimal) -> int:
        if market.contract_value:
            return int(quantity * market.contract_value * 10**market.quantity_decimals // price)
        return int(quantity.scaleb(market.quantity_decimals))

    lines = block.splitlines()
    diffs = [row for row in batch.filled().tolist() if row[Column.KIND] == Kind.DIFF][
        :: 1 if kinds["DIFF"] < 4000 else 7
    ]
    for row in diffs:
        message = json.loads(lines[row[Column.LINE] - 1].split(b" ", 1)[1])["data"]
        for key, rows, start, count in (
            ("b", batch.bids, row[Column.BIDS_START], row[Column.BIDS]),
            ("a", batch.asks, row[Column.ASKS_START], row[Column.ASKS]),
        ):
            expected = list(_levels(message[key], market.price_decimals, lots))
            assert np.array_equal(rows[start : start + count], np.array(expected, dtype=np.int64).reshape(-1, 2))
