"""``tickwire kernels`` compiles every kernel for every architecture and says what they take."""

from __future__ import annotations

import pytest

import orchestrator.cli.kernels as command
from gpu.compile_gate import ARCHITECTURES, KernelResources
from gpu.kernel import KernelSource, source_names
from tests.orchestrator.cli.terminal import Terminal


def test_every_kernel_is_listed_for_every_architecture(terminal: Terminal) -> None:
    pytest.importorskip("cupy", reason="the compile gate needs the extra gpu")
    ended = terminal.run("kernels", "--json")
    assert ended.code == 0
    listed = {(one["source"], one["kernel"], one["architecture"]) for one in ended.json["kernels"]}
    assert listed == {
        (name, kernel, architecture)
        for name in source_names()
        for kernel in KernelSource.named(name).prototypes
        for architecture in ARCHITECTURES
    }


def test_a_kernel_that_spills_fails_the_check(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    spilling = KernelResources("slow", 90, 255, 0, 64, 32, 32)
    monkeypatch.setattr(command, "check", lambda source, architecture: [spilling])
    ended = terminal.run("kernels", "--json")
    assert ended.code == 1
    assert ended.json["spills"] == len(source_names()) * len(ARCHITECTURES)
    assert "slow" in terminal.run("kernels").out
