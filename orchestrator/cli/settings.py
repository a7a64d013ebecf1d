"""``tickwire config``: show, check and document settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import click

from config.credentials import BINANCE_API_KEY, BINANCE_API_SECRET, BINANCE_SBE_API_KEY, BOARD_KEY, read_credentials
from config.errors import Problem, SettingsError
from config.layers import leaves
from config.loading import Loaded
from config.reference import reference_text
from config.schema import schema_text, settings_schema
from orchestrator.cli.output import Output, with_output
from orchestrator.cli.profile import environment, load_profile, profile_option


@click.group()
def config() -> None:
    """Show, check and document settings."""


@config.command()
@profile_option
@click.argument("key", default="")
@with_output
def show(output: Output, profile: str, key: str) -> None:
    """Show settings and where each comes from.

    With KEY, such as engine or venues.binance-spot, only those below it.
    """
    loaded = load_profile(profile)
    values = loaded.settings.model_dump()
    chosen = [(path, value) for path, value in leaves(values) if _is_below(path, key)]
    if not chosen:
        raise SettingsError(Problem("KEY", key, f"is not a setting; there are {', '.join(values)}"))
    rows = [(".".join(path), _text(value), _source(loaded, path)) for path, value in chosen]
    output.table(f"profile {profile}", ("setting", "value", "from"), rows)
    if not key:
        for name, is_set in _credentials().items():
            output.say(f"{name}: {'set' if is_set else 'not set'}")
    output.emit(
        {
            "profile": profile,
            "settings": _nested(chosen),
            "origins": {".".join(path): _source(loaded, path) for path, _ in chosen},
            "credentials": _credentials(),
        }
    )


@config.command()
@profile_option
@with_output
def check(output: Output, profile: str) -> None:
    """Check settings; lists mistakes and ends with 2."""
    try:
        settings = load_profile(profile).settings
    except SettingsError as error:
        problems = [{"source": one.source, "key": one.key, "message": one.message} for one in error.problems]
        output.emit({"profile": profile, "valid": False, "problems": problems})
        raise
    output.say(
        f"profile {profile}: no mistakes; mode {settings.execution.mode}, back end {settings.engine.back_end}, "
        f"venues {', '.join(settings.venues)}, instruments {', '.join(settings.instruments)}"
    )
    output.emit({"profile": profile, "valid": True, "problems": []})


@config.command()
@with_output
def schema(output: Output) -> None:
    """Print the JSON schema that editors use."""
    output.say(schema_text().rstrip("\n"))
    output.emit(settings_schema())


@config.command()
@with_output
def reference(output: Output) -> None:
    """Print the reference of all settings (Markdown)."""
    output.say(reference_text().rstrip("\n"))
    output.emit({"markdown": reference_text()})


def _is_below(path: tuple[str, ...], key: str) -> bool:
    wanted = tuple(key.split(".")) if key else ()
    return path[: len(wanted)] == wanted


def _source(loaded: Loaded, path: tuple[str, ...]) -> str:
    return loaded.origins.get(path, "default")


def _credentials() -> Mapping[str, bool]:
    """Which secrets are there; never their values."""
    found = read_credentials(environment())
    return {
        BINANCE_API_KEY: found.binance_api_key is not None,
        BINANCE_API_SECRET: found.binance_api_secret is not None,
        BINANCE_SBE_API_KEY: found.binance_sbe_api_key is not None,
        BOARD_KEY: found.board_key is not None,
    }


def _nested(chosen: list[tuple[tuple[str, ...], Any]]) -> dict[str, Any]:
    """Values as nested tables again."""
    tree: dict[str, Any] = {}
    for path, value in chosen:
        table = tree
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = value
    return tree


def _text(value: object) -> str:
    return ", ".join(_words(value)) if isinstance(value, tuple) else next(_words((value,)))


def _words(values: tuple[object, ...]) -> Iterator[str]:
    for value in values:
        if isinstance(value, bool):
            yield "true" if value else "false"
        else:
            yield str(value.value if isinstance(value, Enum) else value)
