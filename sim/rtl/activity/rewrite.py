"""A model whose groups of statements run only when something that they use has changed.

A group does again what it did the last time while everything that it uses has the values of then, and what it wrote has
not been written by others since: it may then be left out (S. Beamer and D. Donofrio, 2020: ESSENT). So each group wakes
all groups that use or write a value that changes under it: those behind it in this cycle, those before it, and itself
where it uses the value, in the next one.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from sim.rtl.activity.groups import Group, grouped
from sim.rtl.activity.statements import MODEL, branches, with_branches
from sim.rtl.activity.step import Step, read_step, root_of

_WORD: Final = 64
_FILES: Final = 4
"""Of groups: they are compiled beside one another."""
_MEMORY: Final = "VlUnpacked"
_WIDE: Final = "VlWide"
_INTERNAL: Final = "    // INTERNAL VARIABLES\n"
_END: Final = "#endif  // guard"

Marks = Mapping[tuple[str, int], int]
"""Bits to set, by the member and its word: groups to run in this cycle, or in the next one."""


def run_by_activity(folder: Path, module: str) -> int:
    """Rewrite the model that Verilator wrote into a folder; returns how many groups it has.

    Raises Fatal where the C++ is not understood.
    """
    step = read_step(folder, module)
    groups = grouped(step.statements)
    _Rewriting(folder, root_of(module), step, groups).write()
    return len(groups)


class _Rewriting:
    def __init__(self, folder: Path, root: str, step: Step, groups: Sequence[Group]) -> None:
        self._folder, self._root, self._step, self._groups = folder, root, step, groups
        self._concerned: defaultdict[str, set[int]] = defaultdict(set)
        for number, group in enumerate(groups):
            for name in group.uses | group.writes:
                self._concerned[name].add(number)
        self._words = -(-len(groups) // _WORD)

    def write(self) -> None:
        """Groups in files of their own, the dispatcher in place of the first function, the others empty."""
        start = '#include "{}__pch.h"\n'.format(self._root.partition("___")[0])
        start += "\n".join(self._constants()) + "\n"
        share = -(-len(self._groups) // _FILES)
        for number in range(_FILES):
            members = range(number * share, min((number + 1) * share, len(self._groups)))
            text = start + "\n".join(self._function(each) for each in members)
            (self._folder / f"{self._root}__groups_{number}.cpp").write_text(text, encoding="utf-8")
        self._write_header()
        # the last function of a file first: places of the others stay what they are
        order = sorted(enumerate(self._step.functions), key=lambda each: (str(each[1].file), -each[1].start))
        for number, function in order:
            text = function.file.read_text(encoding="utf-8")
            body = self._dispatch() if number == 0 else ""
            before = self._table() if number == 0 else ""
            changed = text[: function.start] + before + text[function.start : function.body_start] + body
            function.file.write_text(changed + text[function.end :], encoding="utf-8")

    def _constants(self) -> list[str]:
        texts = [function.file.read_text(encoding="utf-8") for function in self._step.functions]
        return sorted({line for text in texts for line in re.findall(r"^extern const .*;$", text, re.MULTILINE)})

    def _name(self, number: int) -> str:
        return f"{self._root}___group_{number}"

    def _write_header(self) -> None:
        """Members that the groups need, and the functions of the groups."""
        every = ", ".join(f"0x{self._all_of(word):x}ULL" for word in range(self._words))
        members = [f"QData now[{self._words}] = {{{every}}};", f"QData next[{self._words}] = {{}};"]
        members += [f"{kind} {name};" for name, kind in self._step.locals.items()]
        members += [f"{self._step.types[name]} last_{name};" for name in self._inputs()]
        functions = [f"void {self._name(number)}({self._root}* vlSelf);" for number in range(len(self._groups))]
        file = self._folder / f"{self._root}.h"
        text = file.read_text(encoding="utf-8")
        text = text.replace(_INTERNAL, "".join(f"    {line}\n" for line in members) + _INTERNAL, 1)
        file.write_text(text.replace(_END, "\n".join([*functions, "", _END]), 1), encoding="utf-8")

    def _all_of(self, word: int) -> int:
        return (1 << min(_WORD, len(self._groups) - word * _WORD)) - 1

    def _inputs(self) -> list[str]:
        return [name for name in self._step.inputs if self._concerned[name]]

    def _table(self) -> str:
        names = ", ".join(self._name(number) for number in range(len(self._groups)))
        return f"static void (*const all_groups[])({self._root}*) = {{{names}}};\n"

    def _dispatch(self) -> str:
        """Wakes those that an input concerns, and runs all that are awake, in their order."""
        lines = [f"for (int word = 0; word < {self._words}; ++word) {{"]
        lines += ["  vlSelf->now[word] |= vlSelf->next[word];", "  vlSelf->next[word] = 0;", "}"]
        for name in self._inputs():
            keep = f"vlSelf->last_{name} = vlSelf->{name};"
            woken = _setting(self._marks(name, -1))
            lines.append(f"if (VL_UNLIKELY({self._differ(name, f'vlSelf->last_{name}')})) {{ {keep} {woken} }}")
        lines += [f"for (int word = 0; word < {self._words}; ++word) {{", "  while (vlSelf->now[word]) {"]
        lines += ["    const int bit = __builtin_ctzll(vlSelf->now[word]);"]
        lines += ["    vlSelf->now[word] &= vlSelf->now[word] - 1;"]
        lines += [f"    all_groups[word * {_WORD} + bit](vlSelf);", "  }", "}"]
        return "".join(f"    {line}\n" for line in lines)

    def _differ(self, name: str, before: str) -> str:
        if self._step.types[name].startswith(_WIDE):
            return f"__builtin_memcmp(&{before}, &vlSelf->{name}, sizeof(vlSelf->{name})) != 0"
        return f"{before} != vlSelf->{name}"

    def _marks(self, name: str, number: int) -> Marks:
        """Whom a change of a member by one of the groups concerns."""
        marks: defaultdict[tuple[str, int], int] = defaultdict(int)
        for other in self._concerned[name]:
            if other != number or name in self._groups[number].uses:
                marks["now" if other > number else "next", other // _WORD] |= 1 << other % _WORD
        return marks

    def _function(self, number: int) -> str:
        """A group as a function that tells whom its changes concern."""
        group = self._groups[number]
        times = Counter(name for statement in group.statements for name in statement.writes)
        marks = {name: found for name in sorted(group.writes) if (found := self._marks(name, number))}
        memories = [name for name in marks if self._step.types[name].startswith(_MEMORY)]
        together = [name for name in marks if name not in memories and times[name] > 1]
        texts = []
        for statement in group.statements:
            text = statement.text
            for name in memories:
                if name in statement.writes:
                    text = _marked(text, name, _setting(marks[name]))
            alone = [name for name in marks if name in statement.writes and name not in (*memories, *together)]
            texts.append(self._in_each_branch(text, {name: marks[name] for name in alone}))
        body = self._watched("\n".join(texts), {name: marks[name] for name in together})
        return f"void {self._name(number)}({self._root}* vlSelf) {{\nauto& {MODEL} = *vlSelf;\n{body}\n}}\n"

    def _in_each_branch(self, text: str, marks: Mapping[str, Marks]) -> str:
        """A statement that tells of its changes; a condition only where its branch has been taken."""
        if not text.startswith("if"):
            return self._watched(text, marks)
        bodies = {text[start:end] for start, end in branches(text)}
        changed = {}
        for body in bodies:
            there = {name: found for name, found in marks.items() if re.search(rf"\b{MODEL}\.{name}\b", body)}
            changed[body] = self._watched(body, there)
        return with_branches(text, changed)

    def _watched(self, text: str, marks: Mapping[str, Marks]) -> str:
        """A text that compares members behind it with what they were before it."""
        if not marks:
            return text
        alike: defaultdict[str, list[str]] = defaultdict(list)
        for name, found in marks.items():
            alike[_setting(found)].append(name)
        lines = [f"const auto was_{name} = vlSelf->{name};" for name in marks]
        lines.append(text)
        for woken, names in alike.items():
            changed = " | ".join(f"({self._differ(name, f'was_{name}')})" for name in names)
            lines.append(f"if (VL_UNLIKELY({changed})) {{ {woken} }}")
        return "\n".join(["{", *lines, "}"])


def _marked(text: str, memory: str, woken: str) -> str:
    """A text that wakes whom a memory concerns wherever it is written."""
    written = re.compile(rf"(^|[;{{}}])(\s*)({MODEL}\.{memory}\s*\[)")
    return written.sub(lambda at: f"{at[1]}{at[2]}{woken} {at[3]}", text)


def _setting(marks: Marks) -> str:
    return " ".join(f"vlSelf->{member}[{word}] |= 0x{bits:x}ULL;" for (member, word), bits in sorted(marks.items()))
