"""The committed grid of parameter sets, and the file of what every set found."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Final

from gpu.classification import Bulk, Classifier, Distribution, Rule, TimeBars
from gpu.vpin_grid import GridResult, VpinGrid
from market.errors import MissingInput, Rejected

GRID: Final = Path(__file__).with_name("grid.json")
_NAMES: Final = (
    "rules",
    "distributions",
    "degrees",
    "bars_s",
    "bucket_lots",
    "windows",
    "top_parts",
    "horizon_s",
)


def read_grid(path: Path = GRID) -> VpinGrid:
    """The grid of a file. Raises MissingInput without the file, Rejected for one that is no grid."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise MissingInput(
            f"{path}: no such file; name a grid of parameters as benchmarks/gpu/grid.json is one"
        ) from None
    except ValueError as damage:
        raise Rejected(f"{path}: is no JSON: {damage}") from None
    if not isinstance(content, dict) or sorted(content) != sorted(_NAMES):
        found = ", ".join(sorted(content)) if isinstance(content, dict) else type(content).__name__
        raise Rejected(f"{path}: must have {', '.join(_NAMES)}; has {found}")
    try:
        bulks: list[Classifier] = [
            Bulk(
                bars=TimeBars(round(seconds * 1e9)),
                distribution=Distribution(distribution),
                degrees=content["degrees"],
            )
            for distribution in content["distributions"]
            for seconds in content["bars_s"]
        ]
        return VpinGrid(
            classifiers=(*(Rule(rule) for rule in content["rules"]), *bulks),
            bucket_lots=tuple(content["bucket_lots"]),
            windows=tuple(content["windows"]),
            top_parts=tuple(content["top_parts"]),
            horizon_ns=round(content["horizon_s"] * 1e9),
        )
    except (TypeError, ValueError) as wrong:
        raise Rejected(f"{path}: {wrong}") from None


def write_result(path: Path, result: GridResult) -> str:
    """Write a row per set as CSV, compressed; returns the SHA-256 of the text. The same result gives the same bytes."""
    columns = result.columns()
    lines = [",".join(columns)]
    listed = [column.tolist() for column in columns.values()]
    lines += [",".join(_text(value) for value in row) for row in zip(*listed, strict=True)]
    text = ("\n".join(lines) + "\n").encode()
    part = path.with_suffix(".part")
    with part.open("wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
        packed.write(text)
    part.replace(path)
    return hashlib.sha256(text).hexdigest()


def _text(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)
