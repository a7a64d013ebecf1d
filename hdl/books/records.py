"""What decoders of numbered packets, lines and books hand to each other, as Amaranth layouts."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from amaranth.hdl import signed, unsigned
from amaranth.lib import data

from hdl.records import FEED_BITS, INSTRUMENT_NUMBER_BITS, SIDE_BITS, VENUE_NUMBER_BITS, WORD_BITS, quote_layout

NUMBER_BITS: Final = 62
"""Numbers of messages and packets are below 2^62; the next expected one may be that or a little above."""
EXPECTED_BITS: Final = NUMBER_BITS + 1
LINE_NUMBER_BITS: Final = 6
BOOK_NUMBER_BITS: Final = 8
ENTRY_COUNT_BITS: Final = 9
"""Operations that one packet can make."""


class OperationKind(IntEnum):
    """What a message asks for."""

    SKIP = 0
    """Nothing: a message of a template that is not read."""
    TOUCH = 1
    """Nothing of its own; applied if ``clears`` broke a book. ``wire`` is its instrument."""
    PUT = 2
    REDUCE = 3
    DELETE = 4
    TRADE = 5
    """Price and quantity as mantissas."""
    TICKER = 6
    """A top of book in doubles: ``order``, ``price`` are the bid's price and amount, ``quantity``, ``last_double`` the
    ask's."""
    DEAL = 7
    """A trade in doubles: ``price`` and ``quantity``."""
    KNOWN = 8
    """Nothing of its own; applied if its instrument is known: the end of a message whose events came before."""


class BookSide(IntEnum):
    """Of an order; a book cannot take an order without one."""

    BID = 0
    ASK = 1
    NONE = 2


operation_layout: Final = data.StructLayout(
    {
        "kind": unsigned(4),
        "side": unsigned(2),
        "aggressor": unsigned(SIDE_BITS),
        "clears": unsigned(1),
        "ends": unsigned(1),
        "counts": unsigned(1),
        "wire": signed(WORD_BITS),
        "order": unsigned(WORD_BITS),
        "price": signed(WORD_BITS),
        "quantity": signed(WORD_BITS),
        "last_double": unsigned(WORD_BITS),
    }
)
"""One message of a packet, or one part of it; ``counts`` marks the last part of a message.

``side`` is a ``BookSide``, ``aggressor`` a ``Side``; ``clears`` is the clear flag, ``ends`` the end of a transaction.
"""

packet_layout: Final = data.StructLayout(
    {
        "number": unsigned(WORD_BITS),
        "count": unsigned(16),
        "wire_channel": signed(32),
        "snapshot": unsigned(1),
    }
)
"""A packet header: the number of its first message (of the packet, for DERIBIT_LEGACY, 32 bits), how many there are."""

placed_layout: Final = data.StructLayout(
    {
        "feed": unsigned(FEED_BITS),
        "venue": unsigned(VENUE_NUMBER_BITS),
        "has_line": unsigned(1),
        "line": unsigned(LINE_NUMBER_BITS),
        "number": unsigned(EXPECTED_BITS),
        "gap": unsigned(1),
        "loses": unsigned(1),
        "old": unsigned(16),
        "heartbeat": unsigned(1),
        "entries": unsigned(ENTRY_COUNT_BITS),
    }
)
"""An accepted packet at its place in its line.

``number`` of its first message (its position, for DERIBIT_LEGACY); ``gap`` counts one gap; ``loses``: messages before
``number`` may be missing; ``old`` messages at its head are old; ``entries`` operations wait in the queue.
"""


class EventKind(IntEnum):
    """What a packet's event is."""

    END = 0
    """The packet has no more events."""
    COUNT = 1
    """The counters of ``mask`` grow by one."""
    QUOTE = 2
    WITHDRAW = 3
    """A quote of zeros that no sequence is too old for, and after which none is stored."""
    TRADE = 4
    """Price and quantity stand in the bid's place."""


class EventCounter(IntEnum):
    """Positions in the mask of an event."""

    MESSAGES = 0
    SKIPPED_MESSAGES = 1
    GAPS = 2
    HEARTBEATS = 3


event_layout: Final = data.StructLayout(
    {
        "kind": unsigned(3),
        "mask": unsigned(len(EventCounter)),
        "instrument": unsigned(INSTRUMENT_NUMBER_BITS),
        "aggressor": unsigned(SIDE_BITS),
        "quote": quote_layout,
    }
)
"""An event of a packet; its venue is that of the packet's channel."""
