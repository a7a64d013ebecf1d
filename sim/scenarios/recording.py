"""Sessions as recordings: gzip files of raw lines, whole or spliced behind the lines of a real recording."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from sim.generator.recording import SYNTHETIC
from sim.scenarios.plan import SessionPlan
from sim.scenarios.session import Session

_COMPRESSION: Final = 1


def recording_name(plan: SessionPlan, onto: str | None = None) -> str:
    """How the file of a session is called: nobody takes it for real. ``onto``: symbol of what it is spliced onto."""
    coin, splice = ("btc", "") if onto is None else (onto.removesuffix("USDT").lower(), "-spliced")
    return f"{SYNTHETIC}-{plan.kind}-{plan.seed}-binance-usdm-{coin}{splice}.gz"


def session_lines(plan: SessionPlan) -> Iterator[bytes]:
    """Lines of a session, some thousands at a time."""
    yield from Session(plan).lines()


def write_lines(path: Path, parts: Iterable[bytes]) -> int:
    """Write lines as one gzip file, whole or not at all; returns how many bytes of text.

    No name and no time stand in the header: the same lines give the same bytes under the same zlib.
    """
    unfinished, written = path.with_name(f"{path.name}.unfinished"), 0
    try:
        with (
            unfinished.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", compresslevel=_COMPRESSION, fileobj=raw, mtime=0) as file,
        ):
            for part in parts:
                written += file.write(part)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return written
