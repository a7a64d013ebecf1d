"""``tickwire fpga build``, ``report``, ``flash``, ``verilog``: what they accept, and what they say without a build."""

from __future__ import annotations

import os
from ipaddress import IPv4Address
from pathlib import Path

import click
import pytest

from orchestrator.cli.exits import ExitCode
from orchestrator.fpga.board import IpAddress, LinkAddress
from tests.orchestrator.cli.terminal import Terminal


def test_link_addresses() -> None:
    assert LinkAddress().convert("02:00:00:00:00:ff", None, None) == 0x0200000000FF
    for wrong in ("", "02:00:00:00:00", "02:00:00:00:00:100", "02:00:00:00:00:gg", "02-00-00-00-00-01"):
        with pytest.raises(click.BadParameter, match="six bytes"):
            LinkAddress().convert(wrong, None, None)


def test_ip_addresses() -> None:
    assert IpAddress().convert("192.168.1.50", None, None) == IPv4Address("192.168.1.50")
    with pytest.raises(click.BadParameter, match="no IPv4 address"):
        IpAddress().convert("192.168.1", None, None)


@pytest.mark.parametrize("words", [["build", "icepick"], ["build", "ecpix5", "--router", "router3"], ["report"]])
def test_usage(terminal: Terminal, words: list[str]) -> None:
    assert terminal.run("fpga", *words).code == ExitCode.USAGE


@pytest.mark.parametrize("command", ["report", "flash"])
def test_before_a_build(terminal: Terminal, tmp_path: Path, command: str) -> None:
    result = terminal.run("fpga", command, "ecpix5", "--folder", str(tmp_path))
    assert result.code == ExitCode.INPUT
    assert "build" in result.err


def test_a_board_is_loaded_by_openfpgaloader(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bitstream = tmp_path / "ecpix5" / "ecpix5.bit"
    bitstream.parent.mkdir()
    bitstream.write_bytes(b"bits")
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    words = ("fpga", "flash", "ecpix5", "--folder", str(tmp_path))
    result = terminal.run(*words)
    assert result.code == ExitCode.MISSING
    assert "openFPGALoader" in result.err

    loader = tools / "openFPGALoader"
    loader.write_text(f'#!/bin/sh\necho "$@" > {tools}/said\n')
    loader.chmod(0o755)
    assert terminal.run(*words, "--persistent", "--json").json["persistent"]
    assert (tools / "said").read_text().split() == ["-b", "ecpix5", "-f", str(bitstream)]
    loader.write_text("#!/bin/sh\necho no cable >&2\nexit 1\n")
    assert "no cable" in terminal.run(*words).err


def test_the_core_as_verilog(terminal: Terminal, tmp_path: Path) -> None:
    pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
    result = terminal.run("fpga", "verilog", "--folder", str(tmp_path), "--json")
    files = [Path(name) for name in result.json["files"]]
    assert [file.suffix for file in files] == [".md", ".v"]
    assert "module tickwire_core_8(" in files[1].read_text()
    assert os.path.commonpath(files) == str(tmp_path)
