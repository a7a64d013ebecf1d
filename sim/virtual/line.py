"""A venue at the other end of a network: requests and their answers, connections and their messages.

Everything takes its time, and a plan of faults may drop, delay, repeat, swap or garble it, keep it from the venue, or
cut the connections. Nobody here mends anything: that is the business of feeds and gateways.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Generic, Protocol, TypeAlias, TypeVar

from market.errors import Fatal
from sim.exchange.venue.events import BookChanged, OrderUpdated, Traded, VenueEvent
from sim.exchange.venue.refusals import VenueRefusal
from sim.exchange.venue.venue import SimulatedVenue
from sim.faults.fate import Faults
from sim.faults.plan import Channel, FaultKind
from sim.virtual.clock import VirtualClock

Result = TypeVar("Result")

_EARLY_NS = 1_000_000_000
"""How far ahead of a venue's clock a request may be stamped."""
OUTSIDE_WINDOW = -1021
_SWAP_AT_MOST_NS = 1_000_000_000
"""A message that waits for the next one to overtake it waits no longer."""


@dataclass(frozen=True, kw_only=True)
class LineModel:
    """The network to a venue.

    Parameters
    ----------
    up_ns, down_ns: time to the venue and from it.
    ping_ns: a connection says something at least so often.
    away_step_ns: how often a venue that is away is looked at.
    """

    up_ns: int = 1_000_000
    down_ns: int = 1_000_000
    ping_ns: int = 300_000_000
    away_step_ns: int = 50_000_000

    def __post_init__(self) -> None:
        if min(self.up_ns, self.down_ns) < 0 or min(self.ping_ns, self.away_step_ns) < 1:
            raise Fatal(f"{self}: expected latencies of at least 0 and intervals of at least 1 ns")


class Notice(Enum):
    """What a connection says beside events."""

    PING = "ping"
    UNREADABLE = "unreadable"
    EXPIRED = "expired"
    """A user-data stream ends because its key has expired."""


Payload: TypeAlias = VenueEvent | Notice


class Receiver(Protocol):
    """Our end of a connection."""

    def opened(self) -> None:
        """The connection stands."""

    def heard(self, payload: Payload, venue_ns: int) -> None:
        """A message; ``venue_ns`` is the venue's clock when it was sent."""

    def closed(self) -> None:
        """The connection was cut."""


class Status(Enum):
    """What came back of a request."""

    DONE = "done"
    REFUSED = "refused"
    BANNED = "banned"
    """418: not carried out, and others will not be until a time."""
    SERVER_ERROR = "5xx"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Reply(Generic[Result]):
    """The answer to a request.

    Parameters
    ----------
    result: of DONE. refusal: of REFUSED. until_ns: of BANNED, on our clock.
    venue_ns: the venue's clock when it answered.
    """

    status: Status
    venue_ns: int
    result: Result | None = None
    refusal: VenueRefusal | None = None
    until_ns: int = 0


class Connection:
    """One connection; made by ``VenueLine.connect``."""

    def __init__(self, line: VenueLine, channel: Channel, account: str, receiver: Receiver) -> None:
        self._line = line
        self._channel = channel
        self._account = account
        self._receiver = receiver
        self._held: list[tuple[Payload, int]] = []
        self.is_open = False

    def wants(self, event: VenueEvent) -> bool:
        """Whether an event is for this connection."""
        if self._channel is Channel.MARKET:
            return isinstance(event, BookChanged | Traded)
        return isinstance(event, OrderUpdated) and event.account == self._account

    @property
    def channel(self) -> Channel:
        """What it carries."""
        return self._channel

    def close(self) -> None:
        """Our end hangs up: nothing more is heard."""
        self.is_open = False
        self._line.forget(self)

    def open(self) -> None:
        """The handshake is done."""
        self.is_open = True
        self._receiver.opened()

    def cut(self) -> None:
        """The other end, or the way, is gone."""
        if self.is_open:
            self.is_open = False
            self._receiver.closed()

    def send(self, payload: Payload) -> None:
        """A message leaves the venue."""
        line, now_ns = self._line, self._line.clock.now_ns()
        if line.is_unreachable:
            return
        is_fill = isinstance(payload, OrderUpdated) and payload.trade is not None
        fate = line.faults.fate(line.name, self._channel, now_ns, is_fill=is_fill)
        if fate.gap:
            return
        venue_ns = line.venue_ns
        message: Payload = Notice.UNREADABLE if fate.corrupted else payload
        if fate.after_next:
            self._held += [(message, venue_ns)] * fate.copies
            line.clock.after(_SWAP_AT_MOST_NS, self._release)
            return
        for _ in range(fate.copies):
            self._deliver(message, venue_ns, fate.delay_ns)
        self._release()

    def _release(self) -> None:
        held, self._held = self._held, []
        for message, venue_ns in held:
            self._deliver(message, venue_ns, 0)

    def _deliver(self, message: Payload, venue_ns: int, delay_ns: int) -> None:
        def arrive() -> None:
            if self.is_open and not self._line.is_unreachable:
                self._receiver.heard(message, venue_ns)

        self._line.clock.after(self._line.model.down_ns + delay_ns, arrive)


class VenueLine:
    """One venue and the way to it.

    Parameters
    ----------
    name: of the venue in the plan of faults.

    Members
    -------
    watchers: told of everything that happens at the venue, when it happens.
    """

    def __init__(self, name: str, venue: SimulatedVenue, clock: VirtualClock, faults: Faults, model: LineModel) -> None:
        self.name = name
        self.venue = venue
        self.clock = clock
        self.faults = faults
        self.model = model
        self.watchers: list[Callable[[VenueEvent], None]] = []
        self._connections: list[Connection] = []
        self._planned_ns: int | None = None

    def start(self) -> None:
        """Begin to let the venue live, to say pings and to suffer what the plan has for the venue as a whole."""
        self._plan()
        self._ping()
        self._suffer()

    @property
    def is_unreachable(self) -> bool:
        """Whether nothing comes through."""
        now_ns = self.clock.now_ns()
        return self.faults.is_away(self.name, now_ns) or self.faults.is_silent(self.name, now_ns)

    @property
    def venue_ns(self) -> int:
        """The venue's own clock."""
        now_ns = self.clock.now_ns()
        return now_ns + self.faults.skew_ns(self.name, now_ns)

    def connect(self, channel: Channel, account: str, receiver: Receiver) -> Connection:
        """Open a connection; it stands when ``opened`` is called, which may be never."""
        connection = Connection(self, channel, account, receiver)

        def shake_hands() -> None:
            if not self.is_unreachable:
                self._connections.append(connection)
                self.clock.after(self.model.down_ns, connection.open)

        self.clock.after(self.model.up_ns, shake_hands)
        return connection

    def forget(self, connection: Connection) -> None:
        """One end of a connection has hung up."""
        if connection in self._connections:
            self._connections.remove(connection)

    def request(
        self,
        do: Callable[[int], Result],
        done: Callable[[Reply[Result]], None],
        *,
        stamp_ns: int | None = None,
        window_ns: int = 0,
    ) -> None:
        """Ask something of the venue; ``done`` is called with the answer, or never.

        Parameters
        ----------
        do: carried out at the venue, at its time. stamp_ns, window_ns: time stamp of a signed request, on the venue's
            clock as we know it, and how long it is valid.
        """
        fate = self.faults.fate(self.name, Channel.REQUEST, self.clock.now_ns())
        if not fate.copies:
            return

        def arrive() -> None:
            if self.is_unreachable:
                return
            if fate.server_error:
                self._answer(Reply(Status.SERVER_ERROR, self.venue_ns), done)
                return
            self._answer(self._carry_out(do, stamp_ns, window_ns), done)
            self._publish()

        self.clock.after(self.model.up_ns + fate.delay_ns, arrive)

    def act(self, do: Callable[[SimulatedVenue, int], object]) -> None:
        """Let the world do something at the venue now, such as a dislocation."""
        do(self.venue, self.clock.now_ns())
        self._publish()

    def _carry_out(self, do: Callable[[int], Result], stamp_ns: int | None, window_ns: int) -> Reply[Result]:
        now_ns, venue_ns = self.clock.now_ns(), self.venue_ns
        until_ns = self.faults.is_banned(self.name, now_ns)
        if until_ns:
            return Reply(Status.BANNED, venue_ns, until_ns=until_ns)
        if stamp_ns is not None and (stamp_ns > venue_ns + _EARLY_NS or venue_ns - stamp_ns > window_ns):
            text = "Timestamp for this request is outside of the recvWindow."
            return Reply(Status.REFUSED, venue_ns, refusal=VenueRefusal(OUTSIDE_WINDOW, text))
        try:
            return Reply(Status.DONE, venue_ns, result=do(now_ns))
        except VenueRefusal as refusal:
            return Reply(Status.REFUSED, venue_ns, refusal=refusal)

    def _answer(self, reply: Reply[Result], done: Callable[[Reply[Result]], None]) -> None:
        fate = self.faults.fate(self.name, Channel.ANSWER, self.clock.now_ns())
        if not fate.copies:
            return
        arriving = Reply(Status.UNREADABLE, reply.venue_ns) if fate.corrupted else reply

        def arrive() -> None:
            if not self.is_unreachable:
                done(arriving)

        self.clock.after(self.model.down_ns + fate.delay_ns, arrive)

    def _publish(self) -> None:
        """Send out what happened at the venue, and plan when it lives on."""
        for event in self.venue.take_events():
            for watcher in self.watchers:
                watcher(event)
            for connection in list(self._connections):
                if connection.wants(event):
                    connection.send(event)
        self._plan()

    def _plan(self) -> None:
        due_ns = self.venue.next_ns()
        if due_ns is None or (self._planned_ns is not None and self._planned_ns <= due_ns):
            return
        self._planned_ns = due_ns
        self.clock.at(due_ns, self._live_on)

    def _live_on(self) -> None:
        now_ns = self.clock.now_ns()
        if self._planned_ns is None or now_ns < self._planned_ns:
            return
        self._planned_ns = None
        if self.faults.is_away(self.name, now_ns):
            self._planned_ns = now_ns + self.model.away_step_ns
            self.clock.at(self._planned_ns, self._live_on)
            return
        self.venue.advance(now_ns)
        self._publish()

    def _ping(self) -> None:
        for connection in list(self._connections):
            connection.send(Notice.PING)
        self.clock.after(self.model.ping_ns, self._ping)

    def _suffer(self) -> None:
        for kind in self.faults.moments(self.name, self.clock.now_ns()):
            if kind is FaultKind.OUTAGE:
                self._lose_book()
            for connection in list(self._connections):
                if kind is not FaultKind.EXPIRE_LISTEN_KEYS:
                    self.forget(connection)
                    connection.cut()
                elif connection.channel is Channel.USER:
                    self.forget(connection)
                    connection.send(Notice.EXPIRED)
        next_ns = self.faults.next_moment_ns(self.name, self.clock.now_ns())
        if next_ns is not None:
            self.clock.at(next_ns, self._suffer)

    def _lose_book(self) -> None:
        now_ns = self.clock.now_ns()
        for symbol in self.venue.model.symbols:
            self.venue.withdraw(symbol.symbol, now_ns)
        self._publish()
