"""A model that watches one market of a run: a row at every multiple of its grid, a prediction a fixed time later.

A prediction belongs to the row of its number. It counts from ``latency_ns`` after the row on, neither earlier nor,
where it has not come by then, ever: so that what it leads to follows from the rows and from which answers came in time.
In event time all do, and a run gives the same orders again; a tape keeps the answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from config.models import ModelMode
from market.errors import Rejected
from market.orders.cause import Origin
from market.orders.kinds import Side
from market.orders.order import OrderIntent
from market.protocols import Intent, MarketView, Started, TimerFired, TimerIntent, WakeCause, Wakes
from orchestrator.predicting.answers import Predictions
from orchestrator.predicting.engines import Answer, ComputedBy
from orchestrator.predicting.parameters import ModelParameters
from orchestrator.predicting.rows import GridRows, Window
from orchestrator.predicting.trading import ModelTrading
from orchestrator.predicting.watch import Drift, Outcomes
from orchestrator.research.datasets.labels import Move
from orchestrator.research.models.folder import TrainedModel
from orchestrator.research.models.inputs import model_inputs
from orchestrator.strategies.sizing import Sizing

ROW: Final = 0
"""Number of the timer of rows."""
ANSWER: Final = 1
"""Number of the timers of answers."""
_CHECK_EVERY: Final = 50
"""Rows from one look at drift and calibration to the next."""


@dataclass(frozen=True)
class Prediction:
    """What a model said at a row, from when on it counts and until when."""

    number: int
    row_ns: int
    until_ns: int
    answer: Answer


@dataclass(frozen=True)
class Breach:
    """Why a model dropped to shadow."""

    time_ns: int
    before: ModelMode
    detail: str


class BookPredictor:
    """One model of a run: a strategy that hears of nothing but its own timers.

    A model of crashes says in place of a move down how probable a crash is. It speaks against buying alone, and its
    predictions are not judged: no market says when a crash has begun.

    Members
    -------
    mode: what it may do now. latest: the newest prediction that counts, whatever it says; None before the first.
    predictions: answers that came in time; late: that did not. refused: openings of others that it refused, or would
    have refused in another mode. wanted: times that it would have acted, whatever the mode. dropped: why it is in
    shadow although it was set to more; None while it is not.
    """

    def __init__(
        self, parameters: ModelParameters, model: TrainedModel, predictions: Predictions, tag: str, sizing: Sizing
    ) -> None:
        card, chosen = model.card, model.card.market(parameters.card_market)
        self._parameters = parameters
        self._predictions = predictions
        self._tag = tag
        self._form = card.form
        self._is_of_crashes = card.crash is not None
        self._normalisation = chosen.normalisation
        self._grid_ns = card.sampling.grid_ns
        self._hold_ns = card.horizon * card.sampling.grid_ns
        self._length = card.window
        self._allowed_error = card.calibration_error + parameters.calibration_limit
        self._rows = GridRows(card.levels, card.sampling.silence_ns)
        self._window = Window(card.window, 4 * card.levels)
        self._drift = Drift(card, parameters.drift_rows)
        self._outcomes = Outcomes(card.horizon, chosen.alpha, parameters.judged, parameters.act_above)
        self._trading = (
            None
            if parameters.trading is None
            else ModelTrading(parameters.market, tag, parameters.trading, self._hold_ns, sizing)
        )
        self._due_ns = 0
        self._number = 0
        self._asked: deque[tuple[int, int]] = deque()
        self._breaches: list[Breach] = []
        self.mode = parameters.mode
        self.dropped: Breach | None = None
        self.latest: Prediction | None = None
        self.predictions = 0
        self.late = 0
        self.refused = 0
        self.wanted = 0
        predictions.open(parameters.name, model, parameters.backend)

    @property
    def tag(self) -> str:
        """The strategy's tag."""
        return self._tag

    @property
    def name(self) -> str:
        """Name of the settings."""
        return self._parameters.name

    @property
    def computed_by(self) -> ComputedBy:
        """Who computes its predictions now."""
        return self._predictions.computed_by(self.name)

    @property
    def wakes(self) -> Wakes:
        """Nothing but its timers."""
        return Wakes()

    def wake(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
        """Orders of an active model, and the next timers."""
        if isinstance(cause, Started):
            return (self._next_row(view.now_ns),)
        if isinstance(cause, TimerFired) and cause.number == ROW:
            return self._take_row(view)
        if isinstance(cause, TimerFired):
            return self._take_answer(view)
        return ()

    def check(self, intent: OrderIntent, view: MarketView) -> None:
        """A ``PreTradeCheck``: refuses to open what the newest prediction speaks against, as a filter or active."""
        if (intent.instrument, intent.venue) != self._parameters.market:
            return
        if intent.cause.strategy in (self._tag, self._parameters.spared):
            return
        if self._is_of_crashes and intent.side is Side.SELL:
            return
        if intent.cause.origin is not Origin.DECISION or intent.reduce_only:
            return
        held = view.position(intent.instrument, intent.venue, intent.cause.strategy).quantity
        latest = self.latest
        # A leg of a trigger, and what makes a position smaller, must not be held up by an opinion.
        if latest is None or view.now_ns > latest.until_ns or held * intent.side.sign < 0:
            return
        against = Move.DOWN if intent.side is Side.BUY else Move.UP
        probability = latest.answer[against]
        if probability <= self._parameters.filter_above:
            return
        self.refused += 1
        if self.mode is not ModelMode.SHADOW:
            said = "crash" if self._is_of_crashes else against.name.lower()
            raise Rejected(
                f"order {intent.client_order_id}: model {self.name} says {said} with {probability:.3f}, expected at "
                f"most {self._parameters.filter_above}"
            )

    def take_breaches(self) -> Sequence[Breach]:
        """Breaches that were not taken before, oldest first."""
        taken, self._breaches = self._breaches, []
        return taken

    def plain(self) -> dict[str, Any]:
        """What came of it so far, for JSON."""
        outcomes = self._outcomes
        return {
            "mode": self.mode.value,
            "set_to": self._parameters.mode.value,
            "computed_by": self.computed_by.computer.value,
            "computed_by_why": self.computed_by.why,
            "dropped": self.dropped and {"time_ns": self.dropped.time_ns, "why": self.dropped.detail},
            "rows": self._number,
            "predictions": self.predictions,
            "late": self.late,
            "judged": outcomes.judged,
            "right": outcomes.right,
            "sure": outcomes.sure,
            "sure_and_right": outcomes.sure_right,
            "would_act": self.wanted,
            "would_refuse": self.refused,
            "opened": 0 if self._trading is None else self._trading.opened,
            "drift": self._drift.index(),
            "calibration_error": outcomes.calibration_error(),
        }

    def _next_row(self, after_ns: int) -> TimerIntent:
        self._due_ns = (after_ns // self._grid_ns + 1) * self._grid_ns
        return TimerIntent(at_ns=self._due_ns, number=ROW)

    def _take_row(self, view: MarketView) -> Sequence[Intent]:
        """The row of a multiple of the grid, of the book before it."""
        row_ns = self._due_ns
        intents: list[Intent] = [self._next_row(row_ns)]
        book = self._rows.take(view.book(*self._parameters.market), row_ns)
        if self._rows.run <= 1:
            self._outcomes.interrupt()
        if book is not None:
            inputs = model_inputs(book, np.zeros(len(book), dtype=np.int64), self._form, self._normalisation)[-1]
            self._number += 1
            self._window.take(inputs)
            self._drift.take(inputs)
            if not self._is_of_crashes:
                self._outcomes.take(self._number, int(book[-1, 0] + book[-1, 2]))
            if self._rows.run >= self._length:
                self._predictions.ask(self.name, self._number, self._window.newest())
                self._asked.append((self._number, row_ns))
                intents.append(TimerIntent(at_ns=row_ns + self._parameters.latency_ns, number=ANSWER))
            if self._number % _CHECK_EVERY == 0:
                self._watch(row_ns)
        if self._trading is not None:
            intents += self._trading.look(row_ns, view)
        return intents

    def _take_answer(self, view: MarketView) -> Sequence[Intent]:
        """The answer to the oldest question, or that there is none."""
        number, row_ns = self._asked.popleft()
        answer = self._predictions.answer(self.name, number)
        if answer is None:
            self.late += 1
            return ()
        self.predictions += 1
        self.latest = Prediction(number, row_ns, row_ns + self._hold_ns, answer)
        if not self._is_of_crashes:
            self._outcomes.predicted(number, answer)
        is_up = answer[Move.UP] >= answer[Move.DOWN] and not self._is_of_crashes
        side, probability = (Side.BUY, answer[Move.UP]) if is_up else (Side.SELL, answer[Move.DOWN])
        if probability <= self._parameters.act_above:
            return ()
        self.wanted += 1
        if self.mode is not ModelMode.ACTIVE or self._trading is None:
            return ()
        return self._trading.open(side, row_ns, f"{self.name} says {probability:.3f}", view)

    def _watch(self, time_ns: int) -> None:
        """Drop to shadow, for the rest of the run, when inputs or outcomes are not what they were in training."""
        error = self._outcomes.calibration_error()
        drift = self._drift.index() if self._drift.is_full else 0.0
        detail = ""
        if drift > self._parameters.drift_limit:
            detail = f"inputs drifted: index {drift:.3f}, limit {self._parameters.drift_limit}"
        elif error is not None and error > self._allowed_error:
            detail = f"calibration error {error:.3f}, limit {self._allowed_error:.3f}"
        if detail and self.mode is not ModelMode.SHADOW:
            self.dropped = Breach(time_ns, self.mode, detail)
            self._breaches.append(self.dropped)
            self.mode = ModelMode.SHADOW
