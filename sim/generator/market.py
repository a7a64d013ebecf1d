"""The generated market: an efficient price per coin, the venues that follow it, and the lines that they publish."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sim.generator.agenda import Agenda
from sim.generator.chance import Chance, Quantiles
from sim.generator.coins import COINS, STREAMS_PER_COIN, CoinModel
from sim.generator.efficient import CALM, EfficientPrice, Mood
from sim.generator.feed import Line, Outbox
from sim.generator.settings import SECOND_NS, GeneratorSettings
from sim.generator.venue import Venue

_STEP_NS: Final = SECOND_NS // 25
_PANIC_STEP_NS: Final = SECOND_NS // 100
_FOLLOWED_NS: Final = Quantiles(((0, 0), (500, 4 * 10**6), (900, 30 * 10**6), (1000, 150 * 10**6)))
"""How long after a jump of the leader's price the others take their share of it."""


class _Asset:
    """One coin: its efficient price, its venues if it is traded, and the coins that follow it."""

    def __init__(
        self,
        model: CoinModel,
        settings: GeneratorSettings,
        chances: list[Chance],
        mood: Mood,
        agenda: Agenda,
        outbox: Outbox,
    ) -> None:
        self.followers: list[_Asset] = []
        self._start_ns = settings.start_ns
        self._news_per_minute = settings.news_per_minute
        self._share = model.share
        self._chance, *of_venues = chances
        self._mood = mood
        self._agenda = agenda
        self._efficient = EfficientPrice(settings.price_of(model.coin), settings.crash, self._chance, model.own)
        self._venues = [
            Venue(venue, settings.dislocations_per_minute, chance, agenda, outbox)
            for venue, chance in zip(model.venues, of_venues, strict=True)
            if model.coin in settings.coins
        ]

    def open(self) -> None:
        """Enter what happens first."""
        self.set_mood(0)
        for venue in self._venues:
            venue.open(self._start_ns, self._efficient.value(0))

    def expect_news(self, now_ns: int) -> None:
        """Enter the first jump that nothing excites, if there is to be any."""
        if self._news_per_minute:
            self._agenda.enter(now_ns + self._next_news(), self._news)

    def diffuse(self, step_ns: int) -> None:
        """Let a short time pass."""
        move = self._efficient.diffuse(step_ns)
        for follower in self.followers:
            follower.take_share(move)

    def take_share(self, move: int) -> None:
        """Follow a move of the leader."""
        self._efficient.shift(move * self._share // CALM)

    def settle(self, now_ns: int, elapsed_ns: int) -> None:
        """Tell the venues of a step that is done."""
        self.set_mood(elapsed_ns)
        for venue in self._venues:
            venue.drift()
        self._announce(now_ns)

    def set_mood(self, elapsed_ns: int) -> None:
        """Tell the traders how active and frightened the market is."""
        stress, falling = self._mood.stress(elapsed_ns), self._mood.is_falling(elapsed_ns)
        for venue in self._venues:
            venue.flow.set_mood(self._mood.activity, stress, falling)

    def _news(self, now_ns: int, _: int) -> None:
        """A jump that nothing excited."""
        self._agenda.enter(now_ns + self._next_news(), self._news)
        self._jump(now_ns, self._chance.sign())

    def _jump(self, now_ns: int, sign: int) -> None:
        move = self._efficient.jump(sign)
        self._announce(now_ns)
        for delay_ns, child_sign in self._efficient.excited(sign):
            self._agenda.enter(now_ns + delay_ns, self._jump, child_sign)
        for follower in self.followers:
            follower._hear_jump(now_ns, move)

    def _hear_jump(self, now_ns: int, move: int) -> None:
        self._agenda.enter(now_ns + self._chance.draw(_FOLLOWED_NS), self._follow, move)

    def _follow(self, now_ns: int, move: int) -> None:
        self.take_share(move)
        self._announce(now_ns)

    def _announce(self, now_ns: int) -> None:
        price = self._efficient.value(now_ns - self._start_ns)
        for venue in self._venues:
            venue.hear(now_ns, price)

    def _next_news(self) -> int:
        return self._chance.exponential(60 * SECOND_NS * CALM // (self._news_per_minute * self._mood.activity))


class _Market:
    """The coins, wired to one agenda. The first is always there: its price leads those of the others."""

    def __init__(self, settings: GeneratorSettings, seed: int) -> None:
        self._start_ns = settings.start_ns
        self.agenda = Agenda()
        self.outbox = Outbox()
        chances = [
            [Chance(seed, STREAMS_PER_COIN * index + stream) for stream in range(STREAMS_PER_COIN)]
            for index in range(len(COINS))
        ]
        self._mood = Mood(settings, chances[0][0])
        self._leader, *others = (
            _Asset(model, settings, streams, self._mood, self.agenda, self.outbox)
            for model, streams in zip(COINS, chances, strict=True)
        )
        self._leader.followers = others
        self._assets = [self._leader, *others]

    def open(self) -> None:
        """Enter what happens first."""
        for asset in self._assets:
            asset.open()
        self.agenda.enter(self._start_ns + _STEP_NS, self._step, _STEP_NS)
        for asset in self._assets:
            asset.expect_news(self._start_ns)

    def _step(self, now_ns: int, step_ns: int) -> None:
        """A short time has passed."""
        elapsed = now_ns - self._start_ns
        self._leader.diffuse(step_ns)
        self._mood.advance(elapsed)
        for follower in self._leader.followers:
            follower.diffuse(step_ns)
        for asset in self._assets:
            asset.settle(now_ns, elapsed)
        following = _PANIC_STEP_NS if self._mood.stress(elapsed + _STEP_NS) else _STEP_NS
        self.agenda.enter(now_ns + following, self._step, following)


def generate(settings: GeneratorSettings, seed: int) -> Iterator[Line]:
    """The lines of all coins and venues in the order of their receive times; each connection's own are in order too.

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
