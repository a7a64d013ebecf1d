"""One event, step 7: the gate between a candidate and a trigger."""

from __future__ import annotations

from market.fastpath.reference.conditions import Leg
from market.fastpath.reference.integers import int64, wrapped
from market.fastpath.reference.state import State
from market.fastpath.specification import GateReason, Side


def room(state: State, instrument: int, leg: Leg) -> int:
    """How much more the leg's venue may buy or sell; pendings of the two sides are never netted."""
    limit = state.instruments[instrument].position_limit
    holding = state.holdings[instrument][leg.venue]
    if leg.side is Side.BUY:
        return int64(limit - holding.position - holding.pending_buy)
    return int64(limit + holding.position - holding.pending_sell)


def gate(state: State, instrument: int, legs: tuple[Leg, ...], size: int) -> GateReason | None:
    """The first check that fails, or None."""
    row = state.instruments[instrument]
    if state.killed:
        return GateReason.KILL
    if state.time > state.lease_until:
        return GateReason.LEASE
    if not row.enabled:
        return GateReason.INSTRUMENT
    if state.time < state.cooldown_until[instrument]:
        return GateReason.COOLDOWN
    if not all(row.price_low <= leg.price <= row.price_high for leg in legs):
        return GateReason.COLLAR
    if any(size > room(state, instrument, leg) for leg in legs):
        return GateReason.POSITION
    if state.rate_at > int64(state.time + state.engine.rate_tolerance):
        return GateReason.RATE
    return None


def pass_gate(state: State, instrument: int, legs: tuple[Leg, ...], size: int) -> None:
    """What a passed candidate uses up: an id, rate, cooldown and room."""
    state.last_id = wrapped(state.last_id + 1)
    state.rate_at = int64(max(state.rate_at, state.time) + state.engine.rate_interval)
    state.cooldown_until[instrument] = int64(state.time + state.instruments[instrument].cooldown)
    for leg in legs:
        holding = state.holdings[instrument][leg.venue]
        if leg.side is Side.BUY:
            holding.pending_buy = int64(holding.pending_buy + size)
        else:
            holding.pending_sell = int64(holding.pending_sell + size)
