"""A model in a backtest: the rows and predictions of its dataset, the same in every run, and what its modes may do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("onnxruntime")

from config.models import ModelMode
from config.settings import Settings
from market.errors import Fatal, Rejected
from market.orders.cause import Cause, Origin
from market.orders.kinds import OrderType, Side, TimeInForce
from market.orders.order import OrderIntent
from market.protocols import Intent, MarketView, Started, TimerFired, TimerIntent, WakeCause, Wakes
from orchestrator.backtest import run as run_module
from orchestrator.backtest.run import BacktestRun, run_backtest
from orchestrator.cli.exits import ExitCode
from orchestrator.predicting.answers import ComputedPredictions
from orchestrator.predicting.engines import Answer
from orchestrator.research.datasets.features import Form
from orchestrator.research.datasets.labels import classify
from orchestrator.research.models.card import CARD_FILE
from orchestrator.research.models.folder import TrainedModel
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.predicting.watched_market import (
    HeardPredictions,
    SaidPredictions,
    plan_of,
    predictor_of,
    watching,
)
from tests.orchestrator.research.models.small_model import GRID_MODEL, GRID_NS, SMALL_MODEL, grid_dataset

MARKET = (0, 0)
UP: Answer = (0.05, 0.05, 0.9)
DOWN: Answer = (0.65, 0.25, 0.1)


def run_saying(
    folder: Path, settings: Settings, predictions: ComputedPredictions, monkeypatch: pytest.MonkeyPatch
) -> BacktestRun:
    monkeypatch.setattr(run_module, "ComputedPredictions", lambda: predictions)
    return run_backtest(plan_of(folder, settings))


def model_of_form(folder: Path, form: Form) -> Path:
    """The model of the grid, as if rows of a form had been what it was trained on."""
    model = folder / "model"
    shutil.copytree(GRID_MODEL, model)
    card = json.loads((model / CARD_FILE).read_text())
    [market] = card["markets"]
    if form is not Form.RELATIVE:
        features = len(market["means"])
        market |= {"means": [0.0] * features, "deviations": [1.0] * features}
    (model / CARD_FILE).write_text(json.dumps(card | {"form": form.value}))
    return model


@pytest.mark.parametrize(("form", "gap_at"), [(Form.RELATIVE, -1), (Form.RELATIVE, 150), (Form.FLOW, 150)])
def test_predictions_of_a_run_are_those_of_its_recording(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, form: Form, gap_at: int
) -> None:
    heard = HeardPredictions()
    model = str(model_of_form(terminal.folder, form))
    monkeypatch.setattr(run_module, "ComputedPredictions", lambda: heard)
    run = run_backtest(plan_of(terminal.folder, watching(folder=model), gap_at=gap_at))
    ended = terminal.run("predict", model, "--source", "binance-spot=spot.txt", "--out", "said.parquet")
    assert ended.code == ExitCode.DONE, ended.err
    table = pq.read_table(terminal.folder / "said.parquet")
    expected = np.stack([table[name].to_numpy() for name in ("down", "same", "up")], axis=1)
    # The run ends with its recording, so the last moment of the grid may still come after the last record.
    found = np.array([answer for _, answer in heard.heard])[: len(expected)]
    assert len(expected) > 150
    assert len(heard.heard) - len(expected) in (0, 1)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert predictor_of(run.strategies).plain()["late"] == 0


def test_a_watched_run_is_the_same_again_and_trades_as_without(tmp_path: Path) -> None:
    first, second = (run_backtest(plan_of(tmp_path, watching())) for _ in range(2))
    assert first.run_hash == second.run_hash
    assert predictor_of(first.strategies).plain() == predictor_of(second.strategies).plain()
    without = run_backtest(plan_of(tmp_path, watching().model_copy(update={"models": type(watching().models)()})))
    assert without.run_hash == first.run_hash


def test_outcomes_are_the_labels_of_the_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = HeardPredictions()
    run = run_saying(tmp_path, watching(), heard, monkeypatch)
    said = predictor_of(run.strategies).plain()
    [market] = grid_dataset(tmp_path).markets
    labels = classify(np.asarray(market.moves), TrainedModel(GRID_MODEL).card.markets[0].alpha)
    right = {number: int(np.argmax(answer)) == labels[number - 1] for number, answer in heard.heard[: said["judged"]]}
    # The run may see one more moment of the grid than the recording has rows.
    assert said["judged"] - int((labels[4:] >= 0).sum()) in (0, 1)
    last = max(right)
    assert said["right"] - sum(each for number, each in right.items() if number < last) in (0, 1)
    assert said["rows"] - len(labels) in (0, 1)


class Buying:
    """Buys at market at a time, and sells all of it later."""

    tag = "buying"

    def __init__(self, at_ns: int) -> None:
        self._at_ns = at_ns
        self._decisions = 0

    @property
    def wakes(self) -> Wakes:
        """Its timers."""
        return Wakes()

    def wake(self, cause: WakeCause, view: MarketView) -> Sequence[Intent]:
        """An order at each of two times."""
        if isinstance(cause, Started):
            return [TimerIntent(at_ns=self._at_ns, number=0), TimerIntent(at_ns=self._at_ns + 10 * GRID_NS, number=1)]
        if not isinstance(cause, TimerFired):
            return ()
        self._decisions += 1
        return [
            OrderIntent(
                cause=Cause(strategy=self.tag, origin=Origin.DECISION, epoch=view.epoch, number=self._decisions),
                decided_ns=view.now_ns,
                instrument=MARKET[0],
                venue=MARKET[1],
                side=Side.SELL if cause.number else Side.BUY,
                type=OrderType.MARKET,
                time_in_force=TimeInForce.IOC,
                quantity=view.listing(*MARKET).lot * 100_000,
            )
        ]


@pytest.mark.parametrize(
    ("mode", "answer", "bought"),
    [
        (ModelMode.SHADOW, DOWN, True),
        (ModelMode.FILTER, DOWN, False),
        (ModelMode.FILTER, UP, True),
        (ModelMode.ACTIVE, DOWN, False),
    ],
)
def test_a_filter_refuses_openings_that_it_speaks_against(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: ModelMode, answer: Answer, bought: bool
) -> None:
    settings = watching(mode, act_above=Decimal("0.95"))
    plan = plan_of(tmp_path, settings)
    buying = Buying(plan.tape.first_ns + 50 * GRID_NS)
    monkeypatch.setattr(run_module, "ComputedPredictions", lambda: SaidPredictions(dict.fromkeys(range(1_000), answer)))
    monkeypatch.setattr(run_module, "strategies", lambda *about: [buying])
    run = run_backtest(plan)
    model = predictor_of(run.strategies)
    # What it refused to open, there is nothing to close of; what it let pass, it lets close.
    bought_of = [intent for intent in run.journal.intents if intent.side is Side.BUY]
    assert bool(run.summary.orders and run.summary.orders[0].filled) == bought
    assert model.refused == (0 if answer is UP else 1)
    if bought:
        assert [order.filled for order in run.summary.orders] == [bought_of[0].quantity] * 2


def test_an_active_model_holds_one_position_at_a_time_and_leaves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = dict.fromkeys(range(1_000), UP)
    run = run_saying(tmp_path, watching(ModelMode.ACTIVE), SaidPredictions(answers), monkeypatch)
    model, orders = predictor_of(run.strategies), run.summary.orders
    assert model.plain()["opened"] > 3
    held = 0
    for order in sorted(orders, key=lambda order: order.intent.decided_ns):
        assert order.intent.cause.strategy == model.tag
        held += order.intent.side.sign * order.filled
        assert held in (0, order.intent.quantity if order.intent.side is Side.BUY else 0)
    whys = {order.intent.why for order in orders if order.intent.side is Side.SELL}
    assert whys <= {"take profit", "stop", "time is over"}
    assert len(whys) > 0


@pytest.mark.parametrize(
    ("answer", "shorts", "first"), [(DOWN, False, None), (DOWN, True, Side.SELL), (UP, False, Side.BUY)]
)
def test_a_model_sells_what_it_does_not_hold_only_where_it_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer, shorts: bool, first: Side | None
) -> None:
    trading = {"quantity": Decimal("0.01"), "shorts": shorts}
    settings = watching(ModelMode.ACTIVE, act_above=Decimal("0.6"), trading=trading)
    run = run_saying(tmp_path, settings, SaidPredictions(dict.fromkeys(range(1_000), answer)), monkeypatch)
    intents = run.journal.intents
    assert (intents[0].side if intents else None) is first


def test_a_prediction_that_is_not_in_time_never_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_saying(tmp_path, watching(ModelMode.ACTIVE), SaidPredictions({20: UP}), monkeypatch)
    model = predictor_of(run.strategies)
    assert (model.predictions, model.wanted, model.plain()["opened"]) == (1, 1, 1)
    assert model.late > 100
    [opening] = [intent for intent in run.journal.intents if intent.side is Side.BUY]
    assert model.latest is not None
    assert opening.decided_ns == model.latest.row_ns + 5_000_000


def test_wrong_predictions_drop_a_model_to_shadow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = watching(ModelMode.ACTIVE, judged=50, drift_limit=Decimal("100"))
    sure = dict.fromkeys(range(1_000), (0.0, 0.0, 1.0))
    model = predictor_of(run_saying(tmp_path, settings, SaidPredictions(sure), monkeypatch).strategies)
    assert model.mode is ModelMode.SHADOW
    [breach] = model.take_breaches()
    assert breach.before is ModelMode.ACTIVE
    assert "calibration error" in breach.detail
    assert not model.take_breaches()
    assert model.dropped == breach
    assert model.plain()["dropped"] == {"time_ns": breach.time_ns, "why": breach.detail}
    assert model.plain()["opened"] < model.wanted


def test_other_inputs_drop_a_model_to_shadow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = watching(ModelMode.FILTER, drift_rows=50, drift_limit=Decimal("0.3"), judged=1_000_000)
    monkeypatch.setattr(run_module, "ComputedPredictions", lambda: SaidPredictions({}))
    calm = predictor_of(run_backtest(plan_of(tmp_path, settings)).strategies)
    other = predictor_of(run_backtest(plan_of(tmp_path, settings, other_from=0)).strategies)
    assert calm.mode is ModelMode.FILTER
    assert calm.plain()["dropped"] is None
    assert other.mode is ModelMode.SHADOW
    assert "inputs drifted" in other.take_breaches()[0].detail
    assert other.plain()["drift"] > 2 * calm.plain()["drift"]


def test_models_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="make its dataset with --grid-ms"):
        run_backtest(plan_of(tmp_path, watching(folder=str(SMALL_MODEL))))
    with pytest.raises(Rejected, match="no normalisation of market 'binance-usdm BTCUSDT'"):
        run_backtest(plan_of(tmp_path, watching(venue="binance-usdm")))
    with pytest.raises(Rejected, match="the market of the settings 1 and 3"):
        run_backtest(plan_of(tmp_path, watching(venue="binance-usdm", normalise_as="binance-spot BTCUSDT")))
    with pytest.raises(Fatal, match="expected a known market"):
        run_backtest(plan_of(tmp_path, watching(instrument="DOGE")))
    with pytest.raises(ValueError, match="trading must say how much is traded"):
        watching(ModelMode.ACTIVE, trading=None)
