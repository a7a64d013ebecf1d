"""The schemas that the command knows by name, and those in files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from market.fastpath.layout import SCHEMA_PATH
from market.wire.sbe import Schema, load_schema
from market.wire.schemas import BINANCE_STREAM, COINBASE_DERIVATIVES, DERIBIT_MULTICAST, DERIBIT_STARBASE

SHIPPED: Final = {
    "tickwire": SCHEMA_PATH,
    "binance-stream": BINANCE_STREAM,
    "deribit-starbase": DERIBIT_STARBASE,
    "deribit-multicast": DERIBIT_MULTICAST,
    "coinbase-derivatives": COINBASE_DERIVATIVES,
}


def schemas(named: str | None) -> dict[str, Schema]:
    """Schemas by name: one that is named, by name or file, or all that Tickwire ships.

    Raises UsageError for a name that is neither, MissingInput or Fatal for a file that is no schema.
    """
    if named is None:
        return {name: load_schema(path) for name, path in SHIPPED.items()}
    if named in SHIPPED:
        return {named: load_schema(SHIPPED[named])}
    if not Path(named).is_file():
        raise click.UsageError(f"--schema was {named!r}: must be a file, or one of {', '.join(SHIPPED)}")
    return {named: load_schema(Path(named))}
