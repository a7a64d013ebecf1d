"""Control messages on their way to a board: sent in order, a few at a time, and again until they are answered."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from market.fastpath.specification import Result

WINDOW: Final = 8
"""Messages under way at once: less than a board keeps while it checks a seal."""
RESEND_NS: Final = 50_000_000
"""After so long without an answer a message is sent again; after some times in vain less and less often."""
_IN_VAIN: Final = 8
_DOUBLINGS: Final = 4
_HASTY_NS: Final = 5_000_000
"""An answer out of order has a message sent again, but not sooner than this after the last time."""
_NEVER: Final = -(1 << 62)


@dataclass(slots=True)
class _Message:
    sequence: int
    time_ns: int
    content: bytes
    sent_ns: int = _NEVER
    times: int = 0

    @property
    def due_ns(self) -> int:
        """When it is sent the next time, if no answer comes."""
        return self.sent_ns + (RESEND_NS << min(max(self.times - _IN_VAIN, 0), _DOUBLINGS))


class Courier:
    """Decides what is sent when; times are of a clock that never steps back.

    Attributes
    ----------
    resent: how many messages were sent again.
    """

    def __init__(self) -> None:
        self.resent = 0
        self._waiting: deque[_Message] = deque()
        self._is_overdue = False

    def __len__(self) -> int:
        """How many messages are not answered."""
        return len(self._waiting)

    def add(self, sequence: int, time_ns: int, content: bytes) -> None:
        """A message with the time at which it was given, behind those that were added before."""
        self._waiting.append(_Message(sequence, time_ns, content))

    def due(self, now_ns: int) -> list[tuple[int, bytes]]:
        """What is to be sent now, in order: what never was, and all that are under way once the first is overdue."""
        under_way = [self._waiting[at] for at in range(min(WINDOW, len(self._waiting)))]
        again = bool(under_way) and (self._is_overdue or under_way[0].due_ns <= now_ns)
        self._is_overdue = False
        due = [message for message in under_way if again or not message.times]
        for message in due:
            self.resent += message.times > 0
            message.times += 1
            message.sent_ns = now_ns
        return [(message.time_ns, message.content) for message in due]

    def due_in_ns(self, now_ns: int) -> int | None:
        """In how many nanoseconds something is due; None while nothing waits."""
        if not self._waiting:
            return None
        return 0 if self._is_overdue else max(self._waiting[0].due_ns - now_ns, 0)

    def answered(self, sequence: int, result: Result, now_ns: int) -> None:
        """An answer came. One out of order says that a message before it was lost."""
        if result is not Result.OUT_OF_ORDER:
            self.arrived(sequence)
        elif self._waiting and now_ns - self._waiting[0].sent_ns >= _HASTY_NS:
            self._is_overdue = True

    def arrived(self, sequence: int) -> None:
        """The board has had a message, and so all before it."""
        while self._waiting and self._waiting[0].sequence <= sequence:
            self._waiting.popleft()
