"""Fixtures of the orchestrator's tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.orchestrator.cli.terminal import Terminal


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    """A command line in an empty folder, without settings or keys in its environment."""
    for name in list(os.environ):
        if name.startswith(("TICKWIRE__", "BINANCE_API")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Terminal(capsys, tmp_path)
