"""Changes of the core's netlist that have no effect, and the proofs of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hdl.formal.message_bytes import MESSAGE_BYTES, SPOILED_BYTE
from hdl.formal.proof import Proof
from hdl.formal.twin import Change

_NO_EFFECT: Final = {replace(SPOILED_BYTE, cell=f"unit.buffer.{SPOILED_BYTE.cell}"): MESSAGE_BYTES}
"""By the change, its cell named from the core on."""


def proofs_of(change: Change) -> tuple[Proof, ...]:
    """The proofs that together say that a change has no effect; none where none is known."""
    return _NO_EFFECT.get(change, ())
