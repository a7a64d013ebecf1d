"""The reference of all settings, ``docs/settings.md``, written from the models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Final, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from config.base import LONGEST_DURATION_NS
from config.settings import Settings
from config.structure import bare, node_of

UNITS: Final = {
    "_ns": "ns",
    "_us": "µs",
    "_ms": "ms",
    "_s": "s",
    "_bps": "basis points",
    "_pct": "%",
    "_quote": "quote currency",
    "_bits": "bits",
    "_bytes": "bytes",
    "_exponent": "power of ten",
    "_shift": "power of two",
}
LONGEST_DURATIONS: Final = {LONGEST_DURATION_NS // 10**3, LONGEST_DURATION_NS // 10**6}
ENTRY_NAMES: Final = {
    "venues": "VENUE",
    "instruments": "NAME",
    "markets": "VENUE",
    "channels": "NAME",
    "stocks": "NAME",
    "news": "NAME",
    "sources": "VENUE",
    "space": "NAME",
    "watching": "NAME",
}
HEAD: Final = """# Settings

Every setting, its unit, default and meaning. This file is written by `tickwire config reference` from the models in
`config/`; a test keeps it current.

Settings come in layers, each over the one before:

1. a profile: `demo`, `backtest`, `paper`, `live`, or a TOML file of your own; `extends = "demo"` at its top lays it
   over another one;
2. `tickwire.local.toml` in the working directory, if there is one (git ignores it);
3. environment variables, and those of `.env` in the working directory: `TICKWIRE__SECTION__KEY=value`, in any case, a
   hyphen written as an underscore: `TICKWIRE__VENUES__BINANCE_SPOT__TAKER_FEE_BPS=7.5`.

`tickwire config show` prints what is in force and where each value comes from, `tickwire config check` checks it, and
`config/settings.schema.json` lets an editor complete and check a file. A mistake names its file, key and value, and
what is allowed.

Secrets are no settings: `BINANCE_API_KEY` and `BINANCE_API_SECRET`, needed for `execution.mode = "live"` only,
`BINANCE_SBE_API_KEY`, needed for `form = "sbe"` of a source only, and `TICKWIRE_BOARD_KEY`, needed for
`engine.back_end = "fpga"` only, are read from the environment or `.env` only, and are never shown.
`env.example` is a template.

Durations are whole numbers of their unit, below 2^56 ns. Prices, quantities, fees and ratios are decimal numbers,
kept exactly as written. The order of venues and instruments in the profile is their number in the engine.
"""


def reference_text() -> str:
    """The whole reference as Markdown."""
    parts = [HEAD]
    for path, model in _tables(Settings, ()):
        rows = [_row(name, field) for name, field in model.model_fields.items() if node_of(field.annotation) is None]
        if not rows:
            continue
        summary = (model.__doc__ or "").strip().splitlines()[0]
        lines = [f"## `[{'.'.join(path)}]`", "", summary, ""]
        lines += ["| Setting | Unit | Default | Allowed | Meaning |", "|---|---|---|---|---|", *rows, ""]
        parts.append("\n".join(lines))
    return "\n".join(parts)


def _tables(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    """Every table of settings with its path, outer before inner; named entries have a stand-in name."""
    yield path, model
    for name, field in model.model_fields.items():
        node = node_of(field.annotation)
        if node is None:
            continue
        if node.model is not None:
            yield from _tables(node.model, (*path, name))
        elif node.entry is not None:
            yield from _tables(node.entry, (*path, name, ENTRY_NAMES[name]))


def _row(name: str, field: FieldInfo) -> str:
    cells = (f"`{name}`", _unit(name, field), _default(field), _allowed(field), field.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _unit(name: str, field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, Mapping) and "unit" in extra:
        return str(extra["unit"])
    return next((unit for suffix, unit in UNITS.items() if name.endswith(suffix)), "")


def _default(field: FieldInfo) -> str:
    return "required" if field.default is PydanticUndefined else f"`{_toml(field.default)}`"


def _toml(value: Any) -> str:
    """A value as a settings file writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(entry) for entry in value) + "]"
    if isinstance(value, Enum):
        return f'"{value.value}"'
    if isinstance(value, str | Path):
        return f'"{value}"'
    return f"{value:,}".replace(",", "_") if isinstance(value, int) else str(value)


def _allowed(field: FieldInfo) -> str:
    kind = bare(field.annotation)
    if get_origin(kind) is tuple:
        kind = bare(get_args(kind)[0])
        if not issubclass(kind, Enum):
            return "list of numbers"
        return "list of " + ", ".join(f"`{member.value}`" for member in kind)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{member.value}`" for member in kind)
    if kind is bool:
        return "`true`, `false`"
    if kind is str:
        return "text"
    if kind is Path:
        return "path"
    return _bounds(field, "whole number" if kind is int else "number")


def _bounds(field: FieldInfo, what: str) -> str:
    """The narrowest bounds among those that a type collects."""
    at_least = [(bound.ge, "from ") for bound in field.metadata if isinstance(bound, Ge)]
    above = [(bound.gt, "above ") for bound in field.metadata if isinstance(bound, Gt)]
    at_most = [
        (bound.le, "to ") for bound in field.metadata if isinstance(bound, Le) and bound.le not in LONGEST_DURATIONS
    ]
    below = [(bound.lt, "below ") for bound in field.metadata if isinstance(bound, Lt)]
    low = max((*at_least, *above), key=lambda bound: Decimal(str(bound[0])), default=None)
    high = min((*at_most, *below), key=lambda bound: Decimal(str(bound[0])), default=None)
    words = [word + f"{Decimal(str(limit)):,}".replace(",", "_") for limit, word in (b for b in (low, high) if b)]
    return f"{what} {' '.join(words)}".strip()
