"""``tickwire warm``: counts what was compiled and what was cached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

import orchestrator.cli.warm as command
from tests.orchestrator.cli.terminal import Terminal


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three kernels, of which the first has to be compiled: compiling real ones takes a minute."""
    names = ["a", "b", "c"]

    def warmed(processes: int, packages: Sequence[str]) -> Iterator[tuple[str, bool]]:
        assert processes >= 1
        assert "market" in packages
        for name in names:
            yield name, name != "a"

    monkeypatch.setattr(command, "all_entries", lambda packages: names)
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
