"""Names of market-data streams: which there are, and what they ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from sim.exchange.numbers import MILLISECOND_NS
from sim.exchange.venue.kinds import MarketKind


class Encoding(Enum):
    """How a stream's messages are written."""

    JSON = "json"
    SBE = "sbe"


class Topic(Enum):
    """What a stream is about."""

    TOP = "bookTicker"
    TRADE = "trade"
    AGGREGATE = "aggTrade"
    DEPTH = "depth"
    BOOK = "depth20"
    MARK = "markPrice"


class Category(Enum):
    """The paths among which futures divide their streams; spot has none."""

    ANY = ""
    PUBLIC = "public"
    MARKET = "market"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What a name asks for; equal ones are the same stream.

    Parameters
    ----------
    symbol: upper case. levels: of BOOK. interval_ns: between messages; 0: each event at once.
    """

    symbol: str
    topic: Topic
    encoding: Encoding
    levels: int = 0
    interval_ns: int = 0


_NAME: Final = re.compile(r"([a-z0-9_]{1,32})@([A-Za-z]+?)(5|10|20)?(?:@([0-9]{1,4})(ms|s))?")
_TOPICS: Final = {topic.value: topic for topic in Topic if topic is not Topic.BOOK}
_SPEEDS: Final = {
    (MarketKind.SPOT, Topic.DEPTH): (1_000, 100),
    (MarketKind.SPOT, Topic.BOOK): (1_000, 100),
    (MarketKind.USD_MARGINED, Topic.DEPTH): (250, 500, 100, 0),
    (MarketKind.USD_MARGINED, Topic.BOOK): (250, 500, 100),
    (MarketKind.USD_MARGINED, Topic.MARK): (3_000, 1_000),
}
"""Milliseconds between messages; the first where a name does not say."""
_SBE_SPEEDS: Final = {Topic.DEPTH: 20, Topic.BOOK: 50}
_PUBLIC: Final = (Topic.TOP, Topic.TRADE, Topic.DEPTH, Topic.BOOK)


def parse_stream(name: str, kind: MarketKind, category: Category = Category.ANY) -> Stream | None:
    """What a name of a JSON stream asks for; None for one that this market or path does not have."""
    parts = _parts(name)
    if parts is None:
        return None
    symbol, topic, levels, speed_ms = parts
    if (topic is Topic.MARK and kind is MarketKind.SPOT) or not _belongs(topic, category):
        return None
    speeds = _SPEEDS.get((kind, topic), (0,))
    speed_ms = speeds[0] if speed_ms is None else speed_ms
    if speed_ms not in speeds:
        return None
    return Stream(
        symbol=symbol, topic=topic, encoding=Encoding.JSON, levels=levels, interval_ns=speed_ms * MILLISECOND_NS
    )


def parse_sbe_stream(name: str) -> Stream | None:
    """What a name of an SBE stream asks for; None for one that there is not."""
    parts = _parts(name.replace("@bestBidAsk", "@bookTicker"))
    if parts is None or parts[3] is not None or name.endswith("@bookTicker"):
        return None
    symbol, topic, levels, _ = parts
    if topic in (Topic.AGGREGATE, Topic.MARK) or (topic is Topic.BOOK and levels != 20):
        return None
    interval_ns = _SBE_SPEEDS.get(topic, 0) * MILLISECOND_NS
    return Stream(symbol=symbol, topic=topic, encoding=Encoding.SBE, levels=levels, interval_ns=interval_ns)


def _parts(name: str) -> tuple[str, Topic, int, int | None] | None:
    """Symbol, topic, levels and speed of a name."""
    found = _NAME.fullmatch(name)
    if found is None or found[2] not in _TOPICS:
        return None
    topic = _TOPICS[found[2]]
    if found[3] and topic is not Topic.DEPTH:
        return None
    speed_ms = int(found[4]) * (1_000 if found[5] == "s" else 1) if found[4] else None
    return found[1].upper(), Topic.BOOK if found[3] else topic, int(found[3] or 0), speed_ms


def _belongs(topic: Topic, category: Category) -> bool:
    if category is Category.ANY:
        return True
    return category is (Category.PUBLIC if topic in _PUBLIC else Category.MARKET)
