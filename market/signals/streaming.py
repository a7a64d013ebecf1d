"""All signals of one market, fed from its events in one pass.

A larger kernel calls ``before_update``, ``on_top``, ``on_withdrawn``, ``on_trade`` and ``on_book`` as things happen
and ``read`` when it decides; ``record_intake`` does the calling for decoded records. Each call takes the event's
receive time; windows end at the newest one. ``advance`` lets time pass without an event.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from market.book.book import FRESH, LAST_ID, RULE, SYNCHRONISED, ask_side, bid_side
from market.book.continuity import APPLY, judge
from market.native.kernel import inline, part
from market.native.memory import get, put
from market.signals import bursts, cancellations, flow, iceberg, markouts, profile, vpin
from market.signals.admission import admit_time, admit_top, admit_trade
from market.signals.aggressor import classify, sign_of
from market.signals.bursts import BurstSettings, burst_time, burst_trade
from market.signals.cancellations import (
    CancellationSettings,
    cancellation_time,
    cancellation_trade,
    cancellation_update,
)
from market.signals.flow import FlowSettings, flow_time, flow_trade
from market.signals.iceberg import IcebergSettings, iceberg_top, iceberg_trade, iceberg_withdrawn
from market.signals.layout import HEADER, Words
from market.signals.markouts import MarkoutSettings, markout_mid, markout_time, markout_trade
from market.signals.profile import ProfileSettings, forget_book, profile_book
from market.signals.vpin import VpinSettings, vpin_trade

QUOTED: Final = HEADER
"""Whether there is a top of book; then the next four words hold it."""
BID: Final = HEADER + 1
BID_QUANTITY: Final = HEADER + 2
ASK: Final = HEADER + 3
ASK_QUANTITY: Final = HEADER + 4
TOPS: Final = HEADER + 5
TRADES: Final = HEADER + 6
UPDATES: Final = HEADER + 7
"""Depth updates compared with the book before they were applied."""
FLOW_AT: Final = HEADER + 8
"""Offsets in words of the signals' states."""
VPIN_AT: Final = HEADER + 9
MARKOUTS_AT: Final = HEADER + 10
ICEBERGS_AT: Final = HEADER + 11
CANCELLATIONS_AT: Final = HEADER + 12
BURSTS_AT: Final = HEADER + 13
PROFILE_AT: Final = HEADER + 14
_STATES: Final = HEADER + 16


@dataclass(frozen=True, kw_only=True)
class SignalSettings:
    """Settings of all signals of one market; VPIN's bucket has no default because it depends on the instrument."""

    vpin: VpinSettings
    flow: FlowSettings = field(default_factory=FlowSettings)
    markouts: MarkoutSettings = field(default_factory=MarkoutSettings)
    icebergs: IcebergSettings = field(default_factory=IcebergSettings)
    cancellations: CancellationSettings = field(default_factory=CancellationSettings)
    bursts: BurstSettings = field(default_factory=BurstSettings)
    profile: ProfileSettings = field(default_factory=ProfileSettings)


def new_state(settings: SignalSettings) -> Words:
    """State of all signals before the first event, one int64 array; about 2 MB with the defaults."""
    states = {
        FLOW_AT: flow.new_state(settings.flow),
        VPIN_AT: vpin.new_state(settings.vpin),
        MARKOUTS_AT: markouts.new_state(settings.markouts),
        ICEBERGS_AT: iceberg.new_state(settings.icebergs),
        CANCELLATIONS_AT: cancellations.new_state(settings.cancellations),
        BURSTS_AT: bursts.new_state(settings.bursts),
        PROFILE_AT: profile.new_state(settings.profile),
    }
    signals = np.concatenate([np.zeros(_STATES, dtype=np.int64), *states.values()])
    at = _STATES
    for word, state in states.items():
        signals[word] = at
        at += len(state)
    return signals


@inline
def state_at(signals: int, word: int) -> int:
    """Address of one signal's state, by the word that holds its offset."""
    return signals + 8 * get(signals, word)


@inline
def doubled_mid(signals: int) -> int:
    """bid + ask in ticks; 0 without a top of book."""
    return get(signals, BID) + get(signals, ASK) if get(signals, QUOTED) != 0 else 0


@inline
def advance(signals: int, time_ns: int) -> int:
    """Let time pass: windows move on, markouts that are due settle. Returns the time that counts."""
    now = admit_time(signals, time_ns)
    flow_time(state_at(signals, FLOW_AT), now)
    markout_time(state_at(signals, MARKOUTS_AT), now)
    cancellation_time(state_at(signals, CANCELLATIONS_AT), now)
    burst_time(state_at(signals, BURSTS_AT), now)
    return now


@inline
def _withdraw(signals: int) -> None:
    put(signals, QUOTED, 0)
    markout_mid(state_at(signals, MARKOUTS_AT), 0)
    iceberg_withdrawn(state_at(signals, ICEBERGS_AT))


@part
def on_withdrawn(signals: int, time_ns: int) -> None:
    """There is no top of book any more, and no synchronised book."""
    advance(signals, time_ns)
    _withdraw(signals)
    forget_book(state_at(signals, PROFILE_AT))


@part
def on_top(signals: int, bid: int, bid_quantity: int, ask: int, ask_quantity: int, time_ns: int) -> None:
    """Take a top of book in ticks and lots. One that is refused leaves none."""
    advance(signals, time_ns)
    if not admit_top(signals, bid, bid_quantity, ask, ask_quantity):
        _withdraw(signals)
        return
    put(signals, TOPS, get(signals, TOPS) + 1)
    put(signals, QUOTED, 1)
    put(signals, BID, bid)
    put(signals, BID_QUANTITY, bid_quantity)
    put(signals, ASK, ask)
    put(signals, ASK_QUANTITY, ask_quantity)
    markout_mid(state_at(signals, MARKOUTS_AT), bid + ask)
    iceberg_top(state_at(signals, ICEBERGS_AT), bid, bid_quantity, ask, ask_quantity)


@part
def on_trade(signals: int, price: int, quantity: int, aggressor: int, time_ns: int) -> None:
    """Take a trade in ticks and lots; without a flag the quote rule finds its aggressor. A refused one is skipped."""
    now = advance(signals, time_ns)
    if not admit_trade(signals, price, quantity, aggressor):
        return
    put(signals, TRADES, get(signals, TRADES) + 1)
    side = classify(aggressor, price, doubled_mid(signals))
    flow_trade(state_at(signals, FLOW_AT), quantity, side, now)
    vpin_trade(state_at(signals, VPIN_AT), quantity, side)
    markout_trade(state_at(signals, MARKOUTS_AT), sign_of(side), now)
    iceberg_trade(state_at(signals, ICEBERGS_AT), price, quantity, side)
    cancellation_trade(state_at(signals, CANCELLATIONS_AT), price, quantity, side, now)
    burst_trade(state_at(signals, BURSTS_AT), now)


@part
def before_update(
    signals: int,
    book: int,
    first: int,
    last: int,
    previous: int,
    bids: int,
    bid_count: int,
    asks: int,
    ask_count: int,
    time_ns: int,
) -> None:
    """See a depth update before its book takes it, with the same arguments as ``on_diff``.

    One that the book will drop, keep for later or take as a gap counts for nothing.
    """
    now = advance(signals, time_ns)
    fresh = get(book, FRESH) != 0
    if (
        get(book, SYNCHRONISED) != 0
        and judge(get(book, RULE), fresh, get(book, LAST_ID), first, last, previous) == APPLY
    ):
        put(signals, UPDATES, get(signals, UPDATES) + 1)
        state = state_at(signals, CANCELLATIONS_AT)
        cancellation_update(state, bid_side(book), bids, bid_count, ask_side(book), asks, ask_count, now)


@part
def on_book(signals: int, book: int) -> None:
    """Look at the book after an update, if it is synchronised."""
    if get(book, SYNCHRONISED) != 0:
        profile_book(state_at(signals, PROFILE_AT), book)
    else:
        forget_book(state_at(signals, PROFILE_AT))
