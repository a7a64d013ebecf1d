"""A link over a bad network decides as the engine does, counts what is lost, and acts on no trigger twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from market.errors import Fatal
from market.fastpath import layout, state
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.wire.sbe import decode, encode
from orchestrator.engine.distant_link import DistantLink
from orchestrator.engine.inputs import Input, InputKind, apply
from orchestrator.engine.shadow import template_of
from tests.orchestrator.engine.distant import DistantEngine
from tests.orchestrator.engine.inputs import EPOCH, START_NS, STEP_NS, arm_engine, feed, inputs, tables, triggers_of

COUNT: Final = 120
PATIENCE_NS: Final = 10 * STEP_NS
Out = Callable[[list[bytes]], Sequence[bytes]]


def linked(distant: DistantEngine, **changes: Any) -> DistantLink:
    return DistantLink(distant, tables()[0], **{"patience_ns": PATIENCE_NS, **changes})


def essence(trigger: bytes) -> dict[str, Any]:
    """What does not depend on the clock that the bytes were made by."""
    return {name: value for name, value in decode(SCHEMA, trigger).fields.items() if name != "parity"}


def expected(given: Sequence[Input]) -> list[dict[str, Any]]:
    """The triggers of an engine next door."""
    engine = CpuEngine(tables()[0])
    arm_engine(engine)
    return [essence(trigger) for trigger in triggers_of(feed(engine, given))]


def market(count: int = COUNT) -> list[Input]:
    return list(inputs(count, arm_engine(CpuEngine(tables()[0]))))


def ids(triggers: Sequence[bytes]) -> list[int]:
    return [decode(SCHEMA, trigger).fields["id"] for trigger in triggers]


def reason_of(link: DistantLink) -> str:
    """Why the engine was replaced; empty if it was not."""
    return "" if link.takeover is None else link.takeover.reason


def without(*templates: int) -> Out:
    return lambda messages: [message for message in messages if template_of(message) not in templates]


def test_triggers_have_the_host_s_times_and_the_hash_is_the_engine_s() -> None:
    distant = DistantEngine()
    link = linked(distant)
    arm_engine(link)
    given = market()
    found = [essence(trigger) for trigger in triggers_of(feed(link, given))]
    assert found == expected(given)
    assert len(found) > 10
    assert (link.decision_hash, link.parity) == (distant.engine.decision_hash, distant.engine.parity)
    assert (link.takeover, link.lost_inputs, link.late_triggers, link.behind) == (None, 0, 0, 0)


@pytest.mark.parametrize("lost", [layout.TEMPLATE_STATUS, layout.TEMPLATE_ACKNOWLEDGE])
def test_answers_are_complete_whatever_of_them_is_lost(lost: int) -> None:
    distant = DistantEngine(way_out=without(lost))
    link = linked(distant)
    arm_engine(link)
    said = feed(link, market())
    assert link.takeover is None
    assert link.decision_hash == distant.engine.decision_hash
    assert [template_of(message) for message in said].count(layout.TEMPLATE_ACKNOWLEDGE) == COUNT // 20


def test_lost_market_data_counts_and_no_more() -> None:
    given = market()
    lost = [one for number, one in enumerate(given[: -COUNT // 4]) if number % 9 == 4 and one.kind is InputKind.QUOTE]
    told: list[int] = []
    distant = DistantEngine(way_in=lambda one: [] if one in lost else [one])
    link = linked(distant, on_loss=told.append)
    arm_engine(link)
    found = [essence(trigger) for trigger in triggers_of(feed(link, given))]
    assert link.takeover is None
    assert link.lost_inputs == told[-1] == len(lost) > 5
    assert found == expected([one for one in given if one not in lost])


def test_what_comes_twice_or_late_is_followed() -> None:
    """Every other market datagram waits for the next one, and every tenth comes twice."""
    held: list[Input] = []
    numbers: list[int] = []

    def spoiled(one: Input) -> Sequence[Input]:
        if one.kind is InputKind.CONTROL:
            return [one]
        numbers.append(0)
        if len(numbers) % 2 and not held:
            held.append(one)
            return []
        found = [one, *held]
        held.clear()
        return found + ([one] if len(numbers) % 10 == 0 else [])

    distant = DistantEngine(way_in=spoiled)
    link = linked(distant)
    arm_engine(link)
    feed(link, market())
    assert link.takeover is None
    assert link.decision_hash == distant.engine.decision_hash
    assert link._outstanding.repeated == len(numbers) // 10
    assert link.lost_inputs == 0


def test_a_hello_that_was_sent_again_is_one_step_more() -> None:
    def twice(one: Input) -> Sequence[Input]:
        return [one, one] if template_of(one.message) == layout.TEMPLATE_HELLO else [one]

    distant = DistantEngine(way_in=twice)
    link = linked(distant)
    arm_engine(link)
    feed(link, market())
    assert link.takeover is None
    assert link.decision_hash == distant.engine.decision_hash


def changed(one: Input) -> Sequence[Input]:
    """The 30th quote's price, one tick away."""
    if one.kind is InputKind.QUOTE and one.numbers[4] == 31:
        return [msgspec.structs.replace(one, numbers=(*one.numbers[:5], one.numbers[5] - 1, *one.numbers[6:]))]
    return [one]


def foreign(one: Input) -> Sequence[Input]:
    """Somebody else quotes at the board."""
    return (
        [one, Input(InputKind.QUOTE, one.time_ns, (0, 1, -8, -8, 999, 1, 1, 2, 1))]
        if one.numbers[4:5] == (31,)
        else [one]
    )


@pytest.mark.parametrize("spoil", [changed, foreign])
def test_what_it_was_not_given_ends_it(spoil: Callable[[Input], Sequence[Input]]) -> None:
    distant = DistantEngine(way_in=spoil)
    link = linked(distant)
    arm_engine(link)
    said = feed(link, market())
    assert link.takeover is not None
    assert "was not given" in link.takeover.reason
    assert distant.is_closed
    assert {decode(SCHEMA, trigger).fields["epoch"] for trigger in triggers_of(said)} == {EPOCH, EPOCH + 1}


def test_a_missing_step_ends_it_and_the_shadow_goes_on_with_the_host_s_times() -> None:
    given = market()
    steps: list[int] = []

    def spoiled(messages: list[bytes]) -> Sequence[bytes]:
        steps.append(0)
        return without(layout.TEMPLATE_LOG_STEP)(messages) if len(steps) == 60 else messages

    link = linked(DistantEngine(way_out=spoiled))
    arm_engine(link)
    said = triggers_of(feed(link, given))
    assert link.takeover is not None
    assert "hole" in link.takeover.reason
    found = [essence(trigger) for trigger in said]
    times = {one.numbers[4]: one.time_ns for one in given if one.kind is InputKind.QUOTE}
    assert [one["causeTime"] for one in found] == [times[one["causeSequence"]] for one in found]
    assert ids(said) == sorted(set(ids(said)))
    sent = [one["causeSequence"] for one in found]
    everything = [one["causeSequence"] for one in expected(given)]
    unknown = [essence(one)["causeSequence"] for one in link.take_unknown_fate()]
    assert sorted(sent + unknown) == everything


def pending_of(link: DistantLink) -> int:
    words = link._shadow.engine.state
    row = (words[state.INSTRUMENT_ROWS] + state.QUOTES) // state.WORD
    return int(sum(words[row + venue * state.QUOTE_WORDS + state.PENDING_BUY] for venue in range(2)))


def test_a_trigger_that_was_acted_upon_and_not_logged_counts_once() -> None:
    """The engine is gone between its trigger and its log; the same input makes the same trigger here."""
    given = market()
    first = next(number for number in range(1, COUNT) if len(expected(given[:number])) == 1)
    distant = DistantEngine()
    link = linked(distant)
    arm_engine(link)
    feed(link, given[: first - 1])
    distant.way_out = without(layout.TEMPLATE_LOG_STEP)
    (acted,) = triggers_of(feed(link, given[first - 1 : first]))
    distant.gone = "it was unplugged"
    link.outputs()
    assert link.takeover is not None
    assert link.takeover.acted == (1,)
    assert not link.take_unknown_fate()
    assert pending_of(link) == essence(acted)["secondQuantity"]


def test_a_silent_engine_is_replaced_by_what_it_was_asked_and_not_by_the_market() -> None:
    given = market()
    distant = DistantEngine()
    link = linked(distant)
    arm_engine(link)
    feed(link, given[:19])
    distant.way_in = lambda one: []
    quotes = [one for one in given[20:60] if one.kind is not InputKind.CONTROL]
    feed(link, quotes)
    assert reason_of(link) == ""
    beat = Input(InputKind.CONTROL, quotes[-1].time_ns, message=given[19].message)
    feed(link, [beat])
    assert reason_of(link) == ""
    said = feed(link, [msgspec.structs.replace(one, time_ns=one.time_ns + PATIENCE_NS) for one in given[60:100]])
    assert "logged no control message" in reason_of(link)
    assert link.take_unknown_fate()
    assert triggers_of(said)


@pytest.mark.parametrize("late", [2, 3, 40])
def test_a_late_trigger_is_acted_upon_while_its_turn_lasts_and_never_after(late: int) -> None:
    """One trigger's datagram is held back for so many inputs; the next trigger comes four inputs after it."""
    given = market()
    distant = DistantEngine()
    link = linked(distant)
    arm_engine(link)
    held: list[bytes] = []

    def hold(messages: list[bytes]) -> Sequence[bytes]:
        for message in messages:
            if template_of(message) == layout.TEMPLATE_TRIGGER and not held:
                held.append(message)
                return [other for other in messages if other is not message]
        return messages

    distant.way_out = hold
    said: list[bytes] = []
    since = 0
    for one in given:
        said += feed(link, [one])
        since += bool(held)
        if since == late:
            distant.arrived += held
    said += link.outputs()
    acted, unknown = ids(triggers_of(said)), ids(link.take_unknown_fate())
    assert sorted(acted + unknown) == [one["id"] for one in expected(given)]
    if late < 4:
        assert (unknown, link.late_triggers) == ([], 0)
    else:
        assert (unknown, link.late_triggers) == (ids(held), 1)
    assert link.takeover is None


def with_word(message: bytes, template: int, at: int) -> bytes:
    """A message of that template with another word there; others as they are."""
    if template_of(message) != template:
        return message
    word = int.from_bytes(message[at : at + 8], "little") ^ 0xFF
    return message[:at] + word.to_bytes(8, "little") + message[at + 8 :]


@pytest.mark.parametrize("order", [1, -1], ids=["trigger first", "log first"])
def test_a_trigger_with_another_price_is_noticed(order: int) -> None:
    distant = DistantEngine()
    link = linked(distant)
    arm_engine(link)
    at = layout.TRIGGER_FIRST_PRICE
    distant.way_out = lambda messages: [with_word(one, layout.TEMPLATE_TRIGGER, at) for one in messages][::order]
    feed(link, market(20))
    assert link.takeover is not None
    assert "trigger 1 of the distant engine is not the shadow's" in link.takeover.reason


def test_a_status_that_is_not_the_shadow_s_is_noticed() -> None:
    distant = DistantEngine()
    link = linked(distant)
    arm_engine(link)
    at = layout.STATUS_QUOTE_EVENTS
    distant.way_out = lambda messages: [with_word(one, layout.TEMPLATE_STATUS, at) for one in messages]
    feed(link, market(5))
    assert link.takeover is not None
    assert "the status of step" in link.takeover.reason


def test_a_clock_that_was_put_back_is_no_reason() -> None:
    """The log has T, which stands still meanwhile; only the engine can count how often."""
    distant = DistantEngine()
    link = linked(distant)
    arm_engine(link)
    distant.steps_back = True
    feed(link, market(40))
    assert link.takeover is None
    assert distant.engine.counters["timeBackwards"] > 0


def test_an_engine_that_is_lost_while_it_is_armed_ends_the_start() -> None:
    with pytest.raises(Fatal, match="while it was being armed"):
        arm_engine(linked(DistantEngine(way_in=lambda one: [], gone="nobody")))


@settings(derandomize=True, deadline=None, max_examples=25)
@drawn(st.data())
def test_nothing_is_acted_upon_twice_over_any_network(data: st.DataObject) -> None:
    """Datagrams are lost, repeated, swapped and cut at random: each cause is acted upon at most once."""
    fate = st.sampled_from(["passes"] * 12 + ["lost", "twice", "swapped"])

    def on_the_way(items: Sequence[Any]) -> Sequence[Any]:
        found: list[Any] = []
        for item in items:
            what = data.draw(fate)
            found += {"passes": [item], "lost": [], "twice": [item, item], "swapped": [item]}[what]
            if what == "swapped" and len(found) > 1:
                found[-2:] = found[:-3:-1]
        return found

    distant = DistantEngine()
    link = linked(distant)
    arm_engine(link)
    distant.way_in = lambda one: on_the_way([one]) if one.kind is not InputKind.CONTROL else [one]
    distant.way_out = lambda messages: on_the_way(messages)
    given = market(60)
    said: list[bytes] = []
    for one in given:
        apply(link, one)
        said += link.outputs()
    triggers = [essence(trigger) for trigger in triggers_of(said)]
    assert len({one["id"] for one in triggers}) == len(triggers)
    assert len({(one["causeVenue"], one["causeSequence"]) for one in triggers}) == len(triggers)
    assert not {one["id"] for one in triggers} & set(ids(link.take_unknown_fate()))


def test_a_kill_that_it_never_heard_holds_in_the_shadow() -> None:
    distant = DistantEngine()
    link = linked(distant)
    sequence = arm_engine(link)
    distant.gone = "unplugged"
    distant.way_in = lambda one: []
    apply(link, Input(InputKind.CONTROL, START_NS, message=encode(SCHEMA, "Kill", {"sequence": sequence})))
    said = feed(link, market())
    assert link.takeover is not None
    assert not triggers_of(said)
