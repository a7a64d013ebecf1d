"""A PostgreSQL server of the tests' own: in a temporary folder, behind a socket there, gone with the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest

_SETTINGS: Final = (
    "fsync=off",
    "full_page_writes=off",
    "listen_addresses=",
    "max_connections=20",
    "shared_buffers=16MB",
)
_TIMEOUT_S: Final = 60


def find_program(name: str) -> Path:
    """A program of PostgreSQL, in PATH or where Debian puts it; the tests fail without."""
    found = shutil.which(name)
    if found is not None:
        return Path(found).resolve()
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    if not versions:
        pytest.fail(f"{name} is not in PATH nor in /usr/lib/postgresql/*/bin: apt-get install postgresql")
    return versions[-1]


def _server_user() -> str | None:
    """Who runs the server: it refuses to be run by root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)


class Server:
    """A running server.

    Parameters
    ----------
    folder: of its data and its socket.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._user = _server_user()
        self._count = 0

    def start(self) -> None:
        if self._user is not None:
            shutil.chown(self._folder, self._user)
        self._run("initdb", "--no-sync", "--auth=trust", "--username=tickwire", "--encoding=UTF8", "--locale=C",
                  "--pgdata", str(self._data))  # fmt: skip
        self.begin()

    def begin(self) -> None:
        """Start the server, after ``start`` or ``end``."""
        options = " ".join(f"-c {setting}" for setting in (*_SETTINGS, f"unix_socket_directories={self._folder}"))
        self._run("pg_ctl", "start", "--wait", "--silent", "--pgdata", str(self._data),
                  "--log", str(self._folder / "log"), "--options", options)  # fmt: skip

    def end(self) -> None:
        """Stop the server at once."""
        self._run("pg_ctl", "stop", "--mode", "immediate", "--silent", "--pgdata", str(self._data))

    def new_database(self, *, template: str = "template1", name: str = "") -> str:
        """Make a database; returns its URL."""
        self._count += 1
        name = name or f"test{self._count}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql://tickwire@/{name}?host={self._folder}"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _address(self, name: str) -> str:
        return f"host={self._folder} user=tickwire dbname={name}"

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [find_program(program), *words],
            user=self._user,
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            pytest.fail(f"{program} ended with {done.returncode}: {done.stderr}")


@contextmanager
def running_server() -> Iterator[Server]:
    """A server that lives as long as the context; its socket's path must be short, so not in pytest's folders."""
    with tempfile.TemporaryDirectory(prefix="tickwire-pg-") as folder:
        server = Server(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.end()
