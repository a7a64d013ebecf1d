"""Recordings made for tests."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import zstandard

from sim.recording.container import Container

DEPTH = (
    b'{"stream":"btcusd_perp@depth@0ms","data":{"e":"depthUpdate","E":1,"T":1,"s":"BTCUSD_PERP","ps":"BTCUSD",'
    b'"U":1,"u":2,"pu":0,"b":[["61773.6","1001"]],"a":[]}}'
)


def raw_lines(messages: Sequence[bytes], start_ns: int = 1_723_161_256_000_000_000) -> bytes:
    """Messages as raw lines, a millisecond apart."""
    return b"".join(b"%d %s\n" % (start_ns + index * 10**6, message) for index, message in enumerate(messages))


def stored(content: bytes, container: Container) -> bytes:
    """The bytes of a file with this content; Zstandard with a checksum."""
    if container is Container.GZIP:
        return gzip.compress(content, mtime=0)
    if container is Container.ZSTD:
        return zstandard.ZstdCompressor(write_checksum=True).compress(content)
    return content


def write(folder: Path, name: str, data: bytes) -> Path:
    """A file with these bytes."""
    path = folder / name
    path.write_bytes(data)
    return path
