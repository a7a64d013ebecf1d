"""Statements of the C++ that Verilator writes, and what each reads and writes of the model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from market.errors import Fatal

MODEL: Final = "vlSelfRef"
"""What generated functions call the model that they belong to."""
_COMMENT: Final = re.compile(r"//[^\n]*")
_MEMBER: Final = re.compile(rf"\b{MODEL}\.(\w+)")
_TARGET: Final = re.compile(rf"(?:^|[;{{}}])\s*{MODEL}\.(\w+)((?:\[[^=;]*\])*)\s*=(?!=)")
_LOOP: Final = re.compile(r"\b(for|while|do|goto|switch)\b")
_WIDE_CALL: Final = re.compile(r"\b(VL_[A-Z]+_W[WQI]*)\(")
_RESULT: Final = (
    (1, "ADD_W AND_W ASSIGN_W MUL_W MULS_WWW NEGATE_W NOT_W OR_W REPLICATE_WII REPLICATE_WQI REPLICATE_WWI SUB_W"),
    (1, "ALLONES_W XOR_W ZERO_W"),
    (2, "EXTEND_WI EXTEND_WQ EXTEND_WW EXTENDS_WI EXTENDS_WQ EXTENDS_WW SEL_WWII"),
    (3, "CONCAT_WII CONCAT_WIQ CONCAT_WIW CONCAT_WQI CONCAT_WQQ CONCAT_WQW CONCAT_WWI CONCAT_WWQ CONCAT_WWW"),
    (3, "SHIFTL_WWI SHIFTL_WWQ SHIFTL_WWW SHIFTR_WWI SHIFTR_WWQ SHIFTR_WWW SHIFTRS_WWI SHIFTRS_WWQ SHIFTRS_WWW"),
)
_OUTPUT: Final = {f"VL_{name}": place for place, names in _RESULT for name in names.split()}
"""Which argument of Verilator's functions on wide words takes all words of their result."""
_COMPARES: Final = (
    "EQ",
    "NEQ",
    "LT",
    "LTE",
    "GT",
    "GTE",
    "REDAND",
    "REDOR",
    "REDXOR",
    "COUNTONES",
    "ONEHOT",
    "ONEHOT0",
)
_COMPARING: Final = frozenset(f"VL_{name}_W" for name in _COMPARES)
"""Those that return a number and write nothing."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement at the top of a function, and names of the model's members.

    Parameters
    ----------
    reads: those whose values it may use.
    writes: those that it may change; ``whole``: those of them that it sets in every case and in all their bits.
    """

    text: str
    reads: frozenset[str]
    writes: frozenset[str]
    whole: frozenset[str]

    @property
    def partial(self) -> frozenset[str]:
        """Written under a condition or in part: of these something may stay that was there before."""
        return self.writes - self.whole


def split_statements(body: str) -> list[str]:
    """The statements of a function's body, without comments."""
    body = _COMMENT.sub("", body)
    found, start, depth = [], 0, 0
    for at, character in enumerate(body):
        depth += (character in "({[") - (character in ")}]")
        if depth or character not in ";}":
            continue
        if character == "}" and body[at + 1 :].lstrip().startswith(("else", ";")):
            continue
        found.append(body[start : at + 1].strip())
        start = at + 1
    if body[start:].strip():
        raise Fatal(f"Verilator's C++ ends within a statement: {body[start:].strip()[:80]}")
    return found


def statement_of(text: str) -> Statement:
    """A statement whose variables are all members of the model.

    Raises Fatal for one that Verilator writes of no netlist, and that is therefore not understood.
    """
    if _LOOP.search(text):
        raise Fatal(f"a loop in Verilator's C++, where only assignments and conditions are expected: {text[:80]}")
    said, written, whole = Counter(_MEMBER.findall(text)), Counter[str](), set()
    for target in _TARGET.finditer(text):
        written[target[1]] += 1
        if target.start() == 0 and not target[2]:
            whole.add(target[1])
    for at, name in _wide_results(text):
        written[name] += 1
        if at == 0:
            whole.add(name)
    reads = frozenset(name for name, times in said.items() if times > written[name])
    # what sets a member of itself leaves something of what was there
    return Statement(text, reads, frozenset(written), frozenset(whole) - reads)


def _wide_results(text: str) -> Iterator[tuple[int, str]]:
    """Where a function on wide words is called, and what its result goes into."""
    for call in _WIDE_CALL.finditer(text):
        if call[1] in _COMPARING:
            continue
        if call[1] not in _OUTPUT:
            raise Fatal(f"{call[1]} in Verilator's C++ is not known here: say in {__name__} which argument it writes")
        result = _MEMBER.fullmatch(_argument(text, call.end(), _OUTPUT[call[1]]))
        if result is None:
            raise Fatal(f"{call[1]} in Verilator's C++ writes something else than a member: {text[:80]}")
        yield call.start(), result[1]


def _argument(text: str, at: int, number: int) -> str:
    """One argument of the call whose arguments begin there."""
    depth, start = 0, at
    for end in range(at, len(text)):
        character = text[end]
        if depth == 0 and character in ",)":
            if number == 0 or character == ")":
                return text[start:end].strip()
            number, start = number - 1, end + 1
        depth += (character in "({[") - (character in ")}]")
    return ""


def with_branches(text: str, change: dict[str, str]) -> str:
    """A condition with the body of each of its branches exchanged; those that are not named stay."""
    parts, at = [], 0
    for start, end in branches(text):
        body = text[start:end]
        parts += [text[at:start], change.get(body, body)]
        at = end
    return "".join([*parts, text[at:]])


def branches(text: str) -> list[tuple[int, int]]:
    """Where the bodies of a condition's branches are."""
    found, depth, start = [], 0, 0
    for at, character in enumerate(text):
        if character in "({[":
            if character == "{" and depth == 0:
                start = at + 1
            depth += 1
        elif character in ")}]":
            depth -= 1
            if character == "}" and depth == 0:
                found.append((start, at))
    return found
