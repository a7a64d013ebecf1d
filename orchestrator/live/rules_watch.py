"""Asks venues at intervals how they trade the run's markets, in a thread of its own."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

from config.execution import Mode
from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal, Rejected, Retry
from market.instruments import Catalogue, Listing
from orchestrator.execution.venue_rules import changed_rules
from orchestrator.live.addresses import venue_addresses
from orchestrator.live.feeds import states_rules, traded_venues
from orchestrator.live.http_json import Ask, fetch_json
from orchestrator.risk.market_rules import MarketNews, RulesSource

_LEAST_PAUSE_S: Final = 5.0
"""The answer weighs much in the venue's limits."""
_JOIN_S: Final = 20.0
"""Longer than a question may take."""


class RulesWatch:
    """A context manager that runs a thread.

    Parameters
    ----------
    venues: that state their rules. every_s: between two rounds.
    wake: called from the thread when there is news. say: told, from the thread, when a venue does not answer.
    ask: gets a JSON object from an address. least_pause_s: between two rounds, however often it is asked for one.
    """

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        venues: Iterable[VenueName],
        *,
        every_s: float,
        wake: Callable[[], None],
        say: Callable[[str], None],
        ask: Ask = fetch_json,
        least_pause_s: float,
    ) -> None:
        self._asked: dict[VenueName, tuple[str, Sequence[Listing]]] = {}
        for venue in venues:
            at = venue_addresses(settings, venue)
            listings = [listing for listing in catalogue.listings if listing.venue_name == venue.value]
            self._asked[venue] = (f"{at.http}{at.api}/exchangeInfo", listings)
        self._every_s = every_s
        self._least_pause_s = least_pause_s
        self._wake = wake
        self._say = say
        self._ask = ask
        self._told: dict[Listing, str] = {}
        self._silent: set[VenueName] = set()
        self._news: deque[MarketNews] = deque()
        self._soon, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="rules", daemon=True)

    @property
    def source(self) -> RulesSource:
        """For the run."""
        return RulesSource(self._take, self._soon.set)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        self._soon.set()
        self._thread.join(_JOIN_S)

    def _take(self) -> list[MarketNews]:
        return [self._news.popleft() for _ in range(len(self._news))]

    def _run(self) -> None:
        while not self._ending.wait(self._least_pause_s):
            self._soon.wait(max(self._every_s - self._least_pause_s, 0.0))
            self._soon.clear()
            for venue, (url, listings) in self._asked.items():
                if not self._ending.is_set():
                    self._look(venue, url, listings)

    def _information(self, venue: VenueName, url: str, listings: Sequence[Listing]) -> Mapping[str, Any]:
        """What a venue says of the run's markets; reading all of them would hold the run up for milliseconds."""
        if venue is VenueName.BINANCE_SPOT:
            names = ",".join(f'"{listing.symbol}"' for listing in listings)
            try:
                return self._ask(f"{url}?{urlencode({'symbols': f'[{names}]'})}")
            except Rejected:
                # One that it does not have any more is a mistake to the venue: the others are told by the whole list.
                return self._ask(url)
        return self._ask(url)

    def _look(self, venue: VenueName, url: str, listings: Sequence[Listing]) -> None:
        try:
            information = self._information(venue, url, listings)
            found = [(listing, changed_rules(listing, information)) for listing in listings]
        except (Retry, Rejected, Fatal, KeyError, TypeError, AttributeError) as error:
            if venue not in self._silent:
                self._say(f"{venue} does not say how its markets are traded, it is asked again: {error}")
            self._silent.add(venue)
            return
        self._silent.discard(venue)
        for listing, problem in found:
            if self._told.get(listing, "") != problem:
                self._told[listing] = problem
                self._news.append(MarketNews(listing.instrument.number, listing.venue, problem))
                self._wake()


def watched_rules(
    settings: Settings,
    mode: Mode,
    catalogue: Catalogue,
    wake: Callable[[], None],
    say: Callable[[str], None],
    stack: ExitStack,
) -> RulesSource | None:
    """Ask the venues until the stack ends; None where none states any rules, or they are not to be asked."""
    venues = [venue for venue in traded_venues(settings, mode) if states_rules(settings, venue, mode)]
    every_s = settings.execution.rules_every_s
    if not venues or not every_s:
        return None
    watch = RulesWatch(settings, catalogue, venues, every_s=every_s, wake=wake, say=say, least_pause_s=_LEAST_PAUSE_S)
    return stack.enter_context(watch).source
