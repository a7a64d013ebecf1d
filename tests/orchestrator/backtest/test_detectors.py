"""What detectors said in a run, against a strategy whose detector says it."""

from __future__ import annotations

from collections.abc import Sequence

from market.detector.states import Cause, Signal, State
from market.detector.transitions import Transition
from market.protocols import Intent, MarketView, Strategy, WakeCause, Wakes
from orchestrator.backtest.detectors import detector_result, stretches, transition_rows
from tests.orchestrator.backtest.test_performance import LISTING, LISTINGS


class Watcher:
    """A strategy that only watches."""

    tag = "watcher"
    wakes = Wakes(quotes=frozenset({(0, 0)}))
    standing = State.ACTIVE

    def __init__(self, transitions: Sequence[Transition]) -> None:
        self._transitions = transitions

    def take_transitions(self) -> Sequence[Transition]:
        return self._transitions

    def wake(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
        return ()


class Blind:
    """A strategy without a detector."""

    tag = "blind"
    wakes = Wakes(quotes=frozenset({(0, 0)}))

    def wake(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
        return ()


def transition(time_ns: int, before: State, after: State, cause: Cause) -> Transition:
    signals = Signal.VOLATILITY | Signal.SPREAD
    return Transition(time_ns, before, after, cause, signals, -1, -1, -1, {})


STRATEGIES: list[Strategy] = [
    Blind(),
    Watcher(
        [
            transition(130, State.SLEEP, State.ALERT, Cause.TRIGGERED),
            transition(150, State.ALERT, State.ACTIVE, Cause.CONFIRMED),
        ]
    ),
]


def test_transitions_are_rows_with_their_cause() -> None:
    first, second = transition_rows(STRATEGIES, LISTINGS)
    assert first == {
        "time_ns": 130,
        "market": str(LISTING),
        "strategy": "watcher",
        "before": "SLEEP",
        "after": "ALERT",
        "cause": "TRIGGERED",
        "signals": "VOLATILITY SPREAD",
    }
    assert (second["time_ns"], second["after"], second["cause"]) == (150, "ACTIVE", "CONFIRMED")


def test_a_detector_is_told_with_the_time_in_each_state() -> None:
    rows = transition_rows(STRATEGIES, LISTINGS)
    (found,) = detector_result(STRATEGIES, rows, LISTINGS, 100, 200)
    assert (found["strategy"], found["market"]) == ("watcher", str(LISTING))
    assert found["states_ns"] == {"SLEEP": 30, "ALERT": 20, "ACTIVE": 50, "RECOVERY": 0, "SHUTDOWN": 0}


def test_stretches_cover_the_run_once() -> None:
    assert stretches([], 5, 9, "SLEEP") == [(5, 9, "SLEEP")]
    rows = [{"time_ns": 3, "before": "SLEEP"}, {"time_ns": 7, "before": "ALERT"}, {"time_ns": 12, "before": "ACTIVE"}]
    assert stretches(rows, 5, 9, "RECOVERY") == [(5, 7, "ALERT"), (7, 9, "ACTIVE")]
