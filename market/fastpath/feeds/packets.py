"""A packet of numbered messages as a step: its place in its line, then its messages (rules 57 to 62)."""

from __future__ import annotations

from typing import Final

from market.fastpath import state
from market.fastpath.books.lines import end_transaction, find_line, is_duplicate, place_messages
from market.fastpath.feeds import coinbase_derivatives, deribit_legacy, starbase
from market.fastpath.feeds.verdict import BAD, GOOD, OLD
from market.fastpath.specification import NUMBER_LIMIT, Feed
from market.native.kernel import inline, part, shared
from market.native.memory import load_i32, load_i64, load_u8, load_u16

_STARBASE: Final = int(Feed.STARBASE)
_DERIBIT_LEGACY: Final = int(Feed.DERIBIT_LEGACY)
_SNAPSHOT: Final = 2


@inline
def _count_of(feed: int, packet: int) -> int:
    """Messages that the header of an L3 packet announces."""
    return load_u16(packet, starbase.COUNT) if feed == _STARBASE else load_u8(packet, coinbase_derivatives.COUNT)


@part
def line_of(engine: int, feed: int, venue: int, packet: int) -> int:
    """Address of the line of a packet of at least a header, or 0."""
    if feed == _DERIBIT_LEGACY:
        return find_line(engine, venue, feed, load_u16(packet, deribit_legacy.CHANNEL))
    if feed == _STARBASE:
        flags, channel = load_u16(packet, starbase.FLAGS), load_i32(packet, starbase.CHANNEL)
    else:
        flags = load_u8(packet, coinbase_derivatives.FLAGS)
        channel = load_u16(packet, coinbase_derivatives.CHANNEL)
    return 0 if flags & _SNAPSHOT else find_line(engine, venue, feed, channel)


@part
def _check_numbered(line: int, feed: int, packet: int, length: int) -> int:
    number = load_i64(packet, starbase.SEQUENCE)
    if not 0 <= number < NUMBER_LIMIT:
        return BAD
    if is_duplicate(line, number + max(_count_of(feed, packet), 1)):
        return OLD
    good = starbase.check(packet, length) if feed == _STARBASE else coinbase_derivatives.check(packet, length)
    return GOOD if good else BAD


@shared
def check(engine: int, feed: int, venue: int, packet: int, length: int) -> int:
    """``GOOD``, ``OLD`` or ``BAD`` for a packet of ``length`` bytes."""
    if feed == _DERIBIT_LEGACY:
        if length < deribit_legacy.PACKET_HEADER:
            return BAD
        line = line_of(engine, feed, venue, packet)
        if is_duplicate(line, deribit_legacy.position_of(line, packet) + 1):
            return OLD
        return GOOD if deribit_legacy.check(packet, length) else BAD
    if length < starbase.PACKET_HEADER:
        return BAD
    return _check_numbered(line_of(engine, feed, venue, packet), feed, packet, length)


@part
def _apply_numbered(engine: int, line: int, feed: int, venue: int, packet: int) -> None:
    number, count, old = load_i64(packet, starbase.SEQUENCE), _count_of(feed, packet), 0
    if line != 0:
        old = place_messages(engine, line, venue, number, count)
    message = packet + starbase.PACKET_HEADER
    for index in range(count):
        applied = False
        if line != 0 and index >= old:
            if feed == _STARBASE:
                applied = starbase.take_message(engine, line, venue, message, number + index)
                ends = starbase.ends_transaction(message)
            else:
                applied = coinbase_derivatives.take_message(engine, line, venue, message, number + index)
                ends = coinbase_derivatives.ends_transaction(message)
            if ends:
                end_transaction(engine, line, venue, number + index)
        state.bump(engine, state.MESSAGES if applied else state.SKIPPED_MESSAGES)
        message += load_u16(message, 0)


@shared
def apply(engine: int, feed: int, venue: int, packet: int, length: int) -> None:
    """Place a packet that ``check`` called ``GOOD`` in its line, and apply its messages, within a step."""
    line = line_of(engine, feed, venue, packet)
    header = deribit_legacy.PACKET_HEADER if feed == _DERIBIT_LEGACY else starbase.PACKET_HEADER
    if length == header:
        state.bump(engine, state.HEARTBEATS)
    if feed != _DERIBIT_LEGACY:
        _apply_numbered(engine, line, feed, venue, packet)
        return
    position = deribit_legacy.position_of(line, packet)
    if line != 0:
        deribit_legacy.place(engine, line, position)
    deribit_legacy.apply(engine, line, venue, packet, length, position)
