"""The build that proofs are about: as small as the rules can be told apart in it."""

from __future__ import annotations

from typing import Final

from hdl.parameters import CoreParameters
from market.fastpath.specification import EngineSizes

SMALL: Final = CoreParameters(EngineSizes(venues=2, instruments=1, price_bits=10, channels=1))
