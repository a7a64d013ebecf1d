"""Stretches hold every sample once, with the window that the dataset says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from market.errors import Rejected
from orchestrator.research.datasets.labels import NO_LABEL
from orchestrator.research.datasets.parts import Part
from orchestrator.research.models.inputs import LIMIT
from orchestrator.research.training.stretches import WINDOWS, Stretches, labelled_rows
from tests.orchestrator.research.models.small_model import small_dataset

WINDOW = 5


@pytest.mark.parametrize("order", ["in order", "shuffled"])
def test_every_sample_comes_once_with_its_window_and_label(tmp_path: Path, order: str) -> None:
    [market] = small_dataset(tmp_path, gap_at=120).markets
    samples = market.samples(Part.TRAINING)
    assert (np.diff(samples) > 1).any()
    stretches = Stretches([labelled_rows(market, samples)], WINDOW)
    batches = stretches.in_order(3) if order == "in order" else stretches.shuffled(3, np.random.default_rng(2))
    seen: list[int] = []
    for batch in batches:
        assert batch.rows.shape[1:] == (WINDOWS + WINDOW - 1, 12)
        assert ((batch.labels == NO_LABEL) == (batch.places < 0)).all()
        for number, window in np.argwhere(batch.places >= 0).tolist():
            place = int(batch.places[number, window])
            seen.append(place)
            expected = np.clip(market.windows(samples[[place]])[0], -LIMIT, LIMIT)
            np.testing.assert_allclose(batch.rows[number, window : window + WINDOW], expected, rtol=0, atol=1e-6)
            assert batch.labels[number, window] == market.labels[samples[place]]
    assert sorted(seen) == list(range(len(samples)))
    assert (seen == sorted(seen)) == (order == "in order")


def test_no_stretch_sees_a_row_after_its_last_sample(tmp_path: Path) -> None:
    [market] = small_dataset(tmp_path).markets
    samples = market.samples(Part.TRAINING)
    rows = labelled_rows(market, samples)
    rows.rows[samples[-1] + 1 :] = np.nan
    for batch in Stretches([rows], WINDOW).shuffled(4, np.random.default_rng(3)):
        assert np.isfinite(batch.rows).all()


def test_without_samples_there_is_nothing_to_train_on(tmp_path: Path) -> None:
    [market] = small_dataset(tmp_path).markets
    with pytest.raises(Rejected, match="there are no samples"):
        Stretches([labelled_rows(market, np.array([], dtype=np.int64))], WINDOW)
