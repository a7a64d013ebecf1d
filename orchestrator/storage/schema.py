"""The tables of the database. Prices, quantities and money are counts of the instruments' scales, times nanoseconds.

A session is known by its epoch, which never repeats. Strategy "" in ``positions`` is all of them together.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import sqlalchemy as sa

from market.orders.cause import Origin
from market.orders.kinds import Liquidity, OrderState, OrderType, Side, TimeInForce
from orchestrator.storage.columns import Whole, Words, one_of
from orchestrator.storage.records import Area

_NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
METADATA: Final = sa.MetaData(naming_convention=_NAMES)

_TAG: Final = sa.String(10)
_ORDER_ID: Final = sa.String(36)


class SessionState(StrEnum):
    """What became of a session."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    CRASHED = "crashed"


SESSIONS: Final = sa.Table(
    "sessions",
    METADATA,
    sa.Column("epoch", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("mode", Words, nullable=False),
    sa.Column("state", one_of(SessionState, "state"), nullable=False),
    sa.Column("started_ns", sa.BigInteger, nullable=False),
    sa.Column("ended_ns", sa.BigInteger),
    sa.Column("reason", Words, nullable=False),
    sa.Column("recovers", sa.Integer, nullable=False),
    sa.Column("orders", sa.Integer, nullable=False),
    sa.Column("fills", sa.Integer, nullable=False),
    sa.Column("journal_bytes", sa.BigInteger, nullable=False),
    sa.CheckConstraint("ended_ns IS NULL OR ended_ns >= started_ns", name="times"),
    sa.CheckConstraint("journal_bytes >= 0", name="journal_bytes"),
)

MARKETS: Final = sa.Table(
    "markets",
    METADATA,
    sa.Column("epoch", sa.BigInteger, sa.ForeignKey("sessions.epoch"), primary_key=True),
    sa.Column("instrument", sa.Integer, primary_key=True),
    sa.Column("venue", sa.Integer, primary_key=True),
    sa.Column("instrument_name", Words, nullable=False),
    sa.Column("venue_name", Words, nullable=False),
    sa.Column("symbol", Words, nullable=False),
    sa.Column("price_exponent", sa.SmallInteger, nullable=False),
    sa.Column("quantity_exponent", sa.SmallInteger, nullable=False),
)

RESULTS: Final = sa.Table(
    "results",
    METADATA,
    sa.Column("epoch", sa.BigInteger, sa.ForeignKey("sessions.epoch"), primary_key=True),
    sa.Column("strategy", _TAG, primary_key=True),
    sa.Column("instrument", sa.Integer, primary_key=True),
    sa.Column("realised", Whole, nullable=False),
    sa.Column("fees", Whole, nullable=False),
)

ORDERS: Final = sa.Table(
    "orders",
    METADATA,
    sa.Column("client_order_id", _ORDER_ID, primary_key=True),
    sa.Column("epoch", sa.BigInteger, sa.ForeignKey("sessions.epoch"), nullable=False),
    sa.Column("strategy", _TAG, nullable=False),
    sa.Column("origin", one_of(Origin, "origin"), nullable=False),
    sa.Column("cause_epoch", sa.BigInteger, nullable=False),
    sa.Column("cause_number", Whole, nullable=False),
    sa.Column("leg", sa.SmallInteger, nullable=False),
    sa.Column("why", Words, nullable=False),
    sa.Column("instrument", sa.Integer, nullable=False),
    sa.Column("venue", sa.Integer, nullable=False),
    sa.Column("side", one_of(Side, "side"), nullable=False),
    sa.Column("type", one_of(OrderType, "type"), nullable=False),
    sa.Column("time_in_force", one_of(TimeInForce, "time_in_force"), nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("limit_price", sa.BigInteger, nullable=False),
    sa.Column("stop_price", sa.BigInteger, nullable=False),
    sa.Column("post_only", sa.Boolean, nullable=False),
    sa.Column("reduce_only", sa.Boolean, nullable=False),
    sa.Column("state", one_of(OrderState, "state"), nullable=False),
    sa.Column("venue_order_id", Words, nullable=False),
    sa.Column("filled", sa.BigInteger, nullable=False),
    sa.Column("decided_ns", sa.BigInteger, nullable=False),
    sa.Column("sent_ns", sa.BigInteger, nullable=False),
    sa.Column("acknowledged_ns", sa.BigInteger, nullable=False),
    sa.Column("ended_ns", sa.BigInteger, nullable=False),
    sa.Column("reason", Words, nullable=False),
    sa.CheckConstraint("quantity > 0", name="quantity"),
    sa.CheckConstraint("filled >= 0 AND filled <= quantity", name="filled"),
    sa.Index(None, "epoch"),
    sa.Index(None, "state"),
    sa.Index(None, "strategy", "decided_ns"),
)

FILLS: Final = sa.Table(
    "fills",
    METADATA,
    sa.Column("client_order_id", _ORDER_ID, sa.ForeignKey("orders.client_order_id"), primary_key=True),
    sa.Column("fill_id", Words, primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("epoch", sa.BigInteger, sa.ForeignKey("sessions.epoch"), nullable=False),
    sa.Column("price", sa.BigInteger, nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("fee", Whole, nullable=False),
    sa.Column("fee_base", sa.BigInteger, nullable=False),
    sa.Column("fee_unpriced", Words, nullable=False),
    sa.Column("liquidity", one_of(Liquidity, "liquidity"), nullable=False),
    sa.Column("venue_ns", sa.BigInteger, nullable=False),
    sa.Column("receive_ns", sa.BigInteger, nullable=False),
    sa.CheckConstraint("price > 0 AND quantity > 0", name="positive"),
    sa.Index(None, "epoch"),
    sa.Index(None, "receive_ns"),
)

POSITIONS: Final = sa.Table(
    "positions",
    METADATA,
    sa.Column("strategy", _TAG, primary_key=True),
    sa.Column("instrument", sa.Integer, primary_key=True),
    sa.Column("venue", sa.Integer, primary_key=True),
    sa.Column("epoch", sa.BigInteger, sa.ForeignKey("sessions.epoch"), nullable=False),
    sa.Column("quantity", Whole, nullable=False),
    sa.Column("cost", Whole, nullable=False),
    sa.Column("cash", Whole, nullable=False),
    sa.Column("realised", Whole, nullable=False),
    sa.Column("fees", Whole, nullable=False),
)

LOTS: Final = sa.Table(
    "lots",
    METADATA,
    sa.Column("strategy", _TAG, primary_key=True),
    sa.Column("instrument", sa.Integer, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("entry_order", sa.String(36), nullable=False),
    sa.Column("venue", sa.Integer, nullable=False),
    sa.Column("side", one_of(Side, "side"), nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("notional", Whole, nullable=False),
    sa.Column("fee", Whole, nullable=False),
    sa.Column("opened_ns", sa.BigInteger, nullable=False),
    sa.Column("reason", Words, nullable=False),
    sa.CheckConstraint("quantity > 0", name="quantity"),
)

TRADES: Final = sa.Table(
    "trades",
    METADATA,
    sa.Column("entry_order", sa.String(36), primary_key=True),
    sa.Column("exit_order", _ORDER_ID, sa.ForeignKey("orders.client_order_id"), primary_key=True),
    sa.Column("epoch", sa.BigInteger, sa.ForeignKey("sessions.epoch"), nullable=False),
    sa.Column("strategy", _TAG, nullable=False),
    sa.Column("instrument", sa.Integer, nullable=False),
    sa.Column("entry_venue", sa.Integer, nullable=False),
    sa.Column("exit_venue", sa.Integer, nullable=False),
    sa.Column("side", one_of(Side, "side"), nullable=False),
    sa.Column("quantity", sa.BigInteger, nullable=False),
    sa.Column("entry_notional", Whole, nullable=False),
    sa.Column("exit_notional", Whole, nullable=False),
    sa.Column("fees", Whole, nullable=False),
    sa.Column("won", sa.Boolean, nullable=False),
    sa.Column("opened_ns", sa.BigInteger, nullable=False),
    sa.Column("closed_ns", sa.BigInteger, nullable=False),
    sa.Column("entry_reason", Words, nullable=False),
    sa.Column("exit_reason", Words, nullable=False),
    sa.CheckConstraint("quantity > 0", name="quantity"),
    sa.Index(None, "epoch"),
    sa.Index(None, "strategy", "closed_ns"),
)

SNAPSHOTS: Final = sa.Table(
    "snapshots",
    METADATA,
    sa.Column("epoch", sa.BigInteger, sa.ForeignKey("sessions.epoch"), primary_key=True),
    sa.Column("place", sa.BigInteger, primary_key=True),
    sa.Column("component", Words, nullable=False),
    sa.Column("time_ns", sa.BigInteger, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index(None, "component", "time_ns"),
)

STATE_CHANGES: Final = sa.Table(
    "state_changes",
    METADATA,
    sa.Column("epoch", sa.BigInteger, sa.ForeignKey("sessions.epoch"), primary_key=True),
    sa.Column("place", sa.BigInteger, primary_key=True),
    sa.Column("time_ns", sa.BigInteger, nullable=False),
    sa.Column("area", one_of(Area, "area"), nullable=False),
    sa.Column("source", Words, nullable=False),
    sa.Column("before", Words, nullable=False),
    sa.Column("after", Words, nullable=False),
    sa.Column("detail", Words, nullable=False),
    sa.Index(None, "area", "time_ns"),
)

AUDIT_LOG: Final = sa.Table(
    "audit_log",
    METADATA,
    sa.Column("epoch", sa.BigInteger, sa.ForeignKey("sessions.epoch"), primary_key=True),
    sa.Column("place", sa.BigInteger, primary_key=True),
    sa.Column("time_ns", sa.BigInteger, nullable=False),
    sa.Column("actor", Words, nullable=False),
    sa.Column("action", Words, nullable=False),
    sa.Column("detail", Words, nullable=False),
    sa.Index(None, "time_ns"),
)

CANDLES: Final = sa.Table(
    "candles",
    METADATA,
    sa.Column("epoch", sa.BigInteger, sa.ForeignKey("sessions.epoch"), primary_key=True),
    sa.Column("instrument", sa.Integer, primary_key=True),
    sa.Column("venue", sa.Integer, primary_key=True),
    sa.Column("start_ns", sa.BigInteger, primary_key=True),
    sa.Column("duration_ns", sa.BigInteger, nullable=False),
    sa.Column("open", sa.BigInteger, nullable=False),
    sa.Column("high", sa.BigInteger, nullable=False),
    sa.Column("low", sa.BigInteger, nullable=False),
    sa.Column("close", sa.BigInteger, nullable=False),
    sa.Column("volume", sa.BigInteger, nullable=False),
    sa.CheckConstraint("low <= open AND low <= close AND high >= open AND high >= close", name="range"),
)
