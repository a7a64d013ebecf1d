"""What a check of the surroundings found."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Grade(StrEnum):
    """How bad it is."""

    GOOD = "good"
    WARNING = "warning"
    """A run works, but not as well as it could."""
    FAILED = "failed"
    """A run must not start."""


class Finding(msgspec.Struct, frozen=True):
    """One check: what was seen, and what to do when it is not good."""

    check: str
    grade: Grade
    seen: str
    remedy: str = ""
