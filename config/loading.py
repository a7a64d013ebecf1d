"""Loads settings: a profile, then a local file, then environment variables; validated once, immutable afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from config.credentials import BINANCE_API_KEY, BINANCE_API_SECRET, read_credentials
from config.environment import environment_layers
from config.errors import Problem, SettingsError
from config.execution import Mode
from config.layers import KeyPath, Layer, Merged, read_toml
from config.problems import problems_of, shown
from config.settings import Settings
from config.structure import nearest

PROFILES: Final = Path(__file__).resolve().parent / "profiles"
LOCAL_NAME: Final = "tickwire.local.toml"
EXTENDS: Final = "extends"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Validated settings, and the source of every value that is not a default."""

    settings: Settings
    origins: Mapping[KeyPath, str]


def load_settings(
    profile: str | Path, *, local: Path | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """Settings of a profile with local and environment overrides.

    Parameters
    ----------
    profile: name of a shipped profile, or path of a TOML file.
    local: a TOML file laid over the profile; None for none.
    environment: variables, of which ``TICKWIRE__SECTION__KEY`` override settings; None for none.

    Raises SettingsError that lists every mistake with its source, key, value and what is allowed.
    """
    return load_with_origins(profile, local=local, environment=environment).settings


def load_with_origins(
    profile: str | Path, *, local: Path | None = None, environment: Mapping[str, str] | None = None
) -> Loaded:
    """As ``load_settings``, together with the source of each value."""
    variables = {} if environment is None else environment
    merged = Merged()
    for layer in _profile_layers(find_profile(profile)):
        merged.add(layer)
    if local is not None:
        layer = read_toml(local)
        if EXTENDS in layer.values:
            raise SettingsError(Problem(layer.source, EXTENDS, "is for profiles only; a local file overrides any"))
        merged.add(layer)
    for layer in list(environment_layers(variables, Settings, merged.values)):
        merged.add(layer)
    try:
        settings = Settings.model_validate(merged.values)
    except ValidationError as error:
        raise SettingsError(*problems_of(error, Settings, merged)) from None
    _check_credentials(settings, merged, variables)
    return Loaded(settings, dict(merged.origins))


def profile_names() -> tuple[str, ...]:
    """Names of the shipped profiles."""
    return tuple(sorted(path.stem for path in PROFILES.glob("*.toml")))


def find_profile(profile: str | Path) -> Path:
    """Path of a profile: a shipped one by its name, or any file by a path with a slash or ``.toml``."""
    if isinstance(profile, Path) or "/" in profile or profile.endswith(".toml"):
        return Path(profile)
    names = profile_names()
    if profile in names:
        return PROFILES / f"{profile}.toml"
    close = nearest(profile, names)
    hint = f"did you mean {close}? " if close else ""
    raise SettingsError(
        Problem(
            f"profile {profile!r}", "", f"there is none; {hint}there are {', '.join(names)}, or give a path to a file"
        )
    )


def local_override(folder: Path) -> Path | None:
    """The local file of a working directory, if there is one."""
    path = folder / LOCAL_NAME
    return path if path.is_file() else None


def _profile_layers(path: Path) -> list[Layer]:
    """The profile and those that it extends, the lowest first."""
    layers: list[Layer] = []
    seen: list[Path] = []
    while True:
        if path.resolve() in seen:
            chain = " -> ".join(str(known) for known in (*seen, path.resolve()))
            raise SettingsError(Problem(str(path), EXTENDS, f"makes a circle: {chain}"))
        seen.append(path.resolve())
        layer = read_toml(path)
        values: dict[str, Any] = dict(layer.values)
        below = values.pop(EXTENDS, None)
        layers.insert(0, Layer(layer.source, values))
        if below is None:
            return layers
        if not isinstance(below, str):
            raise SettingsError(Problem(layer.source, EXTENDS, f"was {shown(below)}: must be the name of a profile"))
        found = find_profile(below)
        path = found if found.is_absolute() else path.parent / found


def _check_credentials(settings: Settings, merged: Merged, environment: Mapping[str, str]) -> None:
    """Real orders need keys; nothing else does."""
    if settings.execution.mode is not Mode.LIVE:
        return
    credentials = read_credentials(environment)
    missing = [
        name
        for name, secret in (
            (BINANCE_API_KEY, credentials.binance_api_key),
            (BINANCE_API_SECRET, credentials.binance_api_secret),
        )
        if secret is None
    ]
    trades_there = any(name.startswith("binance") and venue.enabled for name, venue in settings.venues.items())
    if missing and trades_there:
        source = " + ".join(merged.sources(("execution", "mode")))
        raise SettingsError(
            Problem(
                source,
                "execution.mode",
                f"was 'live': it needs {' and '.join(missing)} in the environment or in .env (see env.example)",
            )
        )
