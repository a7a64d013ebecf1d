"""Rows of the matching engine: commands in, events out, as int64."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class CommandKind(IntEnum):
    """What is asked for."""

    LIMIT = 1
    MARKET = 2
    """Trades at any price; what does not trade expires. Its price is 0, its term IOC or FOK."""
    CANCEL = 3
    AMEND = 4
    """Gives a resting order a new price (0: the same) and a new remaining quantity.

    A smaller quantity at the same price keeps its place. Anything else enters anew, behind all others, and may trade;
    the term GTC or POST_ONLY says whether it may.
    """


class Term(IntEnum):
    """How long an order works."""

    GTC = 0
    IOC = 1
    FOK = 2
    POST_ONLY = 3


class Prevention(IntEnum):
    """What happens when an order meets a resting one of its owner."""

    NONE = 0
    EXPIRE_TAKER = 1
    EXPIRE_MAKER = 2
    EXPIRE_BOTH = 3


class EventKind(IntEnum):
    """What happened; see ``Event`` for the words of each."""

    ACCEPTED = 1
    """An order was taken in: side, price (0: market), lots."""
    TRADED = 2
    """The taker's id, owner and side, price, lots, what it has left; id and owner of the maker, what it has left."""
    RESTED = 3
    """An order stands in the book with ``LOTS``; ``OTHER_LEFT`` lots are ahead of it at its price."""
    CANCELLED = 4
    """On request, with ``LOTS`` remaining."""
    EXPIRED = 5
    """By its own terms or self-trade prevention, with ``LOTS`` remaining."""
    REJECTED = 6
    """A command changed nothing."""
    AMENDED = 7
    """New price and ``LOTS``; ``OTHER_LEFT`` is 1 when it kept its place, 0 when it enters anew."""
    LEVEL = 8
    """All orders of a side at ``PRICE`` now have ``LOTS``; 0: the price is gone. The last one of a command holds."""
    TOP = 9
    """Best prices changed, or their quantities: bid in ``PRICE`` and ``LOTS``, ask in ``OTHER`` and ``OTHER_LEFT``.

    0 and 0 for an empty side. At most once per command, last.
    """


class Reason(IntEnum):
    """Why a command was rejected or an order expired."""

    NONE = 0
    DUPLICATE = 1
    """An order of this id rests already."""
    UNKNOWN = 2
    """No order of this id rests, or it has another owner."""
    WRONG = 3
    """A kind, side, term, price or quantity that cannot be."""
    FULL = 4
    """No room for another order."""
    WOULD_TRADE = 5
    """A post-only order that would take."""
    UNCHANGED = 6
    """An amendment to what is already so."""
    UNFILLED = 7
    """The rest of an immediate order."""
    NOT_WHOLE = 8
    """A fill-or-kill order that could not trade whole."""
    SELF_TRADE = 9


class Command(IntEnum):
    """Words of a command; unused ones are 0."""

    KIND = 0
    ID = 1
    OWNER = 2
    SIDE = 3
    PRICE = 4
    LOTS = 5
    TERM = 6
    PREVENTION = 7


class Event(IntEnum):
    """Words of an event; unused ones are 0."""

    KIND = 0
    ID = 1
    OWNER = 2
    SIDE = 3
    PRICE = 4
    LOTS = 5
    LEFT = 6
    OTHER = 7
    OTHER_OWNER = 8
    OTHER_LEFT = 9
    REASON = 10
    COMMAND = 11
    """Index of the command in its batch."""


COMMAND_WIDTH: Final = 8
EVENT_WIDTH: Final = 12
BID: Final = 1
ASK: Final = 0
LARGEST_PRICE: Final = 1 << 61
LARGEST_LOTS: Final = 1 << 40
"""Of one order."""
LARGEST_CAPACITY: Final = 1 << 20
"""Orders of one book: the sum of all lots then stays below 2**61."""
EVENTS_PER_ORDER: Final = 2
EVENTS_PER_COMMAND: Final = 8
"""A command makes at most ``EVENTS_PER_COMMAND + EVENTS_PER_ORDER * orders in the book`` events."""
EVENTS_PER_PART: Final = 1 << 12
"""After so many events a batch is interrupted: they stay in the cache until they are read."""
