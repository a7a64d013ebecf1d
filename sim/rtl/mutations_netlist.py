"""Mutations drawn by yosys, all of them in one netlist, of which an input says which one is live."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from market.errors import Fatal
from sim.rtl.mutations_top import LIVE, MUTATION_BITS, SUBJECT
from sim.rtl.netlist_tool import DESCRIPTION, run_yosys
from sim.rtl.top import NAME

FLATTEN: Final = f"""
read_rtlil {DESCRIPTION}
hierarchy -check -top {NAME}
proc -norom
flatten
opt_clean
opt -full
wreduce
memory_collect
opt -full
opt_clean -purge
"""
"""One module of words: as small as synthesis would make it before it thinks of gates."""
_LIST: Final = "mutations.ys"
_MUTATED: Final = "mutated.v"
_CELLS: Final = "cells.json"
_LINE: Final = re.compile(r"(-[a-z]+) (\S+)")
_CONTROL: Final = f"-ctrl core.{LIVE} {MUTATION_BITS} "
_ANY_BIT: Final = frozenset({"$logic_not", "$reduce_or", "$reduce_bool"})
_BY_BITS: Final = frozenset({"$not", "$and", "$or", "$xor", "$xnor", "$mux"})
"""Cells of which bit n of the output depends on bit n of these inputs:"""
_WORDS: Final = frozenset({"A", "B"})
_CLOCKS: Final = frozenset({"CLK", "RD_CLK", "WR_CLK"})


@dataclass(frozen=True, slots=True)
class Mutation:
    """One change of the netlist.

    Parameters
    ----------
    number: from 1, in the order of drawing; what makes it live.
    mode: ``inv``, ``const0``, ``const1``: what becomes of the bit; ``cnot0``, ``cnot1``: it is inverted where bit
        ``control_bit`` of the same port is 0, or 1.
    cell, port, bit: where.
    wire: the described signal and bit that it is, where it is one.
    source: files and lines of the description.
    is_change: whether anything reads another value with it: a bit that is always 0 may be set to 0, of a difference
        perhaps only the sign is read, and some cells ``hide`` it, or nobody reads what they make of it.
    """

    number: int
    mode: str
    cell: str
    port: str
    bit: int
    control_bit: int | None
    wire: str
    source: tuple[str, ...]
    is_change: bool

    @property
    def place(self) -> str:
        """The cell's port and bit as one text, without what all have in common."""
        cell = re.sub(rf"\$flatten|\\|^core\.{SUBJECT}\.", "", self.cell).removeprefix(f"core.{SUBJECT}.")
        return f"{cell} {self.port}[{self.bit}]"


@dataclass(frozen=True, slots=True)
class Mutated:
    """The Verilog of a netlist with all its mutations.

    Parameters
    ----------
    has_clocks: whether one of them is made in a clock.
    """

    verilog: str
    mutations: tuple[Mutation, ...]
    has_clocks: bool


def mutate(description: str, seed: int, count: int) -> Mutated:
    """Draw mutations of the core's cells in a described top, and make them all.

    Every bit of every cell's port is drawn from as yosys does it: ``mutate -list`` with its own weights.
    """
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / DESCRIPTION).write_text(description, encoding="utf-8")
        draw = f"mutate -list {count} -seed {seed} {_CONTROL}1 -o {_LIST} c:*{SUBJECT}.*"
        script = f"{FLATTEN}\nwrite_json {_CELLS}\n{draw}\nscript {_LIST}\nwrite_verilog -norename -noattr {_MUTATED}\n"
        run_yosys(script, folder)
        module = json.loads((folder / _CELLS).read_text(encoding="utf-8"))["modules"][NAME]
        lines = (folder / _LIST).read_text(encoding="utf-8").splitlines()
        read = _read_bits(module)
        drawn = tuple(_mutation(line, module["cells"], read) for line in lines)
        verilog = (folder / _MUTATED).read_text(encoding="utf-8")
    if [mutation.number for mutation in drawn] != list(range(1, count + 1)):
        raise Fatal(f"yosys drew {len(drawn)} mutations; expected {count}, numbered from 1")
    return Mutated(verilog, drawn, any(mutation.port in _CLOCKS for mutation in drawn))


def _read_bits(module: Mapping[str, Any]) -> frozenset[int]:
    """The nets that some cell or port of the module reads."""
    read = {bit for port in module["ports"].values() if port["direction"] == "output" for bit in port["bits"]}
    for cell in module["cells"].values():
        for name, bits in cell["connections"].items():
            if cell["port_directions"][name] == "input":
                read.update(bits)
    return frozenset(bit for bit in read if isinstance(bit, int))


def _mutation(line: str, cells: Mapping[str, Any], read: frozenset[int]) -> Mutation:
    head, found, rest = line.partition(_CONTROL)
    if head != "mutate " or not found:
        raise Fatal(f"yosys drew {line!r}; expected a mutation with {_CONTROL!r}")
    number, _, rest = rest.partition(" ")
    fields: dict[str, Any] = {}
    sources: list[str] = []
    for name, value in _LINE.findall(rest):
        if name == "-src":
            sources.append(value)
        else:
            fields[name] = value
    control_bit = fields.get("-ctrlbit")
    wire = f"{fields['-wire'].removeprefix(f'core.{SUBJECT}.')}[{fields['-wirebit']}]" if "-wire" in fields else ""
    cell, bit = fields["-cell"], int(fields["-portbit"])
    changed, port = cells[cell.removeprefix("\\")], fields["-port"]
    was = changed["connections"][port][bit]
    is_input = changed["port_directions"][port] == "input"
    is_hidden = is_input and (hides(changed["type"], fields["-mode"]) or is_unread(changed, port, bit, read))
    return Mutation(
        int(number),
        fields["-mode"],
        cell,
        fields["-port"],
        bit,
        None if control_bit is None else int(control_bit),
        wire,
        tuple(sources),
        (is_input or was in read) and fields["-mode"] != f"const{was}" and not is_hidden,
    )


def hides(cell_type: str, mode: str) -> bool:
    """Whether a cell's output stands before a mutation of its input does anything.

    A bit is inverted only where another one decides alone: a set bit in an OR of all, a cleared one in an AND.
    """
    return (cell_type in _ANY_BIT and mode == "cnot1") or (cell_type == "$reduce_and" and mode == "cnot0")


def is_unread(cell: Mapping[str, Any], port: str, bit: int, read: Collection[int]) -> bool:
    """Whether a cell works bit by bit, and nothing reads what it makes of this bit of an input.

    ``cell``: as yosys writes it as JSON. ``read``: the nets that something reads.
    """
    connections = cell["connections"]
    by_bits = cell["type"] in _BY_BITS and port in _WORDS
    return by_bits and len(connections[port]) == len(connections["Y"]) and connections["Y"][bit] not in read
