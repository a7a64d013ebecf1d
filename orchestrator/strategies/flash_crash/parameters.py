"""Parameters of the flash-crash trader in counts; prices, quantities and shares are whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from market.errors import Fatal
from market.protocols import MarketKey

PPM: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class ExitParameters:
    """When a position is left; 0 switches an exit off.

    Parameters
    ----------
    stop_ppm, gap_ppm, reversal_ppm, trailing_ppm: of a price; see ``exits``.
    decay_after_ns, decay_over_ns: when the target begins to sink, and how long until it is at what was paid.
    retry_ns: pause after an order that was refused or found nobody.
    """

    stop_ppm: int = 0
    maximum_hold_ns: int = 0
    exits_bearish: bool = False
    gap_ppm: int = 0
    reversal_ppm: int = 0
    trailing_ppm: int = 0
    decay_after_ns: int = 0
    decay_over_ns: int = 15_000_000_000
    retry_ns: int = 100_000_000


@dataclass(frozen=True, kw_only=True)
class EntryParameters:
    """When and where a position is opened.

    Parameters
    ----------
    entry_ppm, exit_ppm: percentiles of a candle's range. shift_ppm: how much they move apart at most.
    minimum_range_ppm: of a candle's low.
    volume_multiple_ppm: of the mean over ``volume_seconds``. minimum_volume: in quantity counts.
    score, lowered_score: least ones, the second after selling exhaustion.
    """

    entry_ppm: int = 200_000
    exit_ppm: int = 800_000
    shift_ppm: int = 0
    minimum_range_ppm: int = 0
    volume_multiple_ppm: int = 2 * PPM
    volume_seconds: int = 60
    minimum_volume: int = 0
    score: float = 70.0
    lowered_score: float = 60.0
    cooldown_ns: int = 5_000_000_000
    loss_cooldown_ns: int = 10_000_000_000
    lifetime_ns: int = 1_000_000_000
    concurrent: int = 3
    range_samples: int = 1_000
    extremum_seconds: int = 3

    def __post_init__(self) -> None:
        if not 0 <= self.entry_ppm - self.shift_ppm < self.exit_ppm + self.shift_ppm <= PPM or self.shift_ppm < 0:
            raise Fatal(f"{self}: expected entry_ppm below exit_ppm, both from 0 to {PPM} with shift_ppm")
        if min(self.volume_seconds, self.lifetime_ns, self.concurrent, self.extremum_seconds) < 1:
            raise Fatal(f"{self}: expected volume_seconds, lifetime_ns, concurrent, extremum_seconds of at least 1")


@dataclass(frozen=True, kw_only=True)
class SizeParameters:
    """How large a position is.

    Parameters
    ----------
    capital: equity at the start, in notional counts. share_ppm: of the equity, for one position.
    maximum_quantity, maximum_notional: of one order, in counts.
    """

    capital: int
    share_ppm: int = 333_300
    maximum_quantity: int
    maximum_notional: int


@dataclass(frozen=True, kw_only=True)
class FlashCrashParameters:
    """How one market is traded.

    Parameters
    ----------
    price_unit, quantity_unit: counts in a tick and a lot of the market's records, which the detector works with.
    """

    market: MarketKey
    price_unit: int
    quantity_unit: int
    size: SizeParameters
    entry: EntryParameters = EntryParameters()
    exits: ExitParameters = ExitParameters()
