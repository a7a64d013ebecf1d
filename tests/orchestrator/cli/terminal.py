"""Running the command line inside a test."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli import main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on standard output."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


class Terminal:
    """Runs commands in the test's own process, in an empty working directory with a clean environment."""

    def __init__(self, capture: pytest.CaptureFixture[str], folder: Path) -> None:
        self.capture = capture
        self.folder = folder

    def run(self, *words: str | Path) -> Ended:
        """One command; words after ``tickwire``."""
        self.capture.readouterr()
        code = main([str(word) for word in words])
        out, err = self.capture.readouterr()
        return Ended(code, out, err)


def run_process(*words: str | Path, folder: Path, environment: Mapping[str, str] | None = None) -> Ended:
    """One command in a process of its own."""
    command = [sys.executable, "-c", "import sys; from orchestrator.cli import main; sys.exit(main())"]
    done = subprocess.run(
        [*command, *(str(word) for word in words)],
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def run_on_terminal(*words: str | Path, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """What one command shows on a terminal of its own: standard output and error together."""
    command = [sys.executable, "-c", "import sys; from orchestrator.cli import main; sys.exit(main())"]
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [*command, *(str(word) for word in words)],
        cwd=folder,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **(environment or {})},
        stdin=follower,
        stdout=follower,
        stderr=follower,
    ) as process:
        os.close(follower)
        shown = bytearray()
        while True:
            try:
                piece = os.read(leader, 4096)
            except OSError:
                break  # Linux reports the closed end of a terminal as an input/output error.
            if not piece:
                break
            shown += piece
        process.wait(timeout=120)
    os.close(leader)
    return shown.decode()
