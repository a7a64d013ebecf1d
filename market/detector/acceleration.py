"""I2, price acceleration: the second difference of the closes of three neighbouring seconds.

``a_t = (P_t - 2 P_{t-1} + P_{t-2}) / P_{t-2}``
"""

from __future__ import annotations

from typing import Final

from market.detector.layout import ACCELERATION, ACCELERATION_LIMIT, FIRST_CLOSE, NAN
from market.detector.states import Signal
from market.detector.words import set_signal
from market.native.float_memory import get_float, put_float
from market.native.kernel import inline
from market.native.memory import get

_BIT: Final = int(Signal.ACCELERATION)


@inline
def take_close(detector: int) -> None:
    """A second closed; without three closes there is no acceleration."""
    newest, middle, oldest = (
        get(detector, FIRST_CLOSE),
        get(detector, FIRST_CLOSE + 1),
        get(detector, FIRST_CLOSE + 2),
    )
    if middle == 0 or oldest == 0:
        put_float(detector, ACCELERATION, NAN)
        set_signal(detector, _BIT, False)
        return
    acceleration = (newest - 2 * middle + oldest) / oldest
    put_float(detector, ACCELERATION, acceleration)
    set_signal(detector, _BIT, acceleration < get_float(detector, ACCELERATION_LIMIT))
