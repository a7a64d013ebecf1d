"""Versions of the database's tables: an older one is brought up to date, a newer one is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from market.errors import Fatal

_FOLDER: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x7469636B
"""Two processes that start at once change a PostgreSQL database one after the other."""


def newest_version() -> str:
    """The version of the tables that this program reads and writes."""
    head = _scripts().get_current_head()
    if head is None:
        raise Fatal(f"{_FOLDER} holds no migrations; expected those of the installed program: install it again")
    return head


def current_version(connection: sa.Connection) -> str | None:
    """The version of a database's tables; None when it has none of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def bring_up_to_date(connection: sa.Connection) -> None:
    """Make the tables, or change older ones, in the connection's transaction; raises Fatal for newer ones."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    scripts, newest, current = _scripts(), newest_version(), current_version(connection)
    if current == newest:
        return
    known = [script.revision for script in scripts.walk_revisions()]
    if current is not None and current not in known:
        raise Fatal(
            f"the database's tables are of version {current}; expected {newest} or an older one: use the program that "
            "made them, or a newer one"
        )

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, newest)


def _config() -> Config:
    """Alembic's settings: only where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("version_locations", str(_FOLDER / "versions"))
    config.set_main_option("path_separator", "os")
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
