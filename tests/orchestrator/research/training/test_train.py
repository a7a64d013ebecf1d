"""``tickwire train``, with PyTorch: the network is the reference, and a training gives the same files each time."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpu.models.architecture import Architecture, DeepLob
from gpu.models.reference import probabilities, stretch_logits
from market.errors import MissingExtra, Rejected
from orchestrator.cli.exits import ExitCode
from orchestrator.research.datasets.parts import Part
from orchestrator.research.models.card import CARD_FILE, DIGESTED, read_card
from orchestrator.research.training.fit import ClassWeights, FitSettings, best_temperature, class_weights, fit, log_loss
from orchestrator.research.training.network import Network, require_torch
from orchestrator.research.training.sizes import Size, architecture
from orchestrator.research.training.stretches import LabelledRows, Stretches, labelled_rows
from tests.gpu.models.shapes import SMALL, rows_for
from tests.orchestrator.cli.terminal import Terminal
from tests.orchestrator.research.models.small_model import MARKET, SMALL_MODEL, TRANSFORMER_MODEL, small_dataset

OPTIONS = ("--epochs", "6", "--resamples", "50")
"""Those that the small models were made with."""


def part_of(folder: Path, part: Part) -> Stretches:
    [market] = small_dataset(folder).markets
    return Stretches([labelled_rows(market, market.samples(part))], 5)


def test_class_weights_make_classes_weigh_what_they_should(tmp_path: Path) -> None:
    samples = part_of(tmp_path, Part.TRAINING)
    counts = np.bincount(samples.labels, minlength=3)
    balanced, root, none = (class_weights(samples, each) for each in ClassWeights)
    np.testing.assert_allclose(balanced * counts, np.full(3, len(samples) / 3))
    np.testing.assert_allclose((root * np.sqrt(counts))[1:], (root * np.sqrt(counts))[0])
    np.testing.assert_allclose(none, np.ones(3))


def test_the_temperature_is_the_one_that_fits_best() -> None:
    random = np.random.default_rng(4)
    logits = random.standard_normal((4_000, 3)) * 6
    # They come true as often as logits of a third of the size would say.
    likely = probabilities(logits / 3).cumsum(axis=1)
    labels = (random.random((4_000, 1)) > likely).sum(axis=1).astype(np.int8)
    samples = Stretches([LabelledRows(np.zeros((4_000, 1), dtype=np.float32), labels, np.arange(4_000))], 2)
    assert best_temperature(logits, samples) == pytest.approx(3.0, rel=0.1)
    losses = [log_loss(logits / each, samples, np.ones(3)) for each in (2.0, 3.0, 4.5)]
    assert min(losses) == losses[1]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"epochs": 0}, "epochs was 0: must be a whole number of at least 1"),
        ({"seed": -1}, "seed was -1: must be a whole number of at least 0"),
        ({"learning_rate": float("nan")}, "learning_rate was nan: must be a number above 0"),
        ({"learning_rate": float("inf")}, "learning_rate was inf: must be a number above 0"),
        ({"weight_decay": -0.5}, "weight_decay was -0.5: must be a number of at least 0"),
        ({"dropout": 1.0}, "dropout was 1.0: must be a number from 0 to below 1"),
    ],
)
def test_impossible_settings_are_refused_by_name(words: dict[str, Any], says: str) -> None:
    with pytest.raises(Rejected, match=says):
        FitSettings(**words)


def test_without_pytorch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(MissingExtra, match=r"tickwire\[train\]"):
        require_torch()


@pytest.mark.parametrize(
    ("size", "count"),
    [(Size.DEEPLOB, 142_435), (Size.DEEPLOB_PAPER, 60_691), (Size.COMPACT, 1_851), (Size.TRANSFORMER, 5_229)],
)
def test_sizes_are_those_of_their_names(size: Size, count: int) -> None:
    shapes = architecture(size, levels=10, window=100).shapes
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == count


def test_an_lstm_of_25_levels_and_50_rows_has_the_shape_of_lstm_a() -> None:
    shapes = architecture(Size.LSTM_A, levels=25, window=50).shapes
    without_dense = sum(int(np.prod(shape)) for name, shape in shapes.items() if not name.startswith("dense"))
    assert without_dense == 160_800


@pytest.mark.long
@pytest.mark.parametrize("kind", SMALL)
def test_the_network_is_the_reference(kind: str) -> None:
    torch = pytest.importorskip("torch")
    shape: Architecture = SMALL[kind]
    rows = rows_for(shape, windows=40)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = Network(shape, dropout=0.5)
        torch.nn.init.normal_(network.modules["dense"].weight)
        network(torch.from_numpy(rows)[None])  # Statistics of the batch, which are folded into the weights.
    network.modules.eval()
    expected = network(torch.from_numpy(rows)[None]).detach().numpy()[0]
    np.testing.assert_allclose(stretch_logits(network.model(), rows), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(stretch_logits(network.model(2.0), rows), expected / 2, rtol=0, atol=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("size", [Size.COMPACT, Size.TRANSFORMER])
def test_a_training_learns_what_can_be_learnt(size: Size, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    [market] = small_dataset(tmp_path).markets
    training = labelled_rows(market, market.samples(Part.TRAINING))
    # A label that the newest row says: whether its first feature is high, middling or low.
    told = np.digitize(training.rows[:, 1], np.quantile(training.rows[:, 1], [1 / 3, 2 / 3])).astype(np.int8)
    before, after = (
        Stretches([LabelledRows(training.rows, told, market.samples(part))], 5)
        for part in (Part.TRAINING, Part.VALIDATION)
    )
    settings = FitSettings(epochs=40, learning_rate=0.01, dropout=0.0)
    fitted = fit(architecture(size, 3, 5), before, after, settings)
    assert fitted.losses[fitted.best][1] < 0.6 < np.log(3)


@pytest.mark.long
@pytest.mark.parametrize(
    ("size", "folder"), [("compact", SMALL_MODEL), ("transformer", TRANSFORMER_MODEL)], ids=["compact", "transformer"]
)
def test_the_command_makes_the_same_files_again(size: str, folder: Path, terminal: Terminal) -> None:
    pytest.importorskip("torch")
    small_dataset(terminal.folder)
    for name in ("one", "two"):
        ended = terminal.run("train", "set", "--model", size, *OPTIONS, "--out", name, "--json")
        assert ended.code == ExitCode.DONE, ended.err
    for file in (CARD_FILE, *DIGESTED):
        assert (terminal.folder / "one" / file).read_bytes() == (terminal.folder / "two" / file).read_bytes()
    card, committed = read_card(terminal.folder / "one"), read_card(folder)
    assert (card.shape, card.dataset, card.markets) == (committed.shape, committed.dataset, committed.markets)
    assert ended.json["card"]["scores"][MARKET]["above_every_baseline"] == ended.json["above_every_baseline"][MARKET]
    again = terminal.run("train", "set", "--model", size, *OPTIONS, "--out", "one")
    assert again.code == ExitCode.INPUT
    assert "is there already" in again.err


@pytest.mark.long
def test_every_kind_trains_and_walks_forward(terminal: Terminal) -> None:
    pytest.importorskip("torch")
    assert isinstance(architecture(Size.DEEPLOB_PAPER, 3, 30), DeepLob)
    small_dataset(terminal.folder, count=500)
    ended = terminal.run(
        "train", "set", "--model", "lstm-a", "--folds", "2", "--epochs", "2", "--resamples", "20", "--out", "m"
    )
    assert ended.code == ExitCode.DONE, ended.err
    assert "walk forward, all folds together" in ended.out
    assert "lstm-a" in ended.out
    refused = terminal.run("train", "set", "--model", "deeplob", "--out", "n")
    assert refused.code == ExitCode.INPUT
    assert "a DeepLOB needs at least 23 rows" in refused.err
    assert not (terminal.folder / "n").exists()
