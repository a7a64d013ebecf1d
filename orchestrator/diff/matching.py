"""Which order of a run belongs to which of its backtest.

Orders of one strategy, market and side can belong together. First those that were decided at the same record with the
same terms, then at the same record with others, then those with the same terms at most a second apart, then any at
most a second apart; each time the nearest in time first. Ids do not count: after one order more or less, all numbers
of a strategy's decisions are others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.diff.story import Told

WINDOW_NS: Final = 1_000_000_000
"""Decisions that are further apart are not the same one."""


class Likeness(StrEnum):
    """How far two decisions agree."""

    SAME = "same decision"
    OTHER_TIME = "same terms, decided at another record"
    OTHER_TERMS = "other terms"
    ONLY_RUN = "only in the run"
    ONLY_BACKTEST = "only in the backtest"


@dataclass(frozen=True)
class Pair:
    """An order of the run and that of the backtest; one of them may be missing."""

    run: Told | None
    backtest: Told | None
    likeness: Likeness

    @property
    def name(self) -> str:
        """The run's id of the order, else the backtest's."""
        return self.one.order.client_order_id

    @property
    def one(self) -> Told:
        """The order of the run, else that of the backtest."""
        told = self.run or self.backtest
        assert told is not None
        return told

    @property
    def record_ns(self) -> int:
        """The newest record at the earlier of the decisions."""
        return min(told.record_ns for told in (self.run, self.backtest) if told is not None)

    @property
    def decided_ns(self) -> int:
        """When it was decided in the run, else in the backtest."""
        return self.one.intent.decided_ns


def match(run: Sequence[Told], backtest: Sequence[Told]) -> list[Pair]:
    """Every order of both in one pair, in the order of their decisions.

    Orders of earlier runs count where something became of them in this one.
    """
    pairs: list[Pair] = []
    groups: dict[tuple[object, ...], tuple[list[Told], list[Told]]] = {}
    for side, orders in enumerate((run, backtest)):
        for told in orders:
            if told.is_taken_over and not told.lines:
                continue
            groups.setdefault(_group(told), ([], []))[side].append(told)
    for ours, theirs in groups.values():
        pairs += _matched(ours, theirs)
    return sorted(pairs, key=lambda pair: (pair.decided_ns, pair.one.place))


def _matched(ours: list[Told], theirs: list[Told]) -> Iterable[Pair]:
    for likeness, key in _STEPS:
        for one, other in _nearest(ours, theirs, key):
            ours.remove(one)
            theirs.remove(other)
            yield Pair(one, other, likeness)
    yield from (Pair(told, None, Likeness.ONLY_RUN) for told in ours)
    yield from (Pair(None, told, Likeness.ONLY_BACKTEST) for told in theirs)


def _nearest(
    ours: Sequence[Told], theirs: Sequence[Told], key: Callable[[Told], object]
) -> list[tuple[Told, Told]]:  # fmt: skip
    """Couples with equal keys at most the window apart, the nearest in time first."""
    by_key: dict[object, list[Told]] = {}
    for told in theirs:
        by_key.setdefault(key(told), []).append(told)
    found = [
        (apart, one.place, other.place, one, other)
        for one in ours
        for other in by_key.get(key(one), ())
        if (apart := abs(one.record_ns - other.record_ns)) <= WINDOW_NS and one.is_taken_over == other.is_taken_over
    ]
    couples: list[tuple[Told, Told]] = []
    used: set[int] = set()
    for _, _, _, one, other in sorted(found, key=lambda each: each[:3]):
        if id(one) not in used and id(other) not in used:
            used |= {id(one), id(other)}
            couples.append((one, other))
    return couples


def _group(told: Told) -> tuple[object, ...]:
    intent = told.intent
    return intent.cause.strategy, intent.instrument, intent.venue, intent.side


def terms(told: Told) -> tuple[object, ...]:
    """What was ordered."""
    intent = told.intent
    return (
        intent.type,
        intent.time_in_force,
        intent.quantity,
        intent.limit_price,
        intent.stop_price,
        intent.post_only,
        intent.reduce_only,
    )


_STEPS: Final[Sequence[tuple[Likeness, Callable[[Told], object]]]] = (
    (Likeness.SAME, lambda told: (told.record_ns, told.intent.cause.origin, terms(told))),
    (Likeness.OTHER_TERMS, lambda told: (told.record_ns, told.intent.cause.origin)),
    (Likeness.OTHER_TIME, terms),
    (Likeness.OTHER_TERMS, lambda told: None),
)
