"""Finding lost messages by their numbers."""

from __future__ import annotations


class Sequences:
    """The next expected number of every publisher's topics.

    A publisher that is new, or a topic that is first heard of in the middle, starts where it is.

    Members
    -------
    lost: messages that never came. repeated: messages with a number of before; their content is old.
    """

    def __init__(self) -> None:
        self._next: dict[tuple[str, bytes], int] = {}
        self.lost = 0
        self.repeated = 0

    def take(self, publisher: str, topic: bytes, sequence: int) -> int:
        """How many messages of a topic were lost right before this one; -1 for one that is old."""
        expected = self._next.get((publisher, topic), sequence)
        if sequence < expected:
            self.repeated += 1
            return -1
        self._next[publisher, topic] = sequence + 1
        self.lost += sequence - expected
        return sequence - expected
