"""What was seen beside orders: states of components, their changes, interventions, candles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from orchestrator.storage.records import Area, Audited, CandleClosed, ComponentSaved, StateChanged
from orchestrator.storage.repositories.statements import put
from orchestrator.storage.schema import AUDIT_LOG, CANDLES, SNAPSHOTS, STATE_CHANGES


class Observations:
    """Records by their place in a session's journal, so that none is kept twice."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put_snapshots(self, snapshots: Mapping[int, ComponentSaved], epoch: int) -> None:
        """Keep states of components, by their places."""
        put(self._connection, SNAPSHOTS, _rows(snapshots, epoch))

    def put_changes(self, changes: Mapping[int, StateChanged], epoch: int) -> None:
        """Keep changes of state."""
        put(self._connection, STATE_CHANGES, _rows(changes, epoch))

    def put_audits(self, audits: Mapping[int, Audited], epoch: int) -> None:
        """Keep interventions."""
        put(self._connection, AUDIT_LOG, _rows(audits, epoch))

    def put_candles(self, candles: Sequence[CandleClosed], epoch: int) -> None:
        """Keep candles; one of the same market and start replaces the one before."""
        rows = [
            {name: getattr(candle, name) for name in CandleClosed.__struct_fields__} | {"epoch": epoch}
            for candle in candles
        ]
        put(self._connection, CANDLES, rows)

    def latest_snapshots(self) -> Mapping[str, ComponentSaved]:
        """The last state of each component."""
        latest = sa.select(SNAPSHOTS.c.component, sa.func.max(SNAPSHOTS.c.time_ns).label("time_ns"))
        last = latest.group_by(SNAPSHOTS.c.component).subquery()
        query = sa.select(SNAPSHOTS).join(
            last, (SNAPSHOTS.c.component == last.c.component) & (SNAPSHOTS.c.time_ns == last.c.time_ns)
        )
        rows = self._connection.execute(query.order_by(SNAPSHOTS.c.epoch, SNAPSHOTS.c.place)).mappings()
        return {
            row["component"]: ComponentSaved(time_ns=row["time_ns"], component=row["component"], body=row["body"])
            for row in rows
        }

    def changes(self, *, area: Area | None = None, most: int = 1_000) -> Sequence[StateChanged]:
        """Changes of state, the latest first."""
        query = sa.select(STATE_CHANGES).order_by(STATE_CHANGES.c.time_ns.desc(), STATE_CHANGES.c.place.desc())
        if area is not None:
            query = query.where(STATE_CHANGES.c.area == area)
        return [
            StateChanged(**{name: row[name] for name in StateChanged.__struct_fields__})
            for row in self._connection.execute(query.limit(most)).mappings()
        ]

    def audits(self, *, most: int = 1_000) -> Sequence[Audited]:
        """Interventions, the latest first."""
        query = sa.select(AUDIT_LOG).order_by(AUDIT_LOG.c.time_ns.desc(), AUDIT_LOG.c.place.desc()).limit(most)
        return [
            Audited(**{name: row[name] for name in Audited.__struct_fields__})
            for row in self._connection.execute(query).mappings()
        ]

    def candles(self, instrument: int, venue: int, from_ns: int, to_ns: int) -> Sequence[CandleClosed]:
        """Candles of a market that begin from one time to before another, oldest first."""
        query = (
            sa.select(CANDLES)
            .where(CANDLES.c.instrument == instrument, CANDLES.c.venue == venue)
            .where(CANDLES.c.start_ns >= from_ns, CANDLES.c.start_ns < to_ns)
            .order_by(CANDLES.c.start_ns)
        )
        return [
            CandleClosed(**{name: row[name] for name in CandleClosed.__struct_fields__})
            for row in self._connection.execute(query).mappings()
        ]


def _rows(
    records: Mapping[int, ComponentSaved] | Mapping[int, StateChanged] | Mapping[int, Audited], epoch: int
) -> list[dict[str, object]]:
    return [
        {name: getattr(record, name) for name in record.__struct_fields__} | {"epoch": epoch, "place": place}
        for place, record in records.items()
    ]
