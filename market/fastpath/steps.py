"""The frame of every step: time and number at its start, the status that is due at its end."""

from __future__ import annotations

from market.fastpath import state
from market.fastpath.egress import send_status
from market.fastpath.specification import STATUS_INTERVAL_NS, TIME_LIMIT_NS
from market.native.kernel import inline
from market.native.memory import get, put


@inline
def begin_step(engine: int, time_ns: int) -> None:
    """Number the next step and move T; a time that T cannot move to is counted."""
    now = get(engine, state.TIME)
    if now <= time_ns < TIME_LIMIT_NS:
        put(engine, state.TIME, time_ns)
    else:
        state.bump(engine, state.TIME_BACKWARDS)
    state.bump(engine, state.STEP)


@inline
def end_step(engine: int) -> None:
    """Send a status if one is due or was requested."""
    now = get(engine, state.TIME)
    if now >= get(engine, state.NEXT_STATUS):
        put(engine, state.NEXT_STATUS, now + STATUS_INTERVAL_NS)
        send_status(engine)
    elif get(engine, state.STATUS_REQUESTED):
        send_status(engine)
    put(engine, state.STATUS_REQUESTED, 0)


@inline
def hear_venue(engine: int, venue: int) -> None:
    """A venue of the build was heard in this step."""
    if 0 <= venue < get(engine, state.VENUES):
        put(state.venue_row(engine, venue), state.SEEN, get(engine, state.TIME))
