"""Records as events one at a time, not past a moment: for a loop that has other things to do at given times."""

from __future__ import annotations

from typing import Final

from market.native.kernel import entry
from market.native.memory import address_of, get
from market.pipeline import layout
from market.pipeline.intake import next_source, source_row, take_next
from market.wire import records
from market.wire.records import Words

NOT_YET: Final = -1
"""What ``next_event`` returns when the next record was not received before the moment."""


@entry("int64(int64[::1], int64, int64[::1], int64)")
def next_event(sources: Words, source_count: int, event: Words, before_ns: int) -> int:
    """Apply records in order of receive time until one makes an event for the engine.

    Parameters
    ----------
    sources: rows of ``layout.SOURCE_WORDS``, one per source.
    event: ``layout.EVENT_WORDS`` words, filled with the event.
    before_ns: a record received then or later is left alone.

    Returns the index of the event's source, NOT_YET, ``-3 - index`` of a source to refill, or DONE.
    """
    source_base = address_of(sources)
    event_base = address_of(event)
    while True:
        chosen = next_source(source_base, source_count)
        if chosen < 0:
            return chosen
        source = source_row(source_base, chosen)
        row = get(source, layout.RECORDS) + 8 * records.WIDTH * get(source, layout.POSITION)
        if get(row, records.KIND) != records.REJECTED and get(row, records.RECEIVE_NS) >= before_ns:
            return NOT_YET
        take_next(source, event_base)
        if get(event_base, layout.EVENT_TYPE) != layout.NO_EVENT:
            return chosen
