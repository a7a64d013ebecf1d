"""The event log of a board put in order again: datagrams overtake one another, repeat, and get lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from market.errors import Rejected
from market.fastpath import layout
from market.fastpath.specification import StepKind

OVERTAKEN_NS: Final = 10_000_000
"""A step that others have overtaken is waited for so long; then the log has a hole."""
_WORD: Final = 8
_KINDS: Final = (int(StepKind.DATAGRAM), int(StepKind.CONTROL))


def steps_of(datagram: bytes) -> Iterator[bytes]:
    """The LogStep messages of a datagram, each without what fills it up to whole words.

    Raises Rejected for anything else, for one that is cut off, and for a step of a kind that boards do not make.
    """
    at = 0
    while at < len(datagram):
        head = datagram[at : at + layout.LOG_STEP_PAYLOAD]
        length = int.from_bytes(head[layout.LOG_STEP_LENGTH :], "little")
        end = at + layout.LOG_STEP_PAYLOAD + length
        header = int.from_bytes(head[: layout.HEADER_SIZE], "little")
        if len(head) < layout.LOG_STEP_PAYLOAD or header != layout.LOG_STEP_HEADER or end > len(datagram):
            raise Rejected(f"{len(datagram) - at} bytes with header {header:016x} in the event log; expected LogStep")
        if head[layout.LOG_STEP_KIND] not in _KINDS:
            raise Rejected(f"a step of kind {head[layout.LOG_STEP_KIND]} in the event log; expected one of {_KINDS}")
        yield datagram[at:end]
        at = end + -(end - at) % _WORD


class LogOrder:
    """Gives steps on in the order of their numbers, from 1."""

    def __init__(self) -> None:
        self._next = 1
        self._ahead: dict[int, bytes] = {}
        self._overtaken_ns = 0

    def add(self, number: int, message: bytes, now_ns: int) -> list[bytes]:
        """A step came; returns all that can be given on now. One that was given on already is dropped."""
        if number < self._next:
            return []
        if not self._ahead:
            self._overtaken_ns = now_ns
        self._ahead.setdefault(number, message)
        found = []
        while self._next in self._ahead:
            found.append(self._ahead.pop(self._next))
            self._next += 1
        if found:
            self._overtaken_ns = now_ns
        return found

    def hole(self, now_ns: int) -> str:
        """What is missing for too long, in words; empty if nothing is."""
        if not self._ahead or now_ns - self._overtaken_ns < OVERTAKEN_NS:
            return ""
        return f"step {self._next} of its event log is missing, and {min(self._ahead)} came: the log has a hole"

    @property
    def waits(self) -> bool:
        """Whether a step was overtaken and may still come."""
        return bool(self._ahead)
