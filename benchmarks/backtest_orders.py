"""A tape of price levels as one of single orders: every level an invented order, the flow that of a real market."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from market.wire.records import AGGRESSOR_BUY, Words
from sim.backtest.layout import (
    ASKS,
    ASKS_START,
    BIDS,
    BIDS_START,
    ORDERS,
    ORDERS_START,
    RESTATES,
    TAPE_KIND,
    TRADE_AGGRESSOR,
    TRADE_LOTS,
    TRADE_PRICE,
    Operation,
    TapeKind,
)
from sim.backtest.tape import Tape
from sim.matching.layout import ASK, BID

_Operation = list[int]


class _Levels:
    """Orders that stand for levels, and the operations that change them."""

    def __init__(self) -> None:
        self.lots: dict[int, int] = {}
        self.most = 0

    def changed(self, side: int, tick: int, lots: int) -> list[_Operation]:
        """Operations that make a level hold so many lots."""
        identifier = 2 * tick + side
        before = self.lots.get(identifier, 0)
        if lots == before:
            return []
        if 0 < lots < before:
            self.lots[identifier] = lots
            return [[int(Operation.REDUCE), side, tick, lots, identifier, lots, -1, 0]]
        found = [[int(Operation.DELETE), side, tick, 0, identifier, lots, -1, 0]] if before else []
        if lots:
            found.append([int(Operation.PUT), side, tick, lots, identifier, lots, tick if before else -1, 0])
            self.lots[identifier] = lots
        else:
            del self.lots[identifier]
        self.most = max(self.most, len(self.lots))
        return found


def as_single_orders(tape: Tape) -> Tape:
    """The tape of one market with its updates, snapshots and trades as transactions of single orders."""
    levels, operations = _Levels(), list[_Operation]()
    bids, asks = tape.bids.tolist(), tape.asks.tolist()
    rows = tape.rows.copy()
    for row, values in zip(rows, tape.rows.tolist(), strict=True):
        kind, first = values[TAPE_KIND], len(operations)
        if kind == TapeKind.TRADE:
            aggressor = values[TRADE_AGGRESSOR]
            side = ASK if aggressor == AGGRESSOR_BUY else BID
            price, lots = values[TRADE_PRICE], values[TRADE_LOTS]
            operations.append([int(Operation.TRADE), side, price, lots, 0, 0, -1, aggressor])
        elif kind in (TapeKind.DIFF, TapeKind.SNAPSHOT):
            if kind == TapeKind.SNAPSHOT:
                levels.lots.clear()
            for side, stated, start, count in ((BID, bids, BIDS_START, BIDS), (ASK, asks, ASKS_START, ASKS)):
                for tick, lots in stated[values[start] : values[start] + values[count]]:
                    operations += levels.changed(side, tick, lots)
        else:
            continue
        _make(row, first, len(operations) - first, int(kind == TapeKind.SNAPSHOT))
    (market,) = tape.markets
    return replace(
        tape,
        rows=rows,
        operations=np.array(operations, dtype=np.int64),
        markets=(replace(market, most_orders=levels.most),),
    )


def _make(row: Words, first: int, count: int, restates: int) -> None:
    row[TAPE_KIND], row[ORDERS_START], row[ORDERS], row[RESTATES], row[7] = TapeKind.ORDERS, first, count, restates, 0
