"""What the guards of a live run are told about its feeds, gateways and machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.execution.circuit_breaker import BreakerState
from orchestrator.execution.gateway import VenueGateway
from orchestrator.feeds.feed import LiveFeed
from orchestrator.feeds.health import HealthMetrics, SourceState
from orchestrator.risk.readings import (
    FeedReading,
    GatewayReading,
    HostReading,
    kernel_clock_error_ns,
    resident_bytes,
)

_CONNECTED = frozenset({SourceState.SYNCHRONISING, SourceState.LIVE, SourceState.LATE})


class LiveProbe:
    """Readings of a live run; see ``orchestrator.risk.readings.Probe``.

    Parameters
    ----------
    venues: the venue number of each source of the feed.
    gateways: by venue number; none where orders are simulated in this process.
    """

    def __init__(self, feed: LiveFeed, venues: Sequence[int], gateways: Mapping[int, VenueGateway]) -> None:
        self._feed = feed
        self._venues = tuple(venues)
        self._gateways = dict(gateways)
        self._heard_ns = [0] * len(self._venues)
        self._was_live = [False] * len(self._venues)

    def feeds(self) -> Sequence[FeedReading]:
        """Every venue's feed; one that is live was heard just now, as a silent connection is made anew.

        One that was never live is not connected, which is all that there is to say of it.
        """
        return [self._read(index, metrics) for index, metrics in enumerate(self._feed.metrics())]

    def gateways(self) -> Sequence[GatewayReading]:
        """Every venue's order path."""
        return [
            GatewayReading(
                venue,
                gateway.is_connected,
                "the circuit breaker is open" if gateway.breaker_state is BreakerState.OPEN else "",
            )
            for venue, gateway in self._gateways.items()
        ]

    def host(self) -> HostReading:
        """Machine and process."""
        return HostReading(resident_bytes(), kernel_clock_error_ns())

    def _read(self, index: int, metrics: HealthMetrics) -> FeedReading:
        if metrics.state is SourceState.LIVE:
            self._was_live[index] = True
        if metrics.state is SourceState.LIVE or not self._was_live[index]:
            self._heard_ns[index] = metrics.time_ns
        connected = metrics.state in _CONNECTED
        return FeedReading(self._venues[index], connected, metrics.latency_p50_ns, self._heard_ns[index])
