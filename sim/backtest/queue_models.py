"""Where an own order stands in the queue of its price, as the recorded flow lets one guess.

Lots ahead are fixed-point numbers, so that the same recording gives the same fills on every machine; the share of the
probability models is computed in float64 and rounded to 2**-QUEUE_BITS lots.
"""

from __future__ import annotations

import math
from typing import Final

from market.native.kernel import inline, part
from market.native.memory import get, put
from sim.backtest.layout import QUEUE_BITS, QUEUE_UNIT, QueueModel
from sim.backtest.state import EXPONENT_MILLIONTHS, FRONT, LOTS_PER_UNIT, MODEL, OVERSHOOT, TRADED

_RISK_AVERSE: Final = int(QueueModel.RISK_AVERSE)
_POWER: Final = int(QueueModel.POWER)
_POWER_2: Final = int(QueueModel.POWER_2)
_POWER_3: Final = int(QueueModel.POWER_3)
_LOG: Final = int(QueueModel.LOG)
_MILLION: Final = 1_000_000
_MOST_LOTS: Final = 1 << 42
"""More lots ahead of an order than that are the same to it: the product with QUEUE_UNIT stays in range."""


@inline
def _fixed(lots: int) -> int:
    return min(lots, _MOST_LOTS) << QUEUE_BITS


@part
def _power(value: float, millionths: int) -> float:
    """A number of at least 0 to a power; whole powers up to 8 by products, the same on every machine."""
    if millionths % _MILLION == 0 and millionths <= 8 * _MILLION:
        result = 1.0
        for _ in range(millionths // _MILLION):
            result *= value
        return result
    return float(value ** (millionths / _MILLION))


@part
def share_behind(row: int, ahead: float, behind: float) -> float:
    """The part of what left a level, beyond trades, that stood behind an order; see ``layout.QueueModel``.

    ``ahead`` and ``behind`` are lots, below 0 only where that is allowed; with nothing on either side all of it stood
    behind. NaN where the model has no value for less than nothing.
    """
    model, exponent = get(row, MODEL), get(row, EXPONENT_MILLIONTHS)
    if ahead + behind <= 0.0:
        return 1.0
    if model == _POWER_3:
        return 1.0 - _power(ahead / (ahead + behind), exponent)
    if model == _POWER or model == _POWER_2:
        # The ratio does not change with the unit; a common one keeps large powers in range.
        total = ahead + behind
        own = _power(behind / total, exponent)
        return own / (own + _power(ahead / total, exponent)) if model == _POWER else own
    unit = float(get(row, LOTS_PER_UNIT))
    own = math.log1p(behind / unit)
    other = own + math.log1p(ahead / unit) if model == _LOG else math.log1p((ahead + behind) / unit)
    return own / other


@inline
def join_queue(place: int, displayed: int) -> None:
    """An order comes to rest behind what its price displays, in lots."""
    put(place, FRONT, _fixed(displayed))
    put(place, TRADED, 0)


@inline
def on_traded(place: int, lots: int) -> int:
    """So many lots traded at the price; returns the lots that reached the order.

    They are at least 1 when the order is reached, and more than its own when the trade went past it.
    """
    front = get(place, FRONT) - _fixed(lots)
    put(place, TRADED, get(place, TRADED) + lots)
    put(place, FRONT, front)
    # Half a lot past the order counts as one, as nobody can trade less.
    reached = (QUEUE_UNIT // 2 - front) >> QUEUE_BITS if front < 0 else 0
    if reached > 0:
        put(place, FRONT, 0)
    return reached


@part
def on_displayed(row: int, place: int, before: int, after: int) -> None:
    """The price displays another quantity, in lots."""
    front, now = get(place, FRONT), _fixed(after)
    if get(row, MODEL) == _RISK_AVERSE:
        put(place, FRONT, min(front, now))
        return
    lost = before - after - get(place, TRADED)
    put(place, TRADED, 0)
    if lost < 0:
        put(place, FRONT, min(front, now))
        return
    ahead = front / QUEUE_UNIT
    behind = before - ahead
    overshoots = get(row, OVERSHOOT) != 0
    if not overshoots:
        ahead, behind = max(ahead, 0.0), max(behind, 0.0)
    share = share_behind(row, ahead, behind)
    estimated = ahead - (1.0 - share) * lost + min(behind - share * lost, 0.0)
    if math.isnan(estimated):
        put(place, FRONT, now)
    elif overshoots:
        put(place, FRONT, min(math.floor(estimated * QUEUE_UNIT + 0.5), now))
    else:
        put(place, FRONT, min(max(math.floor(estimated * QUEUE_UNIT + 0.5), 0), now))
