"""The pipeline's flat state: one row per source, one route per market of a source, and the rings beside them."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from market.wire.records import Reject

# Words of a source's row. Addresses are set by Python before each run and belong to arrays that it keeps.
RECORDS: Final = 0
COUNT: Final = 1
POSITION: Final = 2
BIDS: Final = 3
ASKS: Final = 4
BOOKS: Final = 5
ROUTES: Final = 6
FINISHED: Final = 7
CLOCK: Final = 8
"""Newest receive time so far: the source's place in the merge, which never steps back."""
MESSAGES: Final = 9
IGNORED: Final = 10
TRADES: Final = 11
FIRST_NS: Final = 13
LAST_NS: Final = 14
UNROUTED: Final = 15
"""Records of markets that no instrument trades."""
REJECTS: Final = 16
"""Plus ``Reject``: refused messages by reason."""
FIRST_LINES: Final = 32
"""Plus ``Reject``: the line of the first of them."""
IRREGULAR: Final = 48
"""Plus ``Irregular``: messages that were read but are out of the ordinary."""
FIRST_IRREGULAR: Final = 56
"""Plus ``Irregular``: the line of the first of them."""
SOURCE_WORDS: Final = 64
assert len(Reject) <= FIRST_LINES - REJECTS


class Irregular(IntEnum):
    """What is out of the ordinary about a message that was read."""

    TIME_BACKWARDS = 0
    """Received before the message in front of it."""
    STALE_UPDATE = 1
    """A depth update that the book already holds: repeated, or older than its snapshot."""
    OLD_QUOTE = 2
    """A stated quote that is repeated or older than the top of book."""
    REPEATED_TRADE = 3
    """A trade whose id is not above the last one's."""
    GAP = 4
    """An update that does not continue the book, or leaves it crossed."""
    CROSSED = 5
    """An update after which best bid and ask met, before it was mended or given up."""


assert len(Irregular) <= FIRST_IRREGULAR - IRREGULAR

# Words of a route: where a market's quotes go, and how ticks and lots become mantissas.
INSTRUMENT: Final = 0
"""-1 when nothing trades the market."""
VENUE: Final = 1
PRICE_EXPONENT: Final = 2
QUANTITY_EXPONENT: Final = 3
PRICE_FACTOR: Final = 4
QUANTITY_FACTOR: Final = 5
SEQUENCE: Final = 6
"""Last sequence number given to the engine."""
NUMBERED: Final = 7
"""Whether the venue numbers its updates; else events are counted."""
ROUTE_WORDS: Final = 8

# Words of an event: what the engine is fed with.
EVENT_TYPE: Final = 0
EVENT_INSTRUMENT: Final = 1
EVENT_VENUE: Final = 2
EVENT_PRICE_EXPONENT: Final = 3
EVENT_QUANTITY_EXPONENT: Final = 4
EVENT_SEQUENCE: Final = 5
EVENT_BID_PRICE: Final = 6
EVENT_BID_QUANTITY: Final = 7
EVENT_ASK_PRICE: Final = 8
EVENT_ASK_QUANTITY: Final = 9
EVENT_TIME: Final = 10
EVENT_PRICE: Final = 6
EVENT_QUANTITY: Final = 7
EVENT_AGGRESSOR: Final = 8
EVENT_TRADE_ID: Final = 9
EVENT_WORDS: Final = 12

NO_EVENT: Final = 0
QUOTE_EVENT: Final = 1
TRADE_EVENT: Final = 2

# Words of the control state.
SETTLE_AFTER: Final = 0
"""Nanoseconds from a trigger to its settlement; below 0: never."""
SETTLE_FILLED: Final = 1
"""Whether a settlement says filled."""
HEARTBEAT_EVERY: Final = 2
NEXT_HEARTBEAT: Final = 3
NEXT_SEQUENCE: Final = 4
"""Sequence number of the next control message."""
QUEUE_HEAD: Final = 5
QUEUE_TAIL: Final = 6
OVERRUN: Final = 7
"""Set when a trigger found no room in the settlement queue: the run is not valid."""
MESSAGE: Final = 8
"""A place for one control message."""
QUEUE: Final = 24
QUEUE_ENTRIES: Final = 1 << 16
QUEUE_ROW: Final = 6
CONTROL_WORDS: Final = QUEUE + QUEUE_ENTRIES * QUEUE_ROW

# Words of the journal: what is kept for looking at afterwards. All areas are optional.
QUOTES: Final = 0
"""Address of quote rows, 0 to keep none."""
QUOTES_USED: Final = 1
QUOTES_CAPACITY: Final = 2
CHANGES: Final = 3
"""Address of opportunity changes, 0 to keep none."""
CHANGES_USED: Final = 4
CHANGES_CAPACITY: Final = 5
HISTOGRAM: Final = 8
HISTOGRAM_WORDS: Final = 1024
JOURNAL_WORDS: Final = HISTOGRAM + HISTOGRAM_WORDS

QUOTE_ROW: Final = 8
"""time, instrument, venue, sequence, bid, bid quantity, ask, ask quantity: engine counts; quantity 0 = withdrawn."""
CHANGE_ROW: Final = 6
"""time, instrument, kind, seller, buyer, on: an opportunity that opened (1) or closed (0)."""
CHANGES_PER_EVENT: Final = 256

# What a run returns when it is not a source's index.
NEEDS_ROOM: Final = -1
DONE: Final = -2
