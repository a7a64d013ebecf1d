"""Trades of one market after the other, part by part, whatever they come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gpu.columns import Trades
from market.errors import Rejected


@dataclass(frozen=True)
class TradedMarket:
    """A market of a study; a tick is ``10**-price_decimals``, a lot ``10**-quantity_decimals``."""

    name: str
    price_decimals: int
    quantity_decimals: int

    def lots(self, volume: float) -> int:
        """A volume as whole lots, the nearest. Raises Rejected for less than one."""
        lots = round(volume * 10.0**self.quantity_decimals)
        if lots < 1:
            raise Rejected(f"market {self.name}: a volume of {volume:g} is less than a lot, {self.volume(1):g}")
        return lots

    def volume(self, lots: int) -> float:
        """Lots as a volume."""
        return float(lots / 10.0**self.quantity_decimals)


class TradeSource(Protocol):
    """A file of trades that can be read several times."""

    @property
    def path(self) -> Path: ...

    def parts(self) -> Iterator[tuple[TradedMarket, Trades]]:
        """The trades in the order of the file, cut into parts of bounded size; read anew with each call.

        Raises MissingInput for a file that cannot be read, Rejected for one with impossible trades.
        """
