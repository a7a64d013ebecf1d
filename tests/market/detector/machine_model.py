"""The state machine as plain Python, made from the very sources that are compiled: to be explored and changed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final

from market.detector import machine, readings, streaming, trigger, words
from market.detector.layout import (
    BREAK_NS,
    BREAKS_NS,
    BROKEN_SINCE,
    CALM_SINCE,
    CONFIRM_NS,
    DEBOUNCE_NS,
    ENTERED,
    HEARD,
    LOST,
    MET_SINCE,
    NONE,
    NOW,
    RECOVERY_NS,
    SIGNALS,
    STATE,
)

State = dict[int, int]
"""The words of the state that the machine reads and writes."""
_PARTS: Final = (
    machine.next_state,
    machine.cause_of,
    machine.since,
    words.fires,
    readings.required,
    readings.is_heard,
    trigger.forget_trigger,
    trigger.take_trigger,
    trigger.held_ns,
    streaming._core_count,
    streaming._lasted,
    streaming.evaluate,
    streaming.shut_down,
    streaming.restart,
)


def source() -> str:
    """The sources of all parts, without how they are compiled."""
    texts = [inspect.getsource(getattr(part, "py_func", part)) for part in _PARTS]
    return "\n".join(line for text in texts for line in text.splitlines() if not line.startswith("@"))


def _get(state: State, word: int) -> int:
    return state[word]


def _put(state: State, word: int, value: int) -> None:
    state[word] = int(value)


class Machine:
    """The machine made from a source, by default the true one."""

    def __init__(self, text: str) -> None:
        names: dict[str, Any] = {**vars(words), **vars(trigger), **vars(machine), **vars(readings), **vars(streaming)}
        names |= {"get": _get, "put": _put, "change_state": self._change}
        exec(compile(text, "machine", "exec"), names)
        self.evaluate: Callable[[State], None] = names["evaluate"]
        self.shut_down: Callable[[State], None] = names["shut_down"]
        self.restart: Callable[[State], None] = names["restart"]
        self.cause = NONE

    def _change(self, state: State, after: int, cause: int) -> None:
        state[STATE], state[ENTERED], self.cause = after, state[NOW], cause


def fresh(confirm_ns: int, recovery_ns: int, debounce_ns: int, break_ns: int) -> State:
    """A machine's words before anything happened, at time 0 and heard."""
    state = dict.fromkeys((NOW, STATE, LOST, SIGNALS, HEARD, BREAKS_NS), 0)
    state |= dict.fromkeys((ENTERED, MET_SINCE, BROKEN_SINCE, CALM_SINCE), NONE)
    state |= {CONFIRM_NS: confirm_ns, BREAK_NS: break_ns}
    return state | {RECOVERY_NS: recovery_ns, DEBOUNCE_NS: debounce_ns}
