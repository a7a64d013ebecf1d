"""Answers and statuses of a distant engine, held against what its shadow said in the same steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from market.errors import Rejected
from market.fastpath import layout
from orchestrator.engine.shadow import template_of

_STEPS_KEPT: Final = 4_096
_BACKWARDS_AT: Final = layout.HEADER_SIZE + layout.SCHEMA.message("Status").fields["timeBackwards"].offset
_STEP_AT: Final = {
    layout.TEMPLATE_STATUS: layout.STATUS_STEP,
    layout.TEMPLATE_ACKNOWLEDGE: layout.ACKNOWLEDGE_STEP,
}


class SaidBySteps:
    """What was heard before the shadow's step and what the shadow said before it was heard, by the numbers of steps.

    Messages may be lost and may come twice. None may differ, but for how often the engine's clock was put back: its log
    shows nothing of that, since T stands still.
    """

    def __init__(self) -> None:
        self._heard: dict[int, list[bytes]] = {}
        self._said: dict[int, Sequence[bytes]] = {}

    def hear(self, message: bytes, followed: int) -> None:
        """A message of the engine came; ``followed`` is the shadow's last step. Raises Rejected if it said another."""
        at = _STEP_AT.get(template_of(message))
        if at is None:
            raise Rejected(
                f"message {template_of(message)} came from the engine; expected an answer, status or trigger"
            )
        step = int.from_bytes(message[at : at + 8], "little")
        if step > followed:
            self._heard.setdefault(step, []).append(message)
        elif step in self._said:
            _check(step, message, self._said[step])

    def follow(self, step: int, said: Sequence[bytes]) -> None:
        """The shadow did a step and said this; raises Rejected if the engine has said another in it."""
        for message in self._heard.pop(step, ()):
            _check(step, message, said)
        self._said[step] = said
        self._said.pop(step - _STEPS_KEPT, None)


def _check(step: int, heard: bytes, said: Sequence[bytes]) -> None:
    if _comparable(heard) not in [_comparable(message) for message in said]:
        what = "status" if template_of(heard) == layout.TEMPLATE_STATUS else "answer"
        raise Rejected(f"the {what} of step {step} of the engine is not the shadow's")


def _comparable(message: bytes) -> bytes:
    """A message without the counter that only the engine can know."""
    if template_of(message) != layout.TEMPLATE_STATUS:
        return message
    return message[:_BACKWARDS_AT] + message[_BACKWARDS_AT + 8 :]
