"""What the detectors of a run's strategies said: transitions as rows, and how long each state lasted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol, runtime_checkable

from market.detector.states import Signal, State
from market.detector.transitions import Transition
from market.instruments import Catalogue
from market.protocols import Strategy, Wakes
from orchestrator.backtest.states import Row

TRANSITION_COLUMNS: Final = ("time_ns", "market", "strategy", "before", "after", "cause", "signals")


@runtime_checkable
class Watching(Protocol):
    """A strategy with a detector of one market."""

    @property
    def tag(self) -> str:
        """The strategy's tag."""

    @property
    def wakes(self) -> Wakes:
        """Its one market is that of the quotes."""

    @property
    def standing(self) -> State:
        """The state of the detector."""

    def take_transitions(self) -> Sequence[Transition]:
        """Transitions that were not taken before, oldest first."""


def transition_rows(strategies: Iterable[Strategy], listings: Catalogue) -> list[Row]:
    """All transitions that were not taken before, in order of time."""
    rows: list[Row] = []
    for strategy in strategies:
        if not isinstance(strategy, Watching):
            continue
        (market,) = strategy.wakes.quotes
        name = str(listings.listing(*market))
        rows += [_row(strategy.tag, name, transition) for transition in strategy.take_transitions()]
    return sorted(rows, key=lambda row: (row["time_ns"], row["strategy"]))


def _row(strategy: str, market: str, transition: Transition) -> Row:
    return {
        "time_ns": transition.time_ns,
        "market": market,
        "strategy": strategy,
        "before": transition.before.name,
        "after": transition.after.name,
        "cause": transition.cause.name,
        "signals": " ".join(signal.name or "" for signal in Signal if signal in transition.signals),
    }


def detector_result(
    strategies: Iterable[Strategy], rows: Sequence[Row], listings: Catalogue, first_ns: int, last_ns: int
) -> list[dict[str, Any]]:
    """Each detector with the nanoseconds that it spent in each state."""
    found: list[dict[str, Any]] = []
    for strategy in strategies:
        if not isinstance(strategy, Watching):
            continue
        (market,) = strategy.wakes.quotes
        own = [row for row in rows if row["strategy"] == strategy.tag]
        lasted = dict.fromkeys((state.name for state in State), 0)
        for start_ns, end_ns, state in stretches(own, first_ns, last_ns, strategy.standing.name):
            lasted[state] += end_ns - start_ns
        name = str(listings.listing(*market))
        found.append({"strategy": strategy.tag, "market": name, "states_ns": lasted})
    return found


def stretches(rows: Sequence[Row], first_ns: int, last_ns: int, standing: str) -> list[tuple[int, int, str]]:
    """Begin, end and state of each stretch of one detector's transitions; ``standing``: its state at the end."""
    found: list[tuple[int, int, str]] = []
    start_ns = first_ns
    for row in rows:
        time_ns = min(max(row["time_ns"], start_ns), last_ns)
        if time_ns > start_ns:
            found.append((start_ns, time_ns, row["before"]))
        start_ns = time_ns
    if last_ns > start_ns:
        found.append((start_ns, last_ns, standing))
    return found
