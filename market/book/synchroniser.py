"""Joining snapshots and diffs into a book that is right or says that it is not.

Diffs that come before a snapshot are kept and applied after it; the first that is kept must straddle
it. A gap withdraws the quote until a new snapshot joins. A book that is crossed after an update is
mended from the venue's own newer best prices, and given up when that does not help.
"""

from __future__ import annotations

from typing import Final

from market.book.book import (
    ASKS_AT_MOST,
    BIDS_AT_MOST,
    BUFFER,
    BUFFER_OVERFLOWS,
    BUFFER_USED,
    BUFFER_WORDS,
    BUFFERED,
    CHECKSUM_STYLE,
    CROSSED,
    DEPTH_LIMIT,
    DIFFS,
    FRESH,
    GAPS,
    IN_BAND,
    LAST_ID,
    PRUNED,
    QUOTED,
    RESYNCS,
    RULE,
    SHAPE,
    SNAPSHOT_CHECKS,
    SNAPSHOT_EQUAL,
    SNAPSHOTS,
    STALE,
    STALE_SNAPSHOTS,
    STARTED,
    STATED_ASK,
    STATED_BID,
    STATED_ID,
    SYNCHRONISED,
    TRUNCATED,
    UNJOINED,
    apply_levels,
    ask_side,
    bid_side,
    clear_levels,
    count,
    equals_levels,
    forget_numbers,
    keep_centred,
    lost_levels,
)
from market.book.checksum import verify
from market.book.continuity import APPLY, CHAINED, DROP, GAP, UNNUMBERED, judge
from market.book.ladder import NO_PRICE, best_tick, level_count, set_level, truncate
from market.book.top import CHANGED, SAME, WITHDRAWN, take_from_book, withdraw
from market.native.kernel import inline, part, shared
from market.native.memory import get, put
from market.wire.levels import unpack_shape, wider_shape

_BUFFERED_HEADER: Final = 5


@shared
def _buffer(
    book: int, first: int, last: int, previous: int, bids: int, bid_count: int, asks: int, ask_count: int
) -> None:
    """Keep a diff until a snapshot comes; when there is no room the older ones are given up."""
    words = _BUFFERED_HEADER + 2 * (bid_count + ask_count)
    used = get(book, BUFFER_USED)
    if used + words > BUFFER_WORDS:
        count(book, BUFFER_OVERFLOWS)
        put(book, BUFFERED, 0)
        used = 0
    if words <= BUFFER_WORDS:
        at = book + 8 * (BUFFER + used)
        put(at, 0, first)
        put(at, 1, last)
        put(at, 2, previous)
        put(at, 3, bid_count)
        put(at, 4, ask_count)
        for word in range(2 * bid_count):
            put(at, _BUFFERED_HEADER + word, get(bids, word))
        for word in range(2 * ask_count):
            put(at, _BUFFERED_HEADER + 2 * bid_count + word, get(asks, word))
        put(book, BUFFERED, get(book, BUFFERED) + 1)
        used += words
    put(book, BUFFER_USED, used)


@shared
def _lose(book: int) -> int:
    """The book is no longer known: nothing is quoted until a snapshot joins."""
    put(book, SYNCHRONISED, 0)
    return withdraw(book)


@shared
def _prune_crossed(book: int) -> None:
    """Drop levels beyond the best prices that the venue itself stated last."""
    bids = bid_side(book)
    asks = ask_side(book)
    while best_tick(bids) > get(book, STATED_BID):
        set_level(bids, best_tick(bids), 0)
        count(book, PRUNED)
    while best_tick(asks) != NO_PRICE and best_tick(asks) < get(book, STATED_ASK):
        set_level(asks, best_tick(asks), 0)
        count(book, PRUNED)


@inline
def _is_crossed(book: int) -> bool:
    bid = best_tick(bid_side(book))
    ask = best_tick(ask_side(book))
    return bid != NO_PRICE and ask != NO_PRICE and bid >= ask


@inline
def _mend(book: int) -> bool:
    """Whether the book is usable after an update, mending a crossed one if the venue's quote tells how."""
    if _is_crossed(book):
        count(book, CROSSED)
        if get(book, STATED_ID) >= 0:
            _prune_crossed(book)
        if _is_crossed(book):
            return False
    return lost_levels(book) == 0


@inline
def _cut(book: int, side: int, at_most: int, added: int, limit: int) -> None:
    """Cut a side to a depth; its levels are counted only when there may be too many."""
    bound = get(book, at_most) + added
    if bound > limit:
        keep_centred(book)
        dropped = truncate(side, limit)
        put(book, TRUNCATED, get(book, TRUNCATED) + dropped)
        bound = limit if dropped > 0 else level_count(side)
    put(book, at_most, bound)


@shared
def _keep_depth(book: int, bids: int, asks: int) -> None:
    """Drop what lies beyond the depth subscribed to, as set or as the messages say, after so many levels were set."""
    _, _, stated = unpack_shape(get(book, SHAPE))
    limit = get(book, DEPTH_LIMIT) if get(book, DEPTH_LIMIT) > 0 else stated
    if limit > 0:
        _cut(book, bid_side(book), BIDS_AT_MOST, bids, limit)
        _cut(book, ask_side(book), ASKS_AT_MOST, asks, limit)


@part
def _take_levels(
    book: int, last: int, bids: int, bid_count: int, asks: int, ask_count: int, checksum: int, shape: int
) -> bool:
    """Set the levels of an update and check the result; false when it is not usable."""
    if last < get(book, LAST_ID):
        forget_numbers(book)
    apply_levels(book, bids, bid_count, asks, ask_count)
    put(book, LAST_ID, last)
    matches = True
    if get(book, CHECKSUM_STYLE) != 0:
        put(book, SHAPE, wider_shape(get(book, SHAPE), shape))
        _keep_depth(book, bid_count, ask_count)
        matches = verify(book, checksum)
    usable = _mend(book)
    keep_centred(book)
    return usable and matches


@part
def _apply(
    book: int, last: int, bids: int, bid_count: int, asks: int, ask_count: int, checksum: int, shape: int
) -> bool:
    """Apply a diff that continues the book; false when the result is not usable."""
    put(book, FRESH, 0)
    return _take_levels(book, last, bids, bid_count, asks, ask_count, checksum, shape)


@shared
def _apply_buffered(book: int) -> int:
    """Apply what came before the snapshot, in order; returns the verdict of the last one: APPLY or GAP."""
    at = book + 8 * BUFFER
    for _ in range(get(book, BUFFERED)):
        bid_count = get(at, 3)
        ask_count = get(at, 4)
        fresh = get(book, FRESH) != 0
        verdict = judge(get(book, RULE), fresh, get(book, LAST_ID), get(at, 0), get(at, 1), get(at, 2))
        if verdict == GAP:
            return GAP
        if verdict == DROP:
            count(book, STALE)
        else:
            bids = at + 8 * _BUFFERED_HEADER
            if not _apply(book, get(at, 1), bids, bid_count, bids + 16 * bid_count, ask_count, -1, 0):
                return GAP
        at += 8 * (_BUFFERED_HEADER + 2 * (bid_count + ask_count))
    return APPLY


@part
def on_diff(
    book: int,
    first: int,
    last: int,
    previous: int,
    bids: int,
    bid_count: int,
    asks: int,
    ask_count: int,
    checksum: int,
    shape: int,
) -> int:
    """Take a depth update; returns SAME, CHANGED or WITHDRAWN for the top of book.

    ``bids`` and ``asks`` are addresses of rows (tick, lots); ``checksum`` and ``shape`` are the record's columns.
    """
    count(book, DIFFS)
    if get(book, SYNCHRONISED) == 0:
        if get(book, IN_BAND) != 0:
            count(book, UNJOINED)
            return SAME
        _buffer(book, first, last, previous, bids, bid_count, asks, ask_count)
        return SAME
    verdict = judge(get(book, RULE), get(book, FRESH) != 0, get(book, LAST_ID), first, last, previous)
    if verdict == DROP:
        count(book, STALE)
        return SAME
    if verdict == APPLY and _apply(book, last, bids, bid_count, asks, ask_count, checksum, shape):
        return take_from_book(book)
    count(book, GAPS)
    put(book, BUFFERED, 0)
    put(book, BUFFER_USED, 0)
    if verdict == GAP and get(book, IN_BAND) == 0:
        _buffer(book, first, last, previous, bids, bid_count, asks, ask_count)
    return _lose(book)


@shared
def on_snapshot(
    book: int, last: int, bids: int, bid_count: int, asks: int, ask_count: int, checksum: int, shape: int
) -> int:
    """Take a snapshot; returns SAME, CHANGED or WITHDRAWN for the top of book.

    Venues with exact chains repeat snapshots while the book is in step: one of the book's own update is compared with
    it and changes nothing if it is equal. An in-band snapshot replaces the book whatever its number.
    """
    count(book, SNAPSHOTS)
    if get(book, SYNCHRONISED) != 0 and get(book, RULE) == CHAINED and last == get(book, LAST_ID):
        count(book, SNAPSHOT_CHECKS)
        if equals_levels(book, bids, bid_count, asks, ask_count):
            count(book, SNAPSHOT_EQUAL)
            return SAME
    known = get(book, SYNCHRONISED) != 0 and get(book, IN_BAND) == 0
    if known and last < get(book, LAST_ID) and get(book, RULE) != UNNUMBERED:
        count(book, STALE_SNAPSHOTS)
        return SAME
    was_synchronised = get(book, SYNCHRONISED) != 0
    middle = get(bids, 0) if bid_count > 0 else get(asks, 0) if ask_count > 0 else 0
    clear_levels(book, middle)
    for slot in (SHAPE, BIDS_AT_MOST, ASKS_AT_MOST):
        put(book, slot, 0)
    put(book, FRESH, 1)
    usable = _take_levels(book, last, bids, bid_count, asks, ask_count, checksum, shape)
    if not usable or _apply_buffered(book) == GAP:
        # Too old for what has arrived since: the buffer waits for a newer one.
        count(book, GAPS)
        return _lose(book) if was_synchronised else SAME
    put(book, BUFFERED, 0)
    put(book, BUFFER_USED, 0)
    if not was_synchronised and get(book, STARTED) != 0:
        count(book, RESYNCS)
    put(book, STARTED, 1)
    put(book, SYNCHRONISED, 1)
    put(book, QUOTED, 0)
    return take_from_book(book)


@shared
def on_gap(book: int) -> int:
    """Messages are missing: the book is given up until a snapshot joins; returns SAME or WITHDRAWN."""
    if get(book, SYNCHRONISED) == 0:
        return SAME
    count(book, GAPS)
    put(book, BUFFERED, 0)
    put(book, BUFFER_USED, 0)
    return _lose(book)


__all__ = ["CHANGED", "SAME", "WITHDRAWN", "on_diff", "on_gap", "on_snapshot"]
