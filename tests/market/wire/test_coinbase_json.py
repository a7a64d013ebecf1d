"""Coinbase's JSON, Advanced Trade and Exchange, becomes exact integers; missing messages give the books up."""

from __future__ import annotations

import pytest

from market.wire import records
from market.wire.coinbase_json import decode_lines
from market.wire.markets import Market
from market.wire.records import Column, Kind, Reject
from tests.market.wire.json_driver import Decoding

TIME = '"timestamp":"2026-08-09T21:05:48.505350477Z"'
EVENT_NS = 1_786_309_548_505_350_477
LEVEL = '{"side":"bid","event_time":"2026-08-09T21:05:48.2Z","price_level":"65062.5","new_quantity":"0.00583"}'
OFFER = LEVEL.replace('"bid"', '"offer"').replace("65062.5", "65062.51").replace("0.00583", "0")
TRADE = (
    '{"product_id":"BTC-USD","trade_id":"1068572091","price":"65083.67","size":"0.01034361",'
    '"time":"2026-08-09T21:05:48.167634Z","side":"SELL"}'
)
EXCHANGE_SNAPSHOT = (
    '{"type":"snapshot","product_id":"BTC-USD","asks":[["65062.51","2"]],"bids":[["65062.50","1"],["65062","0.5"]],'
    '"time":"2026-08-09T21:05:48.5Z"}'
)
EXCHANGE_UPDATE = (
    '{"type":"l2update","product_id":"BTC-USD","changes":[["buy","65062.50","0"],["sell","65062.6","0.162567"]],'
    '"time":"2026-08-09T21:05:48.5Z"}'
)
MATCH = (
    '{"type":"match","trade_id":10,"maker_order_id":"ac928c66","sequence":50,"time":"2026-08-09T21:05:48.5Z",'
    '"product_id":"BTC-USD","size":"5.23512","price":"400.23","side":"sell"}'
)


def book(sequence: int, kind: str = "update", product: str = "BTC-USD") -> str:
    event = f'{{"type":"{kind}","product_id":"{product}","updates":[{LEVEL},{OFFER}]}}'
    return f'{{"channel":"l2_data",{TIME},"sequence_num":{sequence},"events":[{event}]}}'


def trades(sequence: int, *each: str, kind: str = "update") -> str:
    event = f'{{"type":"{kind}","trades":[{",".join(each or (TRADE,))}]}}'
    return f'{{"channel":"market_trades",{TIME},"sequence_num":{sequence},"events":[{event}]}}'


def heartbeat(sequence: int) -> str:
    return f'{{"channel":"heartbeats",{TIME},"sequence_num":{sequence},"events":[{{"heartbeat_counter":1}}]}}'


@pytest.fixture
def coinbase() -> Decoding:
    return Decoding(decode_lines, [Market("BTC-USD", 2, 8), Market("ETH-USD", 2, 8)])


def test_a_book_of_advanced_trade(coinbase: Decoding) -> None:
    coinbase.take(book(0, "snapshot"), book(1))
    assert coinbase.kinds == [Kind.SNAPSHOT, Kind.DIFF]
    assert coinbase.columns(1, Column.MARKET, Column.LAST_ID, Column.EVENT_NS) == [0, -1, EVENT_NS]
    assert coinbase.bids(1) == [[6_506_250, 583_000]]
    assert coinbase.asks(1) == [[6_506_251, 0]]


def test_keys_may_come_in_any_order(coinbase: Decoding) -> None:
    late_product = book(1).replace('"product_id":"BTC-USD",', "").replace("]}]}", '],"product_id":"BTC-USD"}]}')
    late_events = book(2).replace('"channel":"l2_data",', "")[:-1] + ',"channel":"l2_data"}'
    late_type = trades(3).replace('"type":"update",', "").replace("]}]}", '],"type":"update"}]}')
    late_trade = trades(4).replace('"product_id":"BTC-USD",', "").replace('"SELL"', '"SELL","product_id":"BTC-USD"')
    coinbase.take(book(0), late_product, late_events, late_type, late_trade)
    assert coinbase.kinds == [Kind.DIFF, Kind.DIFF, Kind.DIFF, Kind.TRADE, Kind.TRADE]
    assert coinbase.bids(0) == coinbase.bids(1) == coinbase.bids(2)


def test_the_side_of_a_trade_is_the_makers(coinbase: Decoding) -> None:
    coinbase.take(trades(0), trades(1, TRADE.replace("SELL", "BUY")), MATCH)
    names = (Column.KIND, records.PRICE, records.QUANTITY, records.AGGRESSOR, records.TRADE_ID)
    assert coinbase.columns(0, *names) == [Kind.TRADE, 6_508_367, 1_034_361, records.AGGRESSOR_BUY, 1_068_572_091]
    assert coinbase.columns(1, records.AGGRESSOR) == [records.AGGRESSOR_SELL]
    assert coinbase.columns(2, *names) == [Kind.TRADE, 40_023, 523_512_000, records.AGGRESSOR_BUY, 10]


def test_trades_are_listed_newest_first_and_recorded_oldest_first(coinbase: Decoding) -> None:
    ids = ["13", "12", "11"]
    coinbase.take(trades(0, *[TRADE.replace("1068572091", each) for each in ids]))
    assert [coinbase.columns(index, records.TRADE_ID) for index in range(3)] == [[11], [12], [13]]


def test_trades_before_the_subscription_are_ignored(coinbase: Decoding) -> None:
    coinbase.take(trades(0, kind="snapshot"), MATCH.replace('"match"', '"last_match"'))
    assert coinbase.kinds == [Kind.IGNORED, Kind.IGNORED]


def test_a_step_in_the_connections_numbers_gives_every_book_up_first(coinbase: Decoding) -> None:
    coinbase.take(book(5, "snapshot"), heartbeat(6), book(8))
    assert coinbase.kinds == [Kind.SNAPSHOT, Kind.IGNORED, Kind.GAP, Kind.GAP, Kind.DIFF]
    assert [coinbase.columns(index, Column.MARKET) for index in (2, 3)] == [[0], [1]]
    coinbase.take(heartbeat(10))
    assert coinbase.kinds == [Kind.GAP, Kind.GAP]


def test_a_number_again_is_out_of_order_and_zero_a_new_connection(coinbase: Decoding) -> None:
    coinbase.take(book(5), book(5), book(4), book(0, "snapshot"), book(1))
    kinds = [Kind.DIFF, Kind.IGNORED, Kind.IGNORED, Kind.GAP, Kind.GAP, Kind.SNAPSHOT, Kind.DIFF]
    assert coinbase.kinds == kinds


def test_a_refused_message_leaves_a_step(coinbase: Decoding) -> None:
    coinbase.take(book(5), book(6).replace("65062.5", "65062.555"), book(7))
    assert coinbase.kinds == [Kind.DIFF, Kind.REJECTED, Kind.GAP, Kind.GAP, Kind.DIFF]


def test_numbers_count_on_when_a_message_waited_for_an_empty_batch() -> None:
    coinbase = Decoding(decode_lines, [Market("BTC-USD", 2, 8)], records=4)
    block = "".join(f"{10**18 + i} {trades(i, TRADE, TRADE, TRADE)}\n" for i in range(3)).encode()
    kinds: list[Kind] = []
    position = 0
    while position < len(block):
        kinds += coinbase.block(block, position).kinds
        position = coinbase.batch.position
    assert kinds == [Kind.TRADE] * 9


def test_the_exchanges_level_2(coinbase: Decoding) -> None:
    coinbase.take(EXCHANGE_SNAPSHOT, EXCHANGE_UPDATE)
    assert coinbase.kinds == [Kind.SNAPSHOT, Kind.DIFF]
    assert coinbase.bids(0) == [[6_506_250, 100_000_000], [6_506_200, 50_000_000]]
    assert (coinbase.bids(1), coinbase.asks(1)) == ([[6_506_250, 0]], [[6_506_260, 16_256_700]])
    assert coinbase.columns(1, Column.EVENT_NS) == [1_786_309_548_500_000_000]


def test_an_exchange_message_with_late_keys_is_read_again(coinbase: Decoding) -> None:
    late = EXCHANGE_UPDATE.replace('"type":"l2update","product_id":"BTC-USD",', "")[:-1]
    coinbase.take(EXCHANGE_UPDATE, late + ',"product_id":"BTC-USD","type":"l2update"}')
    assert coinbase.bids(0) == coinbase.bids(1)


def test_a_refused_update_of_an_exchange_book_gives_it_up(coinbase: Decoding) -> None:
    coinbase.take(EXCHANGE_SNAPSHOT, EXCHANGE_UPDATE.replace("65062.6", "x"), EXCHANGE_UPDATE, EXCHANGE_UPDATE)
    kinds = [Kind.SNAPSHOT, Kind.REJECTED, Kind.GAP, Kind.GAP, Kind.DIFF, Kind.DIFF]
    assert coinbase.kinds == kinds
    coinbase.take(MATCH.replace("400.23", "400.234"), EXCHANGE_UPDATE)
    assert coinbase.kinds == [Kind.REJECTED, Kind.DIFF], "a refused trade is not missing from a book"


@pytest.mark.parametrize(
    "message",
    [
        '{"type":"subscriptions","channels":[]}',
        '{"type":"error","message":"x"}',
        '{"type":"ticker","sequence":1,"product_id":"DOGE-USD","price":"x","side":"buy","time":"y"}',
        '{"type":"open","product_id":"BTC-USD","price":"200.2","remaining_size":"1.00","side":"sell"}',
        heartbeat(7),
    ],
)
def test_other_messages_are_ignored(coinbase: Decoding, message: str) -> None:
    assert coinbase.take(message).outcomes == [(Kind.IGNORED, Reject.NONE)]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (book(0)[:-1], Reject.MALFORMED),
        (book(0, product="DOGE-USD"), Reject.UNKNOWN_SYMBOL),
        (trades(0, TRADE.replace("BTC", "DOGE")), Reject.UNKNOWN_SYMBOL),
        (EXCHANGE_UPDATE.replace("BTC-USD", "DOGE-USD"), Reject.UNKNOWN_SYMBOL),
        (book(0).replace('"sequence_num":0,', ""), Reject.MISSING_FIELD),
        (book(0).replace(TIME + ",", ""), Reject.MISSING_FIELD),
        (book(0).replace('"product_id":"BTC-USD",', ""), Reject.MISSING_FIELD),
        (book(0).replace('"type":"update",', ""), Reject.MISSING_FIELD),
        (book(0).replace('"side":"bid",', ""), Reject.MISSING_FIELD),
        (trades(0).replace('"size":"0.01034361",', ""), Reject.MISSING_FIELD),
        (EXCHANGE_SNAPSHOT.replace('"asks"', '"other"'), Reject.MISSING_FIELD),
        (MATCH.replace('"trade_id":10,', ""), Reject.MISSING_FIELD),
        (book(0).replace("65062.51", "65062.511"), Reject.PRECISION),
        (book(0).replace("65062.51", "0"), Reject.NEGATIVE),
        (book(0).replace("65062.51", "1e3"), Reject.BAD_NUMBER),
        (EXCHANGE_UPDATE.replace('["sell","65062.6","0.162567"]', '["sell","65062.6"]'), Reject.MALFORMED),
        (EXCHANGE_UPDATE.replace('"sell"', '"hold"'), Reject.MISSING_FIELD),
    ],
)
def test_bad_messages_are_refused_whole(coinbase: Decoding, message: str, reason: Reject) -> None:
    assert coinbase.take(message).outcomes == [(Kind.REJECTED, reason)]
