"""One line of a recording: raw lines ``<receive ns> <JSON>``, and lines of a feed capture ``{"t": ...}``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from config.venues import VenueName

RAW_LINE: Final = re.compile(rb"\d{10,19} [\[{]")
CAPTURE_LINE: Final = re.compile(rb'\{"t":\s*"(header|http|connect|send|recv)"')
EXCHANGES: Final = {
    "BINANCE": VenueName.BINANCE_SPOT,
    "BINANCE_FUTURES": VenueName.BINANCE_USDM,
    "BINANCE_DELIVERY": VenueName.BINANCE_CM,
    "BINANCE_US": VenueName.BINANCE_US,
    "BYBIT": VenueName.BYBIT,
    "COINBASE": VenueName.COINBASE,
    "DERIBIT": VenueName.DERIBIT,
    "KRAKEN": VenueName.KRAKEN,
    "OKX": VenueName.OKX,
}
"""What the header of a feed capture calls a venue."""

_LATEST_NS: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Line:
    """A readable line: receive time in ns since the Unix epoch, and the parsed message."""

    time_ns: int
    message: Any


class CaptureLine(msgspec.Struct):
    """A line of a feed capture: ``ts`` in seconds since the Unix epoch, ``data`` the text of the frame."""

    t: str
    ts: float = 0.0
    data: str = ""
    exchange: str = ""

    @property
    def time_ns(self) -> int:
        """Receive time in ns, in whole microseconds: what a 64-bit float of seconds can tell."""
        return round(self.ts * 1e6) * 1000 if 0 <= self.ts < _LATEST_NS / 1e9 else 0

    @property
    def venue(self) -> VenueName | None:
        """The venue that a header names."""
        return EXCHANGES.get(self.exchange)


_capture = msgspec.json.Decoder(CaptureLine)


def parse_raw(line: bytes) -> Line | None:
    """A raw line, or None if it is not one."""
    stamp, _, text = line.partition(b" ")
    if not stamp.isdigit() or len(stamp) > 19 or (time_ns := int(stamp)) >= _LATEST_NS:
        return None
    message = parse_message(text)
    return None if message is None else Line(time_ns, message)


def parse_message(text: bytes | str) -> Any:
    """A JSON message, or None if it is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def parse_capture(line: bytes) -> CaptureLine | None:
    """A line of a feed capture, or None if it is not one."""
    try:
        return _capture.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
