"""CCXT's client reaches the addresses that it is given and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.execution.ccxt_client import BinanceAddresses, binance_client

SPOT = BinanceAddresses(spot_http="http://127.0.0.1:1001", spot_ws="ws://127.0.0.1:1002")


def every_address(urls: dict[str, Any]) -> Iterator[str]:
    for value in urls.values():
        if isinstance(value, dict):
            yield from every_address(value)
        else:
            yield value


def test_addresses_that_are_not_given_lead_nowhere() -> None:
    urls = binance_client(SPOT).urls["api"]
    assert urls["private"] == "http://127.0.0.1:1001/api/v3"
    assert urls["ws"]["ws-api"]["spot"] == "ws://127.0.0.1:1002/ws-api/v3"
    others = {url for url in every_address(urls) if ":100" not in url}
    assert others == {"http://127.0.0.1:9/blocked", "ws://127.0.0.1:9/blocked"}


def test_the_path_of_spot_streams_says_spot() -> None:
    assert "/stream" in binance_client(SPOT).urls["api"]["ws"]["spot"]


def test_only_markets_with_an_address_are_loaded() -> None:
    assert binance_client(SPOT).options["fetchMarkets"]["types"] == ["spot"]
    both = BinanceAddresses(spot_http="http://127.0.0.1:1", futures_http="http://127.0.0.1:2")
    assert binance_client(both).options["fetchMarkets"]["types"] == ["spot", "linear"]


def test_futures_errors_are_known_by_path() -> None:
    client = binance_client(SPOT)
    for url in ("http://127.0.0.1:1/fapi/v1/order", "ws://127.0.0.1:1/ws-fapi/v1"):
        assert client.get_exceptions_by_url(url, "exact")["-2019"].__name__ == "InsufficientFunds"
    assert "-2019" not in client.get_exceptions_by_url("http://127.0.0.1:1/api/v3/order", "exact")
