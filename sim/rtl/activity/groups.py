"""Statements in groups: each of one part of the design, so that it rests while that part rests."""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sim.rtl.activity.statements import Statement

CHARACTERS: Final = 1_500
"""Of a group, from which on no statement joins it; names do not count."""
_LEVELS: Final = 3
"""Of the design's hierarchy that tell parts apart."""
_MEMBER: Final = re.compile(r"\bvlSelfRef\.\w+")
_SPACES: Final = re.compile(r"\s+")
_PATH: Final = re.compile(r"__DOT__(\w+)")
_LEVEL: Final = "__02e"
"""A dot in a name of Verilog, as Verilator writes it in one of C++."""
_NO_LEVEL: Final = re.compile(r"__024flatten__05c|__05c")

Part = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Statements that run together, in their order.

    Parameters
    ----------
    uses: members whose values from before the group may decide what it does.
    writes: those that it may change.
    """

    statements: tuple[Statement, ...]
    uses: frozenset[str]
    writes: frozenset[str]


def grouped(statements: Sequence[Statement], characters: int = CHARACTERS) -> list[Group]:
    """The statements in groups that do the same, one after the other, as the statements in their order."""
    after, waits = _order(statements)
    parts = [_part(statement) for statement in statements]
    sizes = [len(_SPACES.sub(" ", _MEMBER.sub("v", statement.text))) for statement in statements]
    ready: defaultdict[Part, list[int]] = defaultdict(list)
    for number, part in enumerate(parts):
        if not waits[number]:
            heapq.heappush(ready[part], number)
    groups = []
    while any(ready.values()):
        # the part with most to do: what it does may let more of it join
        part = max((part for part in ready if ready[part]), key=lambda part: _weight(ready[part], sizes))
        members: list[int] = []
        while ready[part] and sum(sizes[number] for number in members) < characters:
            number = heapq.heappop(ready[part])
            members.append(number)
            for later in after[number]:
                waits[later] -= 1
                if not waits[later]:
                    heapq.heappush(ready[parts[later]], later)
        groups.append(_group([statements[number] for number in members]))
    return groups


def _weight(numbers: Sequence[int], sizes: Sequence[int]) -> tuple[int, int]:
    return sum(sizes[number] for number in numbers), -numbers[0]


def _order(statements: Sequence[Statement]) -> tuple[list[set[int]], list[int]]:
    """For each statement those that must come behind it, and of how many it must itself be behind."""
    before: list[set[int]] = []
    wrote: dict[str, int] = {}
    read: defaultdict[str, set[int]] = defaultdict(set)
    for number, statement in enumerate(statements):
        earlier = {wrote[name] for name in statement.reads | statement.writes if name in wrote}
        for name in statement.writes:
            earlier |= read[name]
        before.append(earlier)
        for name in statement.reads:
            read[name].add(number)
        for name in statement.writes:
            wrote[name] = number
            read[name] = set()
    after: list[set[int]] = [set() for _ in statements]
    for number, earlier in enumerate(before):
        for each in earlier:
            after[each].add(number)
    return after, [len(earlier) for earlier in before]


def _part(statement: Statement) -> Part:
    """The part of the design that a statement belongs to, by the names of what it writes, or else reads."""
    for names in (statement.writes, statement.reads):
        for name in sorted(names):
            if part := _path(name):
                return part
    return ()


def _path(name: str) -> Part:
    found = _PATH.search(name)
    return tuple(_NO_LEVEL.sub("", found[1]).split(_LEVEL)[:-1][:_LEVELS]) if found else ()


def _group(statements: Iterable[Statement]) -> Group:
    together = tuple(statements)
    uses: set[str] = set()
    writes: set[str] = set()
    whole: set[str] = set()
    for statement in together:
        uses |= statement.reads - whole
        writes |= statement.writes
        whole |= statement.whole
    return Group(together, frozenset(uses), frozenset(writes))
