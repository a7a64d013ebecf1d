"""``tickwire warm``: counts what was compiled and what was cached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import orchestrator.cli.warm as command
from tests.orchestrator.cli.terminal import Terminal


@dataclass(frozen=True)
class Kernel:
    """Stands in for a compiled entry: compiling real ones takes a minute."""

    name: str


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three kernels, of which the first has to be compiled."""
    entries = [Kernel("a"), Kernel("b"), Kernel("c")]

    def warmed() -> Iterator[tuple[Kernel, bool]]:
        for entry in entries:
            yield entry, entry.name != "a"

    monkeypatch.setattr(command, "all_entries", lambda: entries)
    monkeypatch.setattr(command, "warm_kernels", warmed)


@pytest.mark.usefixtures("kernels")
def test_warm_counts(terminal: Terminal) -> None:
    ended = terminal.run("warm", "--json")
    assert ended.code == 0
    assert {key: ended.json[key] for key in ("kernels", "compiled", "cached")} == {
        "kernels": 3,
        "compiled": 1,
        "cached": 2,
    }
    assert ended.json["seconds"] >= 0
    assert terminal.run("warm").out.startswith("3 kernels ready: 1 compiled, 2 from the cache, ")
