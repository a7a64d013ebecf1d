"""Damaged messages of every venue: nothing crashes, nothing leaks into the next message."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.wire import bybit_json, coinbase_json, kraken_json, okx_json
from market.wire.lines import DecodeLines
from market.wire.markets import Market
from market.wire.records import Kind
from tests.market.wire import test_bybit_json as bybit
from tests.market.wire import test_coinbase_json as coinbase
from tests.market.wire import test_kraken_json as kraken
from tests.market.wire import test_okx_json as okx
from tests.market.wire.json_driver import Decoding

Case = tuple[DecodeLines, list[Market], list[str]]
CASES: dict[str, Case] = {
    "bybit": (
        bybit_json.decode_lines,
        [Market("BTCUSDT", 2, 3)],
        [bybit.DELTA, bybit.SNAPSHOT, bybit.LEVEL_1, bybit.TRADES],
    ),
    "okx": (okx_json.decode_lines, [Market("BTC-USDT", 1, 8)], [okx.UPDATE, okx.SNAPSHOT, okx.BEST, okx.TRADES]),
    "kraken": (
        kraken_json.decode_lines,
        [Market("BTC/USD", 1, 8), Market("XBT/USD", 1, 8)],
        [kraken.UPDATE, kraken.SNAPSHOT, kraken.TRADES, kraken.V1_UPDATE, kraken.V1_SNAPSHOT, kraken.V1_TRADES],
    ),
    "coinbase": (
        coinbase_json.decode_lines,
        [Market("BTC-USD", 2, 8)],
        [
            coinbase.book(3),
            coinbase.trades(3),
            coinbase.EXCHANGE_SNAPSHOT,
            coinbase.EXCHANGE_UPDATE,
            coinbase.MATCH,
        ],
    ),
}
GOOD = {Kind.DIFF, Kind.SNAPSHOT, Kind.QUOTE, Kind.TRADE}


@pytest.mark.parametrize("venue", CASES)
def test_what_is_damaged_here_is_good_when_whole(venue: str) -> None:
    decode_lines, markets, messages = CASES[venue]
    for message in messages:
        assert set(Decoding(decode_lines, markets).take(message).kinds) <= GOOD


@pytest.mark.parametrize("venue", CASES)
@given(
    which=st.integers(0, 5),
    edits=st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), min_size=1, max_size=3),
    cut=st.booleans(),
)
@settings(derandomize=True, deadline=None, max_examples=700)
def test_damaged_bytes_leave_the_next_message_alone(
    venue: str, which: int, edits: list[tuple[int, int]], cut: bool
) -> None:
    decode_lines, markets, messages = CASES[venue]
    message = bytearray(messages[which % len(messages)].encode())
    for position, byte in edits:
        message[position % len(message)] = byte
    damaged = bytes(message[: edits[0][0] % len(message)]) if cut else bytes(message)
    intact = messages[0].replace('"sequence_num":3', '"sequence_num":4')
    alone = Decoding(decode_lines, markets).take(intact)
    decoding = Decoding(decode_lines, markets)
    decoding.block(b"1723161255000000000 " + damaged + b"\n1723161255000000000 " + intact.encode() + b"\n")
    kinds = [kind for kind in decoding.kinds if kind is not Kind.GAP]
    assert kinds[-1] is alone.kinds[0]
    assert decoding.bids(len(decoding.rows) - 1) == alone.bids(0)
    assert decoding.asks(len(decoding.rows) - 1) == alone.asks(0)
    if damaged.count(b"\n") == 0 and not _is_json(damaged):
        # Names and values that nothing reads are skipped without checking their characters.
        assert kinds[:-1] == [Kind.REJECTED] or all(byte >= 0x20 for byte in damaged)


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
