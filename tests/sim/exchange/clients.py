"""Clients that other people wrote, pointed at the exchange of a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from orchestrator.execution.ccxt_client import BinanceAddresses, binance_client
from sim.exchange.keys import ApiKey
from tests.sim.exchange.stage import FUTURES, HMAC, SPOT, Stage


@asynccontextmanager
async def ccxt_spot(stage: Stage, key: ApiKey = HMAC, options: Mapping[str, Any] | None = None) -> AsyncIterator[Any]:
    """CCXT on the spot venue, with its markets loaded."""
    at = stage.address(SPOT)
    addresses = BinanceAddresses(spot_http=at.http, spot_ws=at.ws)
    async with _opened(binance_client(addresses, api_key=key.key, secret=key.secret, options=options)) as client:
        yield client


@asynccontextmanager
async def ccxt_futures(
    stage: Stage, key: ApiKey = HMAC, options: Mapping[str, Any] | None = None
) -> AsyncIterator[Any]:
    """CCXT on the futures venue, with its markets loaded."""
    at = stage.address(FUTURES)
    addresses = BinanceAddresses(futures_http=at.http, futures_ws=at.ws)
    client = binance_client(addresses, api_key=key.key, secret=key.secret, market_type="swap", options=options)
    async with _opened(client) as opened:
        yield opened


@asynccontextmanager
async def _opened(client: Any) -> AsyncIterator[Any]:
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()
