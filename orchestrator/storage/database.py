"""The database: SQLite in a file, or PostgreSQL, by one URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Self

from market.errors import Fatal, MissingExtra, MissingInput, Retry

try:
    import sqlalchemy as sa
    from sqlalchemy.exc import DBAPIError, OperationalError

    from orchestrator.storage.migrating import bring_up_to_date
except ImportError as error:
    raise MissingExtra(
        f"storage needs SQLAlchemy and Alembic ({error}); install the extra: pip install 'tickwire[live]'"
    ) from error

_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
_BUSY_MS = 10_000
_WRITES = "tickwire_writes"
_TO_WRITE = {_WRITES: True}


class Database:
    """Connections to one database whose tables are those of this version; for any number of threads.

    Parameters
    ----------
    url: ``sqlite:///FILE`` or ``postgresql://USER@HOST/NAME``; texts of errors show it without a password.
    """

    def __init__(self, url: str) -> None:
        self._url = sa.make_url(url)
        name = self._url.get_backend_name()
        if name not in _DRIVERS:
            raise Fatal(f"the database's URL begins with {name}; expected sqlite or postgresql")
        self._url = self._url.set(drivername=_DRIVERS[name])
        self._engine = sa.create_engine(self._url, hide_parameters=True, pool_pre_ping=name == "postgresql")
        if name == "sqlite":
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            sa.event.listen(self._engine, "begin", _begin_sqlite)

    @classmethod
    def open(cls, url: str) -> Self:
        """Connect, and make the tables or bring them to this version.

        Raises Fatal when the tables are of a newer version, MissingInput when there is no database, MissingExtra
        without its driver.
        """
        try:
            database = cls(url)
        except ModuleNotFoundError as missing:
            raise MissingExtra(f"{missing}: install the extra: pip install 'tickwire[live]'") from missing
        try:
            database._make_folder()
            with database._engine.execution_options(**_TO_WRITE).begin() as connection:
                bring_up_to_date(connection)
        except OperationalError as error:
            database.close()
            raise MissingInput(f"the database {database}: {error.orig}") from error
        except BaseException:
            database.close()
            raise
        return database

    def __str__(self) -> str:
        return self._url.render_as_string(hide_password=True)

    def write(self) -> AbstractContextManager[sa.Connection]:
        """A transaction: all of it or nothing. Raises Retry when the database cannot be reached or is busy."""
        return self._transaction(self._engine.execution_options(**_TO_WRITE))

    def read(self) -> AbstractContextManager[sa.Connection]:
        """A view of one moment, for reading. Raises Retry when the database cannot be reached."""
        return self._transaction(self._engine)

    @contextmanager
    def _transaction(self, engine: sa.Engine) -> Iterator[sa.Connection]:
        try:
            with engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise Retry(f"the database {self}: {error.orig}") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise Retry(f"the database {self}: {error.orig}") from error
            raise

    def close(self) -> None:
        """Close all connections that are not in use."""
        self._engine.dispose()

    def _make_folder(self) -> None:
        if self._url.get_backend_name() == "sqlite" and self._url.database:
            try:
                Path(self._url.database).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise MissingInput(f"the database {self}: {error.strerror or error}") from error


def _prepare_sqlite(connection: Any, record: object) -> None:
    """Write-ahead log, so that readers and the writer do not wait for each other; a lost end is written again."""
    # The driver's own transactions leave out changes of tables and begin too late for a view of one moment.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (f"busy_timeout = {_BUSY_MS}", "journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    """Whoever writes says so at once, and waits for others: one that had read first would have to give up."""
    writes = _WRITES in connection.get_execution_options()
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
