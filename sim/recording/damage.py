"""What is wrong with a recording that can still be read in part."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class DamageReason(StrEnum):
    """Why a part of a file was not delivered, or is doubtful."""

    CUT_OFF = "cut off"
    CORRUPT = "corrupt"
    CHECKSUM = "checksum"
    TRAILING = "trailing bytes"
    UNREADABLE = "unreadable"
    LONG_LINE = "long line"


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged place.

    Parameters
    ----------
    offset: byte offset in the content (decompressed) up to which everything was delivered; None if unknown.
    line: number of the line there, from 1; None for a file without lines.
    detail: what was seen, for people.
    """

    reason: DamageReason
    offset: int | None
    line: int | None
    detail: str


class Damaged(Exception):
    """Content ends here because of damage; everything before it has been delivered."""

    def __init__(self, reason: DamageReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
