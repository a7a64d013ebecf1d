"""Every message of the three channels.

Wire names are those of the message table of the documentation; attributes carry their units. A message of an unknown
type, with an unknown field or without one that it needs is refused whole.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec
from msgspec import field

from orchestrator.bus.records import BusSide, NewOrder, OrderRecord, PositionRecord

Level: TypeAlias = tuple[Decimal, Decimal]
"""Price and quantity."""


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True, tag_field="type", forbid_unknown_fields=True):
    """What all messages are."""


# The data channel.


class OrderBookSnapshot(Message, frozen=True, kw_only=True):
    """The best levels of a book; what came before is forgotten."""

    venue: str
    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    timestamp_ns: int = field(name="timestamp")
    last_update_id: int


class OrderBookUpdate(Message, frozen=True, kw_only=True):
    """Levels that changed since the message before of this book; quantity 0: the level is gone or beyond what is shown.

    Parameters
    ----------
    previous_update_id: last id of the message that it follows, snapshot or update.
    """

    venue: str
    symbol: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    timestamp_ns: int = field(name="timestamp")
    previous_update_id: int
    last_update_id: int


class Trade(Message, frozen=True, kw_only=True):
    """A trade of the market.

    Parameters
    ----------
    trade_id: empty when the source of the trade keeps none. side: of the aggressor, None when the venue does not say.
    exchange_timestamp_ns: 0 when it states none.
    """

    venue: str
    symbol: str
    trade_id: str
    price: Decimal
    quantity: Decimal
    side: BusSide | None
    timestamp_ns: int = field(name="timestamp")
    exchange_timestamp_ns: int = field(name="exchange_timestamp")


class HealthMetrics(Message, frozen=True, kw_only=True):
    """How a venue's feed is doing.

    Parameters
    ----------
    feed_latency_*: over the last interval, None when no message of it stated a time. orderbook_depth_*: levels of all
        its books. last_snapshot_age_seconds: None before the first snapshot.
    """

    venue: str
    timestamp_ns: int = field(name="timestamp")
    msgs_per_second: float
    feed_latency_ms: float | None
    feed_latency_p50_ms: float | None
    feed_latency_p99_ms: float | None
    gap_count: int
    reconnection_count: int
    orderbook_depth_bids: int
    orderbook_depth_asks: int
    last_snapshot_age_seconds: float | None


class StateChange(Message, frozen=True, kw_only=True):
    """Something changed its state: the guard of the run, a detector, a circuit breaker.

    Parameters
    ----------
    subject: what it was.
    """

    subject: str
    timestamp_ns: int = field(name="timestamp")
    old_state: str
    new_state: str
    reason: str


# The command channel.


class Command(Message, frozen=True, kw_only=True):
    """A command; answered by a response with the same id, however often it is sent."""

    command_id: str


class Hello(Command, frozen=True, kw_only=True):
    """Is anybody there? Answered at once by the server itself."""


class PlaceOrder(Command, frozen=True, kw_only=True):
    """Send an order."""

    order: NewOrder


class CancelOrder(Command, frozen=True, kw_only=True):
    """Ask for an order's cancellation; ``symbol`` may be empty."""

    client_order_id: str
    symbol: str = ""


class QueryOrder(Command, frozen=True, kw_only=True):
    """How does an order stand?"""

    client_order_id: str


class QueryOpenOrders(Command, frozen=True, kw_only=True):
    """Which orders work, of one symbol or of all?"""

    symbol: str | None = None


class QueryPositions(Command, frozen=True, kw_only=True):
    """What is held?"""


class QueryStatus(Command, frozen=True, kw_only=True):
    """How is the run?"""


class RequestSnapshot(Command, frozen=True, kw_only=True):
    """Publish a book's snapshot on the data channel."""

    symbol: str
    venue: str = ""


class Pause(Command, frozen=True, kw_only=True):
    """Take no new risk until resumed."""

    reason: str = ""


class Halt(Command, frozen=True, kw_only=True):
    """Send nothing more and cancel what works, until resumed."""

    reason: str = ""


class CloseAll(Command, frozen=True, kw_only=True):
    """Halt, and close all positions at the market."""

    reason: str = ""


class Resume(Command, frozen=True, kw_only=True):
    """Trade on after a halt or a pause that waits for a person."""


class ReloadConfig(Command, frozen=True, kw_only=True):
    """Read thresholds and limits anew."""


class Shutdown(Command, frozen=True, kw_only=True):
    """End the run in an orderly way."""


# The response channel.


class OrderPlaced(Message, frozen=True, kw_only=True):
    """An order was sent."""

    command_id: str
    client_order_id: str
    exchange_order_id: str | None = None
    timestamp_ns: int = field(name="timestamp")


class OrderCanceled(Message, frozen=True, kw_only=True):
    """An order's cancellation was asked for or has happened."""

    command_id: str
    client_order_id: str
    timestamp_ns: int = field(name="timestamp")


class OrderStatus(Message, frozen=True, kw_only=True):
    """How an order stands."""

    command_id: str
    order: OrderRecord


class OpenOrders(Message, frozen=True, kw_only=True):
    """The orders that work."""

    command_id: str
    orders: tuple[OrderRecord, ...]


class Positions(Message, frozen=True, kw_only=True):
    """What is held."""

    command_id: str
    positions: tuple[PositionRecord, ...]


class RunStatus(Message, frozen=True, kw_only=True):
    """How a run is.

    Parameters
    ----------
    mode: backtest, paper or live. state: running, paused or halted. reasons: why it is not running.
    closing: how far cancelling and closing have come. equity: in the capital's currency.
    details: further counters by name.
    """

    command_id: str
    timestamp_ns: int = field(name="timestamp")
    mode: str
    epoch: int
    started_ns: int
    state: str
    reasons: tuple[str, ...]
    closing: str
    working_orders: int
    open_positions: int
    equity: Decimal
    details: dict[str, Any] = {}


class OrderExecution(Message, frozen=True, kw_only=True):
    """An order was filled, in part or in full; sent to everybody without being asked for.

    Parameters
    ----------
    status: of the order then. filled_quantity, price: of this fill.
    """

    client_order_id: str
    exchange_order_id: str
    status: str
    filled_quantity: Decimal
    price: Decimal
    timestamp_ns: int = field(name="timestamp")


class ErrorType(StrEnum):
    """Why there is no better answer."""

    REJECTED = "rejected"
    """The command was understood and cannot be carried out."""
    RETRY = "retry"
    """It may be, later."""
    UNDECODABLE = "undecodable"
    UNKNOWN_VERSION = "unknown-version"


class Error(Message, frozen=True, kw_only=True):
    """The command was not carried out; its id is empty where it could not be read."""

    command_id: str
    error_type: ErrorType
    message: str
    timestamp_ns: int = field(name="timestamp")


class Success(Message, frozen=True, kw_only=True):
    """The command was carried out."""

    command_id: str
    message: str
    timestamp_ns: int = field(name="timestamp")


DataMessage: TypeAlias = OrderBookSnapshot | OrderBookUpdate | Trade | HealthMetrics | StateChange
CommandMessage: TypeAlias = (
    Hello
    | PlaceOrder
    | CancelOrder
    | QueryOrder
    | QueryOpenOrders
    | QueryPositions
    | QueryStatus
    | RequestSnapshot
    | Pause
    | Halt
    | CloseAll
    | Resume
    | ReloadConfig
    | Shutdown
)
Answer: TypeAlias = OrderPlaced | OrderCanceled | OrderStatus | OpenOrders | Positions | RunStatus | Error | Success
"""A response to one command."""
ResponseMessage: TypeAlias = Answer | OrderExecution


def topic_of(message: DataMessage | ResponseMessage) -> bytes:
    """What subscribers filter by: the type, then venue and symbol where it has them, each followed by a slash."""
    parts = [type(message).__name__]
    parts += [str(getattr(message, name)) for name in ("venue", "symbol") if hasattr(message, name)]
    return "".join(f"{part}/" for part in parts).encode()
