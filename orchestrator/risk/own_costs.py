"""What our own trading costs us: slippage against the mid at the decision, and moves of the mid after our fills.

Slippage of a fill: ``side * (price - mid) / mid`` with the mid when the order was decided; positive is a cost.
Markout at a horizon: ``side * (mid(t + h) - mid(t)) / mid``; negative is a cost (adverse selection). Mids after fills
are sampled at every ``look``, so a markout is as exact in time as looks are frequent.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

import numpy as np

from config.risk import SizingSettings
from market.fixed_point import floor_to
from market.orders.order import Fill, OrderIntent
from market.protocols import MarketKey, MarketView
from market.signals.markouts import MISSING, Markouts, MarkoutSettings
from orchestrator.risk.limits import RiskLimits
from orchestrator.run_loop.access import PeriodicTask, RunAccess

HORIZONS_NS: Final = (1_000_000_000, 10_000_000_000, 60_000_000_000)
_PPB: Final = 1_000_000_000
_PPB_PER_BPS: Final = 100_000
_PPM: Final = 1_000_000
_REMEMBERED_ORDERS: Final = 16_384
_NS_PER_MS: Final = 1_000_000
_CAPACITY: Final = 8_192


class _MarketCosts:
    """The last fills of one market."""

    def __init__(self, fills: int) -> None:
        self.slippages: deque[int] = deque(maxlen=fills)
        self.doubled_mid = 0
        self.markouts = Markouts(MarkoutSettings(horizons_ns=HORIZONS_NS, mean_over=fills, capacity=_CAPACITY))


class OwnCosts:
    """Follows our fills; a ``PreTradeCheck`` that refuses nothing, a listener of fills and a periodic task.

    Parameters
    ----------
    interval_ms: how often mids are sampled.
    """

    def __init__(self, limits: RiskLimits, interval_ms: int) -> None:
        self.use(limits)
        self._interval_ns = interval_ms * _NS_PER_MS
        self._markets = {key: _MarketCosts(limits.settings.sizing.fills) for key in limits.markets}
        self._decided: OrderedDict[str, tuple[MarketKey, int, int]] = OrderedDict()
        self._new: list[tuple[str, Fill]] = []

    def use(self, limits: RiskLimits) -> None:
        """Judge costs by these settings from here on; how many fills are judged stays."""
        settings: SizingSettings = limits.settings.sizing
        self._full_ppb = int(settings.full_cost_bps * _PPB_PER_BPS)
        self._least_ppb = int(settings.least_cost_bps * _PPB_PER_BPS)
        self._least_ppm = int(settings.least_size_pct * 10_000)

    @property
    def task(self) -> PeriodicTask:
        """Samples mids and books fills."""
        return PeriodicTask("own costs", self._interval_ns, self.look)

    def __call__(self, intent: OrderIntent, view: MarketView) -> None:
        """Keep the mid at which an order was decided; refuses nothing."""
        quote = view.quote(intent.instrument, intent.venue)
        if quote is None:
            return
        # Not the intent: this is kept longer than the run keeps its orders.
        key = (intent.instrument, intent.venue)
        self._decided[intent.client_order_id] = (key, intent.side.sign, quote.bid_price + quote.ask_price)
        if len(self._decided) > _REMEMBERED_ORDERS:
            self._decided.popitem(last=False)

    def filled(self, client_order_id: str, fill: Fill) -> None:
        """A fill was heard of."""
        self._new.append((client_order_id, fill))

    def look(self, run: RunAccess, now_ns: int) -> None:
        """Book the fills since the last look, then sample all mids."""
        fills, self._new = self._new, []
        for client_order_id, fill in fills:
            self._book(client_order_id, fill)
        for key, market in self._markets.items():
            quote = run.view.quote(*key)
            market.doubled_mid = 0 if quote is None else quote.bid_price + quote.ask_price
            _take(market.markouts, now_ns, 0, market.doubled_mid)

    def slippage_ppb(self, key: MarketKey) -> int | None:
        """Mean slippage of the last fills in parts per billion, None without any."""
        slippages = self._markets[key].slippages
        return sum(slippages) // len(slippages) if slippages else None

    def markout_ppb(self, key: MarketKey, horizon: int) -> int | None:
        """Mean markout of the last fills at a horizon of ``HORIZONS_NS``, None without any or without a mid."""
        market = self._markets[key]
        moves = market.markouts.moves(horizon)
        moves = moves[moves != MISSING]
        if not len(moves) or not market.doubled_mid:
            return None
        return int(moves.sum()) * _PPB // (len(moves) * market.doubled_mid)

    def size_ppm(self, key: MarketKey) -> int:
        """How large orders should be, in millionths of the full size, by the larger of both costs."""
        slippage = self.slippage_ppb(key) or 0
        adverse = -(self.markout_ppb(key, 0) or 0)
        return size_ppm(max(slippage, adverse), self._full_ppb, self._least_ppb, self._least_ppm)

    def sized(self, key: MarketKey, quantity: int, lot: int) -> int:
        """A quantity made smaller by ``size_ppm``, in whole lots."""
        return floor_to(quantity * self.size_ppm(key) // _PPM, lot)

    def _book(self, client_order_id: str, fill: Fill) -> None:
        decided = self._decided.get(client_order_id)
        if decided is None:
            return
        key, sign, doubled_mid = decided
        market = self._markets[key]
        market.slippages.append(sign * (2 * fill.price - doubled_mid) * _PPB // doubled_mid)
        _take(market.markouts, fill.receive_ns, sign, 0)


def size_ppm(cost_ppb: int, full_ppb: int, least_ppb: int, least_ppm: int) -> int:
    """Full size up to one cost, the least from another on, and evenly less between them."""
    if cost_ppb <= full_ppb:
        return _PPM
    if cost_ppb >= least_ppb:
        return least_ppm
    return _PPM - (_PPM - least_ppm) * (cost_ppb - full_ppb) // (least_ppb - full_ppb)


def _take(markouts: Markouts, time_ns: int, sign: int, doubled_mid: int) -> None:
    markouts.update(np.array([[time_ns, sign, doubled_mid]], dtype=np.int64))
