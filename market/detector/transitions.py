"""Every transition with the values that caused it: a ring in the state, and the record that Python reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from market.detector.baselines import mark_event
from market.detector.layout import (
    CALM_SINCE,
    COUNTERS,
    ENTERED,
    MET_SINCE,
    NOW,
    SIGNALS,
    STATE,
    TAKEN,
    TRANSITION_HEAD,
    TRANSITION_ROOM,
    TRANSITION_WORDS,
    TRANSITIONS,
    Words,
)
from market.detector.readings import write_reading
from market.detector.states import Cause, Counter, Reading, Signal, State
from market.detector.words import count, counted
from market.native.kernel import inline, shared
from market.native.memory import get, put

_COUNT: Final = int(Counter.TRANSITIONS)


@dataclass(frozen=True)
class Transition:
    """One change of state.

    Parameters
    ----------
    entered_ns: time of the transition before, -1 for the first. met_since_ns: since when the trigger held, but for
        short breaks, -1 when it did not. calm_since_ns: since when the calm held, -1 when it did not.
    values: every reading as of the event that caused it; ``STATE`` is the state before.
    """

    time_ns: int
    before: State
    after: State
    cause: Cause
    signals: Signal
    entered_ns: int
    met_since_ns: int
    calm_since_ns: int
    values: dict[Reading, float]


@inline
def unread(detector: int) -> int:
    """Transitions that nobody has read."""
    return counted(detector, _COUNT) - get(detector, TAKEN)


@shared
def change_state(detector: int, after: int, cause: int) -> None:
    """Write the transition down, then make it. An unread one that finds no room gives way."""
    place = TRANSITIONS + TRANSITION_WORDS * (counted(detector, _COUNT) % TRANSITION_ROOM)
    row = detector + 8 * place
    put(row, 0, get(detector, NOW))
    put(row, 1, get(detector, STATE))
    put(row, 2, after)
    put(row, 3, cause)
    put(row, 4, get(detector, SIGNALS))
    put(row, 5, get(detector, ENTERED))
    put(row, 6, get(detector, MET_SINCE))
    put(row, 7, get(detector, CALM_SINCE))
    write_reading(detector, row + 8 * TRANSITION_HEAD)
    count(detector, _COUNT)
    put(detector, STATE, after)
    put(detector, ENTERED, get(detector, NOW))
    mark_event(detector)


def take_transitions(state: Words) -> list[Transition]:
    """Transitions since the last call, oldest first, at most the last 64."""
    number = int(state[COUNTERS + _COUNT])
    first = max(int(state[TAKEN]), number - TRANSITION_ROOM)
    state[TAKEN] = number
    return [_transition(state, index % TRANSITION_ROOM) for index in range(first, number)]


def _transition(state: Words, place: int) -> Transition:
    words = state[TRANSITIONS + TRANSITION_WORDS * place :][:TRANSITION_WORDS]
    time_ns, before, after, cause, signals, entered, met, calm = (int(word) for word in words[:TRANSITION_HEAD])
    values = words[TRANSITION_HEAD:].view(np.float64)
    return Transition(
        time_ns,
        State(before),
        State(after),
        Cause(cause),
        Signal(signals),
        entered,
        met,
        calm,
        {reading: float(values[reading]) for reading in Reading},
    )
