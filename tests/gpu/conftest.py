"""Tests that need a GPU are marked ``gpu``: ``pytest -m gpu`` runs them alone, and without a GPU they are skipped."""

from __future__ import annotations

import pytest

from gpu.device import require_gpu
from market.errors import MissingExtra


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "gpu: needs a GPU; the same bodies run on the CPU, thread by thread")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    marked = [item for item in items if "gpu" in item.keywords and item.get_closest_marker("gpu")]
    if not marked:
        return
    try:
        require_gpu()
    except MissingExtra as missing:
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=f"{missing}; the same kernels run on the CPU, thread by thread"))
