"""One dataset of generated sessions for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.research.datasets.dataset import Dataset
from tests.orchestrator.research.crashes.small_crashes import crash_dataset


@pytest.fixture(scope="session")
def crashes(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Two sessions to fit on, one to choose on, two to judge on."""
    folder: Path = tmp_path_factory.mktemp("crashes")
    return crash_dataset(folder / "set")
