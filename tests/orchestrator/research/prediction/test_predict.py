"""``tickwire predict``: the same numbers as one window at a time, whatever the pieces and threads."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

pytest.importorskip("onnxruntime")

from gpu.models.onnx_runtime import Given
from market.errors import Rejected
from orchestrator.cli.exits import ExitCode
from orchestrator.research.models.folder import TrainedModel
from orchestrator.research.models.inputs import model_inputs
from orchestrator.research.prediction import stretches
from orchestrator.research.prediction.computing import Computing, computed_by
from orchestrator.research.prediction.stretches import predict_windows
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.research.datasets.market_books import recording
from tests.orchestrator.research.models.small_model import (
    MARKET,
    SMALL_MODEL,
    TRANSFORMER_MODEL,
    lively_lstm,
    small_dataset,
)
from tests.orchestrator.research.prediction.runner import put_runner

MODEL = str(SMALL_MODEL)


@pytest.mark.parametrize("folder", [SMALL_MODEL, TRANSFORMER_MODEL], ids=["compact", "transformer"])
@pytest.mark.parametrize("piece", [1, 7, 512])
@pytest.mark.parametrize("threads", [1, 3])
def test_shared_rows_are_full_recomputation(
    piece: int, threads: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stretches, "PIECE", piece)
    trained = TrainedModel(folder)
    inputs = np.random.default_rng(5).standard_normal((90, 12)).astype(np.float32)
    samples = np.array([4, 5, 6, 20, 21, 40, *range(50, 90)])
    done: list[int] = []
    found = predict_windows(trained.runtime(Given.ROWS), inputs, samples, 5, threads, done.append)
    alone = trained.runtime(Given.WINDOWS)
    for row, said in zip(samples.tolist(), found, strict=True):
        np.testing.assert_allclose(said, alone.probabilities(inputs[None, row - 4 : row + 1])[0], rtol=0, atol=1e-6)
    assert sum(done) == len(samples)


def test_results_do_not_depend_on_threads() -> None:
    model = TrainedModel(SMALL_MODEL).runtime(Given.ROWS)
    inputs = np.random.default_rng(5).standard_normal((2_000, 12)).astype(np.float32)
    samples = np.arange(4, 2_000)
    one, three = (predict_windows(model, inputs, samples, 5, threads) for threads in (1, 3))
    assert np.array_equal(one, three)


def said_by(terminal: Terminal, name: str, *options: str) -> tuple[Any, dict[str, str]]:
    """Probabilities of an LSTM that a command wrote, and who computed them."""
    ended = terminal.run("predict", "lstm", "--dataset", "set", *options, "--out", name, "--json")
    assert ended.code == ExitCode.DONE, ended.err
    table = pq.read_table(terminal.folder / name)
    return np.stack([table[column].to_numpy() for column in ("down", "same", "up")], axis=1), ended.json["computed_by"]


def test_a_gpu_says_what_the_cpu_says(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    small_dataset(terminal.folder, gap_at=200)
    lively_lstm(SMALL_MODEL, terminal.folder / "lstm")
    monkeypatch.setenv("TICKWIRE_GPU", "0")
    expected, by = said_by(terminal, "cpu.parquet")
    assert by == {"backend": "cpu", "precision": "float32"}
    assert np.ptp(expected, axis=0).min() > 0.1
    put_runner(monkeypatch)
    for backend in ("auto", "gpu"):
        found, by = said_by(terminal, f"{backend}.parquet", "--backend", backend)
        assert by == {"backend": "gpu", "precision": "float32"}
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    found, by = said_by(terminal, "narrow.parquet", "--precision", "bfloat16")
    assert by == {"backend": "gpu", "precision": "bfloat16"}
    assert 1e-5 < np.abs(found - expected).max() < 0.02
    found, by = said_by(terminal, "again.parquet", "--backend", "cpu")
    np.testing.assert_array_equal(found, expected)
    ended = terminal.run("predict", "lstm", "--dataset", "set", "--out", "people.parquet")
    assert "computed by the GPU in float32" in ended.out


@pytest.mark.parametrize("piece", [7, 1_000])
def test_a_gpu_takes_runs_of_rows_whole_or_in_pieces(
    piece: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_runner(monkeypatch)
    monkeypatch.setattr(stretches, "GPU_PIECE", piece)
    trained = TrainedModel(lively_lstm(SMALL_MODEL, tmp_path / "lstm"))
    inputs = np.random.default_rng(5).standard_normal((90, 12)).astype(np.float32)
    samples = np.array([4, 5, 6, 20, 21, 40, *range(50, 90)])
    model = Computing().model(trained)
    assert computed_by(model)["backend"] == "gpu"
    found = predict_windows(model, inputs, samples, 5)
    alone = trained.runtime(Given.WINDOWS).probabilities(np.stack([inputs[row - 4 : row + 1] for row in samples]))
    np.testing.assert_allclose(found, alone, rtol=0, atol=1e-6)


def test_a_gpu_that_is_not_there_is_an_error_that_leaves_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_dataset(terminal.folder)
    lively_lstm(SMALL_MODEL, terminal.folder / "lstm")
    monkeypatch.setenv("TICKWIRE_GPU", "0")
    asked: tuple[tuple[str, ...], ...] = (("--backend", "gpu"), ("--backend", "gpu", "--precision", "bfloat16"))
    for options in asked:
        ended = terminal.run("predict", MODEL, "--dataset", "set", *options, "--out", "said.parquet")
        assert ended.code == ExitCode.MISSING
        assert "the GPU is turned off by TICKWIRE_GPU=0: unset it, or use backend='cpu'" in ended.err.replace("\n", " ")
    # Left to choose, there is a CPU that computes, in the precision that it has.
    assert said_by(terminal, "auto.parquet", "--precision", "bfloat16")[1] == {"backend": "cpu", "precision": "float32"}
    ended = terminal.run(
        "predict", MODEL, "--dataset", "set", "--backend", "cpu", "--precision", "bfloat16", "--out", "said.parquet"
    )
    assert ended.code == ExitCode.USAGE
    assert "--backend cpu computes in float32" in ended.err.replace("\n", " ")
    assert not Path(terminal.folder / "said.parquet").exists()


def test_windows_that_are_not_there_are_refused() -> None:
    trained = TrainedModel(SMALL_MODEL)
    inputs = np.zeros((10, 12), dtype=np.float32)
    with pytest.raises(Rejected, match="samples were rows 3 to 5: must be 4 to 9"):
        predict_windows(trained.runtime(Given.ROWS), inputs, np.array([3, 4, 5]), 5)
    with pytest.raises(Rejected, match="takes the graph of a stretch"):
        predict_windows(trained.runtime(Given.WINDOWS), inputs, np.array([5]), 5)
    assert predict_windows(trained.runtime(Given.ROWS), inputs, np.array([], dtype=np.int64), 5).shape == (0, 3)


def test_the_file_has_every_whole_window_of_a_dataset(terminal: Terminal) -> None:
    [market] = small_dataset(terminal.folder, gap_at=200).markets
    ended = terminal.run("predict", MODEL, "--dataset", "set", "--out", "said.parquet", "--json")
    assert ended.code == ExitCode.DONE, ended.err
    table = pq.read_table(terminal.folder / "said.parquet")
    rows = table["row"].to_numpy()
    segments = np.asarray(market.segments)
    assert rows.tolist() == [row for row in range(4, len(segments)) if segments[row - 4] == segments[row]]
    assert table["time_ns"].to_numpy().tolist() == np.asarray(market.times_ns)[rows].tolist()
    known = np.asarray(market.labels)[rows]
    assert table["label"].to_pylist() == [None if label < 0 else label for label in known.tolist()]
    trained = TrainedModel(SMALL_MODEL)
    normalisation = trained.card.market(MARKET).normalisation
    inputs = model_inputs(np.asarray(market.book), segments, market.form, normalisation)
    alone = trained.runtime(Given.WINDOWS).probabilities(np.stack([inputs[row - 4 : row + 1] for row in rows]))
    found = np.stack([table[name].to_numpy() for name in ("down", "same", "up")], axis=1)
    np.testing.assert_allclose(found, alone, rtol=0, atol=1e-6)
    assert ended.json["windows"] == {MARKET: len(rows)}
    assert sorted(path.name for path in terminal.folder.iterdir()) == ["said.parquet", "set", "spot.txt"]


def test_a_recording_gives_what_its_dataset_gives(terminal: Terminal) -> None:
    small_dataset(terminal.folder, gap_at=200)
    for options in (
        ("--dataset", "set", "--out", "one.parquet"),
        ("--source", "binance-spot=spot.txt", "--out", "two.parquet"),
    ):
        ended = terminal.run("predict", MODEL, *options)
        assert ended.code == ExitCode.DONE, ended.err
    one, two = (pq.read_table(terminal.folder / name) for name in ("one.parquet", "two.parquet"))
    assert one.drop_columns("label").equals(two.drop_columns("label"))
    assert two["label"].null_count == len(two)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ((), ExitCode.USAGE, "either --dataset FOLDER or --source"),
        (("--dataset", "absent"), ExitCode.INPUT, "cannot be read"),
        (("--dataset", "set", "--market", "nobody"), ExitCode.INPUT, "has no market 'nobody'"),
        (("--dataset", "set", "--as", "nobody"), ExitCode.INPUT, "no normalisation of market 'nobody'"),
        (("--source", "binance-spot=spot.txt", "--part", "test"), ExitCode.USAGE, "a recording has none"),
        (("--source", "binance-spot=spot.txt", "--market", "x"), ExitCode.USAGE, "--market was 'x'"),
    ],
)
def test_wrong_input_leaves_nothing(terminal: Terminal, options: tuple[str, ...], code: ExitCode, said: str) -> None:
    small_dataset(terminal.folder)
    ended = terminal.run("predict", MODEL, *options, "--out", "said.parquet")
    assert ended.code == code
    assert said in ended.err
    assert not list(terminal.folder.glob("said*"))


def test_a_recording_without_a_whole_window_is_no_input(terminal: Terminal) -> None:
    recording(terminal.folder, "spot.txt", count=3)
    ended = terminal.run("predict", MODEL, "--source", "binance-spot=spot.txt", "--out", "said.parquet")
    assert ended.code == ExitCode.INPUT
    assert "no 5 rows of 3 levels follow one another" in ended.err
    assert not list(terminal.folder.glob("said*"))


def test_of_a_damaged_recording_what_is_whole_is_predicted_and_the_end_says_so(terminal: Terminal) -> None:
    whole = recording(terminal.folder, "spot.txt").read_bytes()
    (terminal.folder / "cut.gz").write_bytes(gzip.compress(whole)[:-2_000])
    ended = terminal.run("predict", MODEL, "--source", "binance-spot=cut.gz", "--out", "said.parquet", "--json")
    assert ended.code == ExitCode.CHECK_FAILED
    assert ended.json["damage"] == 1
    assert 0 < ended.json["windows"][MARKET] == pq.read_metadata(terminal.folder / "said.parquet").num_rows < 396


def test_a_file_that_is_there_stays(terminal: Terminal) -> None:
    (terminal.folder / "said.parquet").write_text("mine")
    small_dataset(terminal.folder)
    ended = terminal.run("predict", MODEL, "--dataset", "set", "--out", "said.parquet")
    assert ended.code == ExitCode.INPUT
    assert (terminal.folder / "said.parquet").read_text() == "mine"
