"""Changes of the core's netlist that have no effect, and the proofs of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from hdl.formal.idle_rows import IDLE_ROW, WRITES_WHILE_IDLE
from hdl.formal.message_bytes import MESSAGE_BYTES, SPOILED_BYTE
from hdl.formal.proof import Proof
from hdl.formal.refused_numbers import CUT_QUANTITY, LARGE_QUANTITY, NEGATIVE_PRICE, REFUSED_PRICE, WrongBit
from hdl.formal.twin import Change
from hdl.formal.unreached_steps import SPOILED_STEP, UNREACHED_STEPS

_QUOTE: Final = "decider.event.admission.quote."
"""The quote that an event is given, wherever it comes from."""
_OUTPUT: Final = "Y"


def _inside(component: str, change: Change) -> Change:
    """A component's change, its cell named from the core on."""
    return replace(change, cell=f"{component}.{change.cell}")


def _signal_of(wrong: WrongBit) -> tuple[str, str, int]:
    return f"{_QUOTE}{wrong.field}[{wrong.bit}]", "cnot1", wrong.where


_BY_CHANGE: Final[Mapping[Change, tuple[Proof, ...]]] = {
    _inside("unit.buffer", SPOILED_BYTE): MESSAGE_BYTES,
    _inside("account.payloads", SPOILED_STEP): UNREACHED_STEPS,
    _inside("books.packets.queue", WRITES_WHILE_IDLE): (IDLE_ROW,),
}
_BY_SIGNAL: Final[Mapping[tuple[str, str, int | None], tuple[Proof, ...]]] = {
    _signal_of(NEGATIVE_PRICE): (REFUSED_PRICE,),
    _signal_of(LARGE_QUANTITY): (CUT_QUANTITY,),
}
"""By the described signal that is another one for all who read it, the mode, and the deciding bit."""


def proofs_of(change: Change, signal: str) -> tuple[Proof, ...]:
    """The proofs that together say that a change has no effect; none where none is known.

    ``signal``: the described signal and bit that the changed bit of the port is.
    """
    found = _BY_CHANGE.get(change, ())
    whole = change.port == _OUTPUT and signal.endswith(f"[{change.bit}]")
    return found or (_BY_SIGNAL.get((signal, change.mode, change.control_bit), ()) if whole else ())
