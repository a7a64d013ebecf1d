"""The fence in front of the order gateway: one cause is acted upon once, and never for an engine that was replaced."""

from __future__ import annotations


class TriggerFence:
    """Admits every trigger id once; ids grow.

    Attributes
    ----------
    epoch: triggers of older epochs are ignored. last_id: of the last trigger that was admitted.
    ignored: how many were not admitted.
    """

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.last_id = 0
        self.ignored = 0

    def admits(self, epoch: int, number: int) -> bool:
        """Whether a trigger may be acted upon; it may not a second time. A newer epoch closes all older ones."""
        if epoch < self.epoch or number <= self.last_id:
            self.ignored += 1
            return False
        self.epoch = epoch
        self.last_id = number
        return True

    def skip(self, number: int) -> None:
        """Never admit this id or a lower one: its fate is unknown."""
        self.last_id = max(self.last_id, number)
