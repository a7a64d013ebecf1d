"""Files in the layout of FI-2010, generated here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from market.errors import MissingInput, Rejected
from orchestrator.research.datasets.fi2010 import FEATURE_ROWS, FILE_ROWS, HORIZONS, load_fi2010
from orchestrator.research.datasets.labels import Floats, Move


def table(events: int = 60, seed: int = 1) -> Floats:
    """149 rows of normal features and labels 1 to 3."""
    random = np.random.default_rng(seed)
    labels = random.integers(1, 4, (len(HORIZONS), events)).astype(np.float64)
    return np.concatenate([random.standard_normal((FEATURE_ROWS, events)), labels])


def write_layout(path: Path, values: Floats) -> Path:
    path.write_text("".join("   ".join(f"{value:.7e}" for value in row) + "\n" for row in values.tolist()))
    return path


def test_a_file_is_read_event_by_event(tmp_path: Path) -> None:
    values = table()
    found = load_fi2010(write_layout(tmp_path / "train.txt", values))
    assert found.features.shape == (60, 144)
    assert np.allclose(found.features, values[:144].T, rtol=1e-7, atol=0)
    assert np.array_equal(found.book, found.features[:, :40])
    meaning = {1.0: Move.UP, 2.0: Move.SAME, 3.0: Move.DOWN}
    for column, horizon in enumerate(HORIZONS):
        assert found.labels_of(horizon).tolist() == [meaning[value] for value in values[144 + column].tolist()]
    with pytest.raises(Rejected, match=r"horizon was 7: .*train.txt has labels for 10, 20, 30, 50, 100"):
        found.labels_of(7)


def changed(row: int, column: int, value: float) -> Floats:
    values = table()
    values[row, column] = value
    return values


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (table()[:-1], r"bad.txt has 148 rows: the layout of FI-2010 has 149"),
        (np.concatenate([table(), table()[:1]]), r"bad.txt has more than 149 rows"),
        (changed(144, 4, 4), r"bad.txt, row 145, event 5: the label is 4, must be 1, 2 or 3"),
        (changed(6, 1, float("nan")), r"bad.txt, row 7, event 2: nan is no finite number"),
    ],
)
def test_another_layout_is_refused_by_row_and_event(tmp_path: Path, values: Floats, message: str) -> None:
    with pytest.raises(Rejected, match=message):
        load_fi2010(write_layout(tmp_path / "bad.txt", values))


def test_rows_must_be_of_one_length_and_numbers(tmp_path: Path) -> None:
    path = write_layout(tmp_path / "bad.txt", table())
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:3], lines[3].replace("\n", " 1.5\n"), *lines[4:]]))
    with pytest.raises(Rejected, match=r"bad.txt, row 4: 61 events, the rows before have 60"):
        load_fi2010(path)
    path.write_text("".join([*lines[:3], "1 2 three\n", *lines[4:]]))
    with pytest.raises(Rejected, match=r"bad.txt, row 4: could not convert string to float: 'three'"):
        load_fi2010(path)
    assert len(lines) == FILE_ROWS
    with pytest.raises(MissingInput, match=r"none.txt cannot be read.*not downloaded"):
        load_fi2010(tmp_path / "none.txt")
