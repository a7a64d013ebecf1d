"""Generated markets as files, one per venue, named so that nobody takes them for real."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from config.venues import VenueName
from sim.generator.market import generate
from sim.generator.models import VENUES
from sim.generator.settings import GeneratorSettings

SYNTHETIC: Final = "synthetic"
"""How the name of every generated recording begins."""
_COMPRESSION: Final = 6


def recording_name(seed: int, source: VenueName) -> str:
    """The file name of one venue's generated recording."""
    return f"{SYNTHETIC}-{seed}-{source}.gz"


def is_synthetic(path: Path) -> bool:
    """Whether a recording was generated, by its name."""
    return path.name.startswith(f"{SYNTHETIC}-")


def write_recordings(settings: GeneratorSettings, seed: int, folder: Path) -> Mapping[VenueName, Path]:
    """Write a generated market as gzip files of raw lines; returns the files by venue.

    The folder is made if it is missing, older files of the same names are replaced. The lines depend on settings
    and seed only; the compressed bytes also on the zlib in use.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {model.venue: folder / recording_name(seed, model.venue) for model in VENUES}
    with ExitStack() as stack:
        files = {}
        for source, path in paths.items():
            raw = stack.enter_context(path.open("wb"))
            # No name and no time in the header: the same market gives the same bytes.
            files[source] = stack.enter_context(
                gzip.GzipFile(filename="", mode="wb", compresslevel=_COMPRESSION, fileobj=raw, mtime=0)
            )
        for line in generate(settings, seed):
            files[line.source].write(line.text.encode("ascii"))
    return paths
