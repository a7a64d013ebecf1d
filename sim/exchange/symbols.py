"""The symbols of a venue by name, and the reading of prices and quantities of requests with them."""

from __future__ import annotations

from collections.abc import Iterator

from sim.exchange import answers
from sim.exchange.parameters import Parameters
from sim.exchange.venue.kinds import MarketKind
from sim.exchange.venue.model import UNITS, SymbolModel
from sim.exchange.venue.records import ExchangeInfo
from sim.exchange.venue.refusals import unknown_symbol


class Symbols:
    """What a venue trades."""

    def __init__(self, info: ExchangeInfo) -> None:
        self.kind: MarketKind = info.kind
        self._models = {model.symbol: model for model in info.symbols}

    def __iter__(self) -> Iterator[SymbolModel]:
        return iter(self._models.values())

    def model(self, symbol: str) -> SymbolModel:
        """A symbol by name; raises VenueRefusal for one that is not there."""
        found = self._models.get(symbol)
        if found is None:
            raise unknown_symbol()
        return found

    def named(self, parameters: Parameters) -> SymbolModel:
        """The symbol that a request is about, that must be named."""
        return self.model(parameters.text("symbol"))

    def optional(self, parameters: Parameters) -> str:
        """Name of the symbol that a request is about, empty for all."""
        return self.model(parameters.text("symbol")).symbol if parameters.has("symbol") else ""

    def price(self, parameters: Parameters, name: str, model: SymbolModel) -> int:
        """Ticks of a price that must be there."""
        return model.price_ticks(parameters.number(name), self.kind)

    def quantity(self, parameters: Parameters, name: str, model: SymbolModel) -> int:
        """Lots of a quantity that must be there and not 0."""
        lots = model.quantity_lots(parameters.number(name), self.kind)
        if not lots:
            raise answers.invalid(name)
        return lots

    @staticmethod
    def money(parameters: Parameters, name: str) -> int:
        """Money units of an amount that must be there and not 0."""
        text = parameters.number(name)
        digits = len(text.partition(".")[2].rstrip("0"))
        if digits > 8:
            raise answers.too_precise(name)
        units = UNITS.count(text)
        if not units:
            raise answers.invalid(name)
        return units
