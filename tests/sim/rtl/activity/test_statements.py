"""Statements of Verilator's C++: where they end, what they read and write, and what is not understood."""

from __future__ import annotations

import pytest

from market.errors import Fatal
from sim.rtl.activity.statements import branches, split_statements, statement_of, with_branches

BODY = """
    // a comment; with { signs
    vlSelfRef.a = 1U;
    if ((vlSelfRef.b
         & 1U)) {
        vlSelfRef.c = vlSelfRef.d;
        if (vlSelfRef.e) { vlSelfRef.f[3U] = 0U; }
    } else if (vlSelfRef.g) {
        vlSelfRef.c = 2U;
    } else {
        vlSelfRef.h[vlSelfRef.i] = 1U;
    }
    VL_SUB_W(3, vlSelfRef.j, vlSelfRef.k, vlSelfRef.l);
"""


def test_statements_end_at_the_top() -> None:
    found = split_statements(BODY)
    assert [text.split("(")[0].split("=")[0].strip() for text in found] == ["vlSelfRef.a", "if", "VL_SUB_W"]
    with pytest.raises(Fatal, match="ends within a statement"):
        split_statements("vlSelfRef.a = 1U")


def test_what_a_statement_reads_and_writes() -> None:
    first, condition, wide = map(statement_of, split_statements(BODY))
    assert not first.reads
    assert first.writes == first.whole == {"a"}
    assert condition.reads == {"b", "d", "e", "g", "i"}
    assert condition.writes == condition.partial == {"c", "f", "h"}
    assert wide.reads == {"k", "l"}
    assert wide.writes == wide.whole == {"j"}


@pytest.mark.parametrize(
    ("text", "reads", "whole"),
    [
        ("vlSelfRef.a = (vlSelfRef.a + vlSelfRef.b);", {"a", "b"}, set()),
        ("vlSelfRef.a[2U] = vlSelfRef.b[1U];", {"b"}, set()),
        ("vlSelfRef.a = (vlSelfRef.b == vlSelfRef.c);", {"b", "c"}, {"a"}),
        ("vlSelfRef.a = VL_GTS_IWW(65, VL_SUB_W(3, vlSelfRef.t, vlSelfRef.b, vlSelfRef.c), vlSelfRef.d);", None, {"a"}),
    ],
)
def test_what_is_set_whole(text: str, reads: set[str] | None, whole: set[str]) -> None:
    statement = statement_of(text)
    assert statement.whole == whole
    assert reads is None or statement.reads == reads
    assert "a" in statement.writes


def test_a_result_within_an_expression_is_written() -> None:
    statement = statement_of(
        "vlSelfRef.a = VL_LTS_IWW(65, VL_SUB_W(3, vlSelfRef.t, vlSelfRef.b, vlSelfRef.c), vlSelfRef.d);"
    )
    assert statement.writes == {"a", "t"}
    assert statement.reads == {"b", "c", "d"}


def test_what_is_not_understood_is_refused() -> None:
    with pytest.raises(Fatal, match="a loop in Verilator's C"):
        statement_of("for (int i = 0; i < 3; ++i) { vlSelfRef.a[i] = 0U; }")
    with pytest.raises(Fatal, match="VL_POW_WWI in Verilator's C"):
        statement_of("VL_POW_WWI(65, 65, 3, vlSelfRef.a, vlSelfRef.b, vlSelfRef.c);")
    with pytest.raises(Fatal, match="writes something else than a member"):
        statement_of("VL_SUB_W(3, temporary, vlSelfRef.a, vlSelfRef.b);")


def test_bodies_of_branches() -> None:
    text = "if (vlSelfRef.a) { b; { c; } } else if ((d)) { e; } else { f; }"
    assert [text[start:end].strip() for start, end in branches(text)] == ["b; { c; }", "e;", "f;"]
    assert with_branches(text, {" e; ": " g; "}) == text.replace("e;", "g;")
