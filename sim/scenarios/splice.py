"""A session that goes on where a real recording ends: its book is taken out, its price, ids and clock are kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from market.errors import MissingInput
from market.wire import records
from market.wire.records import Rows
from sim.backtest.tape import LEAST_LATENCY_NS, clock_ahead_ns, read_columns
from sim.recording.blocks import open_blocks
from sim.replay.source import SourceSettings
from sim.scenarios.layout import MESSAGE_WIDTH, Column, Message
from sim.scenarios.plan import SessionPlan
from sim.scenarios.session import Beginning, Session
from sim.scenarios.text import PRICE_DECIMALS, Written, lines_of

_LOTS: Final = 4_000
_PAUSE_NS: Final = 50_000_000
_MS: Final = 1_000_000


@dataclass(frozen=True, eq=False)
class Ending:
    """How a recording ends.

    Parameters
    ----------
    bids, asks: ticks of all levels. bid: the best one. update_id: of the last depth message. quote_id: newest of all.
    ahead_ns: what the exchange's clock is ahead of the receiver's. first_ns, receive_ns: of its first and last record.
    """

    path: Path
    symbol: str
    price_decimals: int
    first_ns: int
    receive_ns: int
    bids: list[int]
    asks: list[int]
    bid: int
    update_id: int
    quote_id: int
    trade_id: int
    ahead_ns: int


def read_ending(source: SourceSettings) -> Ending:
    """Read a recording to its end; raises MissingInput where it cannot be read or ends without a book."""
    if (
        len(source.markets) != 1
        or (market := source.markets[0]).quantity_decimals != 3
        or (market.price_decimals not in (1, 2))
    ):
        symbols = ", ".join(market.symbol for market in source.markets)
        raise MissingInput(
            f"{source.path} has the markets {symbols}; expected one USD-M market in ticks of 0.1 or "
            "0.01 and lots of 0.001"
        )
    columns = read_columns(source)
    rows = columns.rows
    books: tuple[dict[int, int], dict[int, int]] = ({}, {})
    is_whole, update_id = False, 0
    for row in rows[np.isin(rows[:, records.KIND], (records.SNAPSHOT, records.DIFF))].tolist():
        if row[records.KIND] == records.SNAPSHOT:
            books, is_whole = ({}, {}), True
        else:
            update_id = row[records.LAST_ID]
        for book, levels, start in zip(
            books, (columns.bids, columns.asks), (records.BIDS_START, records.ASKS_START), strict=True
        ):
            _apply(book, levels[row[start] : row[start] + row[start + 1]])
    trades, quotes = rows[rows[:, records.KIND] == records.TRADE], rows[rows[:, records.KIND] == records.QUOTE]
    if not is_whole or not books[0] or not books[1] or not len(trades) or not len(quotes) or not update_id:
        raise MissingInput(
            f"{source.path} has no book, quotes and trades of a USD-M market at its end: there is nothing to go on from"
        )
    return Ending(
        path=source.path,
        symbol=market.symbol,
        price_decimals=market.price_decimals,
        first_ns=int(rows[rows[:, records.RECEIVE_NS] > 0, records.RECEIVE_NS].min()),
        receive_ns=int(rows[:, records.RECEIVE_NS].max()),
        bids=list(books[0]),
        asks=list(books[1]),
        bid=int(quotes[-1, records.BID_PRICE]),
        update_id=update_id,
        quote_id=int(max(update_id, quotes[:, records.LAST_ID].max())),
        trade_id=int(trades[:, records.TRADE_ID].max()),
        ahead_ns=clock_ahead_ns(rows, LEAST_LATENCY_NS),
    )


def _apply(book: dict[int, int], levels: Rows) -> None:
    for tick, lots in levels.tolist():
        if lots:
            book[tick] = lots
        else:
            book.pop(tick, None)


def spliced_lines(plan: SessionPlan, ending: Ending) -> Iterator[bytes]:
    """The recording's own lines, then those of a session at its price; real and generated are one stream."""
    for block in open_blocks(ending.path):
        yield bytes(block.data)
    yield from continued_lines(plan, ending)


def continued(plan: SessionPlan, ending: Ending) -> SessionPlan:
    """The plan as it goes on where a recording ends: at its price, soon after it."""
    return replace(plan, start_ns=ending.receive_ns + _PAUSE_NS, price_ticks=ending.bid)


def continued_lines(plan: SessionPlan, ending: Ending) -> Iterator[bytes]:
    """What comes behind the recording: its book is withdrawn, and the session's takes its place.

    Quantities are worth as much as at the plan's own price: for Ether they are some twenty times as large.
    """
    worth = plan.price_ticks * 10 ** (ending.price_decimals - PRICE_DECIMALS)
    written = Written(ending.symbol, ending.price_decimals, max(round(worth / ending.bid), 1))
    plan = continued(plan, ending)
    removed_id = ending.quote_id + 7
    yield _handover(plan, ending, removed_id, written)
    session = Session(plan, Beginning(update_id=removed_id, trade_id=ending.trade_id, photographed=True))
    for rows, levels in session.parts():
        rows[:, Column.EVENT_MS] += ending.ahead_ns // _MS
        yield lines_of(rows, levels, written)


def _handover(plan: SessionPlan, ending: Ending, update_id: int, written: Written) -> bytes:
    """One depth message that takes every level out but those that the session begins with."""
    kept = ({plan.price_ticks: _LOTS}, {plan.price_ticks + 1: _LOTS})
    levels = [
        sorted((dict.fromkeys(ticks, 0) | book).items())
        for ticks, book in zip((ending.bids, ending.asks), kept, strict=True)
    ]
    row = np.zeros((1, MESSAGE_WIDTH), dtype=np.int64)
    row[0, Column.KIND], row[0, Column.RECEIVE_NS] = Message.DEPTH, plan.start_ns
    row[0, Column.EVENT_MS] = (plan.start_ns + ending.ahead_ns) // _MS
    row[0, Column.FIRST], row[0, Column.A], row[0, Column.B] = ending.update_id + 1, update_id, ending.update_id
    row[0, Column.D], row[0, Column.E], row[0, Column.F] = len(levels[0]), len(levels[0]), len(levels[1])
    return lines_of(row, np.array(levels[0] + levels[1], dtype=np.int64), written)
