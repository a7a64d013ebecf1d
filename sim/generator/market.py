"""The generated market: one efficient price, three venues that follow it, and the lines that they publish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sim.generator.agenda import Agenda
from sim.generator.chance import Chance
from sim.generator.efficient import CALM, EfficientPrice
from sim.generator.feed import Line, Outbox
from sim.generator.models import VENUES
from sim.generator.settings import SECOND_NS, GeneratorSettings
from sim.generator.venue import Venue

_STEP_NS: Final = SECOND_NS // 25
_PANIC_STEP_NS: Final = SECOND_NS // 100


class _Market:
    """The efficient price and its venues, wired to one agenda."""

    def __init__(self, settings: GeneratorSettings, seed: int) -> None:
        self._start_ns = settings.start_ns
        self._news_per_minute = settings.news_per_minute
        self._chance = Chance(seed, 0)
        self._efficient = EfficientPrice(settings, self._chance)
        self.agenda = Agenda()
        self.outbox = Outbox()
        self._venues = [
            Venue(model, settings.dislocations_per_minute, Chance(seed, 1 + index), self.agenda, self.outbox)
            for index, model in enumerate(VENUES)
        ]

    def open(self) -> None:
        """Enter what happens first."""
        start = self._start_ns
        self._set_mood(0)
        for venue in self._venues:
            venue.open(start, self._efficient.value(0))
        self.agenda.enter(start + _STEP_NS, self._step, _STEP_NS)
        if self._news_per_minute:
            self.agenda.enter(start + self._next_news(), self._news)

    def _step(self, now_ns: int, step_ns: int) -> None:
        """A short time has passed."""
        elapsed = now_ns - self._start_ns
        self._efficient.diffuse(elapsed, step_ns)
        self._set_mood(elapsed)
        for venue in self._venues:
            venue.drift()
        self._announce(now_ns)
        following = _PANIC_STEP_NS if self._efficient.stress(elapsed + _STEP_NS) else _STEP_NS
        self.agenda.enter(now_ns + following, self._step, following)

    def _news(self, now_ns: int, _: int) -> None:
        """A jump that nothing excited."""
        self.agenda.enter(now_ns + self._next_news(), self._news)
        self._jump(now_ns, self._chance.sign())

    def _jump(self, now_ns: int, sign: int) -> None:
        self._efficient.jump(sign)
        self._announce(now_ns)
        for delay_ns, child_sign in self._efficient.excited(sign):
            self.agenda.enter(now_ns + delay_ns, self._jump, child_sign)

    def _announce(self, now_ns: int) -> None:
        price = self._efficient.value(now_ns - self._start_ns)
        for venue in self._venues:
            venue.hear(now_ns, price)

    def _set_mood(self, elapsed_ns: int) -> None:
        stress = self._efficient.stress(elapsed_ns)
        falling = self._efficient.is_falling(elapsed_ns)
        for venue in self._venues:
            venue.flow.set_mood(self._efficient.activity, stress, falling)

    def _next_news(self) -> int:
        return self._chance.exponential(60 * SECOND_NS * CALM // (self._news_per_minute * self._efficient.activity))


def generate(settings: GeneratorSettings, seed: int) -> Iterator[Line]:
    """The lines of all three venues in the order of their receive times; each venue's own are in order too.

    Nothing is kept but the books and what is on its way, so any length runs in bounded memory. The same settings and
    seed give the same lines.
    """
    market = _Market(settings, seed)
    market.open()
    agenda, outbox = market.agenda, market.outbox
    end_ns = settings.start_ns + settings.duration_ns
    now_ns = settings.start_ns
    while now_ns < end_ns:
        now_ns = agenda.advance(end_ns)
        while outbox.arrived(now_ns):
            yield outbox.take()
    while outbox:
        yield outbox.take()
