"""Symbols of up to 32 characters are found, and told from others that begin alike."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Fatal
from market.native.kernel import BYTES, entry
from market.native.memory import address_of
from market.wire import binance_json, okx_json
from market.wire.markets import Market, find_market, market_table
from market.wire.records import Column, Kind, Reject, Words
from tests.market.wire.json_driver import Decoding

SYMBOLS = st.text("AB-_1", min_size=1, max_size=32)
LONG = "BTC_USDC-PERPETUAL"


@entry(f"int64(int64[::1], {BYTES}, int64)")
def _find(table: Words, text: bytes, length: int) -> int:
    return find_market(address_of(table), address_of(text), length)


def find(table: Words, symbol: str) -> int:
    """As a decoder finds it: with more of the message behind the symbol."""
    return _find(table, symbol.encode() + b'","side":"buy","px":"1"', len(symbol))


@given(st.lists(SYMBOLS, unique=True, min_size=1, max_size=8), st.lists(st.text("AB-_1", max_size=40), max_size=8))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_every_symbol_is_found_and_no_other(symbols: list[str], others: list[str]) -> None:
    table = market_table([Market(symbol, 2, 3) for symbol in symbols])
    assert [find(table, symbol) for symbol in symbols] == list(range(len(symbols)))
    for other in set(others) - set(symbols):
        assert find(table, other) == -1


@pytest.mark.parametrize("length", [16, 17, 24, 25, 31, 32])
def test_one_character_tells_two_symbols_apart(length: int) -> None:
    symbols = ["X" * (length - 1) + end for end in "AB"]
    table = market_table([Market(symbol, 2, 3) for symbol in symbols])
    assert [find(table, symbol) for symbol in symbols] == [0, 1]
    assert [find(table, symbol + "A") for symbol in symbols] == [-1, -1]
    assert find(table, "X" * (length - 1)) == -1


@pytest.mark.parametrize("symbol", ["", "X" * 33, "BTC-€"])
def test_other_symbols_are_refused(symbol: str) -> None:
    with pytest.raises(Fatal, match="1 to 32 ASCII characters"):
        Market(symbol, 2, 3)


def test_a_long_symbol_in_a_message() -> None:
    update = (
        '{"arg":{"channel":"books","instId":"%s"},"action":"update","data":[{"asks":[],"bids":[["1.5","2","0","1"]],'
        '"ts":"1652459225464","checksum":0,"prevSeqId":1,"seqId":2}]}'
    )
    decoding = Decoding(okx_json.decode_lines, [Market(LONG[:16], 1, 8), Market(LONG, 1, 8)])
    decoding.take(update % LONG, update % LONG[:16], update % (LONG + "S"))
    assert decoding.outcomes == [(Kind.DIFF, Reject.NONE)] * 2 + [(Kind.REJECTED, Reject.UNKNOWN_SYMBOL)]
    assert [decoding.columns(index, Column.MARKET) for index in (0, 1)] == [[1], [0]]


def test_a_long_symbol_in_the_name_of_a_stream() -> None:
    snapshot = '{"stream":"%s@snapshot","data":{"lastUpdateId":7,"bids":[["1.5","2"]],"asks":[]}}'
    names = ["1000000LONGERNAMEUSDT", "1000000LONGERNAMEUSDC"]
    decoding = Decoding(binance_json.decode_lines, [Market(name, 1, 8) for name in names])
    decoding.take(*(snapshot % name.lower() for name in reversed(names)))
    assert decoding.kinds == [Kind.SNAPSHOT, Kind.SNAPSHOT]
    assert [decoding.columns(index, Column.MARKET) for index in (0, 1)] == [[1], [0]]


def test_contracts_are_at_least_a_lot() -> None:
    assert Market("BTC-USDT-SWAP", 1, 8, contract_size=Decimal("0.01")).wire_decimals == 6
    assert Market("SHIB-USDT-SWAP", 9, 0, contract_size=Decimal(1_000_000)).wire_decimals == 6
