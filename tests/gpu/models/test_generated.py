"""Models for comparisons of numbers: what they say depends on their rows, by far more than any tolerance."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.gpu.generated_models import lively_weights
from gpu.models.architecture import LSTM_A, PAPER_DEEPLOB, PUBLIC_DEEPLOB, TRANSFORMER, Architecture
from gpu.models.reference import stretch_logits
from gpu.models.weights import random_weights
from tests.gpu.model_checks import TOLERANCE
from tests.gpu.models.shapes import SMALL, rows_for

ALL: dict[str, Architecture] = SMALL | {
    "paper": PAPER_DEEPLOB,
    "public": PUBLIC_DEEPLOB,
    "LSTM_A": LSTM_A,
    "the transformer": TRANSFORMER,
}


@pytest.mark.parametrize("seed", [3, 11])
@pytest.mark.parametrize("kind", ALL)
def test_rows_in_another_order_give_other_logits(kind: str, seed: int) -> None:
    model, rows = lively_weights(ALL[kind], seed), rows_for(ALL[kind], 5)
    shuffled = np.random.default_rng(1).permutation(rows)
    assert np.abs(stretch_logits(model, shuffled) - stretch_logits(model, rows)).max() > 1_000 * TOLERANCE


def test_weights_as_a_training_begins_with_would_not_show_it() -> None:
    model, rows = random_weights(SMALL["deeplob"], 5), rows_for(SMALL["deeplob"], 30)
    shuffled = np.random.default_rng(1).permutation(rows)
    assert np.abs(stretch_logits(model, shuffled) - stretch_logits(model, rows)).max() < TOLERANCE
