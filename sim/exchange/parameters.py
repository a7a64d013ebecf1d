"""Parameters of a request, as text, and the readings of them that refuse what cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, TypeVar
from urllib.parse import parse_qsl

from sim.exchange import answers
from sim.exchange.answers import ApiError

CLIENT_ID: Final = r"^[a-zA-Z0-9-_]{1,36}$"
_CLIENT_ID: Final = re.compile(CLIENT_ID)
FUTURES_CLIENT_ID: Final = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"
_FUTURES_CLIENT_ID: Final = re.compile(FUTURES_CLIENT_ID)
_NUMBER: Final = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_MOST: Final = 64
"""Parameters of one request; more are refused unread."""

Word = TypeVar("Word", bound=StrEnum)


class Parameters:
    """What a request brings; an empty value counts as not sent where it is not needed.

    Parameters
    ----------
    values: text by name.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)

    @classmethod
    def from_forms(cls, forms: Iterable[str]) -> Parameters:
        """Of query string and body; raises ApiError when a name occurs twice or there are too many."""
        pairs = [pair for form in forms for pair in parse_qsl(form, keep_blank_values=True)]
        values = dict(pairs)
        if len(values) != len(pairs):
            raise ApiError(-1101, "Duplicate values for a parameter detected.")
        if len(values) > _MOST:
            raise ApiError(-1101, f"Too many parameters; expected '{_MOST}' and received '{len(values)}'.")
        return cls(values)

    def has(self, name: str) -> bool:
        """Whether a parameter was sent and is not empty."""
        return bool(self.values.get(name))

    def text(self, name: str) -> str:
        """A parameter that must be there."""
        value = self.values.get(name)
        if not value:
            raise answers.missing(name)
        return value

    def optional(self, name: str) -> str:
        """A parameter, or empty text."""
        return self.values.get(name, "")

    def number(self, name: str) -> str:
        """A positive decimal number in plain notation, that must be there."""
        value = self.text(name)
        if not _NUMBER.fullmatch(value):
            raise answers.illegal_characters(name, r"^([0-9]{1,20})(\.[0-9]{1,20})?$")
        return value

    def whole(self, name: str, default: int | None = None) -> int:
        """An integer; must be there unless it has a default."""
        value = self.values.get(name)
        if not value:
            if default is None:
                raise answers.missing(name)
            return default
        if not _WHOLE.fullmatch(value):
            raise answers.illegal_characters(name, "^[0-9]{1,20}$")
        return int(value)

    def limit(self, default: int, most: int) -> int:
        """The parameter ``limit``; more than the most is the most, less than 1 is refused."""
        value = self.whole("limit", default)
        if value < 1:
            raise answers.invalid("limit")
        return min(value, most)

    def flag(self, name: str) -> bool:
        """A truth value, false if it was not sent."""
        value = self.optional(name).lower()
        if value not in ("", "true", "false"):
            raise answers.illegal_characters(name, "true, false")
        return value == "true"

    def word(self, name: str, words: type[Word], refusal: ApiError) -> Word:
        """A value of an enumeration, that must be there; another is refused as said."""
        value = self.text(name)
        try:
            return words(value)
        except ValueError:
            raise refusal from None

    def client_id(self, name: str, *, futures: bool = False) -> str:
        """An id of the client's own, or empty text."""
        value = self.optional(name)
        pattern = _FUTURES_CLIENT_ID if futures else _CLIENT_ID
        if value and not pattern.fullmatch(value):
            raise answers.illegal_characters(name, FUTURES_CLIENT_ID if futures else CLIENT_ID)
        return value


def plain(value: object, name: str) -> str:
    """The text of a JSON value among the parameters of the WebSocket API, as it is signed."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if value is None:
        return ""
    raise answers.invalid(name)
