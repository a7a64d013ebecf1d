"""All proofs."""

from __future__ import annotations

from typing import Final

from hdl.formal.allowance import ALLOWANCE
from hdl.formal.decider import DECIDER
from hdl.formal.gate import GATE
from hdl.formal.idle_rows import IDLE_ROW
from hdl.formal.limits import LIMITS, POSITIONS
from hdl.formal.message_bytes import MESSAGE_BYTES
from hdl.formal.notional import NOTIONAL
from hdl.formal.proof import Proof
from hdl.formal.recovery import RECOVERY
from hdl.formal.refused_numbers import REFUSED_NUMBERS
from hdl.formal.stored import STORED
from hdl.formal.streams import STREAMS
from hdl.formal.unreached_steps import UNREACHED_STEPS

PROOFS: Final[tuple[Proof, ...]] = (
    GATE,
    *ALLOWANCE,
    LIMITS,
    POSITIONS,
    NOTIONAL,
    *STORED,
    *DECIDER,
    *RECOVERY,
    *STREAMS,
    *MESSAGE_BYTES,
    *REFUSED_NUMBERS,
    *UNREACHED_STEPS,
    IDLE_ROW,
)
