"""Groups keep the order that statements need of one another, and belong to one part of the design."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from sim.rtl.activity.groups import grouped
from sim.rtl.activity.statements import Statement, statement_of

PARTS = ("core__02ea", "core__02eb", "core__02ec")


def random_statements(rng: random.Random, count: int) -> list[Statement]:
    """Assignments and conditions on some members of three parts."""
    names = [f"vlSelfRef.top__DOT__{part}__02e{number}" for part in PARTS for number in range(8)]
    found = []
    for _ in range(count):
        target, first, second, condition = (rng.choice(names) for _ in range(4))
        text = f"{target} = ({first} + (3 * {second}) + 1);"
        found.append(f"if (({condition} & 1)) {{ {text} }}" if rng.random() < 0.4 else text)
    return list(map(statement_of, found))


def values_after(statements: Sequence[Statement], start: dict[str, int]) -> dict[str, int]:
    """What the members are when the statements have run, read as Python."""
    values = dict(start)
    for statement in statements:
        text = statement.text.replace("vlSelfRef.", "")
        if text.startswith("if"):
            condition, _, inside = text.removeprefix("if ").partition("{")
            if not eval(condition, {}, values):
                continue
            text = inside.strip(" }")
        name, _, value = text.rstrip(";").partition(" = ")
        values[name] = eval(value, {}, values) % 65_536
    return values


@pytest.mark.parametrize("seed", range(20))
def test_groups_do_what_the_statements_do_in_their_order(seed: int) -> None:
    rng = random.Random(seed)
    statements = random_statements(rng, 60)
    members = {name for each in statements for name in each.reads | each.writes}
    start = {name: rng.randrange(65_536) for name in sorted(members)}
    groups = grouped(statements, characters=rng.choice((1, 60, 300)))
    ordered = [statement for group in groups for statement in group.statements]
    assert sorted(each.text for each in ordered) == sorted(each.text for each in statements)
    assert values_after(ordered, start) == values_after(statements, start)


@pytest.mark.parametrize("seed", range(5))
def test_a_group_belongs_to_one_part_and_ends_at_its_size(seed: int) -> None:
    groups = grouped(random_statements(random.Random(seed), 60), characters=50)
    for group in groups:
        assert (
            len({part for part in PARTS if any(part in name for each in group.statements for name in each.writes)}) == 1
        )
    assert max(len(group.statements) for group in groups) <= 6


def test_what_a_group_uses_is_what_it_has_not_set_before() -> None:
    texts = (
        "vlSelfRef.x__DOT__a = 1;",
        "vlSelfRef.x__DOT__b = vlSelfRef.x__DOT__a;",
        "if (vlSelfRef.x__DOT__b) { vlSelfRef.x__DOT__c = vlSelfRef.x__DOT__d; }",
    )
    (group,) = grouped(list(map(statement_of, texts)))
    assert group.uses == {"x__DOT__d"}
    assert group.writes == {"x__DOT__a", "x__DOT__b", "x__DOT__c"}
