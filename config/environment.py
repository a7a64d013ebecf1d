"""Settings and credentials from environment variables and a ``.env`` file.

``TICKWIRE__SECTION__KEY=value`` sets one value: sections and keys in any case, a hyphen or point written as an
underscore (``TICKWIRE__VENUES__BINANCE_SPOT__TAKER_FEE_BPS=7.5``). Values are read as TOML, else as text.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from config.errors import Problem, SettingsError
from config.layers import Layer, Table
from config.structure import Node, canonical, child, node_of

PREFIX: Final = "TICKWIRE__"
_ASSIGNMENT: Final = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


def environment_layers(environment: Mapping[str, str], root: type[BaseModel], below: Table) -> Iterator[Layer]:
    """One layer per variable that sets a value, in alphabetical order.

    Parameters
    ----------
    root: the model that names the keys. below: the merged table so far, which names venues and instruments.
    """
    for name in sorted(environment):
        if not name.startswith(PREFIX):
            continue
        segments = name.removeprefix(PREFIX).split("__")
        source = f"environment variable {name}"
        if not all(segments):
            raise SettingsError(Problem(source, "", "must be TICKWIRE__SECTION__KEY, with a name between underscores"))
        values: Any = _value(environment[name])
        for key in reversed(_keys(segments, root, below)):
            values = {key: values}
        yield Layer(source, values)


def _keys(segments: list[str], root: type[BaseModel], below: Table) -> list[str]:
    """The spelling that the settings use for the segments of a variable's name."""
    node: Node | None = node_of(root)
    table: Any = below
    keys: list[str] = []
    for segment in segments:
        present = list(table) if isinstance(table, dict) else []
        known = {canonical(key): key for key in (*(node.keys if node else ()), *present)}
        key = known.get(canonical(segment), segment.lower())
        keys.append(key)
        node = child(node, key) if node else None
        table = table.get(key) if isinstance(table, dict) else None
    return keys


def _value(text: str) -> Any:
    """A variable's value: TOML where it is TOML, else the text itself."""
    try:
        table = tomllib.loads(f"value = {text}", parse_float=Decimal)
    except (tomllib.TOMLDecodeError, ValueError, ArithmeticError, RecursionError):
        return text
    return table["value"] if table.keys() == {"value"} else text


def read_environment(folder: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment with what ``folder/.env`` adds to it; an inherited variable wins over the file.

    Raises SettingsError naming the line, never its value: the file holds secrets.
    """
    path = folder / ".env"
    try:
        text = path.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return dict(inherited)
    except OSError as error:
        raise SettingsError(Problem(str(path), "", f"cannot be read: {error.strerror}")) from error
    except UnicodeDecodeError as error:
        raise SettingsError(Problem(str(path), "", f"must be UTF-8 text, byte {error.start} is not")) from None
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(stripped)
        if match is None:
            raise SettingsError(Problem(str(path), "", f"line {number}: must be NAME=value"))
        found[match[1]] = _unquoted(match[2])
    return {**found, **inherited}


def _unquoted(text: str) -> str:
    """The value without its quotes, or without a comment after it."""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    return re.split(r"\s#", text, maxsplit=1)[0].rstrip()
