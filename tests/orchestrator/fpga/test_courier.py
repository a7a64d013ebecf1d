"""Control messages arrive all and in order, whatever of them or of their answers is lost."""

from __future__ import annotations

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from market.fastpath.specification import Result
from orchestrator.fpga.courier import RESEND_NS, WINDOW, Courier


def added(count: int) -> Courier:
    courier = Courier()
    for number in range(1, count + 1):
        courier.add(number, number * 10, bytes([number]))
    return courier


def test_a_few_go_at_once_and_the_next_when_one_is_answered() -> None:
    courier = added(WINDOW + 2)
    assert courier.due(0) == [(number * 10, bytes([number])) for number in range(1, WINDOW + 1)]
    assert courier.due(1) == []
    courier.answered(1, Result.APPLIED, 2)
    assert courier.due(2) == [((WINDOW + 1) * 10, bytes([WINDOW + 1]))]
    courier.arrived(WINDOW)
    assert len(courier) == 2


def test_without_an_answer_all_that_are_under_way_go_again() -> None:
    courier = added(2)
    assert len(courier.due(0)) == 2
    assert courier.due_in_ns(1) == RESEND_NS - 1
    assert courier.due(RESEND_NS - 1) == []
    assert len(courier.due(RESEND_NS)) == 2
    assert courier.resent == 2
    courier.answered(2, Result.REPEATED, RESEND_NS)
    assert (len(courier), courier.due_in_ns(RESEND_NS)) == (0, None)


def test_it_asks_less_and_less_often_where_nobody_answers() -> None:
    courier, sent = added(1), []
    for millisecond in range(4_000):
        sent += [millisecond] * len(courier.due(millisecond * 1_000_000))
    assert sent == [0, 50, 100, 150, 200, 250, 300, 350, 400, 500, 700, 1_100, 1_900, 2_700, 3_500]


def test_an_answer_out_of_order_is_a_reason_to_send_again_but_not_at_every_one() -> None:
    courier = added(3)
    courier.due(0)
    courier.answered(2, Result.OUT_OF_ORDER, 1)
    assert courier.due(1) == []
    courier.answered(3, Result.OUT_OF_ORDER, RESEND_NS // 5)
    assert len(courier.due(RESEND_NS // 5)) == 3
    courier.answered(3, Result.OUT_OF_ORDER, RESEND_NS // 5 + 1)
    assert courier.due(RESEND_NS // 5 + 1) == []


@settings(derandomize=True, deadline=None, max_examples=50)
@given(st.lists(st.booleans(), min_size=40, max_size=400), st.integers(1, 30))
def test_everything_arrives_once_and_in_order(passes: list[bool], count: int) -> None:
    """A board that answers as the rules say, and a way that loses what the draw says, and at last nothing."""
    courier, fates = added(count), deque(passes)
    taken: list[int] = []
    now_ns = 0

    def arrives() -> bool:
        return fates.popleft() if fates else True

    while len(courier):
        now_ns += courier.due_in_ns(now_ns) or 0
        for _, content in courier.due(now_ns):
            number = content[0]
            if not arrives():
                continue
            if number == len(taken) + 1:
                taken.append(number)
                result = Result.APPLIED
            else:
                result = Result.REPEATED if number <= len(taken) else Result.OUT_OF_ORDER
            if arrives():
                courier.answered(number, result, now_ns)
    assert taken == list(range(1, count + 1))
