"""What a journal holds, one record after the other."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from market.orders.events import OrderEvent
from market.orders.order import Order, OrderIntent
from market.orders.reports import GatewayReport


class Outcome(StrEnum):
    """How a session ended."""

    FINISHED = "finished"
    """As asked: the feed ended, or the run was stopped."""
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    """By an error, which was written down."""


class Area(StrEnum):
    """What a change of state belongs to."""

    DETECTOR = "detector"
    BREAKER = "breaker"
    FEED = "feed"
    ENGINE = "engine"
    RISK = "risk"


class Market(msgspec.Struct, frozen=True, kw_only=True):
    """What a session's numbers of instrument and venue mean, and the scales of its counts."""

    instrument: int
    venue: int
    instrument_name: str
    venue_name: str
    symbol: str
    price_exponent: int
    quantity_exponent: int


class SessionStarted(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The first record of every journal.

    Parameters
    ----------
    session: its number, counted from 1. epoch: of its causes.
    mode: paper or live, as the settings write it.
    crashed: number of the session before it when that one has no end, else 0.
    """

    session: int
    epoch: int
    mode: str
    time_ns: int
    markets: tuple[Market, ...]
    crashed: int = 0


class HeldPosition(msgspec.Struct, frozen=True, kw_only=True):
    """A position; strategy None: over all of them. See ``market.risk.position``."""

    strategy: str | None
    instrument: int
    venue: int
    quantity: int
    cost: int
    cash: int
    realised: int
    fees: int


class TakenOver(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The second record: what the session begins with, so that no earlier journal is needed after a crash."""

    epoch: int
    orders: tuple[Order, ...]
    positions: tuple[HeldPosition, ...]
    decisions: dict[str, int]
    components: dict[str, bytes]


class IntentWritten(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """An order that is about to be sent or refused."""

    intent: OrderIntent


class EventWritten(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something that changed an order."""

    client_order_id: str
    event: OrderEvent


class OrdersForgotten(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Ended orders, as they stand, that the run does not hold in memory from here on."""

    orders: tuple[Order, ...]


class OrderRecalled(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A forgotten order that the run holds again: it was asked for, or something was heard of it."""

    order: Order


class ReportWritten(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A report that is not about an order of the run, or contradicts what is known of it."""

    report: GatewayReport


class DecisionsWritten(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What the fast loop sent."""

    payloads: tuple[bytes, ...]


class ComponentSaved(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """State of a part of the system, in its own format; a later one replaces it."""

    time_ns: int
    component: str
    body: bytes


class StateChanged(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """A detector, a breaker or another part went from one state to another."""

    time_ns: int
    area: Area
    source: str
    before: str
    after: str
    detail: str = ""


class Audited(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Somebody or something intervened."""

    time_ns: int
    actor: str
    action: str
    detail: str = ""


class CandleClosed(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Prices of a market over a second or so, in counts of its scales.

    Parameters
    ----------
    volume: traded quantity; 0 when the prices are middles of quotes.
    """

    instrument: int
    venue: int
    start_ns: int
    duration_ns: int
    open: int
    high: int
    low: int
    close: int
    volume: int


class SessionEnded(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The last record; a journal without it is of a session that crashed."""

    time_ns: int
    outcome: Outcome
    reason: str = ""


JournalRecord: TypeAlias = (
    SessionStarted
    | TakenOver
    | IntentWritten
    | EventWritten
    | OrdersForgotten
    | OrderRecalled
    | ReportWritten
    | DecisionsWritten
    | ComponentSaved
    | StateChanged
    | Audited
    | CandleClosed
    | SessionEnded
)
