"""What a venue's message is, told from its shape."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from config.venues import VenueName
from sim.recording.messages import Message, classify

SPOT, USDM, CM = VenueName.BINANCE_SPOT, VenueName.BINANCE_USDM, VenueName.BINANCE_CM


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"e": "depthUpdate", "s": "BTCUSDT", "U": 1, "u": 2, "b": [], "a": []}, ("depthUpdate", "BTCUSDT", SPOT)),
        ({"e": "depthUpdate", "s": "BTCUSDT", "U": 1, "u": 2, "pu": 0}, ("depthUpdate", "BTCUSDT", USDM)),
        ({"e": "depthUpdate", "s": "BTCUSD_PERP", "ps": "BTCUSD", "pu": 0}, ("depthUpdate", "BTCUSD_PERP", CM)),
        ({"u": 1, "s": "BTCUSDT", "b": "1", "B": "1", "a": "2", "A": "1"}, ("bookTicker", "BTCUSDT", SPOT)),
        ({"e": "bookTicker", "u": 1, "s": "BTCUSDT", "b": "1", "B": "1"}, ("bookTicker", "BTCUSDT", USDM)),
        ({"e": "bookTicker", "u": 1, "s": "BTCUSD_PERP", "ps": "BTCUSD"}, ("bookTicker", "BTCUSD_PERP", CM)),
        ({"e": "trade", "s": "BTCUSDT", "t": 1, "m": True, "M": True}, ("trade", "BTCUSDT", SPOT)),
        ({"e": "trade", "s": "BTCUSDT", "t": 1, "X": "MARKET", "m": True}, ("trade", "BTCUSDT", USDM)),
        ({"e": "trade", "s": "BTCUSD_PERP", "t": 1, "X": "MARKET"}, ("trade", "BTCUSD_PERP", CM)),
        ({"e": "aggTrade", "s": "ETHUSD_241227", "m": True}, ("aggTrade", "ETHUSD_241227", CM)),
        ({"e": "aggTrade", "s": "BTCUSDT_241227", "m": True}, ("aggTrade", "BTCUSDT_241227", USDM)),
        ({"lastUpdateId": 1, "bids": [], "asks": []}, ("snapshot", None, SPOT)),
        ({"lastUpdateId": 1, "E": 1, "T": 1, "bids": [], "asks": []}, ("snapshot", None, USDM)),
        ({"lastUpdateId": 1, "E": 1, "symbol": "BTCUSD_PERP", "pair": "BTCUSD"}, ("snapshot", "BTCUSD_PERP", CM)),
        ({"e": "kline", "s": "BTCUSDT", "k": {}}, ("kline", "BTCUSDT", None)),
        ({"result": None, "id": 1}, ("response", None, None)),
        (
            {"jsonrpc": "2.0", "method": "subscription", "params": {"channel": "book.BTC-PERPETUAL.raw", "data": {}}},
            ("book", "BTC-PERPETUAL", VenueName.DERIBIT),
        ),
        ({"jsonrpc": "2.0", "id": 0, "result": []}, ("response", None, VenueName.DERIBIT)),
        ({"topic": "orderbook.200.BTCUSDT", "type": "delta"}, ("orderbook", "BTCUSDT", VenueName.BYBIT)),
        ({"success": True, "ret_msg": "", "op": "subscribe"}, ("response", None, VenueName.BYBIT)),
        ({"arg": {"channel": "books", "instId": "BTC-USDT"}, "data": []}, ("books", "BTC-USDT", VenueName.OKX)),
        ({"event": "subscribe", "arg": {"channel": "books"}}, ("subscribe", None, VenueName.OKX)),
        (
            {"channel": "ticker", "sequence_num": 1, "events": [{"tickers": [{"product_id": "BTC-USD"}]}]},
            ("ticker", "BTC-USD", VenueName.COINBASE),
        ),
        ({"type": "match", "product_id": "BTC-USD"}, ("match", "BTC-USD", VenueName.COINBASE)),
        ([993, [["1", "2"]], "trade", "XMR/USD"], ("trade", "XMR/USD", VenueName.KRAKEN)),
        ({"event": "subscriptionStatus", "pair": "XMR/USD"}, ("subscriptionStatus", "XMR/USD", VenueName.KRAKEN)),
        (
            {"channel": "book", "type": "update", "data": [{"symbol": "BTC/USD"}]},
            ("book", "BTC/USD", VenueName.KRAKEN),
        ),
    ],
)
def test_known_shapes(message: Any, expected: tuple[str, str | None, VenueName | None]) -> None:
    assert classify(message) == Message(*expected)


def test_a_combined_stream_is_looked_into() -> None:
    inner = {"e": "depthUpdate", "s": "BTCUSDT", "pu": 0}
    assert classify({"stream": "btcusdt@depth", "data": inner}) == Message("depthUpdate", "BTCUSDT", USDM)


@pytest.mark.parametrize("message", [None, 1, "text", [], [1, 2, 3, 4], {}, {"hello": "world"}])
def test_other_shapes_are_no_message(message: Any) -> None:
    assert classify(message) is None


KEYS = [
    "stream",
    "data",
    "e",
    "s",
    "u",
    "ps",
    "jsonrpc",
    "params",
    "channel",
    "topic",
    "arg",
    "event",
    "events",
    "pair",
    "sequence_num",
    "product_id",
    "result",
    "id",
    "lastUpdateId",
    "op",
    "success",
    "symbol",
    "method",
    "instId",
]
keys = st.sampled_from(KEYS)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
)


@given(message=values)
@hypothesis_settings(derandomize=True, deadline=None, max_examples=400)
def test_any_json_is_classified_or_refused(message: Any) -> None:
    parsed = msgspec.json.decode(msgspec.json.encode(message))
    found = classify(parsed)
    assert found is None or (found.kind and found.symbol != "")
