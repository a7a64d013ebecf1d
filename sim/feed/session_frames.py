"""The frames of a captured session, by what a client subscribes to, in the form that the venue speaks today.

Coinbase's captures are of the API that is in use (Advanced Trade). Kraken's are of version 1 of its WebSocket API,
whose lists are rewritten as the objects of version 2: the same levels and trades, in the same order, numbers digit by
digit. Version 1 numbers no trades; they are numbered here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from config.venues import VenueName
from market.errors import MissingInput
from sim.recording.blocks import open_blocks
from sim.recording.lines import CaptureLine

_COINS: Final = {"XBT": "BTC", "XDG": "DOGE"}
"""Names of coins in version 1 that are others in version 2."""
_TRADE_SIDES: Final = {"b": "buy", "s": "sell"}
_COINBASE_CHANNELS: Final = {"l2_data": "level2"}
"""What a channel's messages call it, and what a subscription does, where these are not the same."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: the channel and symbol that bring it, its receive time, and its text."""

    channel: str
    symbol: str
    time_ns: int
    text: str


@dataclass(frozen=True)
class Session:
    """A captured session.

    Parameters
    ----------
    frames: in order of receipt. answers: recorded HTTP answers by path.
    """

    venue: VenueName
    frames: tuple[Frame, ...]
    answers: Mapping[str, str]

    def of(self, channel: str, symbol: str) -> tuple[Frame, ...]:
        """The frames of a channel and symbol."""
        return tuple(frame for frame in self.frames if (frame.channel, frame.symbol) == (channel, symbol))


class _Line(CaptureLine):
    url: str = ""


_line = msgspec.json.Decoder(_Line)


def read_session(path: Path) -> Session:
    """The session in a feed capture; raises MissingInput for one of a venue that is not known here."""
    venue = None
    lines = list(_lines(path))
    for line in lines:
        venue = venue or line.venue
    rewrite = _REWRITERS.get(venue) if venue is not None else None
    if venue is None or rewrite is None:
        known = ", ".join(name.value for name in _REWRITERS)
        raise MissingInput(f"{path} is of {venue or 'no known venue'}: sessions of {known} can be served")
    make = rewrite()
    frames = [frame for line in lines if line.t == "recv" for frame in make(line)]
    answers = {_path_of(line.url): line.data for line in lines if line.t == "http"}
    return Session(venue, tuple(frames), answers)


def _lines(path: Path) -> Iterator[_Line]:
    for block in open_blocks(path):
        for line in block.data.splitlines():
            yield _line.decode(line)


def _path_of(url: str) -> str:
    return re.sub(r"^[a-z]+://[^/]+", "", url).partition("?")[0]


def _coinbase() -> Callable[[_Line], Iterator[Frame]]:
    def frames(line: _Line) -> Iterator[Frame]:
        message = msgspec.json.decode(line.data)
        channel = message.get("channel", "")
        events = message.get("events") or [{}]
        symbol = events[0].get("product_id", "")
        for trade in events[0].get("trades", ()):
            symbol = trade["product_id"]
        yield Frame(_COINBASE_CHANNELS.get(channel, channel), symbol, line.time_ns, line.data)

    return frames


def _kraken() -> Callable[[_Line], Iterator[Frame]]:
    numbers: dict[str, int] = {}

    def frames(line: _Line) -> Iterator[Frame]:
        message = msgspec.json.decode(line.data)
        if not isinstance(message, list):
            return
        symbol = _kraken_symbol(message[-1])
        channel = str(message[-2]).partition("-")[0]
        if channel == "book":
            yield Frame(channel, symbol, line.time_ns, _kraken_book(message[1:-2], symbol))
        elif channel == "trade":
            first = numbers.get(symbol, 0) + 1
            numbers[symbol] = first + len(message[1]) - 1
            yield Frame(channel, symbol, line.time_ns, _kraken_trades(message[1], symbol, first))

    return frames


def _kraken_symbol(pair: str) -> str:
    return "/".join(_COINS.get(coin, coin) for coin in pair.split("/"))


def _kraken_book(parts: list[dict[str, Any]], symbol: str) -> str:
    whole = any("as" in part or "bs" in part for part in parts)
    sides: dict[str, list[list[str]]] = {"a": [], "b": []}
    checksum, latest = "0", "0"
    for part in parts:
        for key, value in part.items():
            if key == "c":
                checksum = value
            else:
                sides[key[0]] += value
                latest = max([latest, *(level[2] for level in value)])
    bids, asks = (_kraken_levels(sides[side]) for side in ("b", "a"))
    time = "" if whole else f',"timestamp":"{_instant(latest)}"'
    kind = "snapshot" if whole else "update"
    data = f'{{"symbol":"{symbol}","bids":[{bids}],"asks":[{asks}],"checksum":{checksum}{time}}}'
    return f'{{"channel":"book","type":"{kind}","data":[{data}]}}'


def _kraken_levels(levels: list[list[str]]) -> str:
    return ",".join(f'{{"price":{level[0]},"qty":{level[1]}}}' for level in levels)


def _kraken_trades(trades: list[list[str]], symbol: str, first: int) -> str:
    texts = [
        f'{{"symbol":"{symbol}","side":"{_TRADE_SIDES[side]}","price":{price},"qty":{quantity},'
        f'"ord_type":"market","trade_id":{number},"timestamp":"{_instant(time)}"}}'
        for number, (price, quantity, time, side, *_) in enumerate(trades, start=first)
    ]
    return f'{{"channel":"trade","type":"update","data":[{",".join(texts)}]}}'


def _instant(seconds: str) -> str:
    whole, _, fraction = seconds.partition(".")
    instant = datetime.fromtimestamp(int(whole), UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{instant}.{fraction.ljust(6, '0')[:6]}Z"


_REWRITERS: Final[Mapping[VenueName, Callable[[], Callable[[_Line], Iterator[Frame]]]]] = {
    VenueName.COINBASE: _coinbase,
    VenueName.KRAKEN: _kraken,
}
