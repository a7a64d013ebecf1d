"""A board's key in a file: 32 hexadecimal digits that nobody else may read."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

from hdl.control.seal import KEY_BYTES
from market.errors import MissingInput, Rejected

_KEY: Final = re.compile(rf"[0-9a-fA-F]{{{2 * KEY_BYTES}}}")


def read_key(path: Path) -> bytes:
    """The key, 16 bytes.

    Raises MissingInput without the file, Rejected for any other content, or if others than its owner may read it.
    """
    try:
        content = path.read_text(encoding="ascii", errors="replace").strip()
        mode = path.stat().st_mode
    except OSError as error:
        raise MissingInput(f"{path} cannot be read ({error.strerror}): make a key with: tickwire fpga key") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Rejected(f"{path} is open to others than its owner (mode {stat.S_IMODE(mode):o}): chmod 600 {path}")
    key = key_of(content)
    if key is None:
        raise Rejected(f"{path} has {len(content)} characters; expected a key of {2 * KEY_BYTES} hexadecimal digits")
    return key


def key_of(text: str) -> bytes | None:
    """The key that hexadecimal digits say; None for anything else."""
    return None if _KEY.fullmatch(text) is None else bytes.fromhex(text)


def write_new_key(path: Path) -> None:
    """Make a key and its file; raises Rejected if there is one of that name, MissingInput where none can be made."""
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    except FileExistsError:
        raise Rejected(
            f"{path} is there already: a board that was built with its key would not listen any more"
        ) from None
    except OSError as error:
        raise MissingInput(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(opened, "w", encoding="ascii") as file:
        # a key must be what nobody can work out again: from the system, and from no seed
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
