"""A futures position in one-way mode, and the arithmetic of its margin."""

from __future__ import annotations

from market.risk.notional import PPB
from sim.exchange.venue.model import SymbolModel
from sim.exchange.venue.records import Position


class OpenPosition:
    """An account's position in one symbol.

    Attributes
    ----------
    lots: negative when short. cost_units: what was paid for them, negative when short.
    charges_units: commissions and funding paid since it was opened.
    buy_units, sell_units: notional of working orders that may enlarge it.
    """

    __slots__ = (
        "buy_units",
        "charges_units",
        "cost_units",
        "leverage",
        "lots",
        "model",
        "sell_units",
        "updated_ns",
    )

    def __init__(self, model: SymbolModel) -> None:
        self.model = model
        self.lots = 0
        self.cost_units = 0
        self.charges_units = 0
        self.buy_units = 0
        self.sell_units = 0
        self.leverage = model.leverage
        self.updated_ns = 0

    def trade(self, sign: int, lots: int, price_ticks: int) -> int:
        """Buy (1) or sell (-1); gives the profit of what was closed.

        A part that is closed takes its share of the cost, rounded towards zero; the last part takes the rest.
        """
        realised = 0
        if self.lots * sign < 0:
            closed = min(lots, abs(self.lots))
            share = abs(self.cost_units) * closed // abs(self.lots)
            if self.cost_units < 0:
                share = -share
            realised = -sign * self.model.quote_units(price_ticks, closed) - share
            self.cost_units -= share
            self.lots += sign * closed
            lots -= closed
            if self.lots == 0:
                # The cost is 0 now: a share of everything is everything.
                self.charges_units = 0
        self.lots += sign * lots
        self.cost_units += sign * self.model.quote_units(price_ticks, lots)
        return realised

    def notional_units(self, mark_ticks: int) -> int:
        """Worth at a mark price, negative when short."""
        return self.model.quote_units(mark_ticks, self.lots)

    def unrealised_units(self, mark_ticks: int) -> int:
        """Profit if it were closed at a mark price."""
        return self.notional_units(mark_ticks) - self.cost_units

    def exposure_units(self, mark_ticks: int, more_buys: int = 0, more_sells: int = 0) -> int:
        """The larger of what position and purchases, or position and sales, may come to."""
        worth = self.notional_units(mark_ticks)
        return max(abs(worth + self.buy_units + more_buys), abs(worth - self.sell_units - more_sells))

    def initial_units(self, exposure_units: int) -> int:
        """Initial margin of an exposure, rounded up."""
        return -(-exposure_units // self.leverage)

    def maintenance_units(self, mark_ticks: int) -> int:
        """Maintenance margin of the position, rounded up."""
        return -(-abs(self.notional_units(mark_ticks)) * self.model.maintenance_ppb // PPB)

    def record(self, account: str, mark_ticks: int) -> Position:
        """The position as others see it."""
        return Position(
            account=account,
            symbol=self.model.symbol,
            quantity_lots=self.lots,
            cost_units=self.cost_units,
            break_even_units=self.cost_units + self.charges_units,
            unrealised_units=self.unrealised_units(mark_ticks),
            mark_ticks=mark_ticks,
            leverage=self.leverage,
            initial_margin_units=self.initial_units(abs(self.notional_units(mark_ticks))),
            maintenance_margin_units=self.maintenance_units(mark_ticks),
            updated_ns=self.updated_ns,
        )
