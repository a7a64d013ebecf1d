"""Events as datagrams to a board, and back."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import EngineSizes, Side, StepKind
from market.receive.words import Endpoint
from market.wire.sbe import encode
from orchestrator.engine.inputs import Input, InputKind, apply, quote_event, trade_event
from orchestrator.fpga.markets import BoardMarkets

FIRST = Endpoint(IPv4Address("10.0.0.9"), 40_000)
MARKETS = BoardMarkets([(0, 0), (0, 1), (2, 1)], FIRST)
SIZES = EngineSizes(venues=2, instruments=3, channels=4)
words = st.integers(-(1 << 63), (1 << 63) - 1)
exponents = st.integers(-128, 127)


@settings(derandomize=True, deadline=None)
@given(st.sampled_from(MARKETS.markets), exponents, exponents, words, st.tuples(words, words, words, words))
def test_a_quote_comes_back_as_it_was(
    market: tuple[int, int], price_exponent: int, quantity_exponent: int, sequence: int, sides: tuple[int, ...]
) -> None:
    numbers = (*market, price_exponent, quantity_exponent, sequence, *sides)
    payload, to = MARKETS.datagram(Input(InputKind.QUOTE, 0, numbers))
    channel = MARKETS.markets.index(market)
    assert to == ("10.0.0.9", 40_000 + channel)
    assert MARKETS.event(channel, payload) == (StepKind.QUOTE, quote_event(numbers))


@settings(derandomize=True, deadline=None)
@given(exponents, exponents, st.sampled_from(Side), words, words)
def test_so_does_a_trade(price_exponent: int, quantity_exponent: int, side: Side, price: int, quantity: int) -> None:
    numbers = (2, 1, price_exponent, quantity_exponent, int(side), price, quantity)
    payload, _ = MARKETS.datagram(Input(InputKind.TRADE, 0, numbers))
    assert MARKETS.event(2, payload) == (StepKind.TRADE, trade_event(numbers))


@settings(derandomize=True, deadline=None)
@given(st.integers(0, 4), st.binary(max_size=120))
def test_what_was_never_sent_is_no_event(channel: int, payload: bytes) -> None:
    assert MARKETS.event(channel, payload) is None


def test_an_engine_decides_on_a_datagram_as_on_its_event() -> None:
    engines = CpuEngine(SIZES), CpuEngine(SIZES)
    for number, (name, fields) in enumerate(MARKETS.rows(SIZES.channels), start=1):
        engines[0].control(encode(SCHEMA, name, {"sequence": number, **fields}), 1)
    for one in (
        Input(InputKind.QUOTE, 5, (0, 1, -2, -3, 7, 100, 5, 101, 6)),
        Input(InputKind.QUOTE, 6, (2, 1, -2, -3, 8, 0, 0, 0, 0)),
        Input(InputKind.TRADE, 7, (2, 1, -2, -3, 2, 100, 5)),
    ):
        payload, to = MARKETS.datagram(one)
        engines[0].push_datagram(payload, to[1] - FIRST.port, one.time_ns)
        apply(engines[1], one)
    counted = [{name: count for name, count in engine.counters.items() if "control" not in name} for engine in engines]
    assert counted[0] == counted[1]
    assert (counted[0]["quoteEvents"], counted[0]["tradeEvents"]) == (2, 1)


def test_channels_without_a_market_are_off() -> None:
    rows = [fields for _, fields in MARKETS.rows(5)]
    assert [row["enabled"] for row in rows] == [1, 1, 1, 0, 0]
    assert [row["channel"] for row in rows] == list(range(5))


def test_a_market_without_a_channel_is_refused() -> None:
    with pytest.raises(Rejected, match="instrument 1, venue 0"):
        MARKETS.datagram(Input(InputKind.QUOTE, 0, (1, 0, -2, -3, 1, 1, 1, 2, 1)))
    with pytest.raises(Rejected, match="3 markets from port 65534"):
        BoardMarkets(MARKETS.markets, Endpoint(FIRST.address, 65_534))
