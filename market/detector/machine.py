"""The state machine: which state follows, from how long what has held. Pure, so that it can be explored whole.

```
SLEEP ──triggered──▶ ALERT ──confirmed──▶ ACTIVE ──calmed, lost──▶ RECOVERY ──calmed──▶ SLEEP
        ◀───faded───                      ◀──────confirmed────────
any ──shutdown──▶ SHUTDOWN ──restart──▶ SLEEP
```
"""

from __future__ import annotations

from typing import Final

from market.detector.states import Cause, State
from market.native.kernel import inline

SLEEP: Final = int(State.SLEEP)
ALERT: Final = int(State.ALERT)
ACTIVE: Final = int(State.ACTIVE)
RECOVERY: Final = int(State.RECOVERY)
SHUTDOWN: Final = int(State.SHUTDOWN)
_TRIGGERED: Final = int(Cause.TRIGGERED)
_FADED: Final = int(Cause.FADED)
_CONFIRMED: Final = int(Cause.CONFIRMED)
_CALMED: Final = int(Cause.CALMED)
_LOST: Final = int(Cause.LOST)


@inline
def next_state(
    state: int,
    dwell_ns: int,
    holds: bool,
    met_ns: int,
    calm_ns: int,
    lost: bool,
    confirm_ns: int,
    recovery_ns: int,
    debounce_ns: int,
) -> int:
    """The state that follows; the same one when nothing is to change.

    Parameters
    ----------
    dwell_ns: since the last transition. holds: whether the trigger holds. met_ns: for how long it has held, but for
        short breaks, below 0 when it has not. calm_ns: for how long the calm has held without a break, below 0 while it
        does not. lost: whether the feed was lost since the last confirmation.
    """
    if state == SHUTDOWN or dwell_ns < debounce_ns:
        return state
    if state == SLEEP:
        return ALERT if holds else SLEEP
    if state == ALERT and met_ns < 0:
        return SLEEP
    if holds and met_ns > confirm_ns:
        return ACTIVE
    if state == ACTIVE and (lost or calm_ns > recovery_ns):
        return RECOVERY
    if state == RECOVERY and calm_ns > recovery_ns and dwell_ns > recovery_ns:
        return SLEEP
    return state


@inline
def cause_of(before: int, after: int, lost: bool) -> int:
    """Why ``next_state`` went from one state to the other."""
    if after == ALERT:
        return _TRIGGERED
    if after == ACTIVE:
        return _CONFIRMED
    if before == ALERT:
        return _FADED
    return _LOST if after == RECOVERY and lost else _CALMED


@inline
def since(start: int, holds: bool, now: int) -> int:
    """Since when something holds, -1 while it does not."""
    if not holds:
        return -1
    return now if start < 0 else start
