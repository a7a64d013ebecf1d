"""A datagram as a step: the feed of its channel checks all of it, then its events are applied."""

from __future__ import annotations

from typing import Final

from market.fastpath import state
from market.fastpath.event_log import log_bytes
from market.fastpath.feeds import binance
from market.fastpath.feeds.verdict import BAD, GOOD
from market.fastpath.specification import DropReason, Feed, StepKind
from market.fastpath.steps import begin_step, end_step, hear_venue
from market.native.kernel import inline, part
from market.native.memory import get

TRIGGERS_MOST: Final = 64
"""A datagram of any feed makes fewer triggers: a message that makes a quote event has at least 24 bytes."""
TAKEN: Final = -1
_BAD_MESSAGE: Final = int(DropReason.BAD_MESSAGE)
_BINANCE_SBE: Final = int(Feed.BINANCE_SBE)
_DATAGRAM: Final = int(StepKind.DATAGRAM)


@inline
def count_drop(engine: int, reason: int) -> int:
    """Count a dropped frame by its ``DropReason``; returns the reason."""
    state.bump(engine, state.DROPS + reason)
    return reason


@inline
def check(feed: int, payload: int, length: int) -> int:
    """The feed's verdict; a feed without a decoder calls every datagram bad."""
    if feed == _BINANCE_SBE:
        return binance.check(payload, length)
    return BAD


@inline
def apply(engine: int, feed: int, instrument: int, venue: int, payload: int) -> None:
    """The events of a datagram that its feed called good."""
    if feed == _BINANCE_SBE:
        binance.apply(engine, instrument, venue, payload)


@part
def datagram(engine: int, channel: int, payload: int, length: int, time_ns: int) -> int:
    """One UDP payload on a channel in use, received at ``time_ns``; returns ``TAKEN`` or a ``DropReason``.

    Appends at most ``TRIGGERS_MOST`` triggers and a status, for which the caller has made sure that
    there is room.
    """
    row = state.channel_row(engine, channel)
    feed, venue = get(row, state.CHANNEL_FEED), get(row, state.CHANNEL_VENUE)
    verdict = check(feed, payload, length)
    if verdict == BAD:
        return count_drop(engine, _BAD_MESSAGE)
    begin_step(engine, time_ns)
    hear_venue(engine, venue)
    log_bytes(engine, _DATAGRAM, channel, payload, length)
    if verdict == GOOD:
        state.bump(engine, state.MESSAGES)
        apply(engine, feed, get(row, state.CHANNEL_INSTRUMENT), venue, payload)
    else:
        state.bump(engine, state.SKIPPED_MESSAGES)
    end_step(engine)
    return TAKEN
