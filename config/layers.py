"""Settings come in layers, each over the one before: profile files, a local file, environment variables.

Every value remembers the layer that set it, so that a mistake is reported where it was made.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from config.errors import Problem, SettingsError

Table: TypeAlias = dict[str, Any]
KeyPath: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """Values of one source, as a nested table."""

    source: str
    values: Mapping[str, Any]


@dataclass(slots=True)
class Merged:
    """All layers in one table, and the source of each value."""

    values: Table = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)

    def add(self, layer: Layer) -> None:
        """Lay a layer over the others: tables are merged, everything else is replaced."""
        self._merge(self.values, layer.values, layer.source, ())

    def _merge(self, below: Table, above: Mapping[str, Any], source: str, path: KeyPath) -> None:
        for key, value in above.items():
            here = (*path, key)
            if isinstance(value, dict):
                if not isinstance(below.get(key), dict):
                    self._forget(here)
                    below[key] = {}
                self._merge(below[key], value, source, here)
            else:
                self._forget(here)
                below[key] = value
                self.origins[here] = source

    def _forget(self, path: KeyPath) -> None:
        for known in [known for known in self.origins if known[: len(path)] == path]:
            del self.origins[known]

    def sources(self, path: KeyPath) -> tuple[str, ...]:
        """Sources that set a value at or below a path; of the nearest table that has any, if none did."""
        for length in range(len(path), -1, -1):
            prefix = path[:length]
            found = [source for known, source in self.origins.items() if known[:length] == prefix]
            covering = [self.origins[path[:size]] for size in range(length, 0, -1) if path[:size] in self.origins]
            if found or covering:
                return tuple(dict.fromkeys(found or covering))
        return ()


def read_toml(path: Path) -> Layer:
    """One TOML file as a layer; numbers with a point are exact.

    Raises SettingsError for a file that is absent, unreadable, not UTF-8 or not TOML.
    """
    source = str(path)
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise SettingsError(Problem(source, "", "there is no such file")) from None
    except OSError as error:
        raise SettingsError(Problem(source, "", f"cannot be read: {error.strerror}")) from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SettingsError(Problem(source, "", f"line {line}: must be UTF-8 text, was byte {error.start}")) from error
    return Layer(source, parse_toml(text, source))


def parse_toml(text: str, source: str) -> Table:
    """TOML text as a table; raises SettingsError with line and column."""
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(Problem(source, "", f"is not TOML: {error}")) from error
    except (RecursionError, ValueError, ArithmeticError) as error:
        raise SettingsError(Problem(source, "", f"holds a value that cannot be read: {error!r}")) from error


def leaves(values: Mapping[str, Any], path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every value that is not a table, with its path, in order."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value
