"""Where venues publish: streams and order book snapshots of a symbol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from config.venues import VenueName

# Sources: developers.binance.com, spot "WebSocket Streams", USD-M and COIN-M futures "WebSocket Market Streams".
# USD-M carries books on /public and trades on /market: a connection gets the streams of its own path only.
_BOOK: Final = ("{symbol}@depth@100ms", "{symbol}@bookTicker")
_TRADES: Final = ("{symbol}@aggTrade",)


@dataclass(frozen=True)
class Preset:
    """A venue's addresses.

    Parameters
    ----------
    connections: address and names of the streams of each connection. snapshot: address of an order book snapshot.
    """

    connections: tuple[tuple[str, tuple[str, ...]], ...]
    snapshot: str


PRESETS: Final = {
    VenueName.BINANCE_SPOT: Preset(
        (("wss://stream.binance.com:9443/stream", (*_BOOK, "{symbol}@trade")),),
        "https://api.binance.com/api/v3/depth?symbol={symbol}&limit=1000",
    ),
    VenueName.BINANCE_US: Preset(
        (("wss://stream.binance.us:9443/stream", (*_BOOK, "{symbol}@trade")),),
        "https://api.binance.us/api/v3/depth?symbol={symbol}&limit=1000",
    ),
    VenueName.BINANCE_USDM: Preset(
        (
            ("wss://fstream.binance.com/public/stream", _BOOK),
            ("wss://fstream.binance.com/market/stream", _TRADES),
        ),
        "https://fapi.binance.com/fapi/v1/depth?symbol={symbol}&limit=1000",
    ),
    VenueName.BINANCE_CM: Preset(
        (("wss://dstream.binance.com/stream", (*_BOOK, *_TRADES)),),
        "https://dapi.binance.com/dapi/v1/depth?symbol={symbol}&limit=1000",
    ),
}


def stream_urls(venue: VenueName, symbols: Sequence[str]) -> tuple[str, ...]:
    """Addresses that carry books, best bids and offers, and trades of the symbols."""
    urls = []
    for address, streams in PRESETS[venue].connections:
        names = [stream.format(symbol=symbol.lower()) for symbol in symbols for stream in streams]
        urls.append(f"{address}?streams={'/'.join(names)}")
    return tuple(urls)


def snapshot_urls(venue: VenueName, symbols: Sequence[str]) -> tuple[str, ...]:
    """Addresses of the symbols' order books."""
    return tuple(PRESETS[venue].snapshot.format(symbol=symbol.upper()) for symbol in symbols)
