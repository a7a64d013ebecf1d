"""Operations of a packet, kept until it is known whether the packet counts."""

from __future__ import annotations

from typing import Final

from hdl.books.records import ENTRY_COUNT_BITS, operation_layout
from hdl.feeds.trial_queue import TrialQueue

DEPTH: Final = 512
"""Operations that may wait; a full packet has some 120 at most. Just fills its block memories."""


class OperationQueue(TrialQueue):
    """A ``TrialQueue`` of operations."""

    def __init__(self, *, depth: int = DEPTH) -> None:
        super().__init__(operation_layout, ENTRY_COUNT_BITS, depth=depth)
