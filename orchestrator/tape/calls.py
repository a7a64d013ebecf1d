"""What a tape holds: one record per call that the loop made of the outside, with its answer."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from market.orders.reports import GatewayReport

VERSION = 2
"""Of the records; a reader refuses any other."""


class Market(msgspec.Struct, frozen=True):
    """A market of a source, as ``market.protocols.FeedMarket``."""

    symbol: str
    price_decimals: int
    quantity_decimals: int


class Route(msgspec.Struct, frozen=True):
    """Where its quotes go, as ``market.protocols.FeedRoute``."""

    instrument: int
    venue: int
    price_exponent: int
    quantity_exponent: int


class Source(msgspec.Struct, frozen=True):
    """A source of the feed; ``books`` are its fresh books, little-endian int64."""

    name: str
    numbered: bool
    markets: tuple[Market, ...]
    routes: tuple[Route | None, ...]
    books: bytes


class Head(msgspec.Struct, frozen=True, tag="head"):
    """Begins a tape.

    Parameters
    ----------
    version: of the records. settings: the run's, as JSON. epoch: of the run. plan: what else was asked for, as the one
        who records has it.
    """

    version: int
    settings: bytes
    epoch: int
    sources: tuple[Source, ...]
    plan: bytes = b""


class Now(msgspec.Struct, frozen=True, tag="now"):
    """``Clock.now_ns``."""

    time_ns: int


class Waited(msgspec.Struct, frozen=True, tag="wait"):
    """``Clock.wait_until``."""

    until_ns: int
    time_ns: int


class Taken(msgspec.Struct, frozen=True, tag="take"):
    """``Feed.take``: rows of records and levels, little-endian int64; all None when nothing waited."""

    source: int
    records: bytes | None
    bids: bytes | None
    asks: bytes | None


class Status(msgspec.Struct, frozen=True, tag="status"):
    """``Feed.status``."""

    source: int
    status: int


class Asked(msgspec.Struct, frozen=True, tag="ask"):
    """A call whose only answer is that it was carried out, or the error that it raised.

    Parameters
    ----------
    call: name of the method. about: what it was about, such as a client order id.
    error: class of the error, empty for none. text: of the error.
    """

    call: str
    about: str
    error: str = ""
    text: str = ""


class NextReport(msgspec.Struct, frozen=True, tag="next"):
    """``Gateway.next_ns``."""

    time_ns: int | None


class Reports(msgspec.Struct, frozen=True, tag="reports"):
    """``Gateway.take``; ``gap`` is the text of a DataGap, empty for none."""

    until_ns: int
    reports: tuple[GatewayReport, ...]
    gap: str = ""


class Noted(msgspec.Struct, frozen=True, tag="noted"):
    """A value of another kind that the run was given: readings of its surroundings, a request to end."""

    name: str
    body: bytes


class Received(msgspec.Struct, frozen=True, tag="received"):
    """``BackEnd.receive``; ``loss`` is the text of a Retry, empty for none."""

    messages: tuple[bytes, ...]
    loss: str = ""


Call: TypeAlias = Head | Now | Waited | Taken | Status | Asked | NextReport | Reports | Noted | Received
