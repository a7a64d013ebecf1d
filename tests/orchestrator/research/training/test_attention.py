"""A transformer's blocks in PyTorch: what a training begins with, and that blocks are those of the reference."""

from __future__ import annotations

import numpy as np
import pytest

from gpu.models.architecture import TRANSFORMER, Transformer
from gpu.models.attention import transformed as reference
from orchestrator.research.training.attention import decaying_offsets, transformed
from orchestrator.research.training.network import Network
from tests.gpu.models.shapes import SMALL, rows_for


def test_a_training_begins_with_weights_that_halve_within_a_row_to_the_whole_span() -> None:
    found = np.exp(decaying_offsets(TRANSFORMER, 50))
    assert found.shape == (2, 50)
    np.testing.assert_allclose(found[0, :4], [1.0, 0.5, 0.25, 0.125], rtol=1e-6)
    assert found[1, 25] == pytest.approx(0.5**0.5)


@pytest.mark.long
def test_blocks_are_those_of_the_reference_in_every_stretch_of_a_batch() -> None:
    torch = pytest.importorskip("torch")
    shape = SMALL["transformer"]
    assert isinstance(shape, Transformer)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = Network(shape, dropout=0.0)
    stretches = np.stack([rows_for(shape, 9, seed) for seed in (1, 2)])
    found = transformed(shape, network.modules, torch.from_numpy(stretches)).detach().numpy()
    tensors = network.model().tensors
    for rows, vectors in zip(stretches, found, strict=True):
        np.testing.assert_allclose(vectors, reference(shape, tensors, rows), rtol=0, atol=1e-5)
