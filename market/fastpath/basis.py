"""Part 9 of a quote event: the slow mean of the difference between two venues' doubled mid prices."""

from __future__ import annotations

from market.fastpath import state
from market.fastpath.conditions import doubled_mid
from market.fastpath.specification import BASIS_FRACTION_BITS, SAMPLES_LIMIT
from market.native.kernel import inline
from market.native.memory import get, put, trailing_zeros


@inline
def sample(pair: int, now: int, difference: int, interval: int, shift: int) -> None:
    """Take a difference into a pair's basis: the first one whole, a later one when its interval is over."""
    samples = get(pair, state.SAMPLES)
    if samples and now - get(pair, state.SAMPLE_TIME) < interval:
        return
    scaled = difference << BASIS_FRACTION_BITS
    basis = get(pair, state.BASIS)
    put(pair, state.BASIS, basis + (scaled - basis >> shift) if samples else scaled)
    put(pair, state.SAMPLES, min(samples + 1, SAMPLES_LIMIT))
    put(pair, state.SAMPLE_TIME, now)


@inline
def sample_pairs(engine: int, row: int, venue: int, comparable: int) -> None:
    """Sample every usable pair of a venue; ``comparable`` is what ``usable_venues`` found."""
    now, interval, shift = get(engine, state.TIME), get(row, state.BASIS_INTERVAL), get(row, state.BASIS_SHIFT)
    mine = doubled_mid(state.quote_of(row, venue))
    others = comparable & ~(1 << venue)
    while others:
        other = trailing_zeros(others)
        others &= others - 1
        theirs = doubled_mid(state.quote_of(row, other))
        difference = mine - theirs if venue < other else theirs - mine
        sample(state.basis_of(engine, row, venue, other), now, difference, interval, shift)
