"""Settings of where a venue is."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from config.base import Section

_HTTP: Final = re.compile(r"https?://[^/?#\s]+")
_WEBSOCKET: Final = re.compile(r"wss?://[^/?#\s]+")


def _http(text: str) -> str:
    if text and not _HTTP.fullmatch(text):
        raise ValueError("must be such as https://api.binance.com, without a path and a slash at the end")
    return text


def _websocket(text: str) -> str:
    if text and not _WEBSOCKET.fullmatch(text):
        raise ValueError("must be such as wss://stream.binance.com:9443, without a path and a slash at the end")
    return text


class AddressSettings(Section):
    """Where a venue is, when it is not where everybody knows it to be: a simulated exchange, a test network."""

    http: Annotated[str, AfterValidator(_http)] = Field(default="", description="Requests; empty: the venue's own.")
    streams: Annotated[str, AfterValidator(_websocket)] = Field(
        default="", description="Market data and user data; empty: the venue's own."
    )
    orders: Annotated[str, AfterValidator(_websocket)] = Field(
        default="", description="Orders over WebSocket; empty: the venue's own."
    )
