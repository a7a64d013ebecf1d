"""Kraken's JSON, v2 objects and v1 arrays, becomes exact integers with the shape that its checksum needs."""

from __future__ import annotations

import pytest

from market.wire import records
from market.wire.kraken_json import decode_lines
from market.wire.levels import pack_shape
from market.wire.markets import Market
from market.wire.records import Column, Kind, Reject
from tests.market.wire.json_driver import Decoding

UPDATE = (
    '{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":45283.5,"qty":0.10000000}],'
    '"asks":[{"price":45285.2,"qty":0.00100000},{"price":45286.4,"qty":0}],"checksum":3310070434,'
    '"timestamp":"2026-10-06T17:35:55.440295Z"}]}'
)
SNAPSHOT = UPDATE.replace('"update"', '"snapshot"')
TRADE = (
    '{"symbol":"BTC/USD","side":"sell","price":45283.5,"qty":0.5,"ord_type":"market","trade_id":4665906,'
    '"timestamp":"2026-10-06T17:35:55.5Z"}'
)
TRADES = f'{{"channel":"trade","type":"update","data":[{TRADE}]}}'
V1_SNAPSHOT = (
    '[1360,{"as":[["45285.20000","0.00100000","1618678123.481570"]],'
    '"bs":[["45283.50000","0.10000000","1618678132.136369"]]},"book-100","XBT/USD"]'
)
V1_UPDATE = (
    '[1920,{"a":[["45285.20000","0.00200000","1618678145.920470"]]},'
    '{"b":[["45283.50000","0.00000000","1618678145.920708","r"]],"c":"4105471083"},"book-100","XBT/USD"]'
)
V1_TRADES = (
    '[993,[["45283.50000","0.5","1618678142.557535","s","l",""],["45283.60000","0.25","1618678142.6","b","m",""]],'
    '"trade","XBT/USD"]'
)
EVENT_NS = 1_791_308_155_440_295_000


@pytest.fixture
def kraken() -> Decoding:
    return Decoding(decode_lines, [Market("BTC/USD", 1, 8), Market("XBT/USD", 1, 8)])


def test_a_book_update(kraken: Decoding) -> None:
    kraken.take(UPDATE)
    assert kraken.kinds == [Kind.DIFF]
    names = (Column.MARKET, Column.LAST_ID, Column.CHECKSUM, Column.SHAPE, Column.EVENT_NS)
    assert kraken.columns(0, *names) == [0, -1, 3_310_070_434, pack_shape(1, 8, 0), EVENT_NS]
    assert kraken.bids(0) == [[452_835, 10_000_000]]
    assert kraken.asks(0) == [[452_852, 100_000], [452_864, 0]]


def test_numbers_may_be_quoted_and_fields_in_any_order(kraken: Decoding) -> None:
    late = UPDATE.replace('"symbol":"BTC/USD",', "").replace('"checksum"', '"symbol":"BTC/USD","checksum"')
    quoted = UPDATE.replace('"price":45283.5,"qty":0.10000000', '"qty":"0.10000000","price":"45283.5"')
    outer = UPDATE.replace('"channel":"book","type":"update",', "")[:-1] + ',"type":"update","channel":"book"}'
    kraken.take(UPDATE, late, quoted, outer)
    assert kraken.kinds == [Kind.DIFF] * 4
    assert kraken.bids(0) == kraken.bids(1) == kraken.bids(2) == kraken.bids(3)


@pytest.mark.parametrize(("levels", "depth"), [(1, 10), (10, 10), (11, 25), (26, 100), (101, 500), (501, 1000)])
def test_a_snapshot_shows_the_depth_subscribed_to(levels: int, depth: int) -> None:
    kraken = Decoding(decode_lines, [Market("BTC/USD", 1, 8)], levels=1000)
    bids = ",".join(f'{{"price":{price}.0,"qty":1.00000000}}' for price in range(levels, 0, -1))
    kraken.take(SNAPSHOT.replace('{"price":45283.5,"qty":0.10000000}', bids))
    assert kraken.kinds == [Kind.SNAPSHOT]
    assert kraken.columns(0, Column.SHAPE, Column.BIDS) == [pack_shape(1, 8, depth), levels]


def test_an_update_may_leave_a_side_out(kraken: Decoding) -> None:
    kraken.take(UPDATE.replace('"bids":[{"price":45283.5,"qty":0.10000000}],', ""))
    assert kraken.columns(0, Column.KIND, Column.BIDS, Column.ASKS) == [Kind.DIFF, 0, 2]


def test_trades(kraken: Decoding) -> None:
    kraken.take(TRADES.replace(TRADE, TRADE + "," + TRADE.replace("sell", "buy").replace("4665906", "4665907")))
    names = (Column.KIND, records.PRICE, records.QUANTITY, records.AGGRESSOR, records.TRADE_ID)
    assert kraken.columns(0, *names) == [Kind.TRADE, 452_835, 50_000_000, records.AGGRESSOR_SELL, 4_665_906]
    assert kraken.columns(1, *names) == [Kind.TRADE, 452_835, 50_000_000, records.AGGRESSOR_BUY, 4_665_907]


def test_trades_before_the_subscription_are_ignored(kraken: Decoding) -> None:
    assert kraken.take(TRADES.replace('"update"', '"snapshot"')).kinds == [Kind.IGNORED]


def test_parts_of_unknown_symbols_are_left_out_and_said(kraken: Decoding) -> None:
    both = TRADES.replace(TRADE, TRADE.replace("BTC/USD", "ETH/USD") + "," + TRADE)
    kraken.take(both)
    assert kraken.outcomes == [(Kind.TRADE, Reject.NONE), (Kind.REJECTED, Reject.UNKNOWN_SYMBOL)]


def test_v1_books(kraken: Decoding) -> None:
    kraken.take(V1_SNAPSHOT, V1_UPDATE)
    assert kraken.kinds == [Kind.SNAPSHOT, Kind.DIFF]
    names = (Column.MARKET, Column.CHECKSUM, Column.SHAPE, Column.EVENT_NS)
    assert kraken.columns(0, *names) == [1, -1, pack_shape(5, 8, 100), 1_618_678_132_136_369_000]
    assert kraken.columns(1, *names) == [1, 4_105_471_083, pack_shape(5, 8, 100), 1_618_678_145_920_708_000]
    assert (kraken.bids(0), kraken.asks(0)) == ([[452_835, 10_000_000]], [[452_852, 100_000]])
    assert (kraken.bids(1), kraken.asks(1)) == ([[452_835, 0]], [[452_852, 200_000]])


def test_v1_trades(kraken: Decoding) -> None:
    kraken.take(V1_TRADES)
    names = (Column.KIND, records.PRICE, records.QUANTITY, records.AGGRESSOR, records.TRADE_ID)
    assert kraken.columns(0, *names) == [Kind.TRADE, 452_835, 50_000_000, records.AGGRESSOR_SELL, -1]
    assert kraken.columns(1, *names) == [Kind.TRADE, 452_836, 25_000_000, records.AGGRESSOR_BUY, -1]
    assert kraken.columns(1, Column.EVENT_NS) == [1_618_678_142_600_000_000]


@pytest.mark.parametrize(
    "message",
    [
        '{"event":"heartbeat"}',
        '{"channel":"heartbeat"}',
        '{"method":"subscribe","result":{"channel":"book","depth":10},"success":true}',
        '{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":"x"}]}',
        '[1668,{"a":["13.2539",35,"35.7"],"c":["x","y"]},"ticker","XBT/USD"]',
    ],
)
def test_other_messages_are_ignored(kraken: Decoding, message: str) -> None:
    assert kraken.take(message).outcomes == [(Kind.IGNORED, Reject.NONE)]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("[]", Reject.MALFORMED),
        ("[", Reject.MALFORMED),
        ('["a"]', Reject.MALFORMED),
        (V1_UPDATE[:-1], Reject.MALFORMED),
        (V1_UPDATE + "]", Reject.MALFORMED),
        (UPDATE[:-2], Reject.MALFORMED),
        (UPDATE.replace("BTC/USD", "ETH/USD"), Reject.UNKNOWN_SYMBOL),
        (V1_UPDATE.replace("XBT/USD", "ETH/USD"), Reject.UNKNOWN_SYMBOL),
        (UPDATE.replace('"symbol":"BTC/USD",', ""), Reject.MISSING_FIELD),
        (UPDATE.replace('"checksum":3310070434,', ""), Reject.MISSING_FIELD),
        (SNAPSHOT.replace('"bids":[{"price":45283.5,"qty":0.10000000}],', ""), Reject.MISSING_FIELD),
        (UPDATE.replace('"qty":0.10000000', '"qtx":0.1'), Reject.MISSING_FIELD),
        (UPDATE.replace('"type":"update",', ""), Reject.MISSING_FIELD),
        (V1_UPDATE.replace('"a"', '"x"').replace('"b"', '"y"'), Reject.MISSING_FIELD),
        (V1_TRADES.replace('"s"', '"x"'), Reject.MISSING_FIELD),
        (UPDATE.replace("45285.2", "45285.21"), Reject.PRECISION),
        (UPDATE.replace("45285.2", "-45285.2"), Reject.NEGATIVE),
        (UPDATE.replace("45285.2", "0.0"), Reject.NEGATIVE),
        (UPDATE.replace("0.00100000", "1e-05"), Reject.BAD_NUMBER),
        (UPDATE.replace("3310070434", "4294967296"), Reject.BAD_NUMBER),
        (UPDATE.replace("2026-10-06T", "2026-10-06 "), Reject.BAD_NUMBER),
    ],
)
def test_bad_messages_are_refused_whole(kraken: Decoding, message: str, reason: Reject) -> None:
    assert kraken.take(message, UPDATE).outcomes == [(Kind.REJECTED, reason), (Kind.DIFF, Reject.NONE)]
