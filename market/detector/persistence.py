"""The detector across a restart: its whole state as bytes, and back.

Little-endian: eight bytes of magic, the version, the number of words, CRC-32 of the words, the words. A saved state is
taken only for the settings that it was made with: windows of other lengths would mean something else.
"""

from __future__ import annotations

import struct
from typing import Final
from zlib import crc32

import numpy as np

from market.detector.layout import LENGTH_WORDS, SETTING_WORDS, STATE_WORDS, VERSION, Words, new_state
from market.detector.settings import DetectorSettings
from market.errors import Rejected

_MAGIC: Final = b"TWDETECT"
_HEAD: Final = struct.Struct("<8sQQQ")


def saved(state: Words) -> bytes:
    """A state as bytes."""
    words = state.astype("<i8").tobytes()
    return _HEAD.pack(_MAGIC, VERSION, len(state), crc32(words)) + words


def restored(settings: DetectorSettings, content: bytes) -> Words:
    """The state of ``saved``.

    Raises Rejected for bytes that are no saved detector, are damaged, of another version, or of other settings; the
    caller then starts a new one, which warms up anew.
    """
    words = _words(content)
    state: Words = np.frombuffer(words, dtype="<i8").astype(np.int64)
    expected = new_state(settings)
    differing = [word for word in (*range(SETTING_WORDS), *LENGTH_WORDS) if state[word] != expected[word]]
    if differing:
        raise Rejected(
            f"the saved detector had other settings (words {differing} differ): "
            "use those that it was saved with, or start a new detector"
        )
    return state


def _words(content: bytes) -> bytes:
    """The words of a saved detector, checked."""
    if len(content) < _HEAD.size or not content.startswith(_MAGIC):
        raise Rejected(f"{content[:8]!r} is not the start of a saved detector: expected {_MAGIC!r}")
    _, version, number, checksum = _HEAD.unpack_from(content)
    if version != VERSION:
        raise Rejected(
            f"the saved detector has version {version}, this program reads version {VERSION}: start a new detector, "
            "or read it with the program that saved it"
        )
    words = content[_HEAD.size :]
    if number != STATE_WORDS or len(words) != 8 * STATE_WORDS or crc32(words) != checksum:
        raise Rejected(
            f"the saved detector is damaged: {len(words)} bytes and {number} words with CRC-32 {crc32(words):08x}, "
            f"expected {8 * STATE_WORDS} bytes, {STATE_WORDS} words and CRC-32 {checksum:08x}"
        )
    return words
