"""What goes wrong, and when: a plan of faults, written by hand or drawn from a seed.

Times are ns after the run's start, so that the same plan serves a server on the wall clock and a simulation in virtual
time. ``sim.faults.fate`` carries a plan out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import Field, Strict, model_validator

from config.base import Section
from sim.generator.chance import Chance

_SECOND_NS: Final = 10**9
_MILLISECOND_NS: Final = 10**6
LONGEST_NS: Final = 2**62
"""A fault that does not end."""
ALWAYS: Final = 1_000

Factor = Annotated[int, Strict(), Field(ge=1, le=1_000_000)]
Nanoseconds = Annotated[int, Strict(), Field(ge=-LONGEST_NS, le=LONGEST_NS)]


class Channel(StrEnum):
    """Where a message is on its way."""

    MARKET = "market"
    USER = "user"
    REQUEST = "request"
    ANSWER = "answer"


class FaultKind(StrEnum):
    """One way in which a venue or the network fails."""

    DROP = "drop"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    CORRUPT = "corrupt"
    GAP = "gap"
    LATE_FILL = "late-fill"
    SERVER_ERROR = "server-error"
    LOST_ANSWER = "lost-answer"
    BAN = "ban"
    CLOCK_SKEW = "clock-skew"
    HALF_OPEN = "half-open"
    DISCONNECT = "disconnect"
    EXPIRE_LISTEN_KEYS = "expire-listen-keys"
    OUTAGE = "outage"


CHANNELS: Final[dict[FaultKind, tuple[Channel, ...]]] = {
    FaultKind.DROP: tuple(Channel),
    FaultKind.DELAY: tuple(Channel),
    FaultKind.DUPLICATE: (Channel.MARKET, Channel.USER),
    FaultKind.REORDER: (Channel.MARKET, Channel.USER),
    FaultKind.CORRUPT: (Channel.MARKET, Channel.USER, Channel.ANSWER),
    FaultKind.GAP: (Channel.MARKET,),
    FaultKind.LATE_FILL: (Channel.USER,),
    FaultKind.SERVER_ERROR: (Channel.REQUEST,),
    FaultKind.LOST_ANSWER: (Channel.ANSWER,),
}
"""Faults of single messages, and the channels that each can hit. The other kinds are states or moments of a venue."""

MOMENTS: Final = (FaultKind.DISCONNECT, FaultKind.EXPIRE_LISTEN_KEYS, FaultKind.OUTAGE)
"""Faults that begin at a moment and act on the whole venue."""

_LASTING: Final = (FaultKind.BAN, FaultKind.CLOCK_SKEW, FaultKind.HALF_OPEN, FaultKind.OUTAGE)
_NEEDS_AMOUNT: Final = (FaultKind.DELAY, FaultKind.LATE_FILL, FaultKind.CLOCK_SKEW)


class Fault(Section):
    """One fault.

    DROP, DELAY, DUPLICATE, REORDER, CORRUPT: of messages; REORDER swaps a message with the next of its connection.
    GAP: a market-data update that happens and is never sent. LATE_FILL: reports of fills come ``amount_ns`` later, so
    after the answer to a cancel. SERVER_ERROR: 5xx, the request is not carried out. LOST_ANSWER: it is carried out and
    nobody hears of it. BAN: 418 to every request. CLOCK_SKEW: the venue's clock is ``amount_ns`` ahead. HALF_OPEN:
    connections stay and say nothing. DISCONNECT: all connections are closed, again every ``every_ns`` for a storm.
    EXPIRE_LISTEN_KEYS: as it says. OUTAGE: the venue is gone, and comes back with a new book.
    """

    kind: FaultKind = Field(description="What goes wrong.")
    venue: str = Field(default="", description="Venue by name; empty: all.")
    channel: Channel | None = Field(default=None, description="Messages that are hit; none named: all that can be.")
    at_ns: Annotated[int, Strict(), Field(ge=0, le=LONGEST_NS)] = Field(
        default=0, description="Begin, after the start."
    )
    duration_ns: Annotated[int, Strict(), Field(ge=0, le=LONGEST_NS)] = Field(
        default=LONGEST_NS, description="How long it lasts."
    )
    permille: Annotated[int, Strict(), Field(ge=1, le=ALWAYS)] = Field(
        default=ALWAYS, description="Share of messages that are hit."
    )
    count: Annotated[int, Strict(), Field(ge=0)] = Field(default=0, description="Most messages hit; 0: no bound.")
    amount_ns: Nanoseconds = Field(default=0, description="The delay or the skew; only a skew may be negative.")
    every_ns: Annotated[int, Strict(), Field(ge=0, le=LONGEST_NS)] = Field(
        default=0, description="disconnect: again after this, while it lasts; 0: once."
    )

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if self.channel is not None and self.channel not in CHANNELS.get(self.kind, ()):
            allowed = [str(channel) for channel in CHANNELS.get(self.kind, ())]
            raise ValueError(f"channel was {self.channel}: {self.kind} can hit {allowed or 'no single messages'}")
        if (self.amount_ns != 0) != (self.kind in _NEEDS_AMOUNT):
            raise ValueError(
                f"amount_ns was {self.amount_ns}: must be set for {', '.join(_NEEDS_AMOUNT)} and them alone"
            )
        if self.amount_ns < 0 and self.kind is not FaultKind.CLOCK_SKEW:
            raise ValueError(f"amount_ns was {self.amount_ns}: only a clock can be behind")
        if self.every_ns and self.kind is not FaultKind.DISCONNECT:
            raise ValueError(f"every_ns was {self.every_ns}: only disconnect is repeated")
        return self

    @property
    def end_ns(self) -> int:
        """First moment after it, from the start of the run."""
        return min(self.at_ns + self.duration_ns, LONGEST_NS)

    def hits(self, venue: str, after_ns: int) -> bool:
        """Whether it lasts at a venue, so long after the start."""
        return self.at_ns <= after_ns < self.end_ns and self.venue in ("", venue)


class SymbolChange(Section):
    """A venue changes how a symbol is traded: it is closed, or its filters become coarser. Several may overlap."""

    venue: str = Field(default="", description="Venue by name; empty: all.")
    symbol: str = Field(default="", description="Symbol, as the venue writes it; empty: all.")
    at_ns: Annotated[int, Strict(), Field(ge=0, le=LONGEST_NS)] = Field(
        default=0, description="Begin, after the start."
    )
    duration_ns: Annotated[int, Strict(), Field(ge=0, le=LONGEST_NS)] = Field(
        default=LONGEST_NS, description="How long it lasts."
    )
    is_trading: Annotated[bool, Strict()] = Field(default=True, description="Whether new orders are taken.")
    tick_factor: Factor = Field(default=1, description="How many ticks are one.")
    lot_factor: Factor = Field(default=1, description="How many lots are one.")
    notional_factor: Factor = Field(default=1, description="How many times the least notional is asked for.")

    def hits(self, venue: str, symbol: str, after_ns: int) -> bool:
        """Whether it lasts for a symbol, so long after the start."""
        begun = self.at_ns <= after_ns < min(self.at_ns + self.duration_ns, LONGEST_NS)
        return begun and self.venue in ("", venue) and self.symbol in ("", symbol)


class FaultPlan(Section):
    """All faults of a run, and the seed of the chance by which they hit messages."""

    seed: Annotated[int, Strict(), Field(ge=0)] = Field(default=0, description="Of the shares of messages.")
    faults: tuple[Fault, ...] = Field(default=(), description="Faults; they may overlap.")
    changes: tuple[SymbolChange, ...] = Field(default=(), description="Changes of symbols.")


def drawn_plan(
    seed: int,
    *,
    venues: tuple[str, ...],
    duration_ns: int,
    kinds: tuple[FaultKind, ...] = tuple(FaultKind),
    most: int = 6,
) -> FaultPlan:
    """A random combination of one to ``most`` faults that all end before the run's last fifth.

    Parameters
    ----------
    venues: names to choose from. duration_ns: length of the run. kinds: kinds to choose from.

    The same arguments give the same plan.
    """
    chance = Chance(seed, stream=0)
    faults = [_drawn(chance, venues, duration_ns * 4 // 5, kinds) for _ in range(1 + chance.below(most))]
    return FaultPlan(seed=seed, faults=tuple(faults))


def _drawn(chance: Chance, venues: tuple[str, ...], end_ns: int, kinds: tuple[FaultKind, ...]) -> Fault:
    kind = kinds[chance.below(len(kinds))]
    at_ns = chance.below(max(1, end_ns * 3 // 4))
    longest = end_ns - at_ns
    if kind in _LASTING:
        longest = min(longest, 3 * _SECOND_NS)
    amount_ns = 0
    if kind in _NEEDS_AMOUNT:
        amount_ns = (1 + chance.below(1_500)) * _MILLISECOND_NS
    if kind is FaultKind.CLOCK_SKEW:
        amount_ns *= chance.sign()
    channels = CHANNELS.get(kind, ())
    return Fault(
        kind=kind,
        venue=venues[chance.below(len(venues))],
        channel=channels[chance.below(len(channels))] if channels else None,
        at_ns=at_ns,
        duration_ns=max(1, longest * (1 + chance.below(8)) // 8),
        permille=(10, 50, 200, 1_000)[chance.below(4)],
        count=chance.below(4),
        amount_ns=amount_ns,
        every_ns=(1 + chance.below(500)) * _MILLISECOND_NS if kind is FaultKind.DISCONNECT else 0,
    )
