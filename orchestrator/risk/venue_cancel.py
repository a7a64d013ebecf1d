"""Cancels all orders at Binance over REST, with nothing but the standard library: what the dead-man switch calls.

Words: the market (``spot`` or ``usdm``), the base address of its REST interface, and the symbols. The key and the
secret come from the environment (``BINANCE_API_KEY``, ``BINANCE_API_SECRET``), HMAC-SHA256 signs.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from config.credentials import BINANCE_API_KEY, BINANCE_API_SECRET, Credentials, read_credentials
from market.errors import MissingInput, Retry
from orchestrator.clock import SystemClock

_TIMEOUT_S: Final = 3.0
_RECEIVE_WINDOW_MS: Final = 5_000
_NOTHING_TO_CANCEL: Final = -2011
_NS_PER_MS: Final = 1_000_000


class Market(StrEnum):
    """Which of Binance's markets."""

    SPOT = "spot"
    USDM = "usdm"


_PATHS: Final[dict[Market, tuple[str, ...]]] = {
    Market.SPOT: ("/api/v3/openOrders",),
    Market.USDM: ("/fapi/v1/allOpenOrders", "/fapi/v1/algoOpenOrders"),
}


@dataclass(frozen=True, slots=True)
class CancelTarget:
    """Where to cancel.

    Parameters
    ----------
    base: such as ``https://api.binance.com``.
    """

    market: Market
    base: str
    symbols: tuple[str, ...]


def cancel_all(words: Sequence[str]) -> None:
    """Cancel all orders of all symbols, trying each; raises Retry naming what failed, MissingInput for bad words."""
    target = parse_target(words)
    credentials = read_credentials(os.environ)
    clock = SystemClock()
    failures = []
    for symbol in target.symbols:
        for path in _PATHS[target.market]:
            try:
                _delete(target.base + path, symbol, credentials, clock.now_ns() // _NS_PER_MS)
            except Retry as failure:
                failures.append(str(failure))
    if failures:
        raise Retry("; ".join(failures))


def parse_target(words: Sequence[str]) -> CancelTarget:
    """The words as a target; raises MissingInput."""
    if len(words) < 3 or words[0] not in set(Market) or not words[1].startswith(("http://", "https://")):
        raise MissingInput(f"words were {list(words)}; expected spot or usdm, an http(s) address, and symbols")
    return CancelTarget(Market(words[0]), words[1].rstrip("/"), tuple(words[2:]))


def signed_query(symbol: str, secret: str, time_ms: int) -> str:
    """The query string with its signature over everything before it."""
    query = urlencode({"symbol": symbol, "recvWindow": _RECEIVE_WINDOW_MS, "timestamp": time_ms})
    signature = hmac.new(secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"{query}&signature={signature}"


def _delete(address: str, symbol: str, credentials: Credentials, time_ms: int) -> None:
    key, secret = credentials.binance_api_key, credentials.binance_api_secret
    if key is None or secret is None:
        raise Retry(f"{BINANCE_API_KEY} and {BINANCE_API_SECRET} were not set; expected both in the environment")
    query = signed_query(symbol, secret.get_secret_value(), time_ms)
    request = Request(f"{address}?{query}", method="DELETE", headers={"X-MBX-APIKEY": key.get_secret_value()})
    try:
        with urlopen(request, timeout=_TIMEOUT_S) as answer:
            answer.read()
    except HTTPError as error:
        with error:
            code = _code(error.read())
        if code != _NOTHING_TO_CANCEL:
            raise Retry(f"{address} for {symbol}: HTTP {error.code}, code {code}; expected success") from None
    except (URLError, OSError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise Retry(f"{address} for {symbol}: {reason}; expected an answer within {_TIMEOUT_S:g} s") from None


def _code(body: bytes) -> int:
    """The venue's error code, 0 when the body has none."""
    try:
        code = json.loads(body).get("code", 0)
    except (ValueError, AttributeError):
        return 0
    return code if isinstance(code, int) else 0
