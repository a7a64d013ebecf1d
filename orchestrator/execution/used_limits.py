"""What a venue says about how much of its limits is used."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from orchestrator.execution.rate_limit import Counted

_SECOND_NS: Final = 10**9
_HEADER: Final = re.compile(r"x-mbx-(used-weight|order-count)-(\d+)([smhd])", re.IGNORECASE)
_KINDS: Final = {"used-weight": Counted.WEIGHT, "order-count": Counted.ORDERS}
_SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_LISTED_KINDS: Final = {"REQUEST_WEIGHT": Counted.WEIGHT, "ORDERS": Counted.ORDERS}
_LISTED_SECONDS: Final = {"SECOND": 1, "MINUTE": 60, "HOUR": 3_600, "DAY": 86_400}

Used = tuple[Counted, int, int]
"""What is counted, its interval in ns, how much is used."""


def used_in_headers(headers: Mapping[str, str]) -> Iterator[Used]:
    """What the headers of an HTTP answer say (``X-MBX-USED-WEIGHT-1M``, ``X-MBX-ORDER-COUNT-10S``)."""
    for name, value in headers.items():
        found = _HEADER.fullmatch(name)
        if found is not None and value.isdecimal():
            kind, number, unit = found.groups()
            yield _KINDS[kind.lower()], int(number) * _SECONDS[unit.lower()] * _SECOND_NS, int(value)


def used_in_message(limits: Iterable[Mapping[str, Any]]) -> Iterator[Used]:
    """What ``rateLimits`` of an answer of the WebSocket API says."""
    for limit in limits:
        kind = _LISTED_KINDS.get(str(limit.get("rateLimitType")))
        seconds = _LISTED_SECONDS.get(str(limit.get("interval")))
        if kind is not None and seconds is not None and "count" in limit:
            yield kind, int(limit["intervalNum"]) * seconds * _SECOND_NS, int(limit["count"])
