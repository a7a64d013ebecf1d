"""What packets of numbered messages say, whatever their format."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from market.fastpath.reference.order_book import BookSide
from market.fastpath.specification import Side


class BadPacket(Exception):
    """A packet that is dropped as BAD_MESSAGE."""


class ChangeKind(Enum):
    """What happens to an order."""

    PUT = 1
    REDUCE = 2
    DELETE = 3


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an order; ``side`` is None if the message states none."""

    kind: ChangeKind
    order: int
    side: BookSide | None
    price: int = 0
    quantity: int = 0


@dataclass(frozen=True, slots=True)
class Deal:
    """A trade in mantissas, or in the bits of doubles."""

    price: int
    quantity: int
    aggressor: Side


@dataclass(frozen=True, slots=True)
class Quoted:
    """A stated top of book, in the bits of doubles: bid, its amount, ask, its amount."""

    doubles: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Message:
    """One message; ``wire_instrument`` is None where nothing of it is read."""

    wire_instrument: int | None = None
    change: Change | None = None
    quoted: Quoted | None = None
    deals: tuple[Deal, ...] | None = None
    clears: bool = False
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """A packet's header: ``number`` of its first message, or of itself; ``in_sequence`` false for snapshots."""

    channel: int
    number: int
    count: int = 1
    in_sequence: bool = True
