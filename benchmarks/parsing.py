"""Reading JSON alone, over lines in memory: ours, the C reference's, and one on simdjson as a check on both."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.compiled import BUILD, SOURCES, load_library
from benchmarks.recordings import Recording
from benchmarks.replays import padded, reference_library, source_words
from market.errors import Fatal, MissingExtra
from market.wire.markets import market_table
from market.wire.records import Batch, Words
from sim.replay.source import RECORDS_PER_BATCH

_PACKAGE: Final = "pysimdjson==7.0.2"
_FILES: Final = ("simdjson.h", "simdjson.cpp")
_DIGEST_WORDS: Final = 4

Parse = Callable[[int, int, int, int | None], int]
"""Source words, data, length, digest or None; returns the lines read, below 0 when one could not be."""


def simdjson_folder() -> Path:
    """simdjson's two source files, out of the source package of pysimdjson; raises MissingExtra without it."""
    folder = BUILD / "simdjson"
    if not all((folder / name).is_file() for name in _FILES):
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
        command += ["--no-binary", "pysimdjson", "--dest", str(folder), _PACKAGE]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            raise MissingExtra(f"the source package {_PACKAGE} cannot be downloaded: no simdjson to compare with")
        with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
            for member in archive.getmembers():
                name = Path(member.name).name
                content = archive.extractfile(member) if name in _FILES and "/simdjson/" in member.name else None
                if content is not None:
                    (folder / name).write_bytes(content.read())
    return folder


def simdjson_parse() -> Parse:
    """The parser on simdjson, compiled."""
    folder = simdjson_folder()
    sources = [SOURCES / "simdjson_parse" / "simdjson_parse.cpp", folder / "simdjson.cpp"]
    return _typed(load_library(sources, standard="c++17", include=[folder]).simdjson_parse)


def reference_parse() -> Parse:
    """The C reference's parser."""
    return _typed(reference_library().reference_parse)


def _typed(function: ctypes._NamedFuncPointer) -> Parse:
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p]
    function.restype = ctypes.c_int64
    return function


class CompiledParse:
    """A compiled parser over the lines of a recording."""

    def __init__(self, parse: Parse, recording: Recording) -> None:
        self._parse = parse
        self._lengths = [len(text) for text in recording.texts]
        self._texts = [padded(text) for text in recording.texts]
        self._sources: list[Words] = [np.array(source_words(source), dtype=np.int64) for source in recording.sources]

    def run(self) -> int:
        """Parse everything; returns the number of lines."""
        return sum(self._each(None))

    def digests(self) -> list[list[int]]:
        """Sums over everything that is read, per source."""
        sums: Words = np.zeros((len(self._texts), _DIGEST_WORDS), dtype=np.int64)
        self._each(sums)
        return [[int(value) for value in row] for row in sums]

    def _each(self, sums: Words | None) -> list[int]:
        counts = []
        for index, (source, text, length) in enumerate(zip(self._sources, self._texts, self._lengths, strict=True)):
            digest = None if sums is None else sums[index].ctypes.data
            counts.append(self._parse(source.ctypes.data, text.ctypes.data, length, digest))
        if min(counts) < 0:
            raise Fatal("a parser could not read a recording that it is to be timed on")
        return counts


class OurParse:
    """Our decoder over the lines of a recording, batch by batch."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._batch = Batch(RECORDS_PER_BATCH, max(source.venue.levels for source in recording.sources))
        self._tables = [market_table(list(source.markets)) for source in recording.sources]

    def run(self) -> int:
        """Decode everything; returns the number of records."""
        total, batch = 0, self._batch
        for source, table, text in zip(self._recording.sources, self._tables, self._recording.texts, strict=True):
            batch.restart()
            while True:
                batch.clear()
                source.venue.decode_lines(
                    text,
                    source.maximum_jump_ns,
                    table,
                    batch.records,
                    batch.bids,
                    batch.asks,
                    batch.cursor,
                    source.lag_ns,
                )
                if not batch.count:
                    break
                total += batch.count
        return total
