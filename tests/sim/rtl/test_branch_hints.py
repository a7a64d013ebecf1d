"""Hints change the text of conditions and nothing else."""

from __future__ import annotations

from sim.rtl.branch_hints import with_unlikely_branches

SOURCE = """
void step(Model* self) {
    if ((self->enable
         & (self->count == 3U))) {
        self->value = self->next;
        if (self->deep) {
            self->other = 1U;
        }
            if (self->deeper) {
        }
    } else if (self->second) {
    }
    if (VL_UNLIKELY((self->rare))) {
    }
}
"""
HINTED = """
void step(Model* self) {
    if (VL_UNLIKELY(((self->enable
         & (self->count == 3U))))) {
        self->value = self->next;
        if (VL_UNLIKELY((self->deep))) {
            self->other = 1U;
        }
            if (self->deeper) {
        }
    } else if (self->second) {
    }
    if (VL_UNLIKELY((self->rare))) {
    }
}
"""


def test_outer_conditions_are_marked_once() -> None:
    assert with_unlikely_branches(SOURCE) == HINTED
    assert with_unlikely_branches(HINTED) == HINTED


def test_text_without_conditions_stays() -> None:
    assert with_unlikely_branches("int main() { return 0; }\n") == "int main() { return 0; }\n"
