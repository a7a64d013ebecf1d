"""A model's folder: its files are one model, and what is not whole or not its own is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from gpu.models.onnx_runtime import Given
from gpu.models.reference import probabilities, stretch_logits
from market.errors import MissingInput, Rejected
from orchestrator.research.datasets.dataset import open_dataset
from orchestrator.research.models.card import CARD_FILE, WEIGHTS_FILE, WINDOWS_FILE, read_card
from orchestrator.research.models.folder import TrainedModel
from orchestrator.research.models.inputs import LIMIT, model_inputs
from tests.orchestrator.research.models.small_model import MARKET, SMALL_MODEL, TRANSFORMER_MODEL, small_dataset


def copied(folder: Path) -> Path:
    return Path(shutil.copytree(SMALL_MODEL, folder / "model"))


def rewritten(folder: Path, **fields: object) -> Path:
    card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    (folder / CARD_FILE).write_text(json.dumps(card | fields), encoding="utf-8")
    return folder


@pytest.mark.parametrize("folder", [SMALL_MODEL, TRANSFORMER_MODEL], ids=["compact", "transformer"])
def test_weights_and_both_graphs_are_one_model(folder: Path) -> None:
    trained = TrainedModel(folder)
    rows = np.random.default_rng(3).standard_normal((40, 12)).astype(np.float32)
    expected = probabilities(stretch_logits(trained.weights(), rows))
    windows = np.stack([rows[first : first + 5] for first in range(36)])
    np.testing.assert_allclose(trained.runtime(Given.ROWS).probabilities(rows), expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(trained.runtime(Given.WINDOWS).probabilities(windows), expected, rtol=0, atol=1e-6)


def test_a_card_says_what_the_model_was_made_of(tmp_path: Path) -> None:
    dataset = small_dataset(tmp_path)
    card = read_card(SMALL_MODEL)
    [market] = card.markets
    [made_of] = dataset.header.markets
    assert (market.name, market.alpha, market.means) == (MARKET, made_of.alpha, made_of.means)
    assert market.samples == made_of.parts["training"]
    assert market.until_ns < dataset.header.split.validation_ns
    TrainedModel(SMALL_MODEL).check_fits(dataset)
    with pytest.raises(Rejected, match=r"no normalisation of market 'kraken XBT'.*it has 'binance-spot BTCUSDT'"):
        card.market("kraken XBT")


def test_inputs_are_scores_of_limited_size(tmp_path: Path) -> None:
    [market] = small_dataset(tmp_path).markets
    book = np.asarray(market.book).copy()
    book[7, 0] += 5_000
    found = model_inputs(book, np.asarray(market.segments), market.form, market.header.normalisation)
    scores = market.header.normalisation
    assert found.dtype == np.float32
    assert np.abs(found).max() == LIMIT
    assert found[7, 0] == LIMIT
    assert len(scores.means) == found.shape[1]
    rows = np.arange(10, 20)
    np.testing.assert_allclose(found[rows], np.clip(market.features(rows), -LIMIT, LIMIT), rtol=0, atol=1e-6)


def test_damage_and_other_versions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="`tickwire train` writes models"):
        TrainedModel(tmp_path / "absent")
    folder = copied(tmp_path)
    content = bytearray((folder / WINDOWS_FILE).read_bytes())
    content[100] ^= 1
    (folder / WINDOWS_FILE).write_bytes(content)
    with pytest.raises(Rejected, match=r"windows\.onnx has changed"):
        TrainedModel(folder)
    (folder / WEIGHTS_FILE).unlink()
    with pytest.raises(MissingInput, match=r"model\.weights is not there"):
        TrainedModel(folder)
    with pytest.raises(Rejected, match="has version 2, this reader knows version 1"):
        read_card(rewritten(folder, version=2))
    with pytest.raises(Rejected, match="its format must be 'tickwire-model'"):
        read_card(rewritten(folder, format="other"))
    with pytest.raises(Rejected, match=r"card\.json: unknown"):
        read_card(rewritten(folder, format="tickwire-model", version=1, unknown=1))


def test_rows_of_another_dataset_are_refused(tmp_path: Path) -> None:
    folder = rewritten(copied(tmp_path), window=6)
    with pytest.raises(Rejected, match=r"window is 5, model .* was trained with 6"):
        TrainedModel(folder).check_fits(small_dataset(tmp_path))
    with pytest.raises(Rejected, match=r"form is relative, model .* was trained with flow"):
        TrainedModel(rewritten(folder, window=5, form="flow")).check_fits(open_dataset(tmp_path / "set"))
