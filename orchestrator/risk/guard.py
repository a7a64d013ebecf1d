"""Whether anything may be sent at all: RUNNING, PAUSED for reasons, or HALTED. Pure: every step makes a new guard.

A pause stops new risk where it applies: in one market, on one venue, or everywhere; orders that make a position
smaller still pass, and so do cancellations. A halt stops everything but the closing of positions, until a person
resumes. Nothing else leads out of a halt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from typing import Final

from market.errors import Rejected


class GuardState(IntEnum):
    """What may be sent."""

    RUNNING = 1
    PAUSED = 2
    """Nothing that adds risk, where a pause applies."""
    HALTED = 3
    """Nothing but the closing of positions."""


class Reason(StrEnum):
    """Why trading pauses."""

    FEED_LATENCY = "feed-latency"
    FEED_SILENCE = "feed-silence"
    DISCONNECTED = "disconnected"
    SPREAD = "spread"
    LIQUIDITY = "liquidity"
    ORDER_LATENCY = "order-latency"
    CIRCUIT_BREAKER = "circuit-breaker"
    CLOCK_DRIFT = "clock-drift"
    MEMORY = "memory"
    DAILY_LOSS = "daily-loss"
    LOSS = "loss"
    RECONCILIATION = "reconciliation"
    MARKET_RULES = "market-rules"
    OPERATOR = "operator"

    @property
    def is_latched(self) -> bool:
        """Whether it stays until a person resumes, even when what caused it has passed."""
        return self in _LATCHED


_LATCHED: Final = frozenset({Reason.LOSS, Reason.RECONCILIATION, Reason.OPERATOR})


@dataclass(frozen=True, slots=True, order=True)
class Scope:
    """Where a pause applies.

    Parameters
    ----------
    venue, instrument: numbers; -1 for any.
    """

    venue: int = -1
    instrument: int = -1

    def covers(self, instrument: int, venue: int) -> bool:
        """Whether a market lies in it."""
        return self.venue in (-1, venue) and self.instrument in (-1, instrument)


EVERYWHERE: Final = Scope()


@dataclass(frozen=True, slots=True)
class Pause:
    """One reason to pause.

    Parameters
    ----------
    since_ns: when it began. gone_ns: since when its cause is gone, 0 while it is there.
    """

    reason: Reason
    scope: Scope
    detail: str
    since_ns: int
    gone_ns: int = 0


@dataclass(frozen=True, slots=True)
class Halt:
    """Why and when everything was stopped, and whether positions are to be closed."""

    detail: str
    since_ns: int
    closes: bool


@dataclass(frozen=True, slots=True)
class Guard:
    """State of a run's trading.

    Parameters
    ----------
    clear_after_ns: how long the cause of a pause must be gone before it ends.
    """

    clear_after_ns: int
    pauses: Mapping[tuple[Reason, Scope], Pause] = field(default_factory=dict)
    halted: Halt | None = None

    @property
    def state(self) -> GuardState:
        """What may be sent, at the worst place."""
        if self.halted is not None:
            return GuardState.HALTED
        return GuardState.PAUSED if self.pauses else GuardState.RUNNING

    def pausing(self, instrument: int, venue: int) -> Pause | None:
        """The first pause that applies to a market, None when there is none."""
        return next((pause for pause in self.pauses.values() if pause.scope.covers(instrument, venue)), None)

    def saw(self, reason: Reason, scope: Scope, detail: str, now_ns: int) -> Guard:
        """A condition was looked at: the cause is there if ``detail`` says what it is, and gone if that is empty."""
        key = (reason, scope)
        known = self.pauses.get(key)
        if detail:
            if known is not None and not known.gone_ns:
                return self
            since_ns = now_ns if known is None else known.since_ns
            return self._with(key, Pause(reason, scope, detail, since_ns))
        if known is None or reason.is_latched:
            return self
        if not known.gone_ns:
            known = replace(known, gone_ns=now_ns)
        if now_ns - known.gone_ns < self.clear_after_ns:
            return self._with(key, known)
        return replace(self, pauses={other: pause for other, pause in self.pauses.items() if other != key})

    def halt(self, detail: str, now_ns: int, *, closes: bool) -> Guard:
        """Stop everything. A second halt keeps the first one's reason and may add that positions are closed."""
        if self.halted is None:
            return replace(self, halted=Halt(detail, now_ns, closes))
        if closes and not self.halted.closes:
            return replace(self, halted=replace(self.halted, closes=True))
        return self

    def resume(self) -> Guard:
        """A person lets trading go on: ends a halt and the pauses that wait for a person.

        Pauses whose cause is still there stay. Raises Rejected when there is nothing to end.
        """
        kept = {key: pause for key, pause in self.pauses.items() if not pause.reason.is_latched}
        if self.halted is None and len(kept) == len(self.pauses):
            raise Rejected(f"trading was {self.state.name}; expected a halt or a pause that waits for a person")
        return replace(self, halted=None, pauses=kept)

    def _with(self, key: tuple[Reason, Scope], pause: Pause) -> Guard:
        return replace(self, pauses={**self.pauses, key: pause})
