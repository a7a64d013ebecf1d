"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from orchestrator.storage.columns import Whole, Words

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "lots",
        sa.Column("strategy", sa.String(length=10), nullable=False),
        sa.Column("instrument", sa.Integer(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("entry_order", sa.String(length=36), nullable=False),
        sa.Column("venue", sa.Integer(), nullable=False),
        sa.Column(
            "side",
            sa.Enum("BUY", "SELL", name="side", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("notional", Whole(), nullable=False),
        sa.Column("fee", Whole(), nullable=False),
        sa.Column("opened_ns", sa.BigInteger(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_lots_quantity")),
        sa.PrimaryKeyConstraint("strategy", "instrument", "place", name=op.f("pk_lots")),
    )
    op.create_table(
        "sessions",
        sa.Column("epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("mode", Words(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "RUNNING",
                "FINISHED",
                "INTERRUPTED",
                "FAILED",
                "CRASHED",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("started_ns", sa.BigInteger(), nullable=False),
        sa.Column("ended_ns", sa.BigInteger(), nullable=True),
        sa.Column("reason", Words(), nullable=False),
        sa.Column("recovers", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("fills", sa.Integer(), nullable=False),
        sa.Column("journal_bytes", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("ended_ns IS NULL OR ended_ns >= started_ns", name=op.f("ck_sessions_times")),
        sa.CheckConstraint("journal_bytes >= 0", name=op.f("ck_sessions_journal_bytes")),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_sessions")),
    )
    op.create_table(
        "audit_log",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("actor", Words(), nullable=False),
        sa.Column("action", Words(), nullable=False),
        sa.Column("detail", Words(), nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["sessions.epoch"], name=op.f("fk_audit_log_epoch")),
        sa.PrimaryKeyConstraint("epoch", "place", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_time_ns"), "audit_log", ["time_ns"], unique=False)
    op.create_table(
        "candles",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("instrument", sa.Integer(), nullable=False),
        sa.Column("venue", sa.Integer(), nullable=False),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("duration_ns", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("close", sa.BigInteger(), nullable=False),
        sa.Column("volume", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "low <= open AND low <= close AND high >= open AND high >= close", name=op.f("ck_candles_range")
        ),
        sa.ForeignKeyConstraint(["epoch"], ["sessions.epoch"], name=op.f("fk_candles_epoch")),
        sa.PrimaryKeyConstraint("epoch", "instrument", "venue", "start_ns", name=op.f("pk_candles")),
    )
    op.create_table(
        "markets",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("instrument", sa.Integer(), nullable=False),
        sa.Column("venue", sa.Integer(), nullable=False),
        sa.Column("instrument_name", Words(), nullable=False),
        sa.Column("venue_name", Words(), nullable=False),
        sa.Column("symbol", Words(), nullable=False),
        sa.Column("price_exponent", sa.SmallInteger(), nullable=False),
        sa.Column("quantity_exponent", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["sessions.epoch"], name=op.f("fk_markets_epoch")),
        sa.PrimaryKeyConstraint("epoch", "instrument", "venue", name=op.f("pk_markets")),
    )
    op.create_table(
        "orders",
        sa.Column("client_order_id", sa.String(length=36), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("strategy", sa.String(length=10), nullable=False),
        sa.Column(
            "origin",
            sa.Enum("TRIGGER", "DECISION", name="origin", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("cause_epoch", sa.BigInteger(), nullable=False),
        sa.Column("cause_number", Whole(), nullable=False),
        sa.Column("leg", sa.SmallInteger(), nullable=False),
        sa.Column("why", Words(), nullable=False),
        sa.Column("instrument", sa.Integer(), nullable=False),
        sa.Column("venue", sa.Integer(), nullable=False),
        sa.Column(
            "side",
            sa.Enum("BUY", "SELL", name="side", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column(
            "type",
            sa.Enum(
                "MARKET",
                "LIMIT",
                "STOP",
                "STOP_LIMIT",
                name="type",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "time_in_force",
            sa.Enum("GTC", "IOC", "FOK", name="time_in_force", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("limit_price", sa.BigInteger(), nullable=False),
        sa.Column("stop_price", sa.BigInteger(), nullable=False),
        sa.Column("post_only", sa.Boolean(), nullable=False),
        sa.Column("reduce_only", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "INTENDED",
                "SENT",
                "OPEN",
                "PARTIALLY_FILLED",
                "CANCEL_REQUESTED",
                "UNKNOWN",
                "FILLED",
                "CANCELLED",
                "EXPIRED",
                "REJECTED",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("venue_order_id", Words(), nullable=False),
        sa.Column("filled", sa.BigInteger(), nullable=False),
        sa.Column("decided_ns", sa.BigInteger(), nullable=False),
        sa.Column("sent_ns", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_ns", sa.BigInteger(), nullable=False),
        sa.Column("ended_ns", sa.BigInteger(), nullable=False),
        sa.Column("reason", Words(), nullable=False),
        sa.CheckConstraint("filled >= 0 AND filled <= quantity", name=op.f("ck_orders_filled")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_orders_quantity")),
        sa.ForeignKeyConstraint(["epoch"], ["sessions.epoch"], name=op.f("fk_orders_epoch")),
        sa.PrimaryKeyConstraint("client_order_id", name=op.f("pk_orders")),
    )
    op.create_index(op.f("ix_orders_epoch"), "orders", ["epoch"], unique=False)
    op.create_index(op.f("ix_orders_state"), "orders", ["state"], unique=False)
    op.create_index(op.f("ix_orders_strategy_decided_ns"), "orders", ["strategy", "decided_ns"], unique=False)
    op.create_table(
        "positions",
        sa.Column("strategy", sa.String(length=10), nullable=False),
        sa.Column("instrument", sa.Integer(), nullable=False),
        sa.Column("venue", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("quantity", Whole(), nullable=False),
        sa.Column("cost", Whole(), nullable=False),
        sa.Column("cash", Whole(), nullable=False),
        sa.Column("realised", Whole(), nullable=False),
        sa.Column("fees", Whole(), nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["sessions.epoch"], name=op.f("fk_positions_epoch")),
        sa.PrimaryKeyConstraint("strategy", "instrument", "venue", name=op.f("pk_positions")),
    )
    op.create_table(
        "results",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("strategy", sa.String(length=10), nullable=False),
        sa.Column("instrument", sa.Integer(), nullable=False),
        sa.Column("realised", Whole(), nullable=False),
        sa.Column("fees", Whole(), nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["sessions.epoch"], name=op.f("fk_results_epoch")),
        sa.PrimaryKeyConstraint("epoch", "strategy", "instrument", name=op.f("pk_results")),
    )
    op.create_table(
        "snapshots",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("component", Words(), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["sessions.epoch"], name=op.f("fk_snapshots_epoch")),
        sa.PrimaryKeyConstraint("epoch", "place", name=op.f("pk_snapshots")),
    )
    op.create_index(op.f("ix_snapshots_component_time_ns"), "snapshots", ["component", "time_ns"], unique=False)
    op.create_table(
        "state_changes",
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column(
            "area",
            sa.Enum(
                "DETECTOR",
                "BREAKER",
                "FEED",
                "ENGINE",
                "RISK",
                name="area",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("source", Words(), nullable=False),
        sa.Column("before", Words(), nullable=False),
        sa.Column("after", Words(), nullable=False),
        sa.Column("detail", Words(), nullable=False),
        sa.ForeignKeyConstraint(["epoch"], ["sessions.epoch"], name=op.f("fk_state_changes_epoch")),
        sa.PrimaryKeyConstraint("epoch", "place", name=op.f("pk_state_changes")),
    )
    op.create_index(op.f("ix_state_changes_area_time_ns"), "state_changes", ["area", "time_ns"], unique=False)
    op.create_table(
        "fills",
        sa.Column("client_order_id", sa.String(length=36), nullable=False),
        sa.Column("fill_id", Words(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("fee", Whole(), nullable=False),
        sa.Column("fee_base", sa.BigInteger(), nullable=False),
        sa.Column("fee_unpriced", Words(), nullable=False),
        sa.Column(
            "liquidity",
            sa.Enum("MAKER", "TAKER", name="liquidity", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("venue_ns", sa.BigInteger(), nullable=False),
        sa.Column("receive_ns", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("price > 0 AND quantity > 0", name=op.f("ck_fills_positive")),
        sa.ForeignKeyConstraint(["client_order_id"], ["orders.client_order_id"], name=op.f("fk_fills_client_order_id")),
        sa.ForeignKeyConstraint(["epoch"], ["sessions.epoch"], name=op.f("fk_fills_epoch")),
        sa.PrimaryKeyConstraint("client_order_id", "fill_id", name=op.f("pk_fills")),
    )
    op.create_index(op.f("ix_fills_epoch"), "fills", ["epoch"], unique=False)
    op.create_index(op.f("ix_fills_receive_ns"), "fills", ["receive_ns"], unique=False)
    op.create_table(
        "trades",
        sa.Column("entry_order", sa.String(length=36), nullable=False),
        sa.Column("exit_order", sa.String(length=36), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("strategy", sa.String(length=10), nullable=False),
        sa.Column("instrument", sa.Integer(), nullable=False),
        sa.Column("entry_venue", sa.Integer(), nullable=False),
        sa.Column("exit_venue", sa.Integer(), nullable=False),
        sa.Column(
            "side",
            sa.Enum("BUY", "SELL", name="side", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("entry_notional", Whole(), nullable=False),
        sa.Column("exit_notional", Whole(), nullable=False),
        sa.Column("fees", Whole(), nullable=False),
        sa.Column("won", sa.Boolean(), nullable=False),
        sa.Column("opened_ns", sa.BigInteger(), nullable=False),
        sa.Column("closed_ns", sa.BigInteger(), nullable=False),
        sa.Column("entry_reason", Words(), nullable=False),
        sa.Column("exit_reason", Words(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_trades_quantity")),
        sa.ForeignKeyConstraint(["epoch"], ["sessions.epoch"], name=op.f("fk_trades_epoch")),
        sa.ForeignKeyConstraint(["exit_order"], ["orders.client_order_id"], name=op.f("fk_trades_exit_order")),
        sa.PrimaryKeyConstraint("entry_order", "exit_order", name=op.f("pk_trades")),
    )
    op.create_index(op.f("ix_trades_epoch"), "trades", ["epoch"], unique=False)
    op.create_index(op.f("ix_trades_strategy_closed_ns"), "trades", ["strategy", "closed_ns"], unique=False)
