"""From a book that has just changed to the event that it is for its detector, where no record is at hand."""

from __future__ import annotations

from market.detector.events import take_event
from market.detector.layout import EVENT, Words
from market.detector.record_events import put_event
from market.native.kernel import entry
from market.native.memory import address_of


@entry("void(int64[::1], int64[::1], int64[::1], int64)")
def take_book(detector: Words, book: Words, record: Words, change: int) -> None:
    """Take a book as it is now.

    Parameters
    ----------
    book: of ``market.book.book``. record: int64[WIDTH] of which kind and receive time count: DIFF for a change of
        the book, GAP when it has lost its sequence. change: what became of its top, CHANGED or WITHDRAWN.
    """
    base = address_of(detector)
    event = base + 8 * EVENT
    if put_event(base, event, address_of(book), address_of(record), change):
        take_event(base, event)
