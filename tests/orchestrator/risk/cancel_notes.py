"""Cancel functions for tests of the dead-man switch: they write down that they were called."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def note(words: Sequence[str]) -> None:
    """Append a line with the words, and what only the environment says."""
    with Path(words[0]).open("a", encoding="utf-8") as file:
        file.write(f"cancelled {' '.join(words[1:])} with {os.environ.get('SECRET_OF_TEST', 'nothing')}\n")


def fail(words: Sequence[str]) -> None:
    """Write down the call and fail."""
    note(words)
    raise OSError("no route to the venue")


NOT_A_FUNCTION = 5
