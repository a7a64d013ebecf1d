"""One venue: how it follows the efficient price, and when it publishes."""

from __future__ import annotations

from typing import Final

from sim.generator.agenda import Agenda
from sim.generator.book import OrderBook
from sim.generator.chance import Chance, Quantiles
from sim.generator.efficient import BASIS_POINT, NANO
from sim.generator.feed import Feed, Outbox
from sim.generator.flow import OrderFlow
from sim.generator.models import VenueModel
from sim.generator.network import Connection
from sim.generator.settings import SECOND_NS

_BASIS_PULL: Final = 1_000
"""Steps in which the basis returns to its mean by 1/e."""
_BASIS_NOISE: Final = 1_800
"""Standard deviation of a step of the basis, in returns."""
_DISLOCATION: Final = Quantiles(
    ((0, 2 * BASIS_POINT), (500, 3 * BASIS_POINT), (900, 6 * BASIS_POINT), (1000, 8 * BASIS_POINT))
)
_DISLOCATION_NS: Final = Quantiles(((0, 2_000_000), (500, 9_000_000), (900, 25_000_000), (1000, 40_000_000)))
_REQUEST_NS: Final = 130_000_000
"""When the recorder asks for the whole book, after the start: every venue has published depth by then."""
_ANSWER_NS: Final = 110_000_000
"""How long the answer takes: longer than any venue waits with its next depth message."""
_STILL: Final = 150
"""Share of depth messages, per mille, that end with the last touch of the best prices and so with a quote's id."""


class Venue:
    """A book, its traders and its streams.

    Attributes
    ----------
    flow: the order flow.
    """

    def __init__(self, model: VenueModel, dislocations: int, chance: Chance, agenda: Agenda, outbox: Outbox) -> None:
        self._book = OrderBook(model.first_ids[0] + chance.below(10**6))
        trade_id = model.first_ids[1] + chance.below(10**6)
        connection = Connection(model.network, chance)
        self._model = model
        self._dislocations = dislocations
        self._chance = chance
        self._agenda = agenda
        self._feed = Feed(model, self._book, connection, outbox, trade_id)
        self.flow = OrderFlow(model, self._book, self._feed, agenda, chance)
        self._lag = Quantiles(model.lag_ns)
        self._cadence = Quantiles(model.cadence_ns)
        self._price = 0
        self._basis = 0
        self._dislocation = 0
        self._heard_ns = 0

    def open(self, now_ns: int, price: int) -> None:
        """Begin at an efficient price in 1e-6 USD."""
        self._price = price
        self.flow.open(now_ns, self._fair())
        agenda = self._agenda
        agenda.enter(now_ns + 1 + self._chance.draw(self._cadence) * self._chance.permille() // 1000, self.publish)
        agenda.enter(now_ns + _REQUEST_NS, self.photograph)
        if self._dislocations:
            agenda.enter(now_ns + self._next_dislocation(), self.dislocate)

    def hear(self, now_ns: int, price: int) -> None:
        """The efficient price changed; this venue's traders see it later, and in order."""
        self._heard_ns = max(self._heard_ns, now_ns + self._chance.draw(self._lag))
        self._agenda.enter(self._heard_ns, self.react, price)

    def react(self, now_ns: int, price: int) -> None:
        """The traders see an efficient price."""
        self._price = price
        self.flow.follow(now_ns, self._fair())

    def drift(self) -> None:
        """Let the basis wander one step around its mean."""
        self._basis += self._chance.bell(_BASIS_NOISE) - self._basis // _BASIS_PULL

    def dislocate(self, now_ns: int, _: int) -> None:
        """This venue's price leaves the others for some milliseconds."""
        chance = self._chance
        self._agenda.enter(now_ns + self._next_dislocation(), self.dislocate)
        self._dislocation = chance.sign() * chance.draw(_DISLOCATION)
        self._agenda.enter(now_ns + chance.draw(_DISLOCATION_NS), self.restore)
        self.flow.follow(now_ns, self._fair())

    def restore(self, now_ns: int, _: int) -> None:
        """The dislocation ends."""
        self._dislocation = 0
        self.flow.follow(now_ns, self._fair())

    def publish(self, now_ns: int, _: int) -> None:
        """Send the levels that changed."""
        self._agenda.enter(now_ns + self._chance.draw(self._cadence), self.publish)
        if self._book.first_id == 0 or self._chance.permille() >= _STILL:
            self.flow.churn(now_ns)
        self._feed.depth(now_ns)

    def photograph(self, now_ns: int, _: int) -> None:
        """The recorder's request for the whole book reaches the venue."""
        self.flow.churn(now_ns)
        self._feed.photograph(now_ns)
        self._agenda.enter(now_ns + _ANSWER_NS, self.answer)

    def answer(self, now_ns: int, _: int) -> None:
        """The answer leaves."""
        self._feed.answer(now_ns)

    def _fair(self) -> int:
        """What the venue's price should be, in 1e-6 USD."""
        return self._price * (NANO + self._model.basis + self._basis + self._dislocation) // NANO

    def _next_dislocation(self) -> int:
        return self._chance.exponential(60 * SECOND_NS // self._dislocations)
