"""All proofs."""

from __future__ import annotations

from typing import Final

from hdl.formal.allowance import ALLOWANCE
from hdl.formal.gate import GATE
from hdl.formal.proof import Proof
from hdl.formal.streams import TRADES

PROOFS: Final[tuple[Proof, ...]] = (GATE, *ALLOWANCE, TRADES)
