"""Plans of faults: what may be written, and what a seed draws."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sim.faults.plan import CHANNELS, Channel, Fault, FaultKind, drawn_plan


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"kind": FaultKind.GAP, "channel": Channel.USER}, "gap can hit"),
        ({"kind": FaultKind.BAN, "channel": Channel.REQUEST}, "no single messages"),
        ({"kind": FaultKind.DELAY}, "amount_ns was 0"),
        ({"kind": FaultKind.DROP, "amount_ns": 5}, "amount_ns was 5"),
        ({"kind": FaultKind.DELAY, "amount_ns": -5}, "only a clock can be behind"),
        ({"kind": FaultKind.OUTAGE, "every_ns": 5}, "only disconnect is repeated"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(words: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Fault.model_validate(words)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(seed=st.integers(0, 2**32), duration_ns=st.integers(10**9, 10**12))
def test_a_seed_draws_one_plan_that_leaves_time_to_recover(seed: int, duration_ns: int) -> None:
    plan = drawn_plan(seed, venues=("spot", "futures"), duration_ns=duration_ns)
    assert plan == drawn_plan(seed, venues=("spot", "futures"), duration_ns=duration_ns)
    assert 1 <= len(plan.faults) <= 6
    for fault in plan.faults:
        assert fault.end_ns <= duration_ns * 4 // 5
        assert fault.channel is None or fault.channel in CHANNELS[fault.kind]


def test_seeds_draw_every_kind() -> None:
    plans = [drawn_plan(seed, venues=("spot",), duration_ns=10**10) for seed in range(60)]
    assert {fault.kind for plan in plans for fault in plan.faults} == set(FaultKind)
