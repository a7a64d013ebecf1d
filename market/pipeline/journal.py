"""What a run keeps for looking at afterwards: quotes, opportunities as they open and close, processing times.

Nothing here decides anything; each part can be left out.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from market.fastpath import state
from market.fastpath.specification import Kind
from market.native.kernel import inline, shared
from market.native.memory import get, leading_zeros, put, trailing_zeros
from market.pipeline import layout
from market.wire.records import Rows, Words

_ARB: Final = int(Kind.ARB)
_BASIS: Final = int(Kind.BASIS)
_IMBALANCE: Final = int(Kind.IMBALANCE)
_SUB_BITS: Final = 4
_NOBODY: Final = -1


class Journal:
    """Arrays that a run fills, drained by Python between runs.

    Parameters
    ----------
    quotes: room for quote rows (``layout.QUOTE_ROW`` columns), 0 to keep none.
    changes: room for opportunity changes (``layout.CHANGE_ROW`` columns), 0 to keep none.
    """

    def __init__(self, quotes: int = 0, changes: int = 0) -> None:
        self.words: Words = np.zeros(layout.JOURNAL_WORDS, dtype=np.int64)
        self._quotes: Rows = np.zeros((quotes, layout.QUOTE_ROW), dtype=np.int64)
        self._changes: Rows = np.zeros((changes, layout.CHANGE_ROW), dtype=np.int64)
        self.words[layout.QUOTES] = self._quotes.ctypes.data if quotes else 0
        self.words[layout.QUOTES_CAPACITY] = quotes
        self.words[layout.CHANGES] = self._changes.ctypes.data if changes else 0
        self.words[layout.CHANGES_CAPACITY] = changes

    def take_quotes(self) -> Rows:
        """Quote rows since the last call."""
        used = int(self.words[layout.QUOTES_USED])
        self.words[layout.QUOTES_USED] = 0
        return self._quotes[:used].copy()

    def take_changes(self) -> Rows:
        """Opportunity changes since the last call."""
        used = int(self.words[layout.CHANGES_USED])
        self.words[layout.CHANGES_USED] = 0
        return self._changes[:used].copy()

    @property
    def histogram(self) -> Words:
        """Messages by processing time: buckets of ``bucket_floor``."""
        return self.words[layout.HISTOGRAM :]


def bucket_floor(bucket: int) -> int:
    """Smallest value of a histogram bucket: 16 buckets per power of two."""
    exponent, fraction = bucket >> _SUB_BITS, bucket & ((1 << _SUB_BITS) - 1)
    return fraction if exponent == 0 else ((1 << _SUB_BITS) + fraction) << (exponent - 1)


def quantile(histogram: Words, fraction: float) -> int | None:
    """Smallest value of the bucket in which a fraction of all durations is reached; None for an empty histogram."""
    total = int(histogram.sum())
    if total == 0:
        return None
    return bucket_floor(int(np.searchsorted(np.cumsum(histogram), max(1, np.ceil(fraction * total)))))


@inline
def count_duration(journal: int, duration: int) -> None:
    """Count one duration in the histogram; durations below 0 count as 0."""
    slot = layout.HISTOGRAM + max(duration, 0)
    if duration >= 1 << _SUB_BITS:
        shift = 63 - _SUB_BITS - leading_zeros(duration)
        slot = layout.HISTOGRAM + (shift << _SUB_BITS) + (duration >> shift)
    put(journal, slot, get(journal, slot) + 1)


@inline
def has_journal_room(journal: int) -> bool:
    """Whether one more event finds room."""
    quotes = get(journal, layout.QUOTES) == 0 or get(journal, layout.QUOTES_USED) < get(journal, layout.QUOTES_CAPACITY)
    changes_left = get(journal, layout.CHANGES_CAPACITY) - get(journal, layout.CHANGES_USED)
    return quotes and (get(journal, layout.CHANGES) == 0 or changes_left >= layout.CHANGES_PER_EVENT)


@shared
def keep_quote(journal: int, engine: int, instrument: int, venue: int) -> None:
    """Append the venue's quote as the engine holds it now."""
    if get(journal, layout.QUOTES) == 0:
        return
    quote = state.quote_of(state.instrument_row(engine, instrument), venue)
    used = get(journal, layout.QUOTES_USED)
    row = get(journal, layout.QUOTES) + 8 * layout.QUOTE_ROW * used
    valid = get(quote, state.VALID)
    put(row, 0, get(engine, state.TIME))
    put(row, 1, instrument)
    put(row, 2, venue)
    put(row, 3, get(quote, state.SEQUENCE))
    put(row, 4, get(quote, state.BID))
    put(row, 5, get(quote, state.BID_QUANTITY) if valid != 0 else 0)
    put(row, 6, get(quote, state.ASK))
    put(row, 7, get(quote, state.ASK_QUANTITY) if valid != 0 else 0)
    put(journal, layout.QUOTES_USED, used + 1)


@shared
def _keep_change(journal: int, time_ns: int, instrument: int, kind: int, seller: int, buyer: int, opened: int) -> None:
    used = get(journal, layout.CHANGES_USED)
    row = get(journal, layout.CHANGES) + 8 * layout.CHANGE_ROW * used
    put(row, 0, time_ns)
    put(row, 1, instrument)
    put(row, 2, kind)
    put(row, 3, seller)
    put(row, 4, buyer)
    put(row, 5, opened)
    put(journal, layout.CHANGES_USED, used + 1)


@inline
def _keep_pairs(
    journal: int, time_ns: int, instrument: int, kind: int, venue: int, sells: int, before: int, now: int
) -> None:
    """Append the pairs whose bit changed; ``sells`` tells which end of the pair the venue is."""
    changed = before ^ now
    while changed != 0:
        other = trailing_zeros(changed)
        changed &= changed - 1
        opened = (now >> other) & 1
        seller, buyer = (venue, other) if sells else (other, venue)
        _keep_change(journal, time_ns, instrument, kind, seller, buyer, opened)


@shared
def keep_changes(
    journal: int,
    engine: int,
    instrument: int,
    venue: int,
    arb_sell: int,
    arb_buy: int,
    basis_sell: int,
    basis_buy: int,
    imbalance: int,
) -> None:
    """Append what opened or closed in the venue's event, given its bits before the event."""
    quote = state.quote_of(state.instrument_row(engine, instrument), venue)
    time_ns = get(engine, state.TIME)
    _keep_pairs(journal, time_ns, instrument, _ARB, venue, True, arb_sell, get(quote, state.ARB_SELL))
    _keep_pairs(journal, time_ns, instrument, _ARB, venue, False, arb_buy, get(quote, state.ARB_BUY))
    _keep_pairs(journal, time_ns, instrument, _BASIS, venue, True, basis_sell, get(quote, state.BASIS_SELL))
    _keep_pairs(journal, time_ns, instrument, _BASIS, venue, False, basis_buy, get(quote, state.BASIS_BUY))
    changed = imbalance ^ get(quote, state.IMBALANCE_ON)
    if changed & 1 != 0:
        _keep_change(journal, time_ns, instrument, _IMBALANCE, _NOBODY, venue, get(quote, state.IMBALANCE_ON) & 1)
    if changed & 2 != 0:
        _keep_change(journal, time_ns, instrument, _IMBALANCE, venue, _NOBODY, get(quote, state.IMBALANCE_ON) >> 1)
