"""JSON objects of venues over HTTP, outside the loop: before a run, and from time to time beside it."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, Final

from market.errors import Rejected, Retry

TIMEOUT_S: Final = 15.0
_TOO_OFTEN: Final = (418, 429)
_OUT_OF_ORDER: Final = 500
_SAID_BYTES: Final = 200
Ask = Callable[[str], Mapping[str, Any]]
"""Gets a JSON object from an address."""


def fetch_json(url: str, headers: Mapping[str, str] | None = None, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """A JSON object from an address; errors show no query, for signatures stand there.

    Raises Retry when nobody answers, the venue is out of order or was asked too often; Rejected when it refuses.
    """
    place = url.partition("?")[0]
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=dict(headers or {})), timeout=timeout_s) as at:
            answer = json.load(at)
    except urllib.error.HTTPError as error:
        if error.code in _TOO_OFTEN:
            pause = error.headers.get("Retry-After", "60")
            raise Retry(f"{place} was asked too often ({error.code}): try again in {pause} s") from None
        said = f"{place} answered {error.code}: {error.read(_SAID_BYTES).decode(errors='replace')}"
        raise (Retry(said) if error.code >= _OUT_OF_ORDER else Rejected(said)) from None
    except (OSError, ValueError) as error:
        raise Retry(f"{place} did not answer: {getattr(error, 'reason', error)}; see `tickwire doctor`") from None
    if not isinstance(answer, dict):
        raise Retry(f"{place} answered a {type(answer).__name__}; expected an object")
    return answer
