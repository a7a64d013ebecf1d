"""The instruments of one multicast source: numbers on the wire, names, and the ticks and lots that they count in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from market.errors import Fatal
from market.native.kernel import inline
from market.native.memory import get, shift_right_logical
from market.wire.doubles import MAXIMUM_DECIMALS
from market.wire.markets import (
    CONTRACT_FACTOR,
    CONTRACT_LIMIT,
    PRICE_DECIMALS,
    QUANTITY_DECIMALS,
    check_contract_size,
)
from market.wire.records import Words

ROW: Final = 8
IDENTITY: Final = 0
WIRE_EXPONENT: Final = 1
"""Power of ten of quantity mantissas; the other columns of a row are those of ``market.wire.markets``."""
_COUNT: Final = 0
_MASK: Final = 1
_ROWS: Final = 2
_SLOTS: Final = 4
_EMPTY: Final = -1
_MULTIPLIER: Final = 0x1E3779B97F4A7C15


@dataclass(frozen=True)
class Instrument:
    """One instrument of a venue that numbers its instruments.

    Parameters
    ----------
    identity: the venue's number for it. symbol: its name.
    price_decimals, quantity_decimals: a tick is ``10**-price_decimals``, a lot ``10**-quantity_decimals``.
    contract_value: quote currency that a quantity of 1 on the wire is worth for inverse instruments (1 on Deribit,
        where their amounts are in quote currency); such quantities become lots of base currency,
        ``floor(quantity * contract_value / price)``. 0: quantities stay in the unit that the venue sends.
    wire_exponent: power of ten of quantity mantissas, of formats whose quantities are mantissas.
    contract_size: base currency per contract of a linear instrument whose quantities arrive in contracts, a power of
        ten; 1 where they arrive in base currency.
    """

    identity: int
    symbol: str
    price_decimals: int
    quantity_decimals: int
    contract_value: Decimal = Decimal(0)
    wire_exponent: int = 0
    contract_size: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        for name, decimals in (("price", self.price_decimals), ("quantity", self.quantity_decimals)):
            if not 0 <= decimals <= MAXIMUM_DECIMALS:
                raise Fatal(f"{self.symbol}: {name} decimals must be 0 to {MAXIMUM_DECIMALS}, was {decimals}")
        scaled = self.contract_value.scaleb(self.price_decimals + self.quantity_decimals)
        if self.contract_value < 0 or scaled % 1 or scaled >= 2**62:
            raise Fatal(
                f"{self.symbol}: contract value was {self.contract_value}: must not be negative and have at most "
                f"{self.price_decimals + self.quantity_decimals} digits after the point"
            )
        if self.contract_value and self.contract_size != 1:
            raise Fatal(f"{self.symbol}: an inverse instrument has no contract size, was {self.contract_size}")
        check_contract_size(self.symbol, self.contract_size, self.quantity_decimals)
        if self.wire_decimals > MAXIMUM_DECIMALS:
            raise Fatal(
                f"{self.symbol}: contract size was {self.contract_size}: quantities of contracts may have at most "
                f"{MAXIMUM_DECIMALS} decimals, quantity decimals were {self.quantity_decimals}"
            )
        if not -MAXIMUM_DECIMALS <= self.wire_exponent <= MAXIMUM_DECIMALS:
            raise Fatal(
                f"{self.symbol}: exponent of quantities must be -{MAXIMUM_DECIMALS} to {MAXIMUM_DECIMALS}, "
                f"was {self.wire_exponent}"
            )

    @property
    def wire_decimals(self) -> int:
        """Decimals in which quantities arrive: those of lots, or of contracts; 0 for inverse instruments."""
        return 0 if self.contract_value else self.quantity_decimals + self.contract_size.adjusted()

    @property
    def contract_factor(self) -> int:
        """Lots are ``floor(quantity * contract_factor / price in ticks)``; 0 if quantities are not converted."""
        return int(self.contract_value.scaleb(self.price_decimals + self.quantity_decimals))


def instrument_table(instruments: tuple[Instrument, ...]) -> Words:
    """The instruments as flat words for kernels; raises Fatal for a number that occurs twice."""
    identities = [instrument.identity for instrument in instruments]
    if len(set(identities)) != len(identities):
        raise Fatal(f"an instrument number occurs twice in one source: {sorted(identities)}")
    slots = 4
    while slots < 2 * len(instruments):
        slots *= 2
    table = np.zeros(_SLOTS + slots + ROW * len(instruments), dtype=np.int64)
    table[_COUNT], table[_MASK], table[_ROWS] = len(instruments), slots - 1, _SLOTS + slots
    table[_SLOTS : _SLOTS + slots] = _EMPTY
    for index, instrument in enumerate(instruments):
        slot = ((instrument.identity * _MULTIPLIER) & (2**64 - 1)) >> 40 & (slots - 1)
        while table[_SLOTS + slot] != _EMPTY:
            slot = (slot + 1) & (slots - 1)
        table[_SLOTS + slot] = index
        row = table[_SLOTS + slots + ROW * index :][:ROW]
        factor = instrument.contract_factor
        row[IDENTITY], row[WIRE_EXPONENT] = instrument.identity, instrument.wire_exponent
        row[PRICE_DECIMALS] = instrument.price_decimals
        row[QUANTITY_DECIMALS] = instrument.wire_decimals
        row[CONTRACT_FACTOR], row[CONTRACT_LIMIT] = factor, (2**63 - 1) // factor if factor else 0
    return table


@inline
def instrument_count(table: int) -> int:
    """Instruments in the table."""
    return get(table, _COUNT)


@inline
def instrument_row(table: int, index: int) -> int:
    """Address of an instrument's row."""
    return table + 8 * (get(table, _ROWS) + ROW * index)


@inline
def find_instrument(table: int, identity: int) -> int:
    """Index of the instrument with a number, -1 if the source has none."""
    mask = get(table, _MASK)
    slot = shift_right_logical(identity * _MULTIPLIER, 40) & mask
    index = get(table, _SLOTS + slot)
    while index >= 0 and get(instrument_row(table, index), IDENTITY) != identity:
        slot = (slot + 1) & mask
        index = get(table, _SLOTS + slot)
    return index
