"""What comes of a request, by what has to be done about it.

An order that was certainly not taken is refused; one of which nobody knows is asked for, never sent again blindly.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeAlias

import msgspec

_DUPLICATE: Final = "Duplicate order sent."
_DUPLICATE_CODES: Final = (-2010, -4116)
"""Spot, futures (``ClientOrderId is duplicated``)."""
_NO_SUCH_ORDER: Final = (-2013, -2011)
_BAD_TIME: Final = -1021
_UNKNOWN_CODES: Final = (-1000, -1001, -1006, -1007)
"""The venue does not know itself what became of the request."""
_OVERLOADED: Final = -1008
"""Refused before anything was done, although the status is 503."""
_TOO_MANY: Final = (-1003, -1015)
_TOO_MANY_STATUS: Final = (418, 429)
_SERVER_ERROR: Final = 500
_BANNED_UNTIL: Final = re.compile(r"banned until (\d{13})")
_SIGNATURE: Final = re.compile(r"(signature|apiKey|listenKey)=[^&\s\"]+")
LONGEST_REASON: Final = 300


class Reply(msgspec.Struct, frozen=True):
    """The venue did it; ``body`` is the answer's JSON."""

    body: Any


class Refusal(msgspec.Struct, frozen=True):
    """The venue refused it and nothing was done."""

    code: int
    message: str

    @property
    def reason(self) -> str:
        """Code and words."""
        return f"{self.code}: {self.message}"

    @property
    def is_duplicate(self) -> bool:
        """Whether an order of this id works already: one that we sent before has arrived."""
        return self.code in _DUPLICATE_CODES and (self.code != _DUPLICATE_CODES[0] or _DUPLICATE in self.message)

    @property
    def is_unknown_order(self) -> bool:
        """Whether the venue has no such order, or none that still works."""
        return self.code in _NO_SUCH_ORDER

    @property
    def is_bad_time(self) -> bool:
        """Whether our clock and the venue's disagree."""
        return self.code == _BAD_TIME


class Limited(msgspec.Struct, frozen=True):
    """The venue refused it because too much was asked; nothing may be asked for ``pause_ms`` or until ``until_ms``."""

    reason: str
    pause_ms: int = 0
    until_ms: int = 0


class NotSent(msgspec.Struct, frozen=True):
    """It never left."""

    reason: str


class Lost(msgspec.Struct, frozen=True):
    """It may have arrived, and nobody knows what became of it."""

    reason: str


Answer: TypeAlias = Reply | Refusal | Limited | NotSent | Lost

_LONG_PAUSE_MS: Final = 60_000
"""What is waited after being told to slow down without being told how long."""


def error_answer(status: int, code: int | None, message: str, retry_after_s: int | None = None) -> Answer:
    """What an error of the venue means.

    Parameters
    ----------
    status: of HTTP, or of a message of the WebSocket API. code: of the venue, None when the answer had none.
    """
    if status in _TOO_MANY_STATUS or code in _TOO_MANY:
        until = _BANNED_UNTIL.search(message)
        pause_ms = retry_after_s * 1000 if retry_after_s else 0
        until_ms = int(until.group(1)) if until else 0
        reason = f"{status} {code}: {message}"
        return Limited(reason, pause_ms or (0 if until_ms else _LONG_PAUSE_MS), until_ms)
    if code in _UNKNOWN_CODES or (status >= _SERVER_ERROR and code != _OVERLOADED):
        return Lost(f"{status} {code}: {message}")
    return Refusal(code if code is not None else -status, message)


def redacted(text: str, secrets: tuple[str, ...] = ()) -> str:
    """A text without secrets, signatures and keys, cut to 300 characters."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return _SIGNATURE.sub(r"\1=***", text)[:LONGEST_REASON]
