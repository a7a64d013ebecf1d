"""A datagram as a step: the feed of its channel checks all of it, then its events are applied."""

from __future__ import annotations

from typing import Final

from market.fastpath import state
from market.fastpath.event_log import log_bytes
from market.fastpath.feeds import binance, packets
from market.fastpath.feeds.verdict import BAD, GOOD, OLD
from market.fastpath.specification import DropReason, Feed, StepKind
from market.fastpath.steps import begin_step, end_step, hear_venue
from market.native.kernel import inline, part
from market.native.memory import get

TRIGGERS_MOST: Final = 64
"""A datagram of any feed makes fewer triggers: a message that changes a book has at least 32 bytes, which makes 45, and
each of at most 16 books may have an event left over from the datagram before."""
TAKEN: Final = -1
_BAD_MESSAGE: Final = int(DropReason.BAD_MESSAGE)
_DUPLICATE: Final = int(DropReason.DUPLICATE)
_BINANCE_SBE: Final = int(Feed.BINANCE_SBE)
_DATAGRAM: Final = int(StepKind.DATAGRAM)


@inline
def count_drop(engine: int, reason: int) -> int:
    """Count a dropped frame by its ``DropReason``; returns the reason."""
    state.bump(engine, state.DROPS + reason)
    return reason


@part
def datagram(engine: int, channel: int, payload: int, length: int, time_ns: int) -> int:
    """One UDP payload on a channel in use, received at ``time_ns``; returns ``TAKEN`` or a ``DropReason``.

    Appends at most ``TRIGGERS_MOST`` triggers and a status, for which the caller has made sure that
    there is room.
    """
    row = state.channel_row(engine, channel)
    feed, venue = get(row, state.CHANNEL_FEED), get(row, state.CHANNEL_VENUE)
    is_message = feed == _BINANCE_SBE
    verdict = binance.check(payload, length) if is_message else packets.check(engine, feed, venue, payload, length)
    if verdict == BAD:
        return count_drop(engine, _BAD_MESSAGE)
    if verdict == OLD:
        return count_drop(engine, _DUPLICATE)
    begin_step(engine, time_ns)
    hear_venue(engine, venue)
    log_bytes(engine, _DATAGRAM, channel, payload, length)
    if not is_message:
        packets.apply(engine, feed, venue, payload, length)
    elif verdict == GOOD:
        state.bump(engine, state.MESSAGES)
        binance.apply(engine, get(row, state.CHANNEL_INSTRUMENT), venue, payload)
    else:
        state.bump(engine, state.SKIPPED_MESSAGES)
    end_step(engine)
    return TAKEN
