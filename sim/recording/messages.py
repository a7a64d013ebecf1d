"""What a venue's JSON message is: its type, its symbol, and the venue that its shape gives away."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from config.venues import VenueName

_COIN_MARGINED: Final = re.compile(r".*USD_(PERP|\d{6})")


@dataclass(frozen=True, slots=True)
class Message:
    """One message: its type in the venue's own words; symbol and venue where they can be told."""

    kind: str
    symbol: str | None = None
    venue: VenueName | None = None


def classify(message: object) -> Message | None:
    """The type of a parsed message, or None for a shape that no known venue sends."""
    if isinstance(message, list):
        return _kraken_list(message)
    if not isinstance(message, dict):
        return None
    if "tickwire" in message:
        return Message(f"{message['tickwire']} mark", _text(message.get("symbol")))
    if "sbe" in message:
        return Message("sbe")
    if "stream" in message and isinstance(message.get("data"), dict):
        return _binance(message["data"])
    if "e" in message or "lastUpdateId" in message or {"u", "b", "B", "a", "A"} <= message.keys():
        return _binance(message)
    if "jsonrpc" in message:
        return _deribit(message)
    if "topic" in message or "retCode" in message or ("op" in message and "success" in message):
        return _bybit(message)
    if isinstance(message.get("arg"), dict):
        return _okx(message)
    if "sequence_num" in message or "product_id" in message:
        return _coinbase(message)
    if "channel" in message or isinstance(message.get("event"), str):
        return _kraken(message)
    return Message("response") if {"result", "id"} <= message.keys() else None


def _binance(data: Mapping[str, Any]) -> Message:
    symbol = _text(data.get("s")) or _text(data.get("symbol"))
    kind = _text(data.get("e"))
    if kind is None:
        kind = "snapshot" if "lastUpdateId" in data else "bookTicker" if "u" in data else "response"
    return Message(kind, symbol, _binance_venue(kind, symbol, data))


def _binance_venue(kind: str, symbol: str | None, data: Mapping[str, Any]) -> VenueName | None:
    """Spot, USD-M or COIN-M, by the fields that only one of them has."""
    if "ps" in data or "pair" in data or (symbol and _COIN_MARGINED.fullmatch(symbol)):
        return VenueName.BINANCE_CM
    futures = {
        "depthUpdate": "pu" in data,
        "bookTicker": "e" in data,
        "snapshot": "E" in data,
        "trade": "M" not in data,
        "aggTrade": "M" not in data,
    }
    if kind not in futures:
        return None
    return VenueName.BINANCE_USDM if futures[kind] else VenueName.BINANCE_SPOT


def _deribit(message: Mapping[str, Any]) -> Message:
    parameters = message.get("params")
    channel = _text(parameters.get("channel")) if isinstance(parameters, dict) else None
    if channel is None:
        return Message(_text(message.get("method")) or "response", None, VenueName.DERIBIT)
    kind, _, rest = channel.partition(".")
    return Message(kind, rest.split(".")[0] or None, VenueName.DERIBIT)


def _bybit(message: Mapping[str, Any]) -> Message:
    topic = _text(message.get("topic"))
    if topic is None:
        return Message("response", None, VenueName.BYBIT)
    parts = topic.split(".")
    return Message(parts[0], parts[-1] if len(parts) > 1 else None, VenueName.BYBIT)


def _okx(message: Mapping[str, Any]) -> Message:
    argument = message["arg"]
    kind = _text(message.get("event")) or _text(argument.get("channel")) or "response"
    return Message(kind, _text(argument.get("instId")), VenueName.OKX)


def _coinbase(message: Mapping[str, Any]) -> Message:
    kind = _text(message.get("channel")) or _text(message.get("type")) or "response"
    symbol = _text(message.get("product_id"))
    events = message.get("events")
    if symbol is None and isinstance(events, list) and events and isinstance(events[0], dict):
        symbol = _product(events[0])
    return Message(kind, symbol, VenueName.COINBASE)


def _product(event: Mapping[str, Any]) -> str | None:
    """The product of a Coinbase event: its own, or that of the first entry in it."""
    if (symbol := _text(event.get("product_id"))) is not None:
        return symbol
    entries = [entries[0] for entries in event.values() if isinstance(entries, list) and entries]
    return next((_text(entry.get("product_id")) for entry in entries if isinstance(entry, dict)), None)


def _kraken(message: Mapping[str, Any]) -> Message:
    kind = _text(message.get("channel")) or _text(message.get("event")) or "response"
    symbol = _text(message.get("pair"))
    data = message.get("data")
    if symbol is None and isinstance(data, list) and data and isinstance(data[0], dict):
        symbol = _text(data[0].get("symbol"))
    return Message(kind, symbol, VenueName.KRAKEN)


def _kraken_list(message: list[Any]) -> Message | None:
    if len(message) < 4 or not isinstance(message[-2], str) or not isinstance(message[-1], str):
        return None
    return Message(message[-2], message[-1], VenueName.KRAKEN)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
