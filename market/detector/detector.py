"""The detector of one market, for the slow loop and for whole arrays."""

from __future__ import annotations

from typing import Final

import numpy as np

from market.detector.events import EventKind, take_events
from market.detector.layout import COUNTERS, EVENT_WIDTH, NOW, SIGNALS, STATE, Rows, Values, Words, as_rows, new_state
from market.detector.persistence import restored, saved
from market.detector.readings import permissions_once, read_once
from market.detector.settings import DetectorSettings
from market.detector.states import READINGS, Counter, Permission, Reading, Signal, State
from market.detector.transitions import Transition, take_transitions
from market.errors import Rejected

_NO_STATES: Final = np.zeros(0, dtype=np.int64)
_NO_READINGS: Final = np.zeros((0, READINGS), dtype=np.float64)


class Detector:
    """Indicators and state machine of one market.

    Members
    -------
    state: int64[STATE_WORDS], for kernels; a copy is a copy of the detector.
    """

    def __init__(self, settings: DetectorSettings, state: Words | None = None) -> None:
        self.settings = settings
        self.state = new_state(settings) if state is None else state

    def update(self, events: Rows) -> tuple[Words, list[Transition]]:
        """Take int64[n, 13] events of one market, see ``events``; returns int64[n] states after each, and transitions.

        Raises Rejected at an unknown kind, after the events before it.
        """
        states = np.empty(len(events), dtype=np.int64)
        return states, self._take(events, states, _NO_READINGS)

    def study(self, events: Rows) -> tuple[Values, list[Transition]]:
        """As ``update``, and returns float64[n, READINGS], the readings after each event, columns as ``Reading``."""
        readings = np.empty((len(events), READINGS), dtype=np.float64)
        return readings, self._take(events, _NO_STATES, readings)

    def _take(self, events: Rows, states: Words, readings: Values) -> list[Transition]:
        rows = as_rows("events", events, EVENT_WIDTH)
        transitions: list[Transition] = []
        taken = 0
        while taken < len(rows):
            until = take_events(self.state, rows, taken, states, readings)
            passed = take_transitions(self.state)
            transitions += passed
            if until == taken and not passed:
                raise Rejected(f"event {taken} has kind {rows[taken, 0]}, expected 0 to 7; it and later were not taken")
            taken = until
        return transitions

    def take(self, kind: EventKind, time_ns: int = 0, *values: int, number: int = -1) -> list[Transition]:
        """Take one event; its values as ``events`` lists them. Returns its transitions, with unread ones before."""
        row = np.zeros((1, EVENT_WIDTH), dtype=np.int64)
        row[0, : 3 + len(values)] = (kind, time_ns, number, *values)
        return self._take(row, _NO_STATES, _NO_READINGS)

    def shut_down(self) -> list[Transition]:
        """Go to SHUTDOWN at once, from any state."""
        return self.take(EventKind.SHUTDOWN)

    def restart(self) -> list[Transition]:
        """Go from SHUTDOWN to SLEEP."""
        return self.take(EventKind.RESTART)

    def read(self) -> dict[Reading, float]:
        """Every reading as of the last event."""
        out = np.empty((1, READINGS), dtype=np.float64)
        read_once(self.state, out)
        return {reading: float(out[0, reading]) for reading in Reading}

    def transitions(self) -> list[Transition]:
        """Transitions of kernels that nobody has read yet."""
        return take_transitions(self.state)

    @property
    def now_ns(self) -> int:
        """Newest time taken."""
        return int(self.state[NOW])

    @property
    def standing(self) -> State:
        """The state of the machine."""
        return State(int(self.state[STATE]))

    @property
    def signals(self) -> Signal:
        """What fires."""
        return Signal(int(self.state[SIGNALS]))

    @property
    def permissions(self) -> Permission:
        """What a trader is allowed."""
        return Permission(permissions_once(self.state))

    def counters(self) -> dict[Counter, int]:
        """What was taken, refused and left out so far."""
        return {counter: int(self.state[COUNTERS + counter]) for counter in Counter}

    def save(self) -> bytes:
        """The whole detector, for ``restore``."""
        return saved(self.state)

    @staticmethod
    def restore(settings: DetectorSettings, content: bytes) -> Detector:
        """The detector as it was saved. Raises Rejected as ``restored``."""
        return Detector(settings, restored(settings, content))
