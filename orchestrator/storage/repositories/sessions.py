"""Sessions: when each ran, how it ended, what it made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from orchestrator.storage.matching import Book, Result
from orchestrator.storage.records import Market
from orchestrator.storage.repositories.statements import Found, put
from orchestrator.storage.repositories.trades import Trades
from orchestrator.storage.schema import MARKETS, SESSIONS, SessionState


@dataclass(frozen=True, kw_only=True)
class Session:
    """One session.

    Parameters
    ----------
    epoch: its identity. number: of its journal. recovers: number of the crashed session that it followed, else 0.
    orders, fills: how many it placed and booked. journal_bytes: how much of its journal the database holds.
    """

    epoch: int
    number: int
    mode: str
    state: SessionState
    started_ns: int
    ended_ns: int | None = None
    reason: str = ""
    recovers: int = 0
    orders: int = 0
    fills: int = 0
    journal_bytes: int = 0


@dataclass(frozen=True, kw_only=True)
class SessionReport:
    """A session and its profit.

    Parameters
    ----------
    trades, wins: closed in it, and those of them with a profit after fees.
    results: by strategy and instrument, in notional counts of the instrument.
    """

    session: Session
    trades: int
    wins: int
    results: Mapping[Book, Result]

    @property
    def win_rate(self) -> float | None:
        """Share of winning trades; None without trades."""
        return self.wins / self.trades if self.trades else None


class Sessions:
    """All sessions that were ever projected."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put(self, session: Session) -> None:
        """Insert a session or bring it up to date."""
        put(self._connection, SESSIONS, [{name: getattr(session, name) for name in Session.__dataclass_fields__}])

    def put_markets(self, epoch: int, markets: Sequence[Market]) -> None:
        """Keep what a session's numbers mean."""
        rows = [
            {name: getattr(market, name) for name in Market.__struct_fields__} | {"epoch": epoch} for market in markets
        ]
        put(self._connection, MARKETS, rows)

    def latest(self) -> Session | None:
        """The session with the greatest epoch."""
        found = self.find(most=1)
        return found[0] if found else None

    def get(self, epoch: int) -> Session | None:
        """One session."""
        row = self._connection.execute(sa.select(SESSIONS).where(SESSIONS.c.epoch == epoch)).mappings().first()
        return None if row is None else _session(row)

    def find(self, *, most: int = 100) -> Sequence[Session]:
        """Sessions, the latest first."""
        query = sa.select(SESSIONS).order_by(SESSIONS.c.epoch.desc()).limit(most)
        return [_session(row) for row in self._connection.execute(query).mappings()]

    def report(self, epoch: int) -> SessionReport | None:
        """A session with its trades and profit."""
        session = self.get(epoch)
        if session is None:
            return None
        trades = Trades(self._connection)
        closed, wins = trades.count(epoch)
        return SessionReport(session=session, trades=closed, wins=wins, results=trades.results(epoch))

    def markets(self, epoch: int) -> Sequence[Market]:
        """What a session's numbers mean."""
        query = sa.select(MARKETS).where(MARKETS.c.epoch == epoch).order_by(MARKETS.c.instrument, MARKETS.c.venue)
        return [
            Market(**{name: row[name] for name in Market.__struct_fields__})
            for row in self._connection.execute(query).mappings()
        ]


def _session(row: Found) -> Session:
    return Session(**{name: row[name] for name in Session.__dataclass_fields__})
