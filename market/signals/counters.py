"""What the signals of one market counted: events taken and refused, and everything that a full ring left out."""

from __future__ import annotations

from enum import Enum

from market.signals import bursts, cancellations, flow, layout, markouts, profile, streaming, traded_prices, window
from market.signals.layout import Words


class Counter(Enum):
    """Counters of the streaming signals; each value is (the word of the signal's offset, or None, and the word)."""

    TOPS = (None, streaming.TOPS)
    TRADES = (None, streaming.TRADES)
    UPDATES = (None, streaming.UPDATES)
    LATE = (None, layout.LATE)
    BAD_PRICE = (None, layout.BAD_PRICE)
    BAD_QUANTITY = (None, layout.BAD_QUANTITY)
    CROSSED = (None, layout.CROSSED)
    BAD_AGGRESSOR = (None, layout.BAD_AGGRESSOR)
    FLOW_OVERFLOWS = (streaming.FLOW_AT, flow.WINDOW + window.OVERFLOWS)
    """Trades that left the flow window early."""
    CANCELLATION_OVERFLOWS = (streaming.CANCELLATIONS_AT, cancellations.WINDOW + window.OVERFLOWS)
    """Updates and trades that left the cancellation window early."""
    BID_PRICES_EVICTED = (streaming.CANCELLATIONS_AT, cancellations.BID_TABLE + traded_prices.EVICTED)
    """Traded prices that gave way to newer ones: removals there counted as cancellations."""
    ASK_PRICES_EVICTED = (streaming.CANCELLATIONS_AT, cancellations.ASK_TABLE + traded_prices.EVICTED)
    BURST_OVERFLOWS = (streaming.BURSTS_AT, bursts.OVERFLOWS)
    """Trades that left the burst window early."""
    BURSTS = (streaming.BURSTS_AT, bursts.BURSTS)
    MARKOUTS_DROPPED = (streaming.MARKOUTS_AT, markouts.DROPPED)
    """Trades not followed because the queue was full."""
    MARKOUTS_SKIPPED = (streaming.MARKOUTS_AT, markouts.SKIPPED)
    """Trades not followed because the aggressor or the mid was unknown."""
    WALKS = (streaming.PROFILE_AT, profile.WALKS)
    WALKS_TRUNCATED = (streaming.PROFILE_AT, profile.TRUNCATED)
    LEVELS_CUT = (streaming.PROFILE_AT, profile.CUTS)


def read_counters(signals: Words) -> dict[Counter, int]:
    """All counters of a market's signals, as of now."""
    found = {}
    for counter in Counter:
        offset, word = counter.value
        found[counter] = int(signals[word + (signals[offset] if offset is not None else 0)])
    return found
