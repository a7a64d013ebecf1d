"""How far a venue's clock is from ours, as answers to requests show it."""

from __future__ import annotations


class ClockOffset:
    """The venue's clock less ours, from the stamps of answers that came back quickly.

    Parameters
    ----------
    longest_ns: an answer that took longer says nothing of the clock.

    Members
    -------
    offset_ns: 0 before the first such answer; off by at most half of the time that the answer took.
    """

    def __init__(self, longest_ns: int = 100_000_000) -> None:
        self.offset_ns = 0
        self._longest_ns = longest_ns

    def take(self, sent_ns: int, received_ns: int, venue_ns: int) -> None:
        """An answer to a request, with the venue's stamp in it."""
        if received_ns - sent_ns <= self._longest_ns:
            self.offset_ns = venue_ns - (sent_ns + received_ns) // 2
