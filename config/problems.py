"""Turns what validation found into problems that name source, key, value and what is allowed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ValidationError

from config.errors import Problem
from config.layers import Merged
from config.structure import nearest, table_at


def problems_of(error: ValidationError, root: type[BaseModel], merged: Merged) -> tuple[Problem, ...]:
    """One problem per mistake, in the order of the settings.

    Parameters
    ----------
    root: the model that was validated. merged: the values that it was given, with their sources.
    """
    found = [
        (tuple(str(part) for part in one["loc"]), one["type"], one["msg"], one["input"])
        for one in error.errors(include_url=False, include_context=False)
    ]
    misnamed = [path[:-1] for path, _, _, _ in found if path[-1:] == ("[key]",)]
    return tuple(
        _problem(root, merged, path, kind, text, value)
        for path, kind, text, value in found
        if path[-1:] == ("[key]",) or not any(path[: len(name)] == name for name in misnamed)
    )


def _problem(
    root: type[BaseModel], merged: Merged, path: tuple[str, ...], kind: str, text: str, value: object
) -> Problem:
    if path and path[-1] == "[key]":
        path = path[:-1]
        return Problem(_source(merged, path), ".".join(path), _unknown(root, path, text))
    if kind == "extra_forbidden":
        return Problem(_source(merged, path), ".".join(path), _unknown(root, path, ""))
    if kind == "missing":
        return Problem(_source(merged, path), ".".join(path), "is missing: it has no default and must be set")
    rule = text.removeprefix("Value error, ")
    if kind == "value_error" and not rule.startswith("must"):
        return _between_settings(merged, path, rule)
    return Problem(_source(merged, path), ".".join(path), f"was {shown(value)}: {_allowed(kind, rule)}")


def _between_settings(merged: Merged, table: tuple[str, ...], rule: str) -> Problem:
    """A broken rule between settings: its text begins with the key, relative to the table, and names the others."""
    key, _, rest = rule.partition(" ")
    full = (*table, *key.split("."))
    others = [(*full[:-1], word) for word in re.findall(r"[a-z_]{4,}", rest)]
    sources = [*merged.sources(full), *(merged.origins[other] for other in others if other in merged.origins)]
    return Problem(" + ".join(dict.fromkeys(sources)), ".".join(full), rest)


def _allowed(kind: str, rule: str) -> str:
    """What validation demands, in the words of a settings file."""
    if kind in ("bool_type", "bool_parsing"):
        return "must be true or false"
    if kind in ("model_type", "model_attributes_type", "mapping_type", "dict_type"):
        return "must be a table of settings"
    return rule.replace("Input should", "must").replace("String should", "must").replace("Decimal input should", "must")


def _unknown(root: type[BaseModel], path: tuple[str, ...], rule: str) -> str:
    table = table_at(root, path[:-1])
    known = table.keys if table else ()
    close = nearest(path[-1], known)
    text = "is not a known name" if rule else "is not a known setting"
    if close:
        return f"{text}; the nearest is {'.'.join((*path[:-1], close))}"
    if known:
        return f"{text}; there are {', '.join(known)}"
    return f"{text}: {rule.replace('String should', 'it must')}" if rule else text


def _source(merged: Merged, path: tuple[str, ...]) -> str:
    return " + ".join(merged.sources(path)) or "settings"


def shown(value: object) -> str:
    """A value as TOML would write it, cut to one line of readable length."""
    text = json.dumps(_plain(value), ensure_ascii=False) if not isinstance(value, Decimal) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, str | bool | int | None) else str(value)
