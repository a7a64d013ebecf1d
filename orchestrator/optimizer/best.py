"""The best parameters as a profile."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal

from config.loading import find_profile, profile_names
from config.strategies import StrategyName


def profile_text(
    profile: str, active: Sequence[StrategyName], values: Mapping[str, Decimal], remarks: Sequence[str]
) -> str:
    """A TOML file that is laid over a profile: its strategies, and the values by setting."""
    below = profile if profile in profile_names() else str(find_profile(profile).resolve())
    tables: dict[str, list[str]] = {"strategies": [f"active = {json.dumps([name.value for name in active])}"]}
    for setting, value in values.items():
        table, _, key = setting.rpartition(".")
        tables.setdefault(table, []).append(f"{key} = {value.normalize():f}")
    parts = [*(f"# {remark}" for remark in remarks), f"extends = {json.dumps(below, ensure_ascii=False)}"]
    for table, lines in tables.items():
        parts += ["", f"[{table}]", *lines]
    return "\n".join(parts) + "\n"
