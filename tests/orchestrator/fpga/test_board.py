"""``tickwire fpga key``, ``build``, ``report``, ``flash``, ``verilog``: what they take, and say without a build."""

from __future__ import annotations

import os
from ipaddress import IPv4Address
from pathlib import Path

import click
import pytest

from market.errors import MissingInput, Rejected
from orchestrator.cli.exits import ExitCode
from orchestrator.fpga.board import IpAddress, LinkAddress
from orchestrator.fpga.key_file import read_key
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


@pytest.mark.parametrize(
    "words",
    [["build", "icepick"], ["build", "ecpix5", "--router", "router3"], ["build", "ecpix5", "--bus", "16"], ["report"]],
)
def test_usage(terminal: Terminal, words: list[str]) -> None:
    assert terminal.run("fpga", *words).code == ExitCode.USAGE


def test_a_key_is_made_once_and_for_its_owner_only(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "board.key"
    ended = terminal.run("fpga", "key", file, "--json")
    assert ended.json == {"file": str(file)}
    assert file.stat().st_mode & 0o777 == 0o600
    key = read_key(file)
    assert len(key) == 16
    assert key.hex() not in ended.out + ended.err
    assert terminal.run("fpga", "key", file).code == ExitCode.INPUT
    assert read_key(file) == key
    other = tmp_path / "other.key"
    assert terminal.run("fpga", "key", other).code == ExitCode.DONE
    assert read_key(other) != key


def test_what_is_no_key(tmp_path: Path) -> None:
    file = tmp_path / "board.key"
    with pytest.raises(MissingInput, match="tickwire fpga key"):
        read_key(file)
    for content in ("", "0" * 31, "0" * 33, "g" * 32):
        file.write_text(content)
        file.chmod(0o600)
        with pytest.raises(Rejected, match="32 hexadecimal digits") as refused:
            read_key(file)
        assert content == "" or content not in str(refused.value)
    file.write_text("0" * 32)
    file.chmod(0o640)
    with pytest.raises(Rejected, match="chmod 600"):
        read_key(file)
    file.chmod(0o600)
    assert read_key(file) == bytes(16)


def test_no_board_is_built_without_a_key(terminal: Terminal, tmp_path: Path) -> None:
    ended = terminal.run("fpga", "build", "ecpix5")
    assert ended.code == ExitCode.USAGE
    assert "--key-file" in ended.err
    assert terminal.run("fpga", "build", "ecpix5", "--key-file", tmp_path / "none").code == ExitCode.INPUT


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
    assert terminal.run(*words, "--loader-board", "ecpix5_r03").code == ExitCode.DONE
    assert (tools / "said").read_text().split() == ["-b", "ecpix5_r03", str(bitstream)]
    loader.write_text("#!/bin/sh\necho no cable >&2\nexit 1\n")
    assert "no cable" in terminal.run(*words).err


def test_the_core_as_verilog(terminal: Terminal, tmp_path: Path) -> None:
    pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")
    result = terminal.run("fpga", "verilog", "--folder", str(tmp_path), "--json")
    files = [Path(name) for name in result.json["files"]]
    assert [file.suffix for file in files] == [".md", ".v"]
    assert "module tickwire_core_8(" in files[1].read_text()
    assert os.path.commonpath(files) == str(tmp_path)
