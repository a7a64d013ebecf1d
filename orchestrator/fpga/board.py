"""``tickwire fpga key``, ``build``, ``report``, ``flash`` and ``verilog``: hardware from its description to a board."""

from __future__ import annotations

import shutil
import stat
import subprocess
from dataclasses import asdict
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hdl.boards.board import Board
from market.errors import Fatal, MissingExtra, MissingInput
from market.fastpath.specification import Feed
from orchestrator.cli.output import Output, with_output
from orchestrator.clock import SystemClock
from orchestrator.fpga.key_file import read_key, write_new_key

if TYPE_CHECKING:
    from hdl.toolchain.board import Products
    from hdl.toolchain.timing import PlacedReport

_FOLDER: Final = Path("build")
_LOADERS: Final = ("openFPGALoader", "openfpgaloader-cli")
_SEED: Final = 1
_LINK_BYTES: Final = 6
_MODULE: Final = "tickwire_core"
_HOPS_SHOWN: Final = 40
_HERTZ_PER_MHZ: Final = 1_000_000


class LinkAddress(click.ParamType[int]):
    """A link (MAC) address as a number: six bytes in hexadecimal with colons."""

    name = "link address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; a usage error for anything else."""
        if isinstance(value, int):
            return value
        parts = str(value).split(":")
        try:
            octets = bytes(int(part, 16) for part in parts)
        except ValueError:
            octets = b""
        if len(octets) != _LINK_BYTES:
            self.fail(f"{value!r} is no link address; expected six bytes like 02:00:00:00:00:01", param, ctx)
        return int.from_bytes(octets, "big")


class IpAddress(click.ParamType[IPv4Address]):
    """An IPv4 address."""

    name = "IPv4 address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> IPv4Address:
        """The address; a usage error for anything else."""
        try:
            return IPv4Address(value)
        except ValueError as error:
            self.fail(f"{value!r} is no IPv4 address: {error}", param, ctx)


_board = click.argument("board", type=click.Choice([board.value for board in Board]))
_folder = click.option(
    "--folder", type=click.Path(path_type=Path, file_okay=False), default=_FOLDER, show_default=True, help="Of builds."
)
_port = click.IntRange(1, 65_535)
_file = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("file", type=_file)
@with_output
def key(output: Output, file: Path) -> None:
    """Make a board's key: FILE is readable by its owner only. Whoever has it controls the board."""
    write_new_key(file)
    output.say(f"wrote {file}: build the board with it, and give it to the host")
    output.emit({"file": str(file)})


@click.command()
@_board
@_folder
@click.option("--key-file", type=_file, required=True, help="The board's key, as tickwire fpga key makes it.")
@click.option(
    "--counter-floor",
    type=click.IntRange(0, (1 << 64) - 1),
    help="Lowest counter of a seal that the board takes.  [default: now, in ns]",
)
@click.option("--seed", type=click.IntRange(1, 1 << 30), default=_SEED, show_default=True, help="Of the placement.")
@click.option("--router", type=click.Choice(["router1", "router2"]), default="router1", show_default=True)
@click.option(
    "--feed",
    "feeds",
    type=click.Choice([feed.name.lower() for feed in Feed]),
    multiple=True,
    help="A decoder that the build has; may be given more than once.  [default: those that the board closes with]",
)
@click.option(
    "--bus",
    type=click.Choice(["8", "64"]),
    default="64",
    show_default=True,
    help="Bits of the core's bus on a board: 64 at a clock of its own, or 8 at the line's 125 MHz.",
)
@click.option(
    "--core-clock",
    type=click.Choice(["50", "62.5", "100", "125"]),
    help="Of a core with a bus of 64 bits, in MHz.  [default: 100, of colorlight 62.5]",
)
@click.option("--address", type=IpAddress(), default="192.168.1.50", show_default=True, help="The board's.")
@click.option("--link", type=LinkAddress(), default="02:00:00:00:00:01", show_default=True, help="The board's.")
@click.option("--host", type=IpAddress(), default="192.168.1.1", show_default=True, help="Who gets the messages.")
@click.option("--host-link", type=LinkAddress(), default="ff:ff:ff:ff:ff:ff", show_default=True, help="The host's.")
@click.option("--control-port", type=_port, default=31_901, show_default=True, help="The board's.")
@click.option("--message-port", type=_port, default=31_900, show_default=True, help="The host's.")
@click.option("--log-port", type=_port, default=31_902, show_default=True, help="The host's, for the event log.")
@with_output
def build(
    output: Output,
    /,
    board: str,
    folder: Path,
    key_file: Path,
    counter_floor: int | None,
    seed: int,
    router: str,
    feeds: tuple[str, ...],
    bus: str,
    core_clock: str | None,
    **network: Any,
) -> None:
    """Make a board's bitstream. Fails if a clock is missed or has lost its constraint.

    The key is in the bitstream: the folder of the build is closed to others.
    """
    seal_key = read_key(key_file)
    from hdl.toolchain.board import Router, build_board, require_tools

    require_tools()
    from hdl.boards.catalogue import board_build
    from hdl.boards.network import BoardNetwork
    from hdl.control.seal import BoardSeal

    products = _products(folder, board)
    products.folder.mkdir(parents=True, exist_ok=True)
    products.folder.chmod(stat.S_IRWXU)
    board_seal = BoardSeal(seal_key, SystemClock().now_ns() if counter_floor is None else counter_floor)
    addresses = BoardNetwork(**{name: network[name] for name in BoardNetwork.__dataclass_fields__})
    output.note(f"building {board} with seed {seed} and {router}: some minutes; logs are in {products.folder}")
    chosen = frozenset(Feed[feed.upper()] for feed in feeds) or None
    core_hertz = None if core_clock is None else int(float(core_clock) * _HERTZ_PER_MHZ)
    made = board_build(Board(board), addresses, board_seal, chosen, int(bus) // 8, core_hertz)
    report = build_board(
        *(made.platform, made.top, products),
        seed=seed,
        router=Router(router),
        sparing=made.sparing,
    )
    _show(output, products, report)


@click.command()
@_board
@_folder
@with_output
def report(output: Output, board: str, folder: Path) -> None:
    """Show what the last build reached: clocks, cells, and the slowest path of each clock."""
    from hdl.toolchain.timing import read_report

    products = _products(folder, board)
    _show(output, products, read_report(products.report))


@click.command()
@_board
@_folder
@click.option("--persistent", is_flag=True, help="Write the flash memory: the board starts with it.")
@click.option("--loader-board", help="What openFPGALoader calls the board, if not so: ecpix5_r03 for later ones.")
@with_output
def flash(output: Output, board: str, folder: Path, persistent: bool, loader_board: str | None) -> None:
    """Load the last build into a board, with openFPGALoader."""
    bitstream = _products(folder, board).bitstream
    if not bitstream.is_file():
        raise MissingInput(f"there is no {bitstream}: make it with: tickwire fpga build {board}")
    loader = next((found for name in _LOADERS if (found := shutil.which(name))), None)
    if loader is None:
        raise MissingExtra(f"loading a board needs openFPGALoader, and none of {', '.join(_LOADERS)} is on the path")
    words = [loader, "-b", loader_board or board, *(["-f"] if persistent else []), str(bitstream)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Fatal(f"{' '.join(words)} ended with {done.returncode}:\n{(done.stderr or done.stdout).strip()}")
    output.say(f"loaded {bitstream}")
    output.emit({"board": board, "bitstream": str(bitstream), "persistent": persistent})


@click.command()
@click.option("--bus", type=click.Choice(["8", "64"]), default="8", show_default=True, help="Bits per clock cycle.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), default=_FOLDER / "verilog")
@with_output
def verilog(output: Output, bus: str, folder: Path) -> None:
    """Write the core as plain Verilog, with a document of its ports."""
    from hdl.toolchain.board import require_tools

    require_tools()
    from hdl.core import Core
    from hdl.parameters import CoreParameters
    from hdl.toolchain.interface import interface_document
    from hdl.toolchain.verilog import verilog_of

    name = f"{_MODULE}_{bus}"
    core = Core(CoreParameters(bus_bytes=int(bus) // 8))
    folder.mkdir(parents=True, exist_ok=True)
    written = {folder / f"{name}.md": interface_document(core, name), folder / f"{name}.v": verilog_of(core, name)}
    for file, text in written.items():
        file.write_text(text, encoding="utf-8")
        output.say(f"wrote {file}")
    output.emit({"files": [str(file) for file in written]})


def _products(folder: Path, board: str) -> Products:
    from hdl.toolchain.board import Products

    return Products(folder.absolute() / board, board)


def _show(output: Output, products: Products, placed: PlacedReport) -> None:
    clocks = [
        (clock.name, f"{clock.achieved_mhz:.1f}", f"{clock.wanted_mhz:.1f}", "met" if clock.is_met else "missed")
        for clock in placed.clocks
    ]
    output.table("clocks", ("clock", "MHz", "wanted", "result"), clocks, right=("MHz", "wanted"))
    cells = [(used.kind, f"{used.used:,}", f"{used.available:,}") for used in placed.cells if used.used]
    output.table("cells", ("cell", "used", "available"), cells, right=("used", "available"))
    for clock, path in placed.paths.items():
        hops = [(hop.kind, f"{hop.delay_ns:.2f}", hop.place) for hop in path[:_HOPS_SHOWN]]
        output.table(f"slowest path of {clock}", ("step", "ns", "where"), hops, right=("ns",))
    output.emit(
        {
            "folder": str(products.folder),
            "bitstream": str(products.bitstream) if products.bitstream.is_file() else None,
            "clocks": [{**asdict(clock), "is_met": clock.is_met} for clock in placed.clocks],
            "cells": {used.kind: used.used for used in placed.cells if used.used},
        }
    )
