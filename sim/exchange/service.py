"""One venue as its server sees it: who may ask what, and who hears of what happened. No networking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from sim.exchange import answers
from sim.exchange.answers import ApiError, Json
from sim.exchange.calls import Call, Endpoint, Security
from sim.exchange.keys import ApiKey, KeyRing
from sim.exchange.parameters import Parameters
from sim.exchange.quota import Limits, Quota, banned
from sim.exchange.venue.events import VenueEvent
from sim.exchange.venue.refusals import VenueRefusal
from sim.exchange.venue.venue import SimulatedVenue
from sim.faults.fate import Faults

MILLISECOND_NS: Final = 10**6
_MICROSECOND_NS: Final = 10**3
_LATEST_MS: Final = 10**14
"""A time stamp above is in microseconds."""
_AHEAD_NS: Final = 1_000 * MILLISECOND_NS
_DEFAULT_WINDOW_MS: Final = 5_000
_LONGEST_WINDOW_MS: Final = 60_000


class Audience(Protocol):
    """Who is told of everything that happens on a venue."""

    def hear(self, events: list[VenueEvent], now_ns: int) -> None:
        """Events in the order in which they happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a request brings to be let in.

    Parameters
    ----------
    key: as sent, empty for none. payload: what was signed. signature: as sent, empty for none.
    session: key of a session that has logged on, which needs no signature.
    """

    key: str = ""
    payload: str = ""
    signature: str = ""
    session: ApiKey | None = None


class VenueService:
    """Lets requests in, carries them out, and passes on what happens.

    Parameters
    ----------
    name: of the venue, as faults name it. now_ns: the clock.
    """

    def __init__(
        self,
        name: str,
        venue: SimulatedVenue,
        keys: KeyRing,
        limits: Limits,
        faults: Faults,
        now_ns: Callable[[], int],
    ) -> None:
        self.name = name
        self.venue = venue
        self.keys = keys
        self.quota = Quota(limits)
        self.faults = faults
        self.now_ns = now_ns
        self._audience: list[Audience] = []

    def attach(self, audience: Audience) -> None:
        """Tell somebody of everything from now on."""
        self._audience.append(audience)

    def server_ns(self, now_ns: int) -> int:
        """The time that the server states."""
        return now_ns + self.faults.skew_ns(self.name, now_ns)

    def pulse(self) -> int:
        """Let the venue do what is due; returns the time then."""
        now_ns = self.now_ns()
        if not self.faults.is_away(self.name, now_ns):
            self.venue.advance(now_ns)
            self.publish(now_ns)
        return now_ns

    def publish(self, now_ns: int) -> None:
        """Pass on what has happened."""
        events = self.venue.take_events()
        if events:
            for audience in self._audience:
                audience.hear(events, now_ns)

    def answer(self, endpoint: Endpoint, parameters: Parameters, credentials: Credentials, address: str) -> Json:
        """Carry out a request at the time that it is; raises ApiError for one that is refused."""
        now_ns = self.pulse()
        server_ns = self.server_ns(now_ns)
        until_ns = self.faults.is_banned(self.name, now_ns)
        if until_ns:
            raise banned(until_ns, now_ns)
        self.quota.spend(address, endpoint.weight_of(parameters), server_ns)
        key = self._let_in(endpoint.security, parameters, credentials, server_ns)
        if endpoint.orders and key:
            self.quota.order(key.account, endpoint.orders, server_ns)
        try:
            return endpoint.run(Call(parameters=parameters, key=key, now_ns=now_ns, server_ns=server_ns))
        except VenueRefusal as refusal:
            raise ApiError(refusal.code, refusal.message) from refusal
        finally:
            self.publish(now_ns)

    def _let_in(
        self, security: Security, parameters: Parameters, credentials: Credentials, server_ns: int
    ) -> ApiKey | None:
        if security is Security.NONE:
            return None
        if credentials.session and not credentials.key:
            key = credentials.session
        else:
            key = self.keys.find(credentials.key)
            if security is not Security.KEY:
                if not credentials.signature:
                    raise answers.missing("signature")
                self.keys.check(key, credentials.payload, credentials.signature)
        if security is not Security.KEY:
            check_time(parameters, server_ns)
        if security is Security.TRADE and not key.may_trade:
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return key


def check_time(parameters: Parameters, server_ns: int) -> None:
    """Raises ApiError unless a request's time is within its window of the server's time."""
    stamp = parameters.whole("timestamp")
    stamp_ns = stamp * (_MICROSECOND_NS if stamp > _LATEST_MS else MILLISECOND_NS)
    window_ms = Decimal(parameters.number("recvWindow")) if parameters.has("recvWindow") else _DEFAULT_WINDOW_MS
    window_ns = int(window_ms * MILLISECOND_NS)
    if window_ms > _LONGEST_WINDOW_MS:
        raise ApiError(-1131, f"recvWindow must be less than {_LONGEST_WINDOW_MS}.")
    if stamp_ns >= server_ns + _AHEAD_NS:
        raise ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if server_ns - stamp_ns > window_ns:
        raise ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")
