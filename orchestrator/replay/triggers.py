"""Trigger payloads as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from market.fastpath.layout import SCHEMA, TEMPLATE_TRIGGER, TRIGGER_SIZE
from market.wire.sbe import MessageLayout

_HEADER_BYTES: Final = 8


def _payload_dtype(message: MessageLayout) -> np.dtype[np.void]:
    """The NumPy form of a fixed-size message, its header left out by offset."""
    codes = {"uint8": "u1", "int8": "i1", "uint16": "<u2", "uint32": "<u4", "uint64": "<u8", "int64": "<i8"}
    fields = message.fields
    return np.dtype(
        {
            "names": list(fields),
            "formats": [codes[field.primitive.value] for field in fields.values()],
            "offsets": [_HEADER_BYTES + field.offset for field in fields.values()],
            "itemsize": TRIGGER_SIZE,
        }
    )


TRIGGER_DTYPE: Final = _payload_dtype(SCHEMA.message("Trigger"))
"""One trigger payload, fields by their names in messages.xml."""


def is_trigger(payload: bytes) -> bool:
    """Whether a payload of the engine is a trigger."""
    return int.from_bytes(payload[2:4], "little") == TEMPLATE_TRIGGER


def trigger_table(payloads: Sequence[bytes]) -> NDArray[Any]:
    """Triggers among the payloads as a structured array of ``TRIGGER_DTYPE``."""
    return np.frombuffer(b"".join(payload for payload in payloads if is_trigger(payload)), dtype=TRIGGER_DTYPE)
