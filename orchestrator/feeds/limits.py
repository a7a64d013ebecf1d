"""When a feed is taken for late, silent or broken, and what is done about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.recording.backoff import Backoff

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, kw_only=True)
class FeedLimits:
    """The numbers that a live feed goes by.

    Parameters
    ----------
    silence_s: a connection without a message for so long is made anew.
    delay_s: a feed whose newest message is older than this is made anew, and trading pauses; 0: any delay is taken.
    snapshot_every_s: a whole book is fetched and compared so often; 0: only when one is missing.
    snapshot_pause_s: least time between two requests for the book of one market.
    connect_s: a connection must stand after so long.
    clock_ahead_ns: how far this clock is known to be ahead of the venue's; taken off every delay.
    backoff: pauses between attempts, and how many may fail in a row before a human is needed.
    """

    silence_s: float = 1.0
    delay_s: float = 0.5
    snapshot_every_s: float = 10.0
    snapshot_pause_s: float = 1.0
    connect_s: float = 10.0
    clock_ahead_ns: int = 0
    backoff: Backoff = field(default_factory=Backoff)

    @property
    def delay_ns(self) -> int:
        """The delay in ns, 0 if any is taken."""
        return round(self.delay_s * NS_PER_S)
