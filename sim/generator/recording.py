"""Generated markets as files, one per venue and coin, named so that nobody takes them for real."""

from __future__ import annotations

import gzip
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.venues import VenueName
from sim.generator.coins import COINS
from sim.generator.market import generate
from sim.generator.settings import Coin, GeneratorSettings

SYNTHETIC: Final = "synthetic"
"""How the name of every generated recording begins."""
_COMPRESSION: Final = 6
_GZIP: Final = b"\x1f\x8b\x08"
_GZIP_ONLY_NAME: Final = 8
_GZIP_NAME: Final = 10
"""Where the name stands in a gzip header with the flag of a name and no other (RFC 1952, 2.3)."""


@dataclass(frozen=True)
class GeneratedFile:
    """The recording of one coin on one venue."""

    venue: VenueName
    coin: Coin
    path: Path


def generated_files(settings: GeneratorSettings, seed: int, folder: Path) -> tuple[GeneratedFile, ...]:
    """The files that a market is written to, coin by coin; they need not be there yet."""
    return tuple(
        GeneratedFile(venue.venue, model.coin, folder / f"{SYNTHETIC}-{seed}-{venue.venue}-{model.coin.lower()}.gz")
        for model in COINS
        for venue in model.venues
        if model.coin in settings.coins
    )


def is_synthetic(path: Path) -> bool:
    """Whether a recording was generated, by its name or the one in its gzip header, which outlasts renaming."""
    mark = f"{SYNTHETIC}-"
    if path.name.startswith(mark):
        return True
    try:
        with path.open("rb") as file:
            head = file.read(_GZIP_NAME + len(mark))
    except OSError:
        return False
    has_name = head[:3] == _GZIP and len(head) > _GZIP_NAME and head[3] == _GZIP_ONLY_NAME
    return has_name and head[_GZIP_NAME:] == mark.encode("ascii")


def write_recordings(settings: GeneratorSettings, seed: int, folder: Path) -> tuple[GeneratedFile, ...]:
    """Write a generated market as gzip files of raw lines.

    The folder is made if it is missing, older files of the same names are replaced once all are written. The lines
    depend on settings and seed only; the compressed bytes also on the zlib in use.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = generated_files(settings, seed, folder)
    with ExitStack() as stack:
        files = {}
        for file in written:
            raw = stack.enter_context(_unfinished(file.path).open("wb"))
            # No name and no time in the header: the same market gives the same bytes.
            files[file.venue, file.coin] = stack.enter_context(
                gzip.GzipFile(filename="", mode="wb", compresslevel=_COMPRESSION, fileobj=raw, mtime=0)
            )
        for line in generate(settings, seed):
            files[line.source, line.coin].write(line.text.encode("ascii"))
    for file in written:
        _unfinished(file.path).replace(file.path)
    return written


def _unfinished(path: Path) -> Path:
    """Where a file grows: nobody who looks for whole recordings finds half of one."""
    return path.with_suffix(".unfinished")
