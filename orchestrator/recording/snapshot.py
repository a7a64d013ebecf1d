"""Order book snapshots over HTTP, as messages of a stream."""

from __future__ import annotations

import urllib.request
from http.client import HTTPException
from typing import Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from market.errors import Retry

TIMEOUT_S: Final = 10.0
_LARGEST_BYTES: Final = 64 << 20


def fetch_snapshot(url: str) -> bytes:
    """The JSON body of an address, on one line, in a frame that names its stream if the address names a symbol.

    ``{"stream":"btcusdt@snapshot","data":{...}}`` for ``...?symbol=BTCUSDT``. Raises Retry when it cannot be had.
    """
    request = urllib.request.Request(url, headers={"Accept": "application/json", "User-Agent": "tickwire"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            body = response.read(_LARGEST_BYTES)
    except (OSError, HTTPException) as error:
        raise Retry(f"snapshot {url}: {error}") from error
    try:
        text = msgspec.json.format(body, indent=-1)
    except msgspec.DecodeError as error:
        raise Retry(f"snapshot {url}: the answer is no JSON ({error})") from error
    symbol = parse_qs(urlsplit(url).query).get("symbol")
    return b'{"stream":"%s@snapshot","data":%s}' % (symbol[0].lower().encode(), text) if symbol else text
