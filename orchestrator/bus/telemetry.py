"""What a run tells without being asked: trades, health, changes of the guard, executions of its own orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from market.instruments import Catalogue
from market.orders.order import Fill
from market.protocols import Intent, MarketView, Traded, WakeCause, Wakes
from orchestrator.bus.messages import DataMessage, HealthMetrics, OrderExecution, StateChange, Trade
from orchestrator.bus.records import SIDES, plain
from orchestrator.feeds import health
from orchestrator.risk.supervisor import GuardChange
from orchestrator.run_loop.access import PeriodicTask, RunAccess

Publish = Callable[[DataMessage], None]
_NS_PER_MS: Final = 1_000_000
_NS_PER_S: Final = 1_000_000_000


class TradeTelemetry:
    """A strategy that publishes the trades of all markets and wants nothing."""

    def __init__(self, catalogue: Catalogue, publish: Publish, tag: str = "bus") -> None:
        self._catalogue = catalogue
        self._publish = publish
        self._tag = tag

    @property
    def tag(self) -> str:
        """As a strategy."""
        return self._tag

    @property
    def wakes(self) -> Wakes:
        """The trades of all markets."""
        keys = frozenset((listing.instrument.number, listing.venue) for listing in self._catalogue.listings)
        return Wakes(trades=keys)

    def wake(self, cause: WakeCause, view: MarketView) -> Iterable[Intent]:
        """Publish a trade."""
        if isinstance(cause, Traded):
            trade = cause.trade
            listing = self._catalogue.listing(trade.instrument, trade.venue)
            self._publish(
                Trade(
                    venue=listing.venue_name,
                    symbol=listing.symbol,
                    trade_id=str(trade.trade_id or ""),
                    price=plain(listing.instrument.price_scale.decimal(trade.price)),
                    quantity=plain(listing.instrument.quantity_scale.decimal(trade.quantity)),
                    side=None if trade.aggressor is None else SIDES[trade.aggressor],
                    timestamp_ns=trade.time_ns,
                    exchange_timestamp_ns=0,
                )
            )
        return ()


class Executions:
    """A listener of fills that tells of them once they are booked.

    Parameters
    ----------
    tell: takes the messages, for the response channel.
    """

    def __init__(self, catalogue: Catalogue, tell: Callable[[OrderExecution], None], every_ms: int = 10) -> None:
        self._catalogue = catalogue
        self._tell = tell
        self._every_ns = every_ms * _NS_PER_MS
        self._new: list[tuple[str, Fill]] = []

    @property
    def task(self) -> PeriodicTask:
        """Tells what has been filled."""
        return PeriodicTask("executions", self._every_ns, self._look)

    def filled(self, client_order_id: str, fill: Fill) -> None:
        """A fill was heard of."""
        self._new.append((client_order_id, fill))

    def _look(self, run: RunAccess, now_ns: int) -> None:
        fills, self._new = self._new, []
        for client_order_id, fill in fills:
            order = run.view.order(client_order_id)
            if order is None:
                continue  # not of this run: the journal keeps the report
            scales = self._catalogue.listing(order.intent.instrument, order.intent.venue).instrument
            self._tell(
                OrderExecution(
                    client_order_id=client_order_id,
                    exchange_order_id=order.venue_order_id,
                    status=order.state.name.lower(),
                    filled_quantity=plain(scales.quantity_scale.decimal(fill.quantity)),
                    price=plain(scales.price_scale.decimal(fill.price)),
                    timestamp_ns=fill.receive_ns,
                )
            )


def health_task(metrics: Callable[[], Sequence[health.HealthMetrics]], publish: Publish, every_ms: int) -> PeriodicTask:
    """Publishes the health of every source of a feed."""

    def look(run: RunAccess, now_ns: int) -> None:
        for found in metrics():
            publish(health_message(found))

    return PeriodicTask("health", every_ms * _NS_PER_MS, look)


def health_message(found: health.HealthMetrics) -> HealthMetrics:
    """A source's metrics for the data channel."""
    age_ns = found.snapshot_age_ns
    return HealthMetrics(
        venue=found.source,
        timestamp_ns=found.time_ns,
        msgs_per_second=found.messages_per_second,
        feed_latency_ms=_milliseconds(found.latency_mean_ns),
        feed_latency_p50_ms=_milliseconds(found.latency_p50_ns),
        feed_latency_p99_ms=_milliseconds(found.latency_p99_ns),
        gap_count=found.gaps,
        reconnection_count=found.reconnections,
        orderbook_depth_bids=sum(found.bid_levels),
        orderbook_depth_asks=sum(found.ask_levels),
        last_snapshot_age_seconds=None if age_ns is None else age_ns / _NS_PER_S,
    )


def guard_message(change: GuardChange) -> StateChange:
    """A change of the guard for the data channel."""
    return StateChange(
        subject="guard",
        timestamp_ns=change.time_ns,
        old_state=change.before.name.lower(),
        new_state=change.after.name.lower(),
        reason=change.reason,
    )


def _milliseconds(duration_ns: int | None) -> float | None:
    return None if duration_ns is None else duration_ns / _NS_PER_MS
