"""Until when a venue would take each order: before, an order that it does not know may still be on its way."""

from __future__ import annotations

from typing import Final

_MOST: Final = 20_000
"""Orders that are remembered; of more the older half, long past their time, is forgotten."""
_AHEAD_MS: Final = 1_000
"""A venue takes times that are so far ahead of its own."""


class Validity:
    """Times in ms by the venue's clock.

    Parameters
    ----------
    window_ms: how long after its time an order is taken.

    Members
    -------
    begun_ms: when this run could first send. Orders of an earlier run were sent before, by a clock that may have been
        ahead.
    """

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._until_ms: dict[str, int] = {}
        self.begun_ms = 0

    def sent(self, client_order_id: str, timestamp_ms: int) -> None:
        """An order is being sent with a time."""
        self._until_ms[client_order_id] = timestamp_ms + self._window_ms
        if len(self._until_ms) > _MOST:
            for name in list(self._until_ms)[: _MOST // 2]:
                del self._until_ms[name]

    def until_ms(self, client_order_id: str) -> int:
        """The last time at which the venue would take an order."""
        return self._until_ms.get(client_order_id, self.begun_ms + _AHEAD_MS + self._window_ms)
