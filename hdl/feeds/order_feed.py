"""What an order-by-order feed is to the decoder that all of them share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hdl.sbe.packet import PacketDispatcher
from hdl.sbe.packet_format import PacketFormat
from market.fastpath.specification import Feed


class Meaning(StrEnum):
    """What messages of a feed may mean."""

    PUT = "put"
    REDUCE = "reduce"
    DELETE = "delete"
    TRADE = "trade"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says beside its numbers, as values of Amaranth: ``BookSide`` and ``Side``, else one bit each.

    ``touches``: a message without a meaning names an instrument nevertheless.
    """

    touches: Any
    side: Any
    aggressor: Any
    clears: Any
    ends: Any


@dataclass(frozen=True, slots=True)
class OrderFeed:
    """A feed, its packets, and how their messages are read.

    The packets have ``number``, ``channel`` and ``flags``, of which the second bit says that this is a snapshot; the
    messages ``wire``, ``order``, ``price`` and ``quantity`` where they have them. ``read`` is asked for a message in
    the cycle in which the dispatcher tells of it.
    """

    feed: Feed
    form: PacketFormat
    read: Callable[[PacketDispatcher], Reading]
