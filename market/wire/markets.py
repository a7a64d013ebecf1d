"""The markets of one source: which symbols it carries, and the ticks and lots that they count in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from market.errors import Fatal
from market.native.kernel import inline, shared
from market.native.memory import get, put
from market.wire.records import Words
from market.wire.text import pack_text, packed

# Words in front of the rows: their number, and what a connection's decoder keeps from message to message.
SEQUENCE: Final = 1
"""Last number of a connection that numbers all of its messages, -1 before the first."""
HOLE: Final = 2
"""Whether an input was refused since the decoder last cleared this."""
HEADER_WORDS: Final = 4
ROW: Final = 9
SYMBOL_LOW: Final = 0
SYMBOL_HIGH: Final = 1
SYMBOL_LENGTH: Final = 2
PRICE_DECIMALS: Final = 3
QUANTITY_DECIMALS: Final = 4
"""Decimals in which quantities arrive, ``Market.wire_decimals``."""
CONTRACT_FACTOR: Final = 5
CONTRACT_LIMIT: Final = 6
SYMBOL_THIRD: Final = 7
"""The symbol's characters 17 to 24, and 25 to 32 in the word after it; few symbols have any."""
SYMBOL_FOURTH: Final = 8
MAXIMUM_SYMBOL: Final = 32
_PACKED: Final = 16
"""Characters in the first two words."""
_WIRE_DIGITS: Final = 18


@dataclass(frozen=True)
class Market:
    """One symbol of one venue.

    Parameters
    ----------
    symbol: as the venue writes it, at most 32 ASCII characters.
    price_decimals, quantity_decimals: a tick is ``10**-price_decimals`` of the quote currency, a lot
        ``10**-quantity_decimals`` of the base currency.
    contract_value: fixed value of an inverse contract in quote currency, 0 for linear markets. Such a
        market's quantities arrive in contracts and are converted to lots,
        ``floor(contracts * contract_value / price)``.
    contract_size: base currency per contract of a linear market whose quantities arrive in contracts, a power
        of ten (OKX swaps); 1 where they arrive in base currency.
    """

    symbol: str
    price_decimals: int
    quantity_decimals: int
    contract_value: Decimal = Decimal(0)
    contract_size: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        if not (self.symbol.isascii() and 1 <= len(self.symbol) <= MAXIMUM_SYMBOL):
            raise Fatal(f"symbol must have 1 to {MAXIMUM_SYMBOL} ASCII characters, was {self.symbol!r}")
        for name, decimals in (("price", self.price_decimals), ("quantity", self.quantity_decimals)):
            if not 0 <= decimals <= 12:
                raise Fatal(f"{self.symbol}: {name} decimals must be 0 to 12, was {decimals}")
        if self.contract_value < 0:
            raise Fatal(f"{self.symbol}: contract value must not be negative, was {self.contract_value}")
        if self.contract_value and self.contract_factor != self.contract_value * self._contract_scale:
            raise Fatal(f"{self.symbol}: contract value {self.contract_value} has more digits than ticks and lots hold")
        if self.contract_value and self.contract_size != 1:
            raise Fatal(f"{self.symbol}: an inverse market has no contract size, was {self.contract_size}")
        check_contract_size(self.symbol, self.contract_size, self.quantity_decimals)

    @property
    def wire_decimals(self) -> int:
        """Decimals in which quantities arrive: those of lots, or of contracts; 0 for inverse markets."""
        return 0 if self.contract_value else self.quantity_decimals + self.contract_size.adjusted()

    @property
    def _contract_scale(self) -> int:
        return int(10 ** (self.price_decimals + self.quantity_decimals))

    @property
    def contract_factor(self) -> int:
        """Lots are ``floor(contracts * contract_factor / price in ticks)``; 0 for linear markets."""
        return int(self.contract_value * self._contract_scale)


def check_contract_size(symbol: str, size: Decimal, quantity_decimals: int) -> None:
    """Raises Fatal unless a contract is a power of ten of the base currency and at least one lot."""
    is_power = size.is_finite() and size > 0 and size == Decimal(1).scaleb(size.adjusted())
    if not is_power or not 0 <= quantity_decimals + size.adjusted() <= _WIRE_DIGITS:
        raise Fatal(
            f"{symbol}: contract size must be a power of ten of at least one lot, was {size} "
            f"with {quantity_decimals} quantity decimals"
        )


def market_table(markets: list[Market]) -> Words:
    """The markets of one connection as int64[4 + 9 n] for kernels, and what the decoder keeps of the connection.

    Raises Fatal for a symbol that occurs twice.
    """
    symbols = [market.symbol for market in markets]
    if len(set(symbols)) != len(symbols):
        raise Fatal(f"a symbol occurs twice among the markets of one source: {sorted(symbols)}")
    table = np.zeros(HEADER_WORDS + ROW * len(markets), dtype=np.int64)
    table[0] = len(markets)
    table[SEQUENCE] = -1
    for index, market in enumerate(markets):
        low, high = packed(market.symbol)
        factor = market.contract_factor
        limit = (2**63 - 1) // factor if factor else 0
        rest = packed(market.symbol[_PACKED:])
        row = (low, high, len(market.symbol), market.price_decimals, market.wire_decimals, factor, limit, *rest)
        table[HEADER_WORDS + ROW * index :][:ROW] = row
    return table


@shared
def _find_long(table: int, at: int, length: int) -> int:
    """``find_market`` for a symbol of more than 16 characters."""
    low, high = pack_text(at, length)
    third, fourth = pack_text(at + _PACKED, length - _PACKED)
    for index in range(get(table, 0)):
        row = table + 8 * (HEADER_WORDS + ROW * index)
        begins_alike = get(row, SYMBOL_LOW) == low and get(row, SYMBOL_HIGH) == high
        ends_alike = get(row, SYMBOL_THIRD) == third and get(row, SYMBOL_FOURTH) == fourth
        if begins_alike and ends_alike and get(row, SYMBOL_LENGTH) == length:
            return index
    return -1


@inline
def find_market(table: int, at: int, length: int) -> int:
    """Index of the market whose symbol stands at an address, -1 when the source has none."""
    if length > _PACKED:
        return _find_long(table, at, length)
    low, high = pack_text(at, length)
    for index in range(get(table, 0)):
        row = table + 8 * (HEADER_WORDS + ROW * index)
        if get(row, SYMBOL_LOW) == low and get(row, SYMBOL_HIGH) == high and get(row, SYMBOL_LENGTH) == length:
            return index
    return -1


@inline
def market_row(table: int, index: int) -> int:
    """Address of a market's row."""
    return table + 8 * (HEADER_WORDS + ROW * index)


@inline
def market_count(table: int) -> int:
    """Number of markets in the table."""
    return get(table, 0)


@inline
def note_hole(table: int) -> None:
    """Remember that an input of the connection was refused."""
    put(table, HOLE, 1)
