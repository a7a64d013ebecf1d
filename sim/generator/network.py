"""From a venue's matching engine to the recorder: publication, transit, and arrival in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sim.generator.chance import Chance, Knots, Quantiles

_SPACING: Final = Quantiles(((0, 400), (500, 600), (950, 1_100), (1000, 4_000)))
"""Time between lines that were waiting together, ns."""


@dataclass(frozen=True, kw_only=True)
class NetworkModel:
    """Delays of one venue's connection, ns: quantiles of publication and jitter, and the least transit time."""

    publication_ns: Knots
    transit_ns: int
    jitter_ns: Knots


class Connection:
    """One ordered connection: a line that is held up holds up those behind it, which then arrive in a burst."""

    def __init__(self, model: NetworkModel, chance: Chance) -> None:
        self._chance = chance
        self._publication = Quantiles(model.publication_ns)
        self._jitter = Quantiles(model.jitter_ns)
        self._transit_ns = model.transit_ns
        self._published_ns = 0
        self._received_ns = 0

    def send(self, event_ns: int) -> tuple[int, int]:
        """Carry what happened at a time; returns when the venue published it and when it was received, ns."""
        chance = self._chance
        self._published_ns = max(self._published_ns, event_ns + chance.draw(self._publication))
        arrival = self._published_ns + self._transit_ns + chance.draw(self._jitter)
        self._received_ns = max(self._received_ns + chance.draw(_SPACING), arrival)
        return self._published_ns, self._received_ns
