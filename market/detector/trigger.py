"""For how long the trigger has held: stretches are added up over breaks that are shorter than ``break_ns``.

One quote that narrows the spread for a moment does not end what has been seen for two seconds, nor is the moment
counted. What is lost for longer, or with the feed, begins anew. With ``break_ns`` 0 every break ends it.
"""

from __future__ import annotations

from market.detector.layout import BREAK_NS, BREAKS_NS, BROKEN_SINCE, MET_SINCE, NONE, NOW
from market.native.kernel import inline
from market.native.memory import get, put


@inline
def forget_trigger(detector: int) -> None:
    """The trigger has not held."""
    put(detector, MET_SINCE, NONE)
    put(detector, BROKEN_SINCE, NONE)
    put(detector, BREAKS_NS, 0)


@inline
def take_trigger(detector: int, holds: bool) -> None:
    """Whether the trigger holds now."""
    now, broken = get(detector, NOW), get(detector, BROKEN_SINCE)
    if not holds and broken < 0 and get(detector, MET_SINCE) >= 0:
        broken = now
        put(detector, BROKEN_SINCE, now)
    if broken >= 0 and now - broken >= get(detector, BREAK_NS):
        forget_trigger(detector)
        broken = NONE
    if holds and broken >= 0:
        put(detector, BREAKS_NS, get(detector, BREAKS_NS) + now - broken)
        put(detector, BROKEN_SINCE, NONE)
    if holds and get(detector, MET_SINCE) < 0:
        put(detector, MET_SINCE, now)


@inline
def held_ns(detector: int) -> int:
    """For how long the trigger has held, breaks left out; NONE when it has not, or not for too long."""
    start, broken = get(detector, MET_SINCE), get(detector, BROKEN_SINCE)
    if start < 0:
        return NONE
    return (broken if broken >= 0 else get(detector, NOW)) - start - get(detector, BREAKS_NS)
