"""Positions by strategy and market."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from market.risk.position import Position
from orchestrator.run_loop.recovered import Owned
from orchestrator.storage.repositories.statements import put
from orchestrator.storage.schema import POSITIONS


class Positions:
    """What each strategy, and all together, hold."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put(self, positions: Mapping[Owned, Position], epoch: int) -> None:
        """Insert positions or replace them."""
        rows = [
            {
                "strategy": strategy or "",
                "instrument": instrument,
                "venue": venue,
                "epoch": epoch,
                "quantity": held.quantity,
                "cost": held.cost,
                "cash": held.cash,
                "realised": held.realised,
                "fees": held.fees,
            }
            for (strategy, (instrument, venue)), held in positions.items()
        ]
        put(self._connection, POSITIONS, rows)

    def all(self) -> Mapping[Owned, Position]:
        """All positions, those that are closed included: they have a profit."""
        rows = self._connection.execute(
            sa.select(POSITIONS).order_by(POSITIONS.c.strategy, POSITIONS.c.instrument, POSITIONS.c.venue)
        ).mappings()
        return {
            (row["strategy"] or None, (row["instrument"], row["venue"])): Position(
                quantity=row["quantity"],
                cost=row["cost"],
                cash=row["cash"],
                realised=row["realised"],
                fees=row["fees"],
            )
            for row in rows
        }
