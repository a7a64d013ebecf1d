"""When perpetual futures pay funding, and at what rate: as a recording states it, or as one is told to assume.

Binance states mark price, rate and time of the next payment on its markPrice streams (``markPriceUpdate``: ``p``,
``r``, ``T``). A payment happens at its time with the last rate and mark price that were stated before. Without such a
stream the assumed rate is paid at multiples of an interval, UTC, on the middle of the book.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec
import numpy as np

from market.errors import Rejected
from market.wire.records import Rows
from sim.backtest.layout import (
    EXCHANGE_NS,
    FUNDING_MARK_DOUBLED,
    FUNDING_PPB,
    RECEIVE_NS,
    TAPE_KIND,
    TAPE_MARKET,
    TAPE_WIDTH,
    TapeKind,
)
from sim.backtest.tape import Tape
from sim.recording.blocks import open_blocks
from sim.replay.source import SourceSettings

_NS_PER_MS: Final = 1_000_000
_PPB: Final = 10**9
_LARGEST_PPB: Final = 10**9
_MARK: Final = b"markPriceUpdate"
_DATED: Final = re.compile(r"(\d{6}|\d{1,2}[A-Z]{3}\d{2})(-[A-Z]+)?$")


@dataclass(frozen=True)
class StatedFunding:
    """What a venue said of the next payment of a symbol.

    Parameters
    ----------
    receive_ns: when. at_ns: of the payment, on the venue's clock. rate_ppb: longs pay it, below 0: shorts do.
    mark: the price that it is reckoned with.
    """

    symbol: str
    receive_ns: int
    at_ns: int
    rate_ppb: int
    mark: Decimal


@dataclass(frozen=True)
class AssumedFunding:
    """A rate for recordings that state none; raises Rejected for one that cannot be.

    Parameters
    ----------
    rate_ppb: of each payment. interval_ns: payments are at its multiples.
    """

    rate_ppb: int
    interval_ns: int

    def __post_init__(self) -> None:
        if abs(self.rate_ppb) > _LARGEST_PPB or self.interval_ns <= 0:
            raise Rejected(
                f"funding was {self.rate_ppb} ppb every {self.interval_ns} ns; expected at most the whole worth, and "
                "an interval above 0"
            )


def is_perpetual(symbol: str) -> bool:
    """Whether a derivative of this name never ends: dated ones carry a date, such as ``250926`` or ``29MAR24``."""
    return _DATED.search(symbol.upper()) is None


def stated_funding(source: SourceSettings) -> list[StatedFunding]:
    """What a recording of lines says of funding, in order of receipt; nothing for a capture of connections.

    Lines that are no such message are left to the decoder. Raises MissingInput if the file cannot be read.
    """
    if source.is_capture:
        return []
    found: list[StatedFunding] = []
    for block in open_blocks(source.path):
        if _MARK in block.data:
            found += _stated(block.data, source.lag_ns)
    return found


def _stated(data: bytes, lag_ns: int) -> Iterator[StatedFunding]:
    for line in bytes(data).splitlines():
        if _MARK not in line:
            continue
        receive, _, text = line.partition(b" ")
        try:
            message: Any = msgspec.json.decode(text)
            receive_ns = int(receive)
        except (msgspec.DecodeError, ValueError):
            continue
        content = message.get("data", message) if isinstance(message, dict) else message
        for one in content if isinstance(content, list) else [content]:
            stated = _one(one, receive_ns + lag_ns)
            if stated is not None:
                yield stated


def _one(message: Any, receive_ns: int) -> StatedFunding | None:
    """A statement, None for what is none; a dated future states a time of 0 and no rate."""
    if not isinstance(message, dict) or message.get("e") != "markPriceUpdate":
        return None
    try:
        rate, mark = Decimal(str(message["r"])), Decimal(str(message["p"]))
        symbol, at_ms = str(message["s"]), int(message["T"])
    except (KeyError, TypeError, ValueError, InvalidOperation):
        return None
    is_sound = rate.is_finite() and abs(rate) <= 1 and mark.is_finite() and mark > 0 and at_ms > 0
    return StatedFunding(symbol, receive_ns, at_ms * _NS_PER_MS, round(rate * _PPB), mark) if is_sound else None


@dataclass(frozen=True)
class MarketFunding:
    """Of one market of a tape: what was stated, and what holds where nothing was; None: nothing is paid then."""

    stated: Sequence[StatedFunding] = ()
    assumed: AssumedFunding | None = None


def funded(tape: Tape, markets: Mapping[int, MarketFunding]) -> Tape:
    """A tape with the payments of its markets, by their numbers, between its first and last record.

    The times are the venue's, whose clock is read as for the rest of the tape.
    """
    ahead = dict(tape.ahead_ns)
    parts: list[Rows] = []
    for number, funding in markets.items():
        market = tape.markets[number]
        clock_ns = ahead.get(market.source, 0)
        if funding.stated:
            payments = _of_statements(funding.stated, market.market.price_decimals, clock_ns)
        elif funding.assumed is not None:
            payments = _of_interval(funding.assumed, tape, clock_ns)
        else:
            continue
        rows = np.zeros((len(payments), TAPE_WIDTH), dtype=np.int64)
        rows[:, TAPE_KIND], rows[:, TAPE_MARKET] = TapeKind.FUNDING, number
        for row, (time_ns, rate_ppb, mark_doubled) in zip(rows, payments, strict=True):
            row[EXCHANGE_NS] = row[RECEIVE_NS] = time_ns
            row[FUNDING_PPB], row[FUNDING_MARK_DOUBLED] = rate_ppb, mark_doubled
        parts.append(rows[(rows[:, EXCHANGE_NS] > tape.first_ns) & (rows[:, EXCHANGE_NS] <= tape.last_ns)])
    return _with_rows(tape, np.concatenate(parts)) if parts else tape


def _of_statements(stated: Sequence[StatedFunding], decimals: int, clock_ns: int) -> list[tuple[int, int, int]]:
    """Payments with the last statement that was received before each; one that was never announced is not known."""
    last: dict[int, StatedFunding] = {}
    for one in stated:
        if one.receive_ns <= one.at_ns - clock_ns:
            last[one.at_ns] = one
    return [
        (at_ns - clock_ns, one.rate_ppb, round(2 * one.mark.scaleb(decimals))) for at_ns, one in sorted(last.items())
    ]


def _of_interval(assumed: AssumedFunding, tape: Tape, clock_ns: int) -> list[tuple[int, int, int]]:
    """Payments at the multiples of an interval, with the book's middle."""
    first = (tape.first_ns + clock_ns) // assumed.interval_ns + 1
    last = (tape.last_ns + clock_ns) // assumed.interval_ns
    return [(number * assumed.interval_ns - clock_ns, assumed.rate_ppb, 0) for number in range(first, last + 1)]


def _with_rows(tape: Tape, added: Rows) -> Tape:
    """A tape with further rows; at one time they come after its own."""
    rows = np.concatenate([tape.rows, added])
    played = np.argsort(rows[:, EXCHANGE_NS], kind="stable")
    place = np.empty(len(rows), dtype=np.int64)
    place[played] = np.arange(len(rows))
    heard = np.concatenate([tape.received, np.arange(len(tape.rows), len(rows))])
    heard = heard[np.argsort(rows[heard, RECEIVE_NS], kind="stable")]
    return replace(tape, rows=np.ascontiguousarray(rows[played]), received=np.ascontiguousarray(place[heard]))
