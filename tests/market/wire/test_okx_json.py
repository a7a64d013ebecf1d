"""OKX's JSON becomes exact integers; contracts become lots; sequence numbers and checksums are carried along."""

from __future__ import annotations

from decimal import Decimal

import pytest

from market.errors import Fatal
from market.wire import records
from market.wire.markets import Market
from market.wire.okx_json import decode_lines
from market.wire.records import Column, Kind, Reject
from tests.market.wire.json_driver import Decoding

UPDATE = (
    '{"arg":{"channel":"books","instId":"BTC-USDT"},"action":"update","data":[{"asks":[["30249.4","0","0","0"],'
    '["30261","4.00000001","0","1"]],"bids":[["30182.6","0.5","0","1"]],"ts":"1652459225464",'
    '"checksum":-914047754,"prevSeqId":123455,"seqId":123457}]}'
)
SNAPSHOT = UPDATE.replace('"update"', '"snapshot"').replace("123455", "-1")
BEST = (
    '{"arg":{"channel":"bbo-tbt","instId":"BTC-USDT"},"data":[{"asks":[["30249.4","3","0","1"]],'
    '"bids":[["30182.6","4","0","1"]],"ts":"1652459225464","seqId":9}]}'
)
TRADE = '{"instId":"BTC-USDT","tradeId":"7849","px":"30218.8","sz":"0.25","side":"buy","ts":"1652459199958"}'
TRADES = f'{{"arg":{{"channel":"trades","instId":"BTC-USDT"}},"data":[{TRADE}]}}'


@pytest.fixture
def okx() -> Decoding:
    inverse = Market("BTC-USD-SWAP", 1, 8, Decimal(100))
    linear = Market("BTC-USDT-SWAP", 1, 8, contract_size=Decimal("0.01"))
    return Decoding(decode_lines, [Market("BTC-USDT", 1, 8), inverse, linear])


@pytest.mark.parametrize("channel", ["books", "books-l2-tbt", "books50-l2-tbt"])
def test_an_update_of_a_book(okx: Decoding, channel: str) -> None:
    okx.take(UPDATE.replace('"books"', f'"{channel}"'))
    assert okx.kinds == [Kind.DIFF]
    names = (Column.LAST_ID, Column.PREVIOUS_ID, Column.CHECKSUM, Column.EVENT_NS)
    assert okx.columns(0, *names) == [123_457, 123_455, 2**32 - 914_047_754, 1_652_459_225_464_000_000]
    assert okx.bids(0) == [[301_826, 50_000_000]]
    assert okx.asks(0) == [[302_494, 0], [302_610, 400_000_001]]


def test_a_snapshot_follows_nothing(okx: Decoding) -> None:
    okx.take(SNAPSHOT)
    assert okx.kinds == [Kind.SNAPSHOT]
    assert okx.columns(0, Column.PREVIOUS_ID) == [-1]


def test_a_checksum_of_zero_is_none(okx: Decoding) -> None:
    okx.take(UPDATE.replace("-914047754", "0"), UPDATE.replace('"checksum":-914047754,', ""))
    assert [okx.columns(index, Column.CHECKSUM) for index in (0, 1)] == [[-1], [-1]]


def test_keys_may_come_in_any_order(okx: Decoding) -> None:
    argument = '"arg":{"channel":"books","instId":"BTC-USDT"},'
    okx.take(UPDATE, UPDATE.replace(argument, "")[:-1] + "," + argument[:-1] + "}")
    assert okx.kinds == [Kind.DIFF, Kind.DIFF]
    assert okx.asks(0) == okx.asks(1)


def test_the_best_bid_and_offer_is_a_quote(okx: Decoding) -> None:
    okx.take(BEST)
    names = (Column.KIND, Column.LAST_ID, records.BID_PRICE, records.BID_QUANTITY, records.ASK_PRICE)
    assert okx.columns(0, *names) == [Kind.QUOTE, 9, 301_826, 400_000_000, 302_494]


def test_trades_name_their_aggressor(okx: Decoding) -> None:
    okx.take(TRADES.replace(TRADE, TRADE + "," + TRADE.replace("buy", "sell").replace("7849", "7850")))
    names = (Column.KIND, records.PRICE, records.QUANTITY, records.AGGRESSOR, records.TRADE_ID)
    assert okx.columns(0, *names) == [Kind.TRADE, 302_188, 25_000_000, records.AGGRESSOR_BUY, 7849]
    assert okx.columns(1, *names) == [Kind.TRADE, 302_188, 25_000_000, records.AGGRESSOR_SELL, 7850]


def test_inverse_contracts_are_floored_into_base_units(okx: Decoding) -> None:
    okx.take(UPDATE.replace("BTC-USDT", "BTC-USD-SWAP").replace("4.00000001", "4").replace('"0.5"', '"7"'))
    assert okx.bids(0) == [[301_826, int(Decimal(700) / Decimal("30182.6") * 10**8)]]


def test_linear_contracts_are_multiplied(okx: Decoding) -> None:
    okx.take(UPDATE.replace("BTC-USDT", "BTC-USDT-SWAP").replace("4.00000001", "4.01"))
    assert okx.bids(0) == [[301_826, 500_000]]
    assert okx.asks(0)[1] == [302_610, 4_010_000]


@pytest.mark.parametrize(
    ("size", "value"), [("0.03", "0"), ("0", "0"), ("-1", "0"), ("1E-9", "0"), ("0.1", "100"), ("NaN", "0")]
)
def test_a_contract_size_is_a_power_of_ten_lots(size: str, value: str) -> None:
    with pytest.raises(Fatal, match=r"contract size"):
        Market("BTC-USDT-SWAP", 1, 8, Decimal(value), Decimal(size))


@pytest.mark.parametrize(
    "message",
    [
        '{"event":"subscribe","arg":{"channel":"books","instId":"BTC-USDT"}}',
        '{"arg":{"channel":"tickers","instId":"SOL-USDT"},"data":[{"last":"x"}]}',
        TRADES.replace(TRADE, ""),
    ],
)
def test_other_messages_are_ignored(okx: Decoding, message: str) -> None:
    assert okx.take(message).outcomes == [(Kind.IGNORED, Reject.NONE)]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (UPDATE[:-1], Reject.MALFORMED),
        (UPDATE + " ", Reject.MALFORMED),
        (UPDATE.replace('["30261","4.00000001","0","1"]', '["30261"]'), Reject.MALFORMED),
        (UPDATE.replace("BTC-USDT", "BTC-USD-220514-22000-C"), Reject.UNKNOWN_SYMBOL),
        (UPDATE.replace('"action":"update",', ""), Reject.MISSING_FIELD),
        (UPDATE.replace('"ts":"1652459225464",', ""), Reject.MISSING_FIELD),
        (TRADES.replace('"side":"buy",', ""), Reject.MISSING_FIELD),
        (UPDATE.replace("30261", "30261.01"), Reject.PRECISION),
        (UPDATE.replace("30261", "0"), Reject.NEGATIVE),
        (UPDATE.replace('"seqId":123457', '"seqId":null'), Reject.BAD_NUMBER),
        (TRADES.replace("7849", "9" * 20), Reject.OVERFLOW),
    ],
)
def test_bad_messages_are_refused_whole(okx: Decoding, message: str, reason: Reject) -> None:
    assert okx.take(message, UPDATE).outcomes == [(Kind.REJECTED, reason), (Kind.DIFF, Reject.NONE)]
