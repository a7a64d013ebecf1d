"""A profile that is read anew while a run goes on: thresholds and limits are taken over, all of them or none.

Limits of the slow loop may change in either direction. Those of the fast loop, which is armed, may only become tighter:
a row is on its way while triggers are decided by the one before it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, TypeAlias

import msgspec

from config.errors import SettingsError
from config.settings import Settings
from config.venues import VenueName
from market.errors import Fatal, MissingInput, Rejected
from orchestrator.engine.tables import numbered_instrument_row, numbered_venue_row
from orchestrator.risk.assembly import Risk
from orchestrator.run_loop.access import RunAccess

KeyPath: TypeAlias = tuple[str, ...]
Audit: TypeAlias = Callable[[int, str, str], None]
"""Writes down when, what was done, and details."""

_TAKEN_OVER: Final = frozenset({"limits", "instruments", "venues", "guards", "loss", "closing", "watchdog", "sizing"})
_FIXED: Final = frozenset(
    {
        ("limits", "capital_quote"),
        ("guards", "interval_ms"),
        ("guards", "spread_window_s"),
        ("guards", "spread_warm_up_s"),
        ("watchdog", "interval_s"),
        ("sizing", "fills"),
    }
)
"""Settings of risk that a run is built with; another capital would look like a profit or a loss."""
_LOWER: Final = -1
_HIGHER: Final = 1
_OF_INSTRUMENTS: Final[Mapping[str, int]] = {
    "enabled": _LOWER,
    "maximum_quantity": _LOWER,
    "maximum_notional_quote": _LOWER,
    "position_limit": _LOWER,
    "maximum_spread_bps": _LOWER,
    "collar_pct": _LOWER,
    "minimum_quantity": _HIGHER,
    "minimum_edge_bps": _HIGHER,
    "basis_threshold_bps": _HIGHER,
    "imbalance_threshold": _HIGHER,
    "cooldown_ms": _HIGHER,
}
"""Which way each limit of the fast loop is tighter."""
_OF_VENUES: Final[Mapping[str, int]] = {"maximum_age_ms": _LOWER, "maximum_silence_ms": _LOWER}


class ProfileRead(msgspec.Struct, frozen=True):
    """What reading a profile gave: settings as ``settings_text`` writes them, or why there are none."""

    text: bytes = b""
    problem: str = ""


def settings_text(settings: Settings) -> bytes:
    """Settings as JSON, their numbers exact; ``settings_of`` reads it."""
    return msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode(settings.model_dump())


def settings_of(text: bytes) -> Settings:
    """The settings of ``settings_text``."""
    return Settings.model_validate(json.loads(text, parse_float=Decimal))


def defaults_in(settings: Settings, text: bytes) -> Iterator[tuple[KeyPath, object]]:
    """Settings that a text lacks, each with the default that ``settings_of`` gives it; an absent table is one."""
    yield from _absent(settings.model_dump(), json.loads(text), ())


def profile_reader(read: Callable[[], Settings]) -> Callable[[], ProfileRead]:
    """A function that reads a profile and never raises for what is wrong with it."""

    def read_profile() -> ProfileRead:
        try:
            return ProfileRead(text=settings_text(read()))
        except (SettingsError, MissingInput, Rejected, Fatal, OSError) as error:
            return ProfileRead(problem=str(error))

    return read_profile


class Reload:
    """Takes over what a person has changed in the profile of a run that goes on.

    Parameters
    ----------
    settings: those that the run began with. read: the profile as it is now.
    """

    def __init__(self, settings: Settings, risk: Risk, read: Callable[[], ProfileRead], audit: Audit) -> None:
        self._settings = settings
        self._risk = risk
        self._read = read
        self._audit = audit

    def __call__(self, run: RunAccess, now_ns: int) -> str:
        """Read and take over; returns what changed. Raises Rejected, and nothing has changed then."""
        try:
            new = self._checked()
        except Rejected as refusal:
            self._audit(now_ns, "reload refused", str(refusal))
            raise
        changes = list(changes_of(self._settings, new))
        if not changes:
            return "the profile is as it was"
        self._risk.reload(new)
        for name in sorted({path[1] for path, _, _ in changes if path[0] == "venues"}):
            run.state_row("VenueRow", numbered_venue_row(new, VenueName(name)))
        for name in sorted({path[1] for path, _, _ in changes if path[0] == "instruments"}):
            run.state_row("InstrumentRow", numbered_instrument_row(new, name))
        self._settings = new
        said = "; ".join(f"{'.'.join(path)} {before} -> {after}" for path, before, after in changes)
        self._audit(now_ns, "reload", said)
        return said

    def _checked(self) -> Settings:
        found = self._read()
        if found.problem:
            raise Rejected(f"the profile was not taken over: {found.problem}")
        new = settings_of(found.text)
        problems = [problem for change in changes_of(self._settings, new) if (problem := _problem(*change))]
        if problems:
            raise Rejected(f"the profile was not taken over: {'; '.join(problems)}")
        return new


def changes_of(before: Settings, after: Settings) -> Iterator[tuple[KeyPath, object, object]]:
    """Settings that differ, with their values; None where there is none."""
    then, now = dict(_leaves(before.model_dump())), dict(_leaves(after.model_dump()))
    for path in sorted(then.keys() | now.keys()):
        if then.get(path) != now.get(path):
            yield path, then.get(path), now.get(path)


def _leaves(values: Mapping[Any, Any], above: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    for key, value in values.items():
        path = (*above, str(key))
        if isinstance(value, Mapping):
            yield from _leaves(value, path)
        else:
            yield path, value


def _absent(values: Mapping[Any, Any], written: Mapping[str, Any], above: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    for key, value in values.items():
        path = (*above, str(key))
        if str(key) not in written:
            yield path, value
        elif isinstance(value, Mapping):
            yield from _absent(value, written[str(key)], path)
        elif isinstance(value, list | tuple):
            for number, (entry, then) in enumerate(zip(value, written[str(key)], strict=True)):
                if isinstance(entry, Mapping):
                    yield from _absent(entry, then, (*path, str(number)))


def _problem(path: KeyPath, before: Any, after: Any) -> str:
    """Why a change cannot be taken over, empty when it can."""
    name = ".".join(path)
    if path[0] == "risk" and path[1] in _TAKEN_OVER and path[1:] not in _FIXED and path[-1] != "quote_worth":
        return ""
    tighter = {"instruments": _OF_INSTRUMENTS, "venues": _OF_VENUES}.get(path[0], {}).get(path[-1])
    if tighter is None or len(path) != 3:
        return f"{name} was {before} and is {after}: start the run again to change it"
    if (after - before) * tighter < 0:
        return f"{name} was {before} and is {after}: while the fast loop is armed, it may only become tighter"
    return ""
