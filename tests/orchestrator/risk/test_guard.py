"""RUNNING, PAUSED, HALTED: what leads from one to the other."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import Rejected
from market.orders.kinds import Side
from orchestrator.risk.checks.gate import CLOSING_TAG, ExceptClosing, TradingGate
from orchestrator.risk.commitments import Commitments
from orchestrator.risk.guard import EVERYWHERE, Guard, GuardState, Reason, Scope
from tests.orchestrator.risk.floor import BTC, FUTURES, SPOT, Floor, floor

CLEAR_NS = 100


def guard() -> Guard:
    return Guard(CLEAR_NS)


def gated(now: Guard) -> Floor:
    small = floor()
    small.checks = [TradingGate(lambda: now, Commitments(0))]
    return small


def test_a_condition_pauses_until_it_has_been_gone_for_a_while() -> None:
    paused = guard().saw(Reason.SPREAD, EVERYWHERE, "too wide", 10)
    assert (paused.state, paused.pauses[Reason.SPREAD, EVERYWHERE].since_ns) == (GuardState.PAUSED, 10)
    assert paused.saw(Reason.SPREAD, EVERYWHERE, "wider still", 20) is paused
    gone = paused.saw(Reason.SPREAD, EVERYWHERE, "", 30)
    assert gone.saw(Reason.SPREAD, EVERYWHERE, "", 129).state is GuardState.PAUSED
    assert gone.saw(Reason.SPREAD, EVERYWHERE, "", 130).state is GuardState.RUNNING
    again = gone.saw(Reason.SPREAD, EVERYWHERE, "too wide", 120)
    assert again.saw(Reason.SPREAD, EVERYWHERE, "", 140).saw(Reason.SPREAD, EVERYWHERE, "", 239).pauses
    assert again.pauses[Reason.SPREAD, EVERYWHERE].since_ns == 10


@pytest.mark.parametrize("reason", [Reason.LOSS, Reason.RECONCILIATION, Reason.OPERATOR])
def test_some_pauses_wait_for_a_person(reason: Reason) -> None:
    paused = guard().saw(reason, EVERYWHERE, "enough", 10).saw(reason, EVERYWHERE, "", 10_000)
    assert paused.state is GuardState.PAUSED
    assert paused.resume().state is GuardState.RUNNING


def test_resuming_does_not_end_a_pause_whose_cause_may_be_there() -> None:
    both = guard().saw(Reason.OPERATOR, EVERYWHERE, "lunch", 1).saw(Reason.LIQUIDITY, Scope(SPOT, BTC), "thin", 1)
    assert [reason for reason, _ in both.resume().pauses] == [Reason.LIQUIDITY]
    with pytest.raises(Rejected, match="trading was PAUSED; expected a halt or a pause that waits for a person"):
        both.resume().resume()
    with pytest.raises(Rejected, match="trading was RUNNING"):
        guard().resume()


def test_a_second_halt_can_only_add_the_closing() -> None:
    halted = guard().halt("first", 1, closes=False)
    again = halted.halt("second", 2, closes=True)
    assert again.halted is not None
    assert (again.halted.detail, again.halted.since_ns, again.halted.closes) == ("first", 1, True)
    assert again.halt("third", 3, closes=False) is again


def test_a_pause_stops_new_risk_where_it_applies() -> None:
    small = gated(guard().saw(Reason.LIQUIDITY, Scope(SPOT, BTC), "thin", 1))
    assert "paused for liquidity, thin" in small.place(small.intent()).reason
    assert small.place(small.intent(key=(BTC, FUTURES))).is_working
    everywhere = gated(guard().saw(Reason.CLOCK_DRIFT, EVERYWHERE, "late", 1))
    assert not everywhere.place(everywhere.intent(key=(BTC, FUTURES))).is_working


def test_a_paused_run_may_make_positions_smaller() -> None:
    small = gated(guard().saw(Reason.LOSS, EVERYWHERE, "lost", 1))
    small.hold("0.02")
    assert small.place(small.intent(Side.SELL, "0.015")).is_working
    assert not small.place(small.intent(Side.SELL, "0.006")).is_working, "with the first it would turn the position"
    assert small.place(small.intent(Side.SELL, "0.005")).is_working


def test_a_halted_run_only_closes() -> None:
    small = gated(guard().halt("enough", 1, closes=True))
    small.hold("0.02")
    assert "trading was halted, enough" in small.place(small.intent(Side.SELL, "0.02")).reason
    assert small.place(small.intent(Side.SELL, "0.02", price="", tag=CLOSING_TAG)).is_working


def test_closing_orders_close_and_nothing_else() -> None:
    small = gated(guard())
    small.hold("0.02")
    for intent in (
        small.intent(Side.BUY, "0.01", tag=CLOSING_TAG),
        small.intent(Side.SELL, "0.03", tag=CLOSING_TAG),
        small.intent(Side.SELL, "0.01", tag=CLOSING_TAG, key=(BTC, FUTURES)),
    ):
        assert "expected at most the" in small.place(intent).reason


def test_rules_do_not_stand_in_the_way_of_closing() -> None:
    def refuse(intent: object, view: object) -> None:
        raise Rejected("no")

    small = floor([ExceptClosing(refuse)])
    assert small.place(small.intent(tag=CLOSING_TAG)).is_working
    assert small.place(small.intent()).reason == "no"


STEPS = st.one_of(
    st.tuples(st.just("saw"), st.sampled_from(list(Reason)), st.sampled_from(["", "bad"])),
    st.tuples(st.just("halt"), st.just(Reason.LOSS), st.sampled_from(["", "closes"])),
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(STEPS, max_size=30), st.lists(STEPS, max_size=30))
def test_halt_always_halts(before: list[tuple[str, Reason, str]], after: list[tuple[str, Reason, str]]) -> None:
    """Whatever happened before and whatever happens after: until a person resumes, the run is halted."""

    def take(now: Guard, steps: list[tuple[str, Reason, str]], start_ns: int) -> Guard:
        for number, (what, reason, text) in enumerate(steps):
            if what == "halt":
                now = now.halt("halt", start_ns + number, closes=bool(text))
            else:
                now = now.saw(reason, EVERYWHERE, text, start_ns + 1_000 * number)
        return now

    halted = take(take(guard(), before, 0).halt("stop", 50, closes=False), after, 100_000)
    assert halted.state is GuardState.HALTED
    small = gated(halted)
    small.hold("0.02")
    small.place(small.intent())
    small.place(small.intent(Side.SELL, "0.01"))
    assert small.sent == ["holder-d1-1-0"]
    assert halted.resume().halted is None
