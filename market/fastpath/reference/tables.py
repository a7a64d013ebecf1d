"""Table rows, as the host writes them; a row is replaced whole."""

from __future__ import annotations

from dataclasses import dataclass

from market.fastpath.specification import Kind


@dataclass(frozen=True, slots=True)
class EngineRow:
    """Rate limit and lease, ns."""

    rate_interval: int = 0
    rate_tolerance: int = 0
    lease: int = 0


@dataclass(frozen=True, slots=True)
class VenueRow:
    """A venue: fee in 2^-20, ages in ns."""

    enabled: bool = False
    fee: int = 0
    maximum_age: int = 0
    maximum_silence: int = 0


@dataclass(frozen=True, slots=True)
class ScalingRow:
    """What a (venue, instrument) must carry, and the powers of ten that its mantissas are multiplied by."""

    price_exponent: int
    quantity_exponent: int
    price_shift: int
    quantity_shift: int


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A destination address and UDP port, and what arrives there; ``instrument`` is None if messages name it."""

    address: int
    port: int
    venue: int
    feed: int
    instrument: int | None
    enabled: bool


@dataclass(frozen=True, slots=True)
class InstrumentRow:
    """Parameters of one instrument; prices, quantities and the edge in its units, durations in ns."""

    enabled: bool = False
    kinds: int = 0
    minimum_edge: int = 0
    basis_threshold: int = 1
    basis_shift: int = 0
    basis_interval: int = 0
    basis_warm_up: int = 0
    leads: tuple[int, ...] = ()
    imbalance_threshold: int = 1
    maximum_spread: int = 0
    minimum_quantity: int = 1
    maximum_quantity: int = 1
    price_low: int = 0
    price_high: int = 0
    cooldown: int = 0
    position_limit: int = 0

    def has_kind(self, kind: Kind) -> bool:
        """Whether the kind is on."""
        return bool(self.kinds >> (kind - 1) & 1)

    def lead(self, v: int, w: int) -> bool:
        """``lead[v][w]``: v moves first, w lags."""
        return v < len(self.leads) and bool(self.leads[v] >> w & 1)
