"""Databases of both kinds for the tests of storage."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.storage.database import Database
from tests.orchestrator.storage.postgres import Server, running_server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server; a missing one is a failure, never a skip."""
    with running_server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which kind of database a test is run on: it is run on both."""
    return str(request.param)


@pytest.fixture
def url(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> str:
    """An empty database."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/new/tickwire.db"
    server: Server = request.getfixturevalue("server")
    return server.new_database()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that has all tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "tickwire.db"
    Database.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def postgres_template(server: Server) -> str:
    """Name of a PostgreSQL database that has all tables, to be copied."""
    name = "prepared"
    server.new_database(name=name)
    Database.open(server.url(name)).close()
    return name


@pytest.fixture
def tables_url(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> str:
    """A database with all tables, still empty."""
    if kind == "sqlite":
        path = tmp_path / "tickwire.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    server: Server = request.getfixturevalue("server")
    return server.new_database(template=request.getfixturevalue("postgres_template"))


@pytest.fixture
def database(tables_url: str) -> Iterator[Database]:
    """A database with all tables, open."""
    opened = Database(tables_url)
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where journals are."""
    return tmp_path / "journal"
