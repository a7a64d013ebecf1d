"""One event, step 9: the running mean of each pair's difference."""

from __future__ import annotations

from market.fastpath.reference.conditions import BASIS_BITS, doubled_mid
from market.fastpath.reference.integers import int64
from market.fastpath.reference.state import State

MOST_SAMPLES = 65_535


def sample_basis(state: State, instrument: int, v: int) -> None:
    """Sample every pair of v and another usable venue, each by itself."""
    if not state.usable(instrument, v):
        return
    for w in range(state.sizes.venues):
        if w != v and state.usable(instrument, w):
            _sample(state, instrument, min(v, w), max(v, w))


def _sample(state: State, instrument: int, a: int, b: int) -> None:
    row = state.instruments[instrument]
    basis = state.basis[instrument, a, b]
    d = doubled_mid(state, instrument, a) - doubled_mid(state, instrument, b)
    target = int64(d << BASIS_BITS)
    if basis.samples == 0:
        basis.value = target
    elif state.time - basis.sample_time >= row.basis_interval:
        basis.value = int64(basis.value + (int64(target - basis.value) >> row.basis_shift))
    else:
        return
    basis.samples = min(basis.samples + 1, MOST_SAMPLES)
    basis.sample_time = state.time
