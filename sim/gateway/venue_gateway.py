"""The simulator gateway: simulated venues in virtual time, behind lines with latencies and faults."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from market.errors import DataGap, Rejected
from market.instruments import Catalogue
from market.orders.order import Order
from market.orders.reports import GatewayReport
from sim.gateway.translation import traded_symbols
from sim.gateway.venue_session import SessionModel, Told, VenueSession
from sim.virtual.clock import VirtualClock
from sim.virtual.line import VenueLine


@dataclass(frozen=True)
class VenueAccess:
    """A venue that orders can be sent to.

    Parameters
    ----------
    venue: the fast loop's number. account: ours there.
    """

    venue: int
    line: VenueLine
    account: str


class VenueGateway:
    """Sends orders to simulated venues; ``start`` connects it. Reports arrive while the virtual clock goes on."""

    def __init__(
        self, venues: Sequence[VenueAccess], catalogue: Catalogue, clock: VirtualClock, model: SessionModel
    ) -> None:
        self._clock = clock
        self._told: deque[tuple[int, Told]] = deque()
        self._sessions: Mapping[int, VenueSession] = {
            access.venue: _session(access, catalogue, model, self._hear) for access in venues
        }

    def start(self) -> None:
        """Connect all user-data streams."""
        for session in self._sessions.values():
            session.start()

    def submit(self, order: Order) -> None:
        """Send an order."""
        self._session(order.intent.venue).submit(order)

    def submit_oco(self, limit: Order, stop: Order) -> None:
        """Send a pair."""
        self._session(limit.intent.venue).submit_oco(limit, stop)

    def cancel(self, order: Order) -> None:
        """Ask for a cancellation."""
        self._session(order.intent.venue).cancel(order)

    def query(self, order: Order) -> None:
        """Ask what became of an order."""
        self._session(order.intent.venue).query(order)

    def request_open_orders(self, venue: int) -> None:
        """Ask for the working orders."""
        self._session(venue).request_open_orders()

    def request_balances(self, venue: int) -> None:
        """Ask for the balances."""
        self._session(venue).request_balances()

    def request_positions(self, venue: int) -> None:
        """Ask for the positions."""
        self._session(venue).request_positions()

    def next_ns(self) -> int | None:
        """When the first report that waits was heard."""
        return self._told[0][0] if self._told else None

    def take(self, until_ns: int) -> Sequence[GatewayReport]:
        """Reports that have been heard; raises DataGap in the place of each break of a stream."""
        reports: list[GatewayReport] = []
        while self._told and self._told[0][0] <= until_ns:
            told = self._told[0][1]
            if isinstance(told, DataGap):
                if reports:
                    break
                self._told.popleft()
                raise told
            self._told.popleft()
            reports.append(told)
        return reports

    def _hear(self, told: Told) -> None:
        self._told.append((self._clock.now_ns(), told))
        self._clock.wake()

    def _session(self, venue: int) -> VenueSession:
        session = self._sessions.get(venue)
        if session is None:
            raise Rejected(f"venue {venue} is not connected; expected one of {sorted(self._sessions)}")
        return session


def _session(
    access: VenueAccess, catalogue: Catalogue, model: SessionModel, hear: Callable[[Told], None]
) -> VenueSession:
    listings = {listing.instrument.number: listing for listing in catalogue.listings if listing.venue == access.venue}
    symbols = {symbol.symbol: symbol for symbol in access.line.venue.model.symbols}
    return VenueSession(access.line, access.account, access.venue, traded_symbols(listings, symbols), model, hear)
