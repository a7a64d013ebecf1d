"""Weight files: what is written is read back, and what is not whole is refused."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu.models.weights import ALIGNMENT, MAGIC, Model, random_weights, read_weights, write_weights
from market.errors import MissingInput, Rejected
from tests.gpu.models.shapes import SMALL


@pytest.mark.parametrize("kind", SMALL)
def test_a_file_gives_back_the_model(kind: str, tmp_path: Path) -> None:
    model = random_weights(SMALL[kind], seed=5)
    write_weights(model, tmp_path / "model.weights")
    found = read_weights(tmp_path / "model.weights")
    assert found.architecture == model.architecture
    assert found.kind == kind
    assert all(np.array_equal(found.tensors[name], tensor) for name, tensor in model.tensors.items())
    assert found.digest() == model.digest()
    assert [path.name for path in tmp_path.iterdir()] == ["model.weights"]


def test_data_begins_at_a_multiple_of_64(tmp_path: Path) -> None:
    model = random_weights(SMALL["lstm"], seed=5)
    write_weights(model, tmp_path / "model.weights")
    content = (tmp_path / "model.weights").read_bytes()
    first = model.tensors["lstm0.input"].tobytes()
    assert content.index(first) % ALIGNMENT == 0
    assert content.startswith(MAGIC)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(place=st.integers(0, 10_000), change=st.integers(1, 255), cut=st.booleans())
def test_a_damaged_file_is_refused(
    place: int, change: int, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("weights") / "model.weights"
    write_weights(random_weights(SMALL["bilinear"], seed=5), path)
    content = bytearray(path.read_bytes())
    place %= len(content)
    content[place] ^= change
    path.write_bytes(content[:place] if cut else content)
    with pytest.raises(Rejected, match=re.escape(str(path))):
        read_weights(path)


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.weights"
    with pytest.raises(MissingInput, match=r"model\.weights cannot be read"):
        read_weights(path)
    path.write_bytes(b"something else entirely")
    with pytest.raises(Rejected, match="is no weight file"):
        read_weights(path)
    write_weights(random_weights(SMALL["lstm"], seed=5), path)
    content = path.read_bytes()
    newer = content[:-32].replace(b'"version": 1', b'"version": 2')
    path.write_bytes(newer + hashlib.sha256(newer).digest())
    with pytest.raises(Rejected, match="has version 2: this reader knows version 1"):
        read_weights(path)
    path.write_bytes(content[:-1])
    with pytest.raises(Rejected, match="damaged or cut off"):
        read_weights(path)


def test_a_model_refuses_other_tensors() -> None:
    model = random_weights(SMALL["lstm"], seed=5)
    tensors = dict(model.tensors)
    with pytest.raises(Rejected, match=r"dense\.bias are missing or unknown"):
        Model(model.architecture, {name: tensors[name] for name in tensors if name != "dense.bias"})
    with pytest.raises(Rejected, match=r"dense\.bias is float32\[4\]: must be float32\[3\]"):
        Model(model.architecture, tensors | {"dense.bias": np.zeros(4, dtype=np.float32)})
    with pytest.raises(Rejected, match=r"dense\.bias has values that are not finite"):
        Model(model.architecture, tensors | {"dense.bias": np.full(3, np.nan, dtype=np.float32)})
