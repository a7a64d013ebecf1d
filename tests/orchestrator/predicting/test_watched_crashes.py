"""A model of crashes in a backtest: what its modes may do, and that it sees the rows of its dataset."""

from __future__ import annotations

import functools
import json
import shutil
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("onnxruntime")

from config.models import ModelMode, ModelSettings, ModelsSettings, ModelTradingSettings
from config.venues import VenueName
from market.errors import Rejected
from market.orders.kinds import Side
from orchestrator.backtest import run as run_module
from orchestrator.backtest.plan import read_plan
from orchestrator.backtest.run import BacktestRun, run_backtest
from orchestrator.cli.exits import ExitCode
from orchestrator.predicting.engines import Answer
from orchestrator.replay.plan import SourceFile
from orchestrator.research.crashes.sessions import Chosen
from orchestrator.research.datasets.parts import Part
from orchestrator.research.models.card import CARD_FILE
from orchestrator.strategies.flash_crash.plan import trader_tag
from sim.scenarios.plan import draw_plan
from sim.scenarios.recording import session_lines
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.predicting.test_watched_backtest import MARKET, Buying
from tests.orchestrator.predicting.watched_market import (
    HeardPredictions,
    SaidPredictions,
    plan_of,
    predictor_of,
    watching,
)
from tests.orchestrator.research.crashes.small_crashes import QUIET, crash_dataset, crash_model, short_sessions
from tests.orchestrator.research.models.small_model import GRID_MODEL, GRID_NS

CRASH: Answer = (0.9, 0.1, 0.0)
CALM: Answer = (0.1, 0.9, 0.0)
RISE: Answer = (0.0, 0.1, 0.9)
"""What no model of crashes says, since none is trained to."""


def crash_folder(folder: Path) -> str:
    """The model of the grid as if it had been trained on crashes."""
    model = folder / "model"
    shutil.copytree(GRID_MODEL, model)
    card = json.loads((model / CARD_FILE).read_text())
    (model / CARD_FILE).write_text(json.dumps(card | {"crash": {"within_ns": 4 * GRID_NS, "until": "half"}}))
    return str(model)


def bought(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mode: ModelMode, answer: Answer, tag: str = "buying"
) -> tuple[BacktestRun, bool]:
    """A run in which somebody buys once; whether that was let pass."""
    trading = ModelTradingSettings(quantity=Decimal("0.01"), shorts=True)
    settings = watching(mode, folder=crash_folder(folder), act_above=Decimal("0.95"), trading=trading)
    plan = plan_of(folder, settings)
    buying = Buying(plan.tape.first_ns + 50 * GRID_NS)
    buying.tag = tag
    monkeypatch.setattr(run_module, "ComputedPredictions", lambda: SaidPredictions(dict.fromkeys(range(1_000), answer)))
    monkeypatch.setattr(run_module, "strategies", lambda *about: [buying])
    run = run_backtest(plan)
    return run, bool(run.summary.orders and run.summary.orders[0].filled)


@pytest.mark.parametrize(
    ("mode", "answer", "passes"),
    [
        (ModelMode.SHADOW, CRASH, True),
        (ModelMode.FILTER, CRASH, False),
        (ModelMode.FILTER, CALM, True),
        (ModelMode.ACTIVE, CRASH, False),
    ],
)
def test_nobody_buys_into_a_crash_that_is_foretold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: ModelMode, answer: Answer, passes: bool
) -> None:
    run, passed = bought(tmp_path, monkeypatch, mode, answer)
    assert passed == passes
    model = predictor_of(run.strategies)
    assert model.refused == (0 if answer is CALM else 1)
    # No market says when a crash has begun: nothing is judged, and nothing drops the model for it.
    assert (model.plain()["judged"], model.plain()["calibration_error"], model.mode) == (0, None, mode)


def test_the_trader_that_waits_for_crashes_is_let_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, passed = bought(tmp_path, monkeypatch, ModelMode.FILTER, CRASH, trader_tag(*MARKET))
    assert passed


def test_an_active_model_sells_before_a_crash_and_never_buys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trading = ModelTradingSettings(quantity=Decimal("0.01"), shorts=True)
    settings = watching(ModelMode.ACTIVE, folder=crash_folder(tmp_path), trading=trading)
    firsts: list[Side | None] = []
    for answer in (CRASH, CALM, RISE):
        said = SaidPredictions(dict.fromkeys(range(1_000), answer))
        monkeypatch.setattr(run_module, "ComputedPredictions", functools.partial(lambda said: said, said))
        intents = run_backtest(plan_of(tmp_path, settings)).journal.intents
        firsts.append(intents[0].side if intents else None)
    assert firsts == [Side.SELL, None, None]


def test_an_active_model_of_crashes_must_be_allowed_to_sell(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"models.watching.small.trading.shorts is false"):
        run_backtest(plan_of(tmp_path, watching(ModelMode.ACTIVE, folder=crash_folder(tmp_path))))


def test_predictions_over_a_generated_session_are_those_of_its_recording(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its book is written down every half minute, and on a grid rows go on behind that, in runs as in datasets."""
    settings = short_sessions()
    path = terminal.folder / "quiet.txt"
    with path.open("wb") as file:
        file.writelines(session_lines(draw_plan(settings.scenarios, QUIET, 3)))
    quiet = tuple(Chosen(QUIET, 2 + part, part) for part in (Part.TRAINING, Part.VALIDATION, Part.TEST))
    dataset = crash_dataset(terminal.folder / "set", quiet)
    folder = crash_model(dataset, terminal.folder / "model")
    model = ModelSettings(folder=str(folder), instrument="BTC", venue=VenueName.BINANCE_USDM)
    settings = settings.model_copy(update={"models": ModelsSettings(watching={"crashes": model})})
    heard = HeardPredictions()
    monkeypatch.setattr(run_module, "ComputedPredictions", lambda: heard)
    run_backtest(read_plan(settings, [SourceFile(VenueName.BINANCE_USDM, path)]))
    ended = terminal.run("predict", "model", "--source", "binance-usdm=quiet.txt", "--out", "said.parquet")
    assert ended.code == ExitCode.DONE, ended.err
    expected = pq.read_table(terminal.folder / "said.parquet")["crash"].to_numpy()
    assert len(expected) > 230
    found = np.array([answer[0] for _, answer in heard.heard])[: len(expected)]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
