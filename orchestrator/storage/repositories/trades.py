"""Closed trades, open lots, and what each strategy made of each instrument in a session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sa

from orchestrator.storage.matching import Book, ClosedTrade, Lot, Result
from orchestrator.storage.repositories.statements import MOST_NAMED, Found, put
from orchestrator.storage.schema import LOTS, RESULTS, TRADES


@dataclass(frozen=True, kw_only=True)
class TradeFilter:
    """Which trades; None: whatever."""

    epoch: int | None = None
    strategy: str | None = None
    instrument: int | None = None
    won: bool | None = None
    closed_from_ns: int | None = None
    closed_to_ns: int | None = None


class Trades:
    """The history of profit and loss."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, parts: Sequence[ClosedTrade]) -> None:
        """Take in parts of trades; those of the same two orders become one trade."""
        merged: dict[tuple[str, str], ClosedTrade] = {}
        exits = sorted({part.exit_order for part in parts})
        for start in range(0, len(exits), MOST_NAMED):
            query = sa.select(TRADES).where(TRADES.c.exit_order.in_(exits[start : start + MOST_NAMED]))
            found = (_trade(row) for row in self._connection.execute(query).mappings())
            merged |= {(trade.entry_order, trade.exit_order): trade for trade in found}
        for part in parts:
            key = (part.entry_order, part.exit_order)
            merged[key] = merged[key].with_more(part) if key in merged else part
        put(
            self._connection,
            TRADES,
            [msgspec.structs.asdict(trade) | {"won": trade.net > 0} for trade in merged.values()],
        )

    def find(self, wanted: TradeFilter = TradeFilter(), *, most: int = 1_000) -> Sequence[ClosedTrade]:
        """Trades, the last closed first."""
        query = sa.select(TRADES).order_by(TRADES.c.closed_ns.desc(), TRADES.c.exit_order, TRADES.c.entry_order)
        for name in ("epoch", "strategy", "instrument", "won"):
            value = getattr(wanted, name)
            if value is not None:
                query = query.where(TRADES.c[name] == value)
        if wanted.closed_from_ns is not None:
            query = query.where(TRADES.c.closed_ns >= wanted.closed_from_ns)
        if wanted.closed_to_ns is not None:
            query = query.where(TRADES.c.closed_ns < wanted.closed_to_ns)
        return [_trade(row) for row in self._connection.execute(query.limit(most)).mappings()]

    def count(self, epoch: int) -> tuple[int, int]:
        """Trades that a session closed, and how many of them won."""
        row = self._connection.execute(
            sa.select(sa.func.count(), sa.func.count(sa.case((TRADES.c.won, 1)))).where(TRADES.c.epoch == epoch)
        ).one()
        return row[0], row[1]

    def put_lots(self, lots: Mapping[Book, Iterable[Lot]]) -> None:
        """Replace the open lots of some books."""
        for (strategy, instrument), open_lots in lots.items():
            book = (LOTS.c.strategy == strategy) & (LOTS.c.instrument == instrument)
            self._connection.execute(sa.delete(LOTS).where(book))
            rows = [
                {"strategy": strategy, "instrument": instrument, "place": place} | msgspec.structs.asdict(lot)
                for place, lot in enumerate(open_lots)
            ]
            put(self._connection, LOTS, rows)

    def lots(self) -> Mapping[Book, Sequence[Lot]]:
        """All open lots, oldest first."""
        found: dict[Book, list[Lot]] = {}
        query = sa.select(LOTS).order_by(LOTS.c.strategy, LOTS.c.instrument, LOTS.c.place)
        for row in self._connection.execute(query).mappings():
            lot = Lot(
                entry_order=row["entry_order"],
                venue=row["venue"],
                side=row["side"],
                quantity=row["quantity"],
                notional=row["notional"],
                fee=row["fee"],
                opened_ns=row["opened_ns"],
                reason=row["reason"],
            )
            found.setdefault((row["strategy"], row["instrument"]), []).append(lot)
        return found

    def put_results(self, results: Mapping[Book, Result], epoch: int) -> None:
        """Replace what some strategies made of some instruments in a session."""
        rows = [
            {
                "epoch": epoch,
                "strategy": strategy,
                "instrument": instrument,
                "realised": result.realised,
                "fees": result.fees,
            }
            for (strategy, instrument), result in results.items()
        ]
        put(self._connection, RESULTS, rows)

    def results(self, epoch: int) -> Mapping[Book, Result]:
        """What each strategy made of each instrument in a session."""
        query = sa.select(RESULTS).where(RESULTS.c.epoch == epoch).order_by(RESULTS.c.strategy, RESULTS.c.instrument)
        return {
            (row["strategy"], row["instrument"]): Result(realised=row["realised"], fees=row["fees"])
            for row in self._connection.execute(query).mappings()
        }


def _trade(row: Found) -> ClosedTrade:
    return ClosedTrade(**{name: row[name] for name in ClosedTrade.__struct_fields__})
