"""What ccxt.pro makes of a venue's messages, as lines that a compiled decoder reads: whole books and trades.

The lines are Binance's snapshots and trades, with the venue's symbols: so they are captured and replayed like any
others. A book is the best levels after an update. Numbers are the shortest decimals that stand for ccxt's floats, which
are the venue's own digits up to 15 of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from market.book.continuity import Rule
from market.wire import binance_json
from market.wire.venues import Venue

CCXT_VENUE: Final = Venue(decode_lines=binance_json.decode_lines, rule=Rule.UNNUMBERED, in_band=True, levels=4_096)
"""Books that each update replaces."""
_TEXTS: Final = 1 << 16
_LARGEST_ID: Final = 10**18


@lru_cache(_TEXTS)
def decimal_text(number: float | str) -> str:
    """A number in plain notation, digit by digit as it is printed."""
    return format(Decimal(repr(number) if isinstance(number, float) else str(number)), "f")


def book_line(symbol: str, number: int, book: Mapping[str, Any], depth: int) -> bytes:
    """The best levels of a ccxt order book as a snapshot with a number of our own."""
    time_ms = book.get("timestamp")
    time = f'"E":{int(time_ms)},' if time_ms else ""
    bids, asks = (_levels(book[side][:depth]) for side in ("bids", "asks"))
    return f'{{"symbol":"{symbol}",{time}"lastUpdateId":{number},"bids":[{bids}],"asks":[{asks}]}}'.encode()


def _levels(levels: Sequence[Sequence[float]]) -> str:
    return ",".join(f'["{decimal_text(level[0])}","{decimal_text(level[1])}"]' for level in levels)


def trade_line(symbol: str, number: int, trade: Mapping[str, Any], *, is_news: bool) -> bytes:
    """A ccxt trade; ``number`` stands for an id that is no number, and history states no time."""
    identity = str(trade.get("id") or "")
    known = int(identity) if identity.isascii() and identity.isdigit() else number
    time = f'"E":{int(trade["timestamp"])},' if is_news and trade.get("timestamp") else ""
    maker = "true" if trade.get("side") == "sell" else "false"
    price, quantity = decimal_text(trade["price"]), decimal_text(trade["amount"])
    return (
        f'{{"e":"trade",{time}"s":"{symbol}","t":{known if known < _LARGEST_ID else number},'
        f'"p":"{price}","q":"{quantity}","m":{maker}}}'
    ).encode()
