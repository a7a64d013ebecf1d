"""Carrying out a plan of faults: what becomes of each message, and what befalls a venue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sim.faults.plan import ALWAYS, CHANNELS, MOMENTS, Channel, Fault, FaultKind, FaultPlan, SymbolChange
from sim.generator.chance import Chance


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one message.

    Parameters
    ----------
    copies: how often it arrives; 0: never. delay_ns: added to its way. corrupted: bytes of it are changed.
    after_next: the next message of its connection overtakes it.
    gap: market data: the update happened and is not sent, later ones go on counting.
    server_error: a request is answered by 5xx and not carried out.
    """

    copies: int = 1
    delay_ns: int = 0
    corrupted: bool = False
    after_next: bool = False
    gap: bool = False
    server_error: bool = False


UNHARMED: Final = Fate()


class Faults:
    """A plan on its way through a run.

    Parameters
    ----------
    start_ns: time of the run's start on the caller's clock; all other times are of that clock too.

    The same plan and the same sequence of questions give the same answers: each venue and channel has its own chance.
    """

    def __init__(self, plan: FaultPlan, start_ns: int) -> None:
        self._seed = plan.seed
        self._start_ns = start_ns
        self._faults = list(plan.faults)
        self._hits = [0] * len(self._faults)
        self._changes = list(plan.changes)
        self._chances: dict[tuple[str, Channel], Chance] = {}
        self._told: dict[tuple[int, str], int] = {}

    def add(self, fault: Fault, now_ns: int) -> None:
        """One more fault; its times count from now."""
        self._faults.append(fault.model_copy(update={"at_ns": now_ns - self._start_ns + fault.at_ns}))
        self._hits.append(0)

    def change(self, change: SymbolChange, now_ns: int) -> None:
        """One more change of a symbol; its times count from now."""
        self._changes.append(change.model_copy(update={"at_ns": now_ns - self._start_ns + change.at_ns}))

    def changes(self, venue: str, symbol: str, now_ns: int) -> list[SymbolChange]:
        """Changes of a symbol that last."""
        return [change for change in self._changes if change.hits(venue, symbol, now_ns - self._start_ns)]

    def clear(self) -> None:
        """No fault lasts any longer, and none is to come; nor does any change of a symbol."""
        self._changes.clear()
        self._faults.clear()
        self._hits.clear()
        self._told.clear()

    def fate(self, venue: str, channel: Channel, now_ns: int, *, is_fill: bool = False) -> Fate:
        """What becomes of a message; ``is_fill``: a user-data report of a fill."""
        copies, delay_ns = 1, 0
        flags: set[FaultKind] = set()
        for index, fault in self._lasting(venue, now_ns):
            if channel not in ((fault.channel,) if fault.channel else CHANNELS.get(fault.kind, ())):
                continue
            if fault.kind is FaultKind.LATE_FILL and not is_fill:
                continue
            if not self._strikes(index, fault, venue, channel):
                continue
            if fault.kind in (FaultKind.DROP, FaultKind.LOST_ANSWER):
                copies = 0
            elif fault.kind is FaultKind.DUPLICATE:
                copies *= 2
            elif fault.kind in (FaultKind.DELAY, FaultKind.LATE_FILL):
                delay_ns += fault.amount_ns
            else:
                flags.add(fault.kind)
        if copies == 1 and not delay_ns and not flags:
            return UNHARMED
        return Fate(
            copies=copies,
            delay_ns=delay_ns,
            corrupted=FaultKind.CORRUPT in flags,
            after_next=FaultKind.REORDER in flags,
            gap=FaultKind.GAP in flags,
            server_error=FaultKind.SERVER_ERROR in flags,
        )

    def is_banned(self, venue: str, now_ns: int) -> int:
        """The time until which the venue answers 418; 0 when it does not."""
        ends = [fault.end_ns for _, fault in self._lasting(venue, now_ns) if fault.kind is FaultKind.BAN]
        return self._start_ns + max(ends) if ends else 0

    def is_away(self, venue: str, now_ns: int) -> bool:
        """Whether nothing of the venue can be reached."""
        return any(fault.kind is FaultKind.OUTAGE for _, fault in self._lasting(venue, now_ns))

    def is_silent(self, venue: str, now_ns: int) -> bool:
        """Whether its connections stand and carry nothing."""
        return any(fault.kind is FaultKind.HALF_OPEN for _, fault in self._lasting(venue, now_ns))

    def skew_ns(self, venue: str, now_ns: int) -> int:
        """How far the venue's clock is ahead."""
        return sum(fault.amount_ns for _, fault in self._lasting(venue, now_ns) if fault.kind is FaultKind.CLOCK_SKEW)

    def moments(self, venue: str, now_ns: int) -> list[FaultKind]:
        """Disconnects, expiries and outages that have begun since the last call, each once however often it was due."""
        begun: list[FaultKind] = []
        for index, fault in enumerate(self._faults):
            if fault.kind in MOMENTS and fault.venue in ("", venue):
                due = self._due(fault, now_ns - self._start_ns)
                if due > self._told.get((index, venue), 0):
                    self._told[index, venue] = due
                    begun.append(fault.kind)
        return begun

    def next_moment_ns(self, venue: str, now_ns: int) -> int | None:
        """When the next such fault begins after a time; None if there is none any more."""
        after = now_ns - self._start_ns
        times = [
            self._next(fault, after) for fault in self._faults if fault.kind in MOMENTS and fault.venue in ("", venue)
        ]
        coming = [self._start_ns + time for time in times if time is not None]
        return min(coming, default=None)

    def _lasting(self, venue: str, now_ns: int) -> Iterator[tuple[int, Fault]]:
        after = now_ns - self._start_ns
        return ((index, fault) for index, fault in enumerate(self._faults) if fault.hits(venue, after))

    def _strikes(self, index: int, fault: Fault, venue: str, channel: Channel) -> bool:
        if fault.count and self._hits[index] >= fault.count:
            return False
        if fault.permille < ALWAYS and self._chance(venue, channel).permille() >= fault.permille:
            return False
        self._hits[index] += 1
        return True

    def _chance(self, venue: str, channel: Channel) -> Chance:
        key = (venue, channel)
        if key not in self._chances:
            number = int.from_bytes(f"{channel}/{venue}".encode(), "little")
            self._chances[key] = Chance(self._seed, number)
        return self._chances[key]

    @staticmethod
    def _due(fault: Fault, after_ns: int) -> int:
        """How often a fault has begun by a time."""
        if after_ns < fault.at_ns:
            return 0
        if not fault.every_ns:
            return 1
        return 1 + (min(after_ns, fault.end_ns - 1) - fault.at_ns) // fault.every_ns

    def _next(self, fault: Fault, after_ns: int) -> int | None:
        due = self._due(fault, after_ns)
        if due and not fault.every_ns:
            return None
        time = fault.at_ns + due * fault.every_ns
        return time if time < fault.end_ns else None
