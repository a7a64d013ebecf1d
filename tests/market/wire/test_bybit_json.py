"""Bybit's JSON becomes exact integers; what is broken is refused with a reason and changes nothing."""

from __future__ import annotations

import pytest

from market.wire import records
from market.wire.bybit_json import decode_lines
from market.wire.markets import Market
from market.wire.records import Column, Kind, Reject
from tests.market.wire.json_driver import Decoding

DELTA = (
    '{"topic":"orderbook.200.BTCUSDT","type":"delta","ts":1786310818130,"data":{"s":"BTCUSDT",'
    '"b":[["65095.30","0.005"],["65093.1","0"]],"a":[["65116.60","1.5"]],"u":15076953,"seq":753843913870},'
    '"cts":1786310818129}'
)
SNAPSHOT = DELTA.replace('"delta"', '"snapshot"')
LEVEL_1 = DELTA.replace("orderbook.200", "orderbook.1").replace(',["65093.1","0"]', "")
TRADE = '{"T":1786310819680,"s":"BTCUSDT","S":"Sell","v":"0.004","p":"65114.20","i":"a9188a0a-82bc","seq":7}'
TRADES = f'{{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1786310819681,"data":[{TRADE}]}}'


@pytest.fixture
def bybit() -> Decoding:
    return Decoding(decode_lines, [Market("BTCUSDT", 2, 3), Market("ETHUSDT", 2, 2)])


def test_a_delta(bybit: Decoding) -> None:
    bybit.take(DELTA)
    assert bybit.kinds == [Kind.DIFF]
    names = (Column.MARKET, Column.LAST_ID, Column.PREVIOUS_ID, Column.EVENT_NS, Column.CHECKSUM)
    assert bybit.columns(0, *names) == [0, 15_076_953, -1, 1_786_310_818_130_000_000, -1]
    assert bybit.bids(0) == [[6_509_530, 5], [6_509_310, 0]]
    assert bybit.asks(0) == [[6_511_660, 1500]]


def test_a_snapshot_and_the_snapshot_after_a_restart_of_the_service(bybit: Decoding) -> None:
    bybit.take(SNAPSHOT, DELTA.replace('"u":15076953', '"u":1'))
    assert bybit.kinds == [Kind.SNAPSHOT, Kind.SNAPSHOT]


def test_keys_may_come_in_any_order(bybit: Decoding) -> None:
    topic = '"topic":"orderbook.200.BTCUSDT",'
    late = DELTA.replace(topic, "")[:-1] + "," + topic[:-1] + "}"
    bybit.take(DELTA, late)
    assert bybit.kinds == [Kind.DIFF, Kind.DIFF]
    assert bybit.bids(0) == bybit.bids(1)


def test_level_1_is_a_quote_numbered_across_depths(bybit: Decoding) -> None:
    bybit.take(LEVEL_1, LEVEL_1.replace('"a":[["65116.60","1.5"]]', '"a":[]'))
    assert bybit.kinds == [Kind.QUOTE, Kind.QUOTE]
    names = (Column.LAST_ID, records.BID_PRICE, records.BID_QUANTITY, records.ASK_PRICE, records.ASK_QUANTITY)
    assert bybit.columns(0, *names) == [753_843_913_870, 6_509_530, 5, 6_511_660, 1500]
    assert bybit.columns(1, *names)[3:] == [-1, 0]


def test_every_trade_of_a_message_is_a_record(bybit: Decoding) -> None:
    buy = TRADE.replace("Sell", "Buy").replace("a9188a0a-82bc", "2280000001739247417")
    bybit.take(TRADES.replace(TRADE, f"{TRADE},{buy}"))
    assert bybit.kinds == [Kind.TRADE, Kind.TRADE]
    names = (records.PRICE, records.QUANTITY, records.AGGRESSOR, records.TRADE_ID, Column.EVENT_NS)
    time_ns = 1_786_310_819_680_000_000
    assert bybit.columns(0, *names) == [6_511_420, 4, records.AGGRESSOR_SELL, -1, time_ns]
    assert bybit.columns(1, *names) == [6_511_420, 4, records.AGGRESSOR_BUY, 2_280_000_001_739_247_417, time_ns]


def test_a_message_that_does_not_fit_waits_for_an_empty_batch() -> None:
    bybit = Decoding(decode_lines, [Market("BTCUSDT", 2, 3)], records=3)
    block = bybit.take(TRADES)
    many = TRADES.replace(TRADE, ",".join([TRADE] * 3))
    recorded = b"1723161255000000000 " + TRADES.encode() + b"\n1723161255000000001 " + many.encode() + b"\n"
    assert bybit.block(recorded).kinds == [Kind.TRADE]
    position = block.batch.position
    assert bybit.block(recorded, position).kinds == [Kind.TRADE] * 3
    four = TRADES.replace(TRADE, ",".join([TRADE] * 4))
    assert bybit.take(four).outcomes == [(Kind.REJECTED, Reject.TOO_LONG)]


@pytest.mark.parametrize(
    "message",
    [
        '{"success":true,"ret_msg":"","op":"subscribe"}',
        '{"topic":"tickers.BTCUSDT","type":"delta","data":{"symbol":"BTCUSDT","bid1Price":"x"},"cs":1,"ts":2}',
        '{"topic":"kline.1.DOGEUSDT","data":[{"start":1}],"ts":1786310818440,"type":"snapshot"}',
        "{}",
    ],
)
def test_other_messages_are_ignored(bybit: Decoding, message: str) -> None:
    assert bybit.take(message).outcomes == [(Kind.IGNORED, Reject.NONE)]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("[]", Reject.MALFORMED),
        (DELTA[:-1], Reject.MALFORMED),
        (DELTA + "}", Reject.MALFORMED),
        (DELTA.replace("BTCUSDT", "DOGEUSDT"), Reject.UNKNOWN_SYMBOL),
        (DELTA.replace("BTCUSDT", "BTC-30DEC26-100000-C-USDT"), Reject.UNKNOWN_SYMBOL),
        (DELTA.replace('"u":15076953,', ""), Reject.MISSING_FIELD),
        (DELTA.replace('"type":"delta",', ""), Reject.MISSING_FIELD),
        (DELTA.replace('"a":[["65116.60","1.5"]],', ""), Reject.MISSING_FIELD),
        (TRADES.replace('"S":"Sell",', ""), Reject.MISSING_FIELD),
        (TRADES.replace('"Sell"', '"None"'), Reject.MISSING_FIELD),
        (DELTA.replace("65116.60", "65116.601"), Reject.PRECISION),
        (DELTA.replace("65116.60", "-1"), Reject.NEGATIVE),
        (TRADES.replace('"p":"65114.20"', '"p":"0"'), Reject.NEGATIVE),
        (DELTA.replace("65116.60", "1e5"), Reject.BAD_NUMBER),
        (DELTA.replace("65116.60", "9" * 30), Reject.OVERFLOW),
    ],
)
def test_bad_messages_are_refused_whole(bybit: Decoding, message: str, reason: Reject) -> None:
    bybit.take(message, DELTA)
    assert bybit.outcomes == [(Kind.REJECTED, reason), (Kind.DIFF, Reject.NONE)]
    assert bybit.bids(1) == [[6_509_530, 5], [6_509_310, 0]]


def test_a_bad_trade_takes_the_good_ones_before_it_along(bybit: Decoding) -> None:
    bad = TRADE.replace('"0.004"', '"0.0041"')
    assert bybit.take(TRADES.replace(TRADE, f"{TRADE},{bad}")).outcomes == [(Kind.REJECTED, Reject.PRECISION)]
