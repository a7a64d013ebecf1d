"""JSON schema of a settings file, for editors that complete and check TOML."""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from config.loading import EXTENDS
from config.settings import Settings

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
BOUNDS: Final = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


class _TomlSchema(GenerateJsonSchema):
    """Decimals are plain numbers in TOML."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        return {"type": "number", **{key: schema[key] for key in BOUNDS if key in schema}}  # type: ignore[literal-required]


def settings_schema() -> dict[str, Any]:
    """The schema of one file. Nothing is required in it: a file may leave the rest to the layers below."""
    schema = Settings.model_json_schema(schema_generator=_TomlSchema)
    _loosen(schema)
    schema["properties"][EXTENDS] = {"type": "string", "description": "Profile that this one is laid over."}
    return {"$schema": DIALECT, **schema}


def schema_text() -> str:
    """The schema as it stands in ``config/settings.schema.json``."""
    return json.dumps(settings_schema(), indent=2, ensure_ascii=False) + "\n"


def _loosen(node: Any) -> None:
    """Drop demands that only the merged layers meet; spell bounds and defaults of decimals as JSON schema does."""
    if isinstance(node, dict):
        for key in ("required", "max_digits"):
            node.pop(key, None)
        for key in [key for key in node if key in BOUNDS and node.get("type") == "number"]:
            node[BOUNDS[key]] = _number(node.pop(key))
        if node.get("type") == "number" and isinstance(node.get("default"), str):
            node["default"] = _number(node["default"])
        for value in node.values():
            _loosen(value)
    elif isinstance(node, list):
        for value in node:
            _loosen(value)


def _number(value: Any) -> int | float:
    number = float(value)
    return int(number) if number.is_integer() else number
