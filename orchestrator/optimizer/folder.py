"""The folder of a study: one process at a time, and always of the same recordings and settings."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from config.layers import leaves
from config.settings import Settings
from market.errors import MissingInput, Retry
from orchestrator.backtest.files import write_text
from orchestrator.optimizer.space import Parameter
from orchestrator.replay.plan import SourceFile

STUDY_FILE: Final = "study.json"
DATABASE_FILE: Final = "optuna_study.db"
RESULTS_FILE: Final = "results.json"
BEST_FILE: Final = "best_params.toml"
RUNS_FOLDER: Final = "runs"
DECODED_FOLDER: Final = "decoded"
_LOCK_FILE: Final = ".lock"
_FORMAT: Final = "tickwire study 1"
_MAY_CHANGE: Final = frozenset({"trials", "workers", "cluster", "space"})
"""Settings of the optimizer with which a study may go on; its space is compared as it is in force."""
_SHOWN: Final = 3


def inputs_of(settings: Settings, parameters: Sequence[Parameter], files: Sequence[SourceFile]) -> dict[str, Any]:
    """All that a trial's result depends on, for JSON."""
    sections = {"engine", "venues", "instruments", "backtest", "risk", "strategies", "detector"}
    optimizer = settings.optimizer.model_dump(mode="json", exclude=set(_MAY_CHANGE))
    return {
        "format": _FORMAT,
        "version": metadata.version("tickwire"),
        "recordings": {file.venue.value: sha256_of(file.path) for file in files},
        "settings": settings.model_dump(mode="json", include=sections),
        "optimizer": optimizer,
        "space": {each.name: [each.setting, *map(str, each.choices)] for each in parameters},
    }


def sha256_of(path: Path) -> str:
    """Of a file's content; raises MissingInput when it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MissingInput(f"{path} cannot be read: {error.strerror or error}") from error


def key_of(inputs: Mapping[str, Any]) -> str:
    """One text for all of it."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()


@contextmanager
def opened(folder: Path, inputs: Mapping[str, Any]) -> Iterator[None]:
    """Hold a study's folder, made where there is none.

    Raises Retry while another process holds it, MissingInput for a folder that is of other inputs or cannot be used;
    it is then as it was.
    """
    if folder.exists() and not folder.is_dir():
        raise MissingInput(f"--out {folder} is not a folder")
    path = folder / STUDY_FILE
    if not path.exists() and (folder / DATABASE_FILE).exists():
        raise MissingInput(f"{folder} holds {DATABASE_FILE} but no {STUDY_FILE}: choose another --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / _LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise MissingInput(f"{folder} cannot be written: {error.strerror or error}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(lock, 20, 0).decode("ascii", "replace")
            raise Retry(f"{folder} is in use by process {owner}: wait for it, or choose another --out") from None
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        if path.exists():
            _compare(path, inputs)
        else:
            write_text(path, json.dumps(inputs, indent=1) + "\n")
        yield
    finally:
        os.close(lock)


def _compare(path: Path, inputs: Mapping[str, Any]) -> None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MissingInput(f"{path} cannot be read ({error}): choose another --out") from error
    if found == inputs:
        return
    before = dict(leaves(found)) if isinstance(found, dict) else {}
    now = dict(leaves(inputs))
    differ = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
    shown = "; ".join(f"{'.'.join(key)} was {before.get(key)}, is {now.get(key)}" for key in differ[:_SHOWN])
    more = f" and {len(differ) - _SHOWN} more" if len(differ) > _SHOWN else ""
    raise MissingInput(f"{path.parent} is a study of something else: {shown}{more}; choose another --out")
