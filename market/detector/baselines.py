"""Which seconds are taken into the baselines: not those of an event, so that it is compared with what was before it.

A second is one of an event when the state was ALERT, ACTIVE or RECOVERY at some time in it. At most
``left_out_seconds`` more seconds are left out than were taken since: what lasts becomes the new baseline.
"""

from __future__ import annotations

from typing import Final

from market.detector.layout import EVENT_SECOND, LEFT_OUT_MORE, LEFT_OUT_SECONDS, STATE
from market.detector.machine import SHUTDOWN, SLEEP
from market.detector.states import Counter
from market.detector.words import count
from market.native.kernel import inline
from market.native.memory import get, put

_LEFT_OUT: Final = int(Counter.LEFT_OUT)


@inline
def mark_event(detector: int) -> None:
    """The state changed, or a second began."""
    state = get(detector, STATE)
    if state != SLEEP and state != SHUTDOWN:
        put(detector, EVENT_SECOND, 1)


@inline
def begin_second(detector: int) -> None:
    """A second begins."""
    put(detector, EVENT_SECOND, 0)
    mark_event(detector)


@inline
def is_taken(detector: int) -> bool:
    """Whether the whole second that closed is taken into the baselines; to be asked once for each."""
    more = get(detector, LEFT_OUT_MORE)
    if get(detector, EVENT_SECOND) != 0 and more < get(detector, LEFT_OUT_SECONDS):
        put(detector, LEFT_OUT_MORE, more + 1)
        count(detector, _LEFT_OUT)
        return False
    if more > 0:
        put(detector, LEFT_OUT_MORE, more - 1)
    return True
