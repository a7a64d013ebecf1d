"""Options and fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the slow suites")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: a slow suite, run by make test-long only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    skip = pytest.mark.skip(reason="slow suite: make test-long runs it")
    for item in items:
        if "long" in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def data() -> Path:
    """Folder of the real recordings and captures; tests that use it skip without TICKWIRE_DATA."""
    configured = os.environ.get("TICKWIRE_DATA")
    if not configured:
        pytest.skip("TICKWIRE_DATA is not set: it names the folder of recordings")
    folder = Path(configured)
    if not folder.is_dir():
        pytest.fail(f"TICKWIRE_DATA names {folder}, which is not a folder")
    return folder
