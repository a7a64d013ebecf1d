"""``tickwire evaluate``: datasets in, an honest table out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from market.errors import Rejected
from orchestrator.cli.exits import ExitCode
from orchestrator.research.baselines.predictors import REGRESSIONS, Baseline, choose_penalty, fit_baseline
from orchestrator.research.baselines.samples import fi2010_samples, market_samples
from orchestrator.research.datasets.book_rows import Sampling
from orchestrator.research.datasets.build import DatasetPlan
from orchestrator.research.datasets.dataset import Dataset
from orchestrator.research.datasets.fi2010 import load_fi2010
from orchestrator.research.datasets.labels import classify, double_mids, past_moves
from orchestrator.research.datasets.parts import Part, Reach
from orchestrator.research.evaluation.bootstrap import Resampling
from orchestrator.research.evaluation.report import report
from orchestrator.research.evaluation.study import EvaluationPlan, evaluate_parts, walk_forward
from orchestrator.research.evaluation.trades import trade_curve
from orchestrator.research.models.folder import TrainedModel
from orchestrator.research.prediction.stretches import ModelPredictor
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.research.datasets.market_books import recording
from tests.orchestrator.research.datasets.test_dataset import built
from tests.orchestrator.research.datasets.test_fi2010 import table, write_layout
from tests.orchestrator.research.models.small_model import SMALL_MODEL, small_dataset
from tests.orchestrator.research.prediction.runner import put_runner

NAME = "binance-spot BTCUSDT"
QUICK = EvaluationPlan(resamples=50)


def made(folder: Path, name: str = "set", **words: int) -> Dataset:
    return built(recording(folder, f"{name}.txt", **words), folder / name)


def result_of(terminal: Terminal, *options: str) -> dict[str, Any]:
    ended = terminal.run("evaluate", *options, "--resamples", "50", "--json")
    assert ended.code == ExitCode.DONE, ended.err
    return ended.json


def test_results_are_those_of_the_pieces(terminal: Terminal) -> None:
    [market] = made(terminal.folder).markets
    [found] = result_of(terminal, "set", "--out", "out")["evaluations"]
    training = market_samples(market, market.samples(Part.TRAINING))
    validation = market_samples(market, market.samples(Part.VALIDATION))
    test = market_samples(market, market.samples(Part.TEST))
    assert [each["predictor"] for each in found["results"]] == [each.value for each in Baseline]
    for each in found["results"]:
        baseline = Baseline(each["predictor"])
        penalty = choose_penalty(baseline, training, validation) if baseline in REGRESSIONS else None
        assert each["penalty"] == penalty
        predictions = fit_baseline(baseline, training, penalty or 1.0).predict(test)
        expected = report(test.labels, predictions, Resampling(9, 50)).plain()
        assert {key: each[key] for key in expected} == expected
        assert each["training_samples"] == len(training)
    assert [path.name for path in (terminal.folder / "out").iterdir()] == ["result.json"]
    assert json.loads((terminal.folder / "out" / "result.json").read_text())["evaluations"] == [found]


def test_the_last_move_is_that_of_the_window(tmp_path: Path) -> None:
    [market] = made(tmp_path).markets
    rows = market.samples(Part.TEST)
    moves = past_moves(double_mids(np.asarray(market.book)), np.asarray(market.segments), 4)
    assert np.array_equal(market_samples(market, rows).last, classify(moves[rows], market.header.alpha))


def test_the_table_is_for_people(terminal: Terminal) -> None:
    made(terminal.folder)
    ended = terminal.run("evaluate", "set", "--folds", "2", "--baseline", "imbalance", "--resamples", "20")
    assert ended.code == ExitCode.DONE, ended.err
    assert "walk forward, 2 folds together" in ended.out
    assert "imbalance" in ended.out
    assert "majority " not in ended.out.replace("over majority", "")


def test_folds_fit_on_what_came_before_alone(tmp_path: Path) -> None:
    """A recording that goes on differently after the second cut gives the first fold's results again."""
    one = made(tmp_path, "one", count=400)
    two = made(tmp_path, "two", count=400, other_from=300)
    plan = EvaluationPlan(folds=3, resamples=20)
    first, second = ([each.plain() for each in walk_forward(dataset, plan) if each.fold == 1] for dataset in (one, two))
    assert first == second
    third, fourth = ([each.plain() for each in walk_forward(dataset, plan) if each.fold == 3] for dataset in (one, two))
    assert third != fourth


def test_all_folds_together_are_the_folds_one_after_the_other(tmp_path: Path) -> None:
    judged = walk_forward(made(tmp_path), EvaluationPlan(folds=3, resamples=0))
    for baseline in Baseline:
        own = [each for each in judged if each.predictor == baseline.value]
        matrices = {each.fold: each.report.confusion for each in own}
        assert np.array_equal(matrices.pop(0), sum(matrices.values()))
        assert sorted(fold for fold in matrices if fold) == [1, 2, 3]


def test_two_runs_say_the_same(tmp_path: Path) -> None:
    dataset = made(tmp_path)
    assert [each.plain() for each in evaluate_parts(dataset, QUICK)] == [
        each.plain() for each in evaluate_parts(dataset, QUICK)
    ]


def test_fi2010_files_are_evaluated(terminal: Terminal) -> None:
    for seed, name in ((1, "train.txt"), (2, "test.txt")):
        write_layout(terminal.folder / name, table(400, seed))
    [found] = result_of(terminal, "--fi2010", "train.txt", "test.txt", "--horizon", "20")["evaluations"]
    assert (found["dataset"], found["horizon"]) == ("FI-2010", 20)
    assert [each["samples"] for each in found["results"]] == [380] * len(Baseline)
    data = load_fi2010(terminal.folder / "test.txt")
    samples = fi2010_samples(data, 20)
    assert np.array_equal(samples.last, data.labels_of(20)[:380])
    assert np.array_equal(samples.imbalances[:, 0], data.book[20:, 3] - data.book[20:, 1])
    refused = terminal.run("evaluate", "--fi2010", "train.txt", "test.txt", "--folds", "2")
    assert refused.code == ExitCode.INPUT
    assert "leave out --folds" in refused.err


def test_plots_are_drawn(terminal: Terminal) -> None:
    pytest.importorskip("matplotlib")
    for name in ("one", "two"):
        made(terminal.folder, name)
    result = result_of(terminal, "one", "two", "--folds", "2", "--out", "out", "--plots")
    assert sorted(result["plots"]) == sorted(
        [
            "evaluation-one-binance-spot-BTCUSDT.png",
            "evaluation-two-binance-spot-BTCUSDT.png",
            "f1-folds-one-binance-spot-BTCUSDT.png",
            "f1-folds-two-binance-spot-BTCUSDT.png",
            "f1-horizons-binance-spot-BTCUSDT.png",
        ]
    )
    for name in result["plots"]:
        assert (terminal.folder / "out" / name).read_bytes().startswith(b"\x89PNG")


def test_plots_need_matplotlib(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    made(terminal.folder)
    ended = terminal.run("evaluate", "set", "--out", "out", "--plots")
    assert ended.code == ExitCode.MISSING
    assert "tickwire[plots]" in ended.err
    assert not (terminal.folder / "out").exists()


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ((), ExitCode.USAGE, "name what to evaluate on"),
        (("set", "--plots"), ExitCode.USAGE, "--plots needs --out"),
        (("nowhere",), ExitCode.INPUT, "nowhere/header.json cannot be read"),
        (("set", "--train", "other"), ExitCode.INPUT, f"has no market 'other': it has '{NAME}'"),
        (("set", "--part", "validation"), ExitCode.INPUT, "to judge on it, give --penalty"),
        (("set", "--folds", "60"), ExitCode.INPUT, "before"),
    ],
)
def test_wrong_words_are_refused(terminal: Terminal, options: tuple[str, ...], code: int, message: str) -> None:
    made(terminal.folder)
    ended = terminal.run("evaluate", *options)
    assert ended.code == code
    assert message in ended.err.replace("\n", " ")


def test_a_part_without_samples_is_named(tmp_path: Path) -> None:
    dataset = made(tmp_path, count=36)
    with pytest.raises(Rejected, match=r"the test part has no sample of binance-spot BTCUSDT.*\(5 \+ 4\)"):
        evaluate_parts(dataset, QUICK)


def test_a_model_is_judged_beside_the_baselines(terminal: Terminal) -> None:
    pytest.importorskip("onnxruntime")
    [market] = small_dataset(terminal.folder).markets
    [found] = result_of(terminal, "set", "--model", str(SMALL_MODEL), "--backend", "cpu")["evaluations"]
    mine = next(each for each in found["results"] if each["predictor"] == SMALL_MODEL.name)
    trained = TrainedModel(SMALL_MODEL)
    rows = market.samples(Part.TEST)
    said = ModelPredictor.of_folder(trained).predict(market, rows, market.header.normalisation)
    expected = report(np.asarray(market.labels)[rows], said, Resampling(9, 50)).plain()
    assert {key: mine[key] for key in expected} == expected
    assert mine["training_samples"] == market.header.parts["training"]
    [trades] = found["trades"]
    assert trades["by_threshold"] == trade_curve(market, rows, said.probabilities, 5.0).plain()


def test_a_model_may_be_computed_by_a_gpu(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    small_dataset(terminal.folder)
    options = ("set", "--model", str(SMALL_MODEL), "--baseline", "majority")
    [expected] = result_of(terminal, *options, "--backend", "cpu")["evaluations"]
    assert expected["computed_by"] == {SMALL_MODEL.name: {"backend": "cpu", "precision": "float32"}}
    put_runner(monkeypatch)
    [found] = result_of(terminal, *options)["evaluations"]
    assert found["computed_by"] == {SMALL_MODEL.name: {"backend": "gpu", "precision": "float32"}}
    assert [each["confusion"] for each in found["results"]] == [each["confusion"] for each in expected["results"]]
    [narrow] = result_of(terminal, *options, "--precision", "bfloat16")["evaluations"]
    assert narrow["computed_by"] == {SMALL_MODEL.name: {"backend": "gpu", "precision": "bfloat16"}}
    ended = terminal.run("evaluate", *options, "--resamples", "20", "--precision", "bfloat16")
    assert f"{SMALL_MODEL.name}: computed by the GPU in bfloat16" in ended.out


def test_what_computes_is_said_of_models_alone(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    made(terminal.folder)
    ended = terminal.run("evaluate", "set", "--backend", "gpu")
    assert ended.code == ExitCode.USAGE
    assert "name one with --model" in ended.err.replace("\n", " ")
    monkeypatch.setenv("TICKWIRE_GPU", "0")
    ended = terminal.run("evaluate", "set", "--model", str(SMALL_MODEL), "--backend", "gpu")
    assert ended.code == ExitCode.MISSING
    assert "TICKWIRE_GPU=0" in ended.err


def test_a_model_of_another_horizon_is_refused(terminal: Terminal) -> None:
    pytest.importorskip("onnxruntime")
    plan = DatasetPlan(sampling=Sampling(levels=3), reach=Reach(5, 6))
    built(recording(terminal.folder), terminal.folder / "set", plan)
    ended = terminal.run("evaluate", "set", "--model", str(SMALL_MODEL))
    assert ended.code == ExitCode.INPUT
    assert "has horizon 6, no model has it" in ended.err


def test_plots_of_a_model_show_what_trading_would_have_made(terminal: Terminal) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("matplotlib")
    small_dataset(terminal.folder)
    result_of(terminal, "set", "--model", str(SMALL_MODEL), "--baseline", "majority", "--out", "out", "--plots")
    names = sorted(path.name for path in (terminal.folder / "out").iterdir())
    assert names == ["evaluation-set-binance-spot-BTCUSDT.png", "result.json", "trades-set-binance-spot-BTCUSDT.png"]
    ended = terminal.run("evaluate", "set", "--model", str(SMALL_MODEL), "--resamples", "20")
    assert "one position at a time, held for the horizon" in ended.out
