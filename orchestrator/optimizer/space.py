"""What is searched: settings, their values, and how Optuna is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from config.loading import Loaded
from config.settings import Settings
from config.strategies import StrategyName
from config.structure import child, nearest, node_of
from market.errors import Rejected

DETECTOR_VALUES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "volatility_multiplier": ("2.0", "2.5", "3.0"),
        "volatility_absolute_threshold": ("0.003", "0.004", "0.005"),
        "acceleration_threshold": ("-0.001", "-0.002", "-0.003"),
        "obi_threshold": ("-0.5", "-0.6", "-0.7"),
        "recovery_confirm_ms": ("2000", "3000", "5000"),
        "violent_range_threshold": ("0.004", "0.005", "0.006"),
    }
)
"""The documented values of the flash-crash detector, by setting of its profile."""
TRADER_VALUES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "range_samples": ("300", "500", "700"),
        "extremum_window_s": ("3", "5", "7"),
        "concurrent_trades": ("5", "10", "15"),
        "minimum_range": ("0.003", "0.005", "0.007"),
        "stop_loss": ("0.015", "0.02", "0.025"),
        "maximum_hold_ms": ("15000", "20000", "25000"),
    }
)
"""Those of the trader."""


@dataclass(frozen=True)
class Parameter:
    """One setting that is searched.

    Parameters
    ----------
    setting: its path. choices: its values. ranged: whether they are in order and equally far apart.
    """

    name: str
    setting: str
    choices: tuple[Decimal, ...]
    ranged: bool = False


def space_of(loaded: Loaded, settings: Settings) -> tuple[Parameter, ...]:
    """The parameters that the settings name, or the documented ones of the flash-crash trader where it runs alone.

    Parameters
    ----------
    loaded: the settings with their sources. settings: the same with what the command line says laid over them.

    Raises Rejected for a setting that is not there, a value that it cannot have, or one that a local file or the
    environment lays over every profile, so that parameters could not be written into one.
    """
    entries = settings.optimizer.space
    if entries:
        found = tuple(
            Parameter(name, entry.setting, entry.choices(), ranged=not entry.values) for name, entry in entries.items()
        )
    elif settings.strategies.active == (StrategyName.FLASH_CRASH,):
        found = documented_space(settings)
    else:
        active = ", ".join(name.value for name in settings.strategies.active) or "no strategy"
        raise Rejected(
            f"optimizer.space is empty and {active} runs: only the flash-crash trader alone has a space of its own; "
            "add [optimizer.space.NAME] with setting and values, or low, high and step"
        )
    for parameter in found:
        _check(loaded, settings, parameter)
    return found


def documented_space(settings: Settings) -> tuple[Parameter, ...]:
    """The documented search values, for the profile that is in force."""
    profile = settings.detector.profile.value
    tables = ((f"detector.{profile}", DETECTOR_VALUES), (f"strategies.flash_crash.{profile}", TRADER_VALUES))
    return tuple(
        Parameter(name.replace("_", "-"), f"{table}.{name}", tuple(map(Decimal, values)))
        for table, searched in tables
        for name, values in searched.items()
    )


def settings_with(settings: Settings, values: Mapping[str, Decimal]) -> Settings:
    """Settings with other values of some of them; raises Rejected when they do not fit together."""
    tables: dict[str, Any] = settings.model_dump()
    for setting, value in values.items():
        *path, key = setting.split(".")
        table = tables
        for name in path:
            table = table[name]
        table[key] = toml_number(value)
    try:
        return Settings.model_validate(tables)
    except ValidationError as error:
        texts = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False)]
        named = ", ".join(f"{setting} = {value}" for setting, value in values.items())
        raise Rejected(f"{named}: {'; '.join(texts)}") from None


def toml_number(value: Decimal) -> Decimal | int:
    """A value as a settings file would hold it: whole numbers have no point."""
    return int(value) if value == value.to_integral_value() else value


def _check(loaded: Loaded, settings: Settings, parameter: Parameter) -> None:
    where = f"optimizer.space.{parameter.name}.setting was {parameter.setting}"
    path = tuple(parameter.setting.split("."))
    current: Any = settings
    node = node_of(Settings)
    for place, key in enumerate(path):
        known = list(node.keys) if node is not None else []
        held = current.get(key) if isinstance(current, Mapping) else getattr(current, key, None)
        if held is None:
            present = [str(name) for name in current] if isinstance(current, Mapping) else known
            close = nearest(key, present)
            hint = f"; the nearest is {'.'.join((*path[:place], close))}" if close else f"; there are {present}"
            raise Rejected(f"{where}: there is no {'.'.join(path[: place + 1])} in these settings{hint}")
        current, node = held, child(node, key) if node is not None else None
    if isinstance(current, bool) or not isinstance(current, int | Decimal):
        raise Rejected(f"{where}: must be a number, is {type(current).__name__}")
    for value in (parameter.choices[0], parameter.choices[-1]) if parameter.ranged else parameter.choices:
        try:
            settings_with(settings, {parameter.setting: value})
        except Rejected as error:
            raise Rejected(f"{where}, which cannot have one of the values: {error}") from None
    source = loaded.origins.get(path, "")
    if (source and not source.endswith(".toml")) or source.endswith("tickwire.local.toml"):
        raise Rejected(f"{where}: it is set by {source}, which lies over every profile; remove it there")
