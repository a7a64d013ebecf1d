"""What is written from the models is current: the JSON schema, the reference and the template of the environment."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from config.environment import read_environment
from config.layers import leaves, read_toml
from config.loading import PROFILES, load_settings, profile_names
from config.reference import reference_text
from config.schema import schema_text, settings_schema
from config.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent


def test_the_schema_file_is_current() -> None:
    written = (ROOT / "config/settings.schema.json").read_text(encoding="utf-8")
    assert written == schema_text(), "renew it: tickwire config schema > config/settings.schema.json"


def test_the_reference_is_current() -> None:
    written = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert written == reference_text(), "renew it: tickwire config reference > docs/settings.md"


def test_the_schema_knows_every_key_of_the_profiles() -> None:
    schema = settings_schema()
    for name in profile_names():
        for path, _ in leaves(read_toml(PROFILES / f"{name}.toml").values):
            node = schema
            for key in path:
                node = schema["$defs"][node["$ref"].split("/")[-1]] if "$ref" in node else node
                node = node.get("properties", {}).get(key) or _entry(node, key)
            assert node, f"{name}: {path}"


def _entry(table: dict[str, Any], key: str) -> dict[str, Any]:
    """Schema of a named entry of a table."""
    for pattern, entry in table.get("patternProperties", {}).items():
        if re.search(pattern, key):
            return dict(entry)
    return dict(table["additionalProperties"])


def test_the_schema_speaks_of_plain_numbers() -> None:
    fee = settings_schema()["$defs"]["VenueSettings"]["properties"]["taker_fee_bps"]
    assert fee["type"] == "number"
    assert (fee["exclusiveMinimum"], fee["maximum"]) == (-625, 624)
    assert '"required"' not in schema_text()
    assert json.loads(schema_text()) == settings_schema()


def test_every_setting_is_described() -> None:
    for line in reference_text().splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            assert len(cells) == 5
            assert all(cells[2:]), line
            assert cells[4].endswith("."), line
    names = "engine venues instruments replay loop feeds exchange execution storage paths paper backtest risk bus"
    assert set(Settings.model_fields) == {*names.split(), "strategies", "detector", "models", "optimizer", "scenarios"}


def test_the_environment_template_is_harmless(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes((ROOT / "env.example").read_bytes())
    variables = read_environment(tmp_path, {})
    assert {"BINANCE_API_KEY", "BINANCE_API_SECRET"} <= set(variables)
    assert load_settings("paper", environment=variables) == load_settings("paper")
