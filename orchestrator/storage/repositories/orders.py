"""Orders and their fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from market.orders.cause import Cause
from market.orders.kinds import OrderState
from market.orders.order import Fill, Order, OrderIntent
from orchestrator.storage.repositories.statements import MOST_NAMED, Found, Row, put
from orchestrator.storage.schema import FILLS, ORDERS

_TERMINAL = [state for state in OrderState if state.is_terminal]
_STATIC = frozenset({"epoch", "why"})


@dataclass(frozen=True, kw_only=True)
class OrderFilter:
    """Which orders; None: whatever.

    Parameters
    ----------
    working: whether they may still be filled.
    """

    epoch: int | None = None
    strategy: str | None = None
    instrument: int | None = None
    venue: int | None = None
    working: bool | None = None
    decided_from_ns: int | None = None
    decided_to_ns: int | None = None


class Orders:
    """Orders with their fills."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def put(self, orders: Sequence[Order], epoch: int, why: Mapping[str, str]) -> None:
        """Insert orders, or bring them up to date; their fills are put by ``put_fills``.

        Parameters
        ----------
        epoch: of the session. why: by client order id. Orders that are there keep both.
        """
        rows = [_order_row(order, epoch, why.get(order.client_order_id, "")) for order in orders]
        put(self._connection, ORDERS, rows, keep=_STATIC)

    def put_fills(self, orders: Sequence[Order], epoch: int) -> None:
        """Insert all fills of orders; those that are there keep their session."""
        rows = [
            _fill_row(order.client_order_id, place, fill, epoch)
            for order in orders
            for place, fill in enumerate(order.fills)
        ]
        put(self._connection, FILLS, rows, keep={"epoch"})

    def get(self, client_order_id: str) -> Order | None:
        """One order."""
        found = self._load(sa.select(ORDERS).where(ORDERS.c.client_order_id == client_order_id))
        return found[0] if found else None

    def find(self, wanted: OrderFilter = OrderFilter(), *, most: int = 1_000) -> Sequence[Order]:
        """Orders, the latest decision first."""
        query = sa.select(ORDERS).order_by(ORDERS.c.decided_ns.desc(), ORDERS.c.client_order_id).limit(most)
        for condition in _conditions(wanted):
            query = query.where(condition)
        return self._load(query)

    def why(self, client_order_id: str) -> str:
        """Why an order was placed; empty when it is not known."""
        found = self._connection.scalar(sa.select(ORDERS.c.why).where(ORDERS.c.client_order_id == client_order_id))
        return found or ""

    def _load(self, query: sa.Select[Any]) -> list[Order]:
        rows = self._connection.execute(query).mappings().all()
        ids = [row["client_order_id"] for row in rows]
        fills: dict[str, list[Fill]] = {name: [] for name in ids}
        for start in range(0, len(ids), MOST_NAMED):
            part = FILLS.c.client_order_id.in_(ids[start : start + MOST_NAMED])
            ordered = sa.select(FILLS).where(part).order_by(FILLS.c.client_order_id, FILLS.c.place)
            for row in self._connection.execute(ordered).mappings():
                fills[row["client_order_id"]].append(_fill(row))
        return [_order(row, tuple(fills[row["client_order_id"]])) for row in rows]


def _conditions(wanted: OrderFilter) -> list[sa.ColumnElement[bool]]:
    conditions = [
        ORDERS.c[name] == value
        for name in ("epoch", "strategy", "instrument", "venue")
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.working is not None:
        ended = ORDERS.c.state.in_(_TERMINAL)
        conditions.append(sa.not_(ended) if wanted.working else ended)
    if wanted.decided_from_ns is not None:
        conditions.append(ORDERS.c.decided_ns >= wanted.decided_from_ns)
    if wanted.decided_to_ns is not None:
        conditions.append(ORDERS.c.decided_ns < wanted.decided_to_ns)
    return conditions


def _order_row(order: Order, epoch: int, why: str) -> Row:
    intent, cause = order.intent, order.intent.cause
    return {
        "client_order_id": order.client_order_id,
        "epoch": epoch,
        "strategy": cause.strategy,
        "origin": cause.origin,
        "cause_epoch": cause.epoch,
        "cause_number": cause.number,
        "leg": cause.leg,
        "why": why,
        "instrument": intent.instrument,
        "venue": intent.venue,
        "side": intent.side,
        "type": intent.type,
        "time_in_force": intent.time_in_force,
        "quantity": intent.quantity,
        "limit_price": intent.limit_price,
        "stop_price": intent.stop_price,
        "post_only": intent.post_only,
        "reduce_only": intent.reduce_only,
        "state": order.state,
        "venue_order_id": order.venue_order_id,
        "filled": order.filled,
        "decided_ns": intent.decided_ns,
        "sent_ns": order.sent_ns,
        "acknowledged_ns": order.acknowledged_ns,
        "ended_ns": order.ended_ns,
        "reason": order.reason,
    }


def _fill_row(client_order_id: str, place: int, fill: Fill, epoch: int) -> Row:
    return {
        "client_order_id": client_order_id,
        "fill_id": fill.fill_id,
        "place": place,
        "epoch": epoch,
        "price": fill.price,
        "quantity": fill.quantity,
        "fee": fill.fee,
        "fee_base": fill.fee_base,
        "fee_unpriced": fill.fee_unpriced,
        "liquidity": fill.liquidity,
        "venue_ns": fill.venue_ns,
        "receive_ns": fill.receive_ns,
    }


def _fill(row: Found) -> Fill:
    return Fill(
        fill_id=row["fill_id"],
        price=row["price"],
        quantity=row["quantity"],
        fee=row["fee"],
        fee_base=row["fee_base"],
        fee_unpriced=row["fee_unpriced"],
        liquidity=row["liquidity"],
        venue_ns=row["venue_ns"],
        receive_ns=row["receive_ns"],
    )


def _order(row: Found, fills: tuple[Fill, ...]) -> Order:
    cause = Cause(
        strategy=row["strategy"],
        origin=row["origin"],
        epoch=row["cause_epoch"],
        number=row["cause_number"],
        leg=row["leg"],
    )
    intent = OrderIntent(
        cause=cause,
        decided_ns=row["decided_ns"],
        instrument=row["instrument"],
        venue=row["venue"],
        side=row["side"],
        type=row["type"],
        time_in_force=row["time_in_force"],
        quantity=row["quantity"],
        limit_price=row["limit_price"],
        stop_price=row["stop_price"],
        post_only=row["post_only"],
        reduce_only=row["reduce_only"],
        why=row["why"],
    )
    return Order(
        intent=intent,
        client_order_id=row["client_order_id"],
        state=row["state"],
        venue_order_id=row["venue_order_id"],
        filled=row["filled"],
        fills=fills,
        sent_ns=row["sent_ns"],
        acknowledged_ns=row["acknowledged_ns"],
        ended_ns=row["ended_ns"],
        reason=row["reason"],
    )
