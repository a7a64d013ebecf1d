"""Each pair of orders with its category and its cause."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from market.orders.events import Filled, OutcomeUnknown
from market.orders.kinds import OrderState
from market.protocols import MarketKey
from orchestrator.backtest.states import amount_of, quantity_of
from orchestrator.diff.causes import Category, Cause, Explanation
from orchestrator.diff.fills import FillJudge
from orchestrator.diff.knowledge import (
    Known,
    OtherOrder,
    OtherPosition,
    Timeline,
    compare,
    filled,
    heard_otherwise,
    timelines,
)
from orchestrator.diff.matching import Likeness, Pair, terms
from orchestrator.diff.run import Again, LiveRun
from orchestrator.diff.story import Line, Story, Told
from orchestrator.risk.guard import GuardState

_CATEGORIES = {
    Likeness.OTHER_TIME: Category.DECISION,
    Likeness.OTHER_TERMS: Category.DECISION,
    Likeness.ONLY_RUN: Category.ONLY_RUN,
    Likeness.ONLY_BACKTEST: Category.ONLY_BACKTEST,
}


@dataclass(frozen=True)
class Moment:
    """Something that was decided in one of the runs, or in both at different times.

    Parameters
    ----------
    record_ns: the newest record then. run_place, backtest_place: in the order of each run, None where it was not
        decided at that record.
    """

    record_ns: int
    run_place: int | None
    backtest_place: int | None


class Explainer:
    """Explains the pairs of a run.

    Parameters
    ----------
    settings: sections in which the backtest's settings are others than the run's. late: the story of a backtest that
        looks at each record as late as the run did; asked for once, and only where the clock may be a cause.
    """

    def __init__(
        self,
        live: LiveRun,
        again: Again,
        pairs: Sequence[Pair],
        judge: FillJudge,
        *,
        settings: Sequence[str],
        tolerance_ns: int,
        late: Callable[[], Story],
    ) -> None:
        self._live = live
        self._again = again
        self._pairs = pairs
        self._judge = judge
        self._settings = settings
        self._tolerance_ns = tolerance_ns
        self._ask_late = late
        self._late: list[Told] | None = None
        self._run_lines = timelines(pairs, of_run=True)
        self._backtest_lines = timelines(pairs, of_run=False)
        self._heard = [heard_otherwise(pair) for pair in pairs]

    def explain(self, number: int) -> Explanation:
        """The explanation of one pair."""
        pair = self._pairs[number]
        run, backtest = pair.run, pair.backtest
        if pair.one.is_taken_over:
            return Explanation(_CATEGORIES[pair.likeness], Cause.TAKEN_OVER, pair.one.order.state.name.lower())
        if run is None or backtest is None or pair.likeness is not Likeness.SAME:
            return self._decision(number, pair)
        if (run.order.state is OrderState.REJECTED) is not (backtest.order.state is OrderState.REJECTED):
            return _refused(run, backtest)
        wanted, found = self._judge.of_run(run), self._judge.of_backtest(backtest)
        if wanted.quantities != found.quantities:
            return self._filled(number, run, backtest)
        if _fees(run) != _fees(backtest):
            listing = self._live.catalogue.listing(run.intent.instrument, run.intent.venue)
            ours, theirs = (amount_of(listing, told.order.fee) for told in (run, backtest))
            detail = f"{ours:f} in the run, {theirs:f} in the backtest"
            return Explanation(Category.FEE, Cause.FEES, detail)
        if wanted.quantities and not wanted.same(found, self._tolerance_ns):
            return self._filled_later(number, run, backtest, wanted.last_ns - found.last_ns)
        if (found_cancel := self._cancelled(number, run, backtest)) is not None:
            return found_cancel
        return Explanation(Category.SAME, Cause.NONE)

    def _decision(self, number: int, pair: Pair) -> Explanation:
        category = _CATEGORIES[pair.likeness]
        if category is Category.ONLY_RUN and pair.run is not None and pair.run.order.state is OrderState.REJECTED:
            detail = f"it was refused: {pair.run.order.reason}"
        elif pair.run is not None and pair.backtest is not None:
            apart_ns = pair.backtest.record_ns - pair.run.record_ns
            detail = f"in the backtest at a record {apart_ns / 1e6:+,.3f} ms away" if apart_ns else "other terms"
        else:
            detail = ""
        places = [
            told.place if told is not None and told.record_ns == pair.record_ns else None
            for told in (pair.run, pair.backtest)
        ]
        return self._decided(number, category, Moment(pair.record_ns, *places), detail)

    def _filled(self, number: int, run: Told, backtest: Told) -> Explanation:
        listing = self._live.catalogue.listing(run.intent.instrument, run.intent.venue)
        ours, theirs = (quantity_of(listing, filled(told)) for told in (run, backtest))
        said = f"{ours:f} filled in the run, {theirs:f} in the backtest"
        judged = self._judge.explain(run)
        if judged is None:
            return self._sent_otherwise(number, Category.FILLS, run, backtest, said)
        cause, detail = judged
        if cause is Cause.UNEXPLAINED:
            cause = _interrupted(run) or cause
        return Explanation(Category.FILLS, cause, f"{said}; {detail}")

    def _filled_later(self, number: int, run: Told, backtest: Told, apart_ns: int) -> Explanation:
        said = f"in the run {apart_ns / 1e6:+,.3f} ms from the backtest"
        judged = self._judge.explain(run)
        if judged is None:
            return self._sent_otherwise(number, Category.FILL_TIME, run, backtest, said)
        cause, detail = judged
        return Explanation(Category.FILL_TIME, cause, f"{said}; {detail}")

    def _sent_otherwise(
        self, number: int, category: Category, run: Told, backtest: Told, said: str
    ) -> Explanation:  # fmt: skip
        """The backtest's exchanges fill the run's very order as its venue did: it was sent or cancelled otherwise."""
        cancelled = self._cancelled(number, run, backtest)
        if cancelled is not None:
            return Explanation(category, cancelled.cause, f"{said}; {cancelled.detail}", cancelled.because)
        if backtest.order.is_working:
            return Explanation(category, Cause.END_OF_DATA, f"{said}; in the backtest it still works")
        apart_ns = run.order.sent_ns - backtest.order.sent_ns
        detail = f"{said}; sent {apart_ns / 1e6:+,.3f} ms from the backtest"
        return Explanation(category, Cause.CLOCK if apart_ns else Cause.UNEXPLAINED, detail)

    def _cancelled(self, number: int, run: Told, backtest: Told) -> Explanation | None:
        """Why a cancellation was asked for in one alone, or at another record; None where it was not."""
        one, other = run.cancel, backtest.cancel
        if (one and one.record_ns) == (other and other.record_ns):
            return None
        if one is not None and one.is_last:
            return Explanation(Category.CANCEL, Cause.ENDING, "cancelled as the run ended")
        if one is not None and self._guard_at(one) is not GuardState.RUNNING:
            return Explanation(
                Category.CANCEL, Cause.GUARD, f"trading was {self._guard_at(one).name.lower()} in the run"
            )
        record_ns = min(line.record_ns for line in (one, other) if line is not None)
        places = [line.place if line is not None and line.record_ns == record_ns else None for line in (one, other)]
        if one is None or other is None:
            detail = f"cancelled in the {'backtest' if one is None else 'run'} alone"
        else:
            detail = f"cancelled in the run {(one.record_ns - other.record_ns) / 1e6:+,.3f} ms from the backtest"
        return self._decided(number, Category.CANCEL, Moment(record_ns, *places), detail)

    def _decided(self, number: int, category: Category, moment: Moment, detail: str) -> Explanation:
        """Why a strategy decided otherwise: what it knew at the first moment that differs."""
        pair = self._pairs[number]
        strategy = pair.one.intent.cause.strategy
        difference = compare(
            self._known(self._run_lines, strategy, moment, moment.run_place),
            self._known(self._backtest_lines, strategy, moment, moment.backtest_place),
        )
        if isinstance(difference, OtherPosition):
            because = self._filled_before(number, difference.market, moment.record_ns)
            listing = self._live.catalogue.listing(*difference.market)
            run, backtest = (quantity_of(listing, held) for held in (difference.run, difference.backtest))
            text = f"since the beginning {run:f} bought in the run, {backtest:f} in the backtest, of {listing}"
            return Explanation(category, Cause.POSITION, _joined(detail, text), because)
        if isinstance(difference, OtherOrder):
            other = self._pairs[difference.pair].name
            stood = f"{_stood(difference.run)} in the run, {_stood(difference.backtest)} in the backtest"
            return Explanation(category, Cause.WORKING, _joined(detail, f"order {other} was {stood}"), difference.pair)
        return self._without_difference(number, category, moment, detail)

    def _without_difference(self, number: int, category: Category, moment: Moment, detail: str) -> Explanation:
        """Own orders stood alike: what happened before, the settings or the clock."""
        strategy = self._pairs[number].one.intent.cause.strategy
        before = [
            (other.one.intent.cause.strategy == strategy, heard_ns, place)
            for place, (other, heard_ns) in enumerate(zip(self._pairs, self._heard, strict=True))
            if heard_ns is not None and place != number and self._is_before(other, heard_ns, moment)
        ]
        if before:
            because = max(before)[2]
            text = f"the last of {len(before)}: {self._pairs[because].name}"
            return Explanation(category, Cause.MEMORY, _joined(detail, text), because)
        if self._settings:
            return Explanation(category, Cause.SETTINGS, _joined(detail, "others: " + ", ".join(self._settings)))
        if self._is_clocks(self._pairs[number]):
            text = "a backtest that looks at each record as late as the run did decides as the run"
            return Explanation(category, Cause.CLOCK, _joined(detail, text))
        return Explanation(category, Cause.UNEXPLAINED, _joined(detail, "nothing that the strategy knew differed"))

    def _is_before(self, pair: Pair, heard_ns: int, moment: Moment) -> bool:
        """Whether something of a pair was heard otherwise before a moment, at the same record too."""
        if heard_ns != moment.record_ns:
            return heard_ns < moment.record_ns
        sides = ((pair.run, moment.run_place), (pair.backtest, moment.backtest_place))
        return any(
            line.place < place and line.record_ns == heard_ns
            for told, place in sides
            if told is not None and place is not None
            for line in told.lines
        )

    def _is_clocks(self, pair: Pair) -> bool:
        """Whether a backtest with the run's clock decides as the run did; timers are at no record's time."""
        if self._late is None:
            self._late = list(self._ask_late().orders)
        run, backtest = pair.run, pair.backtest
        if run is not None and backtest is not None and pair.likeness is Likeness.SAME:
            cancelled = [_cancelled_at(told) for told in self._late if _decision_of(told) == _decision_of(run)]
            return _cancelled_at(run) in cancelled
        is_there = run is None or any(self._is_alike(told, run) for told in self._late)
        return is_there and all(backtest is None or _decision_of(told) != _decision_of(backtest) for told in self._late)

    def _is_alike(self, late: Told, run: Told) -> bool:
        """Whether two orders are the same, decided at times that are not told apart."""
        apart_ns = abs(late.intent.decided_ns - run.intent.decided_ns)
        return apart_ns <= self._tolerance_ns and _terms_of(late) == _terms_of(run)

    def _known(self, lines: Mapping[str, Timeline], strategy: str, moment: Moment, place: int | None) -> Known:
        own = lines.get(strategy)
        if own is None:
            return Known({}, {})
        return own.before_record(moment.record_ns) if place is None else own.before_place(place)

    def _filled_before(self, number: int, market: MarketKey, record_ns: int) -> int | None:
        """The last pair of the strategy before a record that was filled, or heard of, otherwise in a market."""
        own = self._pairs[number].one.intent.cause.strategy
        others = [
            (filled(pair.run) != filled(pair.backtest), heard_ns, place)
            for place, (pair, heard_ns) in enumerate(zip(self._pairs, self._heard, strict=True))
            if place != number
            and heard_ns is not None
            and heard_ns <= record_ns
            and pair.one.intent.cause.strategy == own
            and (pair.one.intent.instrument, pair.one.intent.venue) == market
            and (filled(pair.run) or filled(pair.backtest))
        ]
        return max(others)[2] if others else None

    def _guard_at(self, line: Line) -> GuardState:
        state = GuardState.RUNNING
        for change in self._live.guards:
            if change.time_ns <= line.event.time_ns:
                state = change.after
        return state


def _fees(told: Told) -> tuple[int, int]:
    """Fees of an order, and the part of them that was taken in what was traded."""
    return told.order.fee, sum(fill.fee_base for fill in told.fills)


def _refused(run: Told, backtest: Told) -> Explanation:
    in_run = run.order.state is OrderState.REJECTED
    detail = f"in the {'run' if in_run else 'backtest'}: {(run if in_run else backtest).order.reason}"
    is_ending = in_run and any(line.is_last for line in run.lines)
    return Explanation(Category.REFUSED, Cause.ENDING if is_ending else Cause.REFUSED, detail)


def _decision_of(told: Told) -> tuple[object, ...]:
    return told.record_ns, *_terms_of(told)


def _terms_of(told: Told) -> tuple[object, ...]:
    cause = told.intent.cause
    market = told.intent.instrument, told.intent.venue, told.intent.side
    return cause.strategy, cause.origin, *market, terms(told)


def _stood(state: OrderState | None) -> str:
    return "not working" if state is None else state.name.lower().replace("_", " ")


def _cancelled_at(told: Told) -> int | None:
    return None if told.cancel is None else told.cancel.record_ns


def _interrupted(run: Told) -> Cause | None:
    """Whether an order's outcome was unknown for a while, or a fill came after its end."""
    if any(isinstance(line.event, OutcomeUnknown) for line in run.lines):
        return Cause.OUTAGE
    ended_ns = run.order.ended_ns
    if ended_ns and any(isinstance(line.event, Filled) and line.event.time_ns > ended_ns for line in run.lines):
        return Cause.LATE_FILL
    return None


def _joined(detail: str, text: str) -> str:
    return f"{detail}; {text}" if detail else text
