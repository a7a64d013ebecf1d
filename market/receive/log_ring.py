"""A ring between the loop, which writes the engine's event log into it, and a thread that reads it.

One writer, one reader, no lock: each moves a position of its own, and only after the words before it.
"""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from market.errors import Fatal
from market.fastpath import state
from market.fastpath.entries import Words
from market.native.kernel import part
from market.native.memory import get, put

WRITTEN: Final = 0
"""Words written so far."""
TAKEN: Final = 8
"""Words taken so far; in a cache line of its own."""
MASK: Final = 16
"""Room for words, less one; -1 when no log is kept."""
RECORDS: Final = 24


def _fence_intrinsic(typingctx: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.fence("seq_cst")
        return ir.Constant(ir.IntType(64), 0)

    return types.int64(), generate


_fence = cast("Any", intrinsic(_fence_intrinsic))
"""Memory accesses before it come before those after it, for the compiler and for the processor."""


@part
def write_log(engine: int, ring: int) -> None:
    """Move the engine's event log into the ring, all of it or, where there is no room, nothing."""
    count = get(engine, state.EVENT_LOG_USED) >> 3
    written, mask = get(ring, WRITTEN), get(ring, MASK)
    if count == 0 or written + count - get(ring, TAKEN) > mask + 1:
        return
    area = engine + get(engine, state.EVENT_LOG)
    for word in range(count):
        put(ring, RECORDS + (written + word & mask), get(area, word))
    put(engine, state.EVENT_LOG_USED, 0)
    _fence()
    put(ring, WRITTEN, written + count)


class LogRing:
    """The ring as its reader sees it.

    Parameters
    ----------
    capacity_bytes: room for records; a power of two of at least 8 words, or 0 for an engine without a log.

    Attributes
    ----------
    words: the ring's memory, ``int64[words]``.

    Raises ``Fatal`` for another capacity.
    """

    def __init__(self, capacity_bytes: int) -> None:
        room = capacity_bytes // state.WORD
        if capacity_bytes and (room < 8 or room & room - 1 or capacity_bytes % state.WORD):
            raise Fatal(f"the log ring has {capacity_bytes} bytes; expected 0 or a power of two of at least 64")
        self.words: Words = np.zeros(RECORDS + room, dtype=np.int64)
        self.words[MASK] = room - 1

    def take(self) -> bytes:
        """The records written since the last call: of each a word with its length, then its bytes, padded to 8."""
        written, taken = int(self.words[WRITTEN]), int(self.words[TAKEN])
        if written == taken:
            return b""
        room = int(self.words[MASK]) + 1
        first = taken % room
        beyond = first + written - taken - room
        records = self.words[RECORDS + first : RECORDS + min(first + written - taken, room)].tobytes()
        if beyond > 0:
            records += self.words[RECORDS : RECORDS + beyond].tobytes()
        self.words[TAKEN] = written
        return records
