"""What Verilator wrote of one clock cycle of a design, as one list of statements on members of the model."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from market.errors import Fatal
from sim.rtl.activity.statements import MODEL, Statement, split_statements, statement_of

_TYPE: Final = r"(?:CData|SData|IData|QData|VlWide<\d+>|VlUnpacked<.*>)"
_DECLARED: Final = re.compile(rf"^\s+({_TYPE})(?:/\*[^*]*\*/)? (\w+);", re.MULTILINE)
_PORT: Final = re.compile(r"VL_(IN|OUT)(8|16|64|W)?\((\w+),\d+,\d+(?:,(\d+))?\)")
_PORT_TYPES: Final[Mapping[str, str]] = {"8": "CData", "16": "SData", "": "IData", "64": "QData"}
_LOCAL: Final = re.compile(rf"^({_TYPE})(?:/\*[^*]*\*/)?\s+(\w+);$")
_PRELUDE: Final = re.compile(r"VL_DEBUG_IF|\w+__Syms\*|auto& vlSelfRef")
_IDENTIFIER: Final = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_CALL: Final = re.compile(r"^(\w+)\(vlSelf\);$")
_CLOCK: Final = "clk"
_UNSET: Final = ("__VdlyVal", "__VdlyDim", "__Vtemp")
"""Locals that are only used where they have been set in the same cycle."""


@dataclass(frozen=True, slots=True)
class Function:
    """A generated function: its file, and where its text and its body begin and end there."""

    file: Path
    start: int
    body_start: int
    end: int


@dataclass(frozen=True, slots=True)
class Step:
    """All that happens at an edge of the clock.

    Parameters
    ----------
    functions: those that did it, in their order.
    statements: what they did, in its order; locals are members of the model now.
    types: of all members. locals: names and types of members that were locals.
    inputs: members that are driven from outside, without the clock.
    """

    functions: tuple[Function, ...]
    statements: tuple[Statement, ...]
    types: Mapping[str, str]
    locals: Mapping[str, str]
    inputs: tuple[str, ...]


def root_of(module: str) -> str:
    """What Verilator calls the class with all of a module in it."""
    return f"V{module}___024root"


def read_step(folder: Path, module: str) -> Step:
    """The step of a module's model in the folder that Verilator wrote it into.

    Raises Fatal where the files are not of the form that Verilator gives a netlist with one clock.
    """
    root = root_of(module)
    functions = _functions(folder, root)
    header = (folder / f"{root}.h").read_text(encoding="utf-8")
    types = {name: kind for kind, name in _DECLARED.findall(header)}
    inputs = []
    for direction, bits, name, words in _PORT.findall(header):
        types[name] = f"VlWide<{words}>" if bits == "W" else _PORT_TYPES[bits]
        if direction == "IN" and name != _CLOCK:
            inputs.append(name)
    known: dict[str, str] = {}
    statements: list[Statement] = []
    called = _called(functions, root)
    for number, function in enumerate(called):
        texts, own = _without_locals(split_statements(_body(function)), f"__{number}")
        known |= own
        statements += map(statement_of, texts)
    types |= known
    unknown = {name for each in statements for name in each.reads | each.writes} - types.keys()
    if unknown:
        raise Fatal(f"Verilator's C++ uses members of unknown type: {', '.join(sorted(unknown)[:4])}")
    return Step(tuple(called), tuple(statements), types, known, tuple(inputs))


def _functions(folder: Path, root: str) -> dict[str, Function]:
    """The functions of the model that run in a cycle, by name."""
    found = {}
    for file in sorted(folder.glob(f"{root}__*.cpp")):
        text = file.read_text(encoding="utf-8")
        for match in re.finditer(rf"^void ({root}___\w+)\([^)]*\) \{{\n", text, re.MULTILINE):
            end = text.index("\n}\n", match.end() - 1) + 1
            found[match[1]] = Function(file, match.start(), match.end(), end)
    return found


def _body(function: Function) -> str:
    return function.file.read_text(encoding="utf-8")[function.body_start : function.end]


def _called(functions: Mapping[str, Function], root: str) -> list[Function]:
    """What is called at the clock's edge, under the one condition that there is."""
    outer = functions.get(f"{root}___eval_nba")
    if outer is None or any("___ico_" in name for name in functions):
        raise Fatal(f"Verilator's C++ of {root} is not that of a design with one clock and registers at its inputs")
    texts = [text for text in split_statements(_body(outer)) if not _PRELUDE.match(text)]
    if len(texts) != 1 or not texts[0].startswith("if"):
        raise Fatal(f"{root}___eval_nba has {len(texts)} statements; expected one condition, for one clock")
    inside = split_statements(texts[0][texts[0].index("{") + 1 : texts[0].rindex("}")])
    calls = [_CALL.match(text) for text in inside]
    names = [call[1] for call in calls if call is not None]
    if len(names) != len(calls) or not names or not functions.keys() >= set(names):
        raise Fatal(f"{root}___eval_nba does something else than call functions: {inside[:1]}")
    return [functions[name] for name in names]


def _without_locals(texts: Sequence[str], suffix: str) -> tuple[list[str], dict[str, str]]:
    """The statements with every local a member of that suffix; returns these members' types as well."""
    declared = {found[2]: found[1] for text in texts if (found := _LOCAL.match(text))}
    uses: defaultdict[str, list[str]] = defaultdict(list)
    for text in texts:
        for name in declared.keys() & _IDENTIFIER.findall(text):
            uses[name].append(text)
    kept: list[str] = []
    cleared = None
    for text in texts:
        if found := _LOCAL.match(text):
            cleared = found[2]
            continue
        if _PRELUDE.match(text):
            continue
        # a local is cleared where it is declared, so that it never is without a value
        is_clear = cleared is not None and re.fullmatch(rf"{cleared} = 0;|VL_ZERO_W\(\d+, {cleared}\);", text)
        if not is_clear or not _needless(str(cleared), uses[str(cleared)]):
            kept.append(text)
        cleared = None
    renamed = [
        _IDENTIFIER.sub(lambda name: f"{MODEL}.{name[0]}{suffix}" if name[0] in declared else name[0], text)
        for text in kept
    ]
    return renamed, {f"{name}{suffix}": kind for name, kind in declared.items()}


def _needless(local: str, uses: Sequence[str]) -> bool:
    """Whether a local is set before anything else is done with it, so that it need not be cleared."""
    if local.startswith(_UNSET):
        return True
    # its declaration and its clearing come first
    first = uses[2] if len(uses) > 2 else ""
    target, equals, value = first.partition("=")
    if equals and target.strip() == local and not re.search(rf"\b{local}\b", value):
        return True
    return re.match(rf"VL_\w+_W\w*\((?:\d+, ?)+{local}\b", first) is not None
