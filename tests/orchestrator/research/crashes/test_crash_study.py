"""Judging on a dataset of crashes: baselines see what they should, models go their way through every command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("onnxruntime")

from market.detector.states import State
from market.errors import Rejected
from orchestrator.cli.exits import ExitCode
from orchestrator.research.crashes.baselines import CrashBaseline, baseline_probabilities, volatility_features
from orchestrator.research.crashes.study import judge_crashes
from orchestrator.research.datasets.crash_labels import Coming
from orchestrator.research.datasets.dataset import Dataset
from orchestrator.research.datasets.parts import Part
from orchestrator.research.evaluation.study import EvaluationPlan
from orchestrator.research.models.folder import TrainedModel
from orchestrator.research.prediction.stretches import ModelPredictor
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.research.crashes.small_crashes import MARKET, crash_model
from tests.orchestrator.research.models.small_model import GRID_MODEL, grid_dataset

PLAN = EvaluationPlan(resamples=20)


def test_volatility_is_of_the_window_alone(crashes: Dataset) -> None:
    [market] = crashes.markets
    row = int(market.samples(Part.TRAINING)[10])
    [found] = volatility_features(market, np.array([row]))
    book = np.asarray(market.book)[row - 4 : row + 1]
    mids = np.log((book[:, 0] + book[:, 2]).astype(np.float64))
    returns = [mids[number + 1] - mids[number] for number in range(4)]
    assert found[0] == pytest.approx(np.log(np.sqrt(sum(each**2 for each in returns) / 4) + 1e-7))
    assert found[1:4] == pytest.approx([mids[4] - mids[0], mids[4] - max(mids), returns[3]])
    assert found[4] == pytest.approx(np.log((book[4, 0] - book[4, 2]) / (book[4, 0] + book[4, 2])))


def test_the_detector_says_what_it_is_in(crashes: Dataset) -> None:
    [market] = crashes.markets
    rows = market.samples(Part.TEST)
    said, penalty = baseline_probabilities(CrashBaseline.DETECTOR, market, rows, rows, rows)
    states = np.asarray(market.detector)[rows]
    assert penalty is None
    assert set(said[states == State.ACTIVE]) == {1.0}
    assert set(said[states == State.ALERT]) <= {0.5}
    assert set(said[states == State.SLEEP]) == {0.0}


def test_baselines_and_a_model_are_judged_on_the_same_samples(crashes: Dataset, tmp_path: Path) -> None:
    model = TrainedModel(crash_model(crashes, tmp_path / "model"))
    judged = {each.predictor: each for each in judge_crashes(crashes, PLAN, [ModelPredictor.of_folder(model)])}
    assert list(judged) == [*(each.value for each in CrashBaseline), model.name]
    [market] = crashes.markets
    labels = np.asarray(market.labels)[market.samples(Part.TEST)]
    share = float((labels == Coming.CRASH).mean())
    majority = judged["majority"].report
    assert majority.measures["average_precision"].value == pytest.approx(share)
    assert majority.measures["recall"].value == 1.0
    for each in judged.values():
        assert (each.market, each.report.samples, each.report.blocks) == (MARKET, len(labels), 2)
        assert each.report.confusion.sum(axis=1).tolist() == [(labels == 0).sum(), (labels == 1).sum(), 0]
        plain = each.plain()
        assert plain["average_precision_over_majority"]["value"] == pytest.approx(
            each.report.measures["average_precision"].value - share
        )
        assert "macro_f1_over_majority" not in plain
    # The event of the test part is found, so what is ACTIVE is right more often than not.
    assert judged["detector"].report.measures["average_precision"].value > share


def test_what_is_of_moves_is_refused(crashes: Dataset) -> None:
    with pytest.raises(Rejected, match="leave out --folds"):
        judge_crashes(crashes, EvaluationPlan(folds=2))
    with pytest.raises(Rejected, match="has no market 'other'"):
        judge_crashes(crashes, EvaluationPlan(on=("other",)))


def test_commands_take_a_dataset_of_crashes(terminal: Terminal, crashes: Dataset) -> None:
    crash_model(crashes, terminal.folder / "model")
    ended = terminal.run("evaluate", crashes.path, "--model", "model", "--resamples", "5", "--json")
    assert ended.code == ExitCode.DONE, ended.err
    [evaluation] = ended.json["evaluations"]
    assert len(evaluation["results"]) == len(CrashBaseline) + 1
    assert "SYNTHETIC" in ended.json["note"]
    assert evaluation["trades"] == []
    shown = terminal.run("evaluate", crashes.path, "--resamples", "5")
    assert shown.code == ExitCode.DONE, shown.err
    assert "detector" in shown.out
    refused = terminal.run("evaluate", crashes.path, "--folds", "2", "--block", "3")
    assert refused.code == ExitCode.INPUT
    assert "leave out --folds, --block" in " ".join(refused.err.split())


def test_predictions_are_probabilities_of_a_crash(terminal: Terminal, crashes: Dataset) -> None:
    crash_model(crashes, terminal.folder / "model")
    ended = terminal.run("predict", "model", "--dataset", crashes.path, "--out", "said.parquet", "--json")
    assert ended.code == ExitCode.DONE, ended.err
    assert set(ended.json["most_probable"]) == {"crash", "none"}
    table = pq.read_table(terminal.folder / "said.parquet")
    assert table.column_names == ["market", "row", "time_ns", "crash", "label"]
    [market] = crashes.markets
    labels = np.asarray(market.labels)[table["row"].to_numpy()]
    expected = [None if label < 0 else int(label == Coming.CRASH) for label in labels.tolist()]
    assert table["label"].to_pylist() == expected
    assert None in expected
    said = table["crash"].to_numpy()
    assert ((said > 0) & (said < 1)).all()
    assert len(np.unique(said)) > 100


def test_models_of_moves_and_of_crashes_are_not_mixed(terminal: Terminal, crashes: Dataset) -> None:
    model = TrainedModel(crash_model(crashes, terminal.folder / "model"))
    moves = grid_dataset(terminal.folder)
    with pytest.raises(Rejected, match="horizon is 4"):
        model.check_fits(moves)
    card = TrainedModel(GRID_MODEL).card
    assert card.crash is None
    assert '"crash"' not in card.text()
    header = crashes.header.model_copy(update={"crash": None})
    with pytest.raises(Rejected, match=r"labels say what the mid does next, model .* within 20 s, until half"):
        model.check_fits(Dataset(crashes.path, header, crashes.markets))


@pytest.mark.long
def test_a_model_of_crashes_is_trained(terminal: Terminal, crashes: Dataset) -> None:
    pytest.importorskip("torch")
    words = ("train", crashes.path, "--epochs", "3", "--resamples", "5", "--out")
    ended = terminal.run(*words, "model", "--json")
    assert ended.code == ExitCode.DONE, ended.err
    assert ended.json["card"]["crash"] == {"within_ns": 20_000_000_000, "until": "half"}
    assert {each["predictor"] for each in ended.json["test"]} >= {"compact", "detector"}
    shown = terminal.run(*words, "other")
    assert "average precision of compact" in shown.out
    refused = terminal.run(*words, "third", "--folds", "2")
    assert refused.code == ExitCode.INPUT
    assert "leave out --folds" in refused.err
