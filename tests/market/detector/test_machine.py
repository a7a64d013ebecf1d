"""The state machine, explored whole: every state that any input can lead to, against rules that are written here anew.

Inputs are letters: what fires, silence, a lost feed, or a command, each after a step of time. From a fresh machine
every word of letters is followed until nothing new is reached; times further back than every threshold are one and
the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.detector.layout import (
    BREAKS_NS,
    BROKEN_SINCE,
    CALM_SINCE,
    CONFIRM_NS,
    DEBOUNCE_NS,
    ENTERED,
    HEARD,
    LOST,
    MET_SINCE,
    NONE,
    NOW,
    RECOVERY_NS,
    SIGNALS,
    STATE,
    Words,
    new_state,
)
from market.detector.settings import DetectorSettings
from market.detector.states import Cause, Signal, State
from market.detector.streaming import evaluate, restart, shut_down
from market.native.kernel import entry
from market.native.memory import address_of
from tests.market.detector import machine_model
from tests.market.detector.machine_model import Machine, fresh, source

HALF = 500_000_000
CONFIRM, RECOVERY, DEBOUNCE = 4, 5, 1
"""In half seconds."""
BREAK = 2
"""Shorter breaks of the trigger do not begin it anew; explored with none as well."""
FAR = 6
"""As good as any longer time: above every threshold."""


class Letter(Enum):
    """What an event brings."""

    QUIET = auto()
    TWO = auto()
    TWO_AND_VELOCITY = auto()
    ONE_AND_VELOCITY = auto()
    THREE = auto()
    VIOLENT = auto()
    SILENT = auto()
    LOST = auto()
    """The feed was lost; then three indicators fire at once."""
    SHUT_DOWN = auto()
    RESTART = auto()


TWO = int(Signal.VOLATILITY | Signal.SPREAD)
SIGNALS_OF = {
    Letter.QUIET: 0,
    Letter.TWO: TWO,
    Letter.TWO_AND_VELOCITY: TWO | Signal.MESSAGE_VELOCITY,
    Letter.ONE_AND_VELOCITY: Signal.IMBALANCE | Signal.MESSAGE_VELOCITY,
    Letter.THREE: TWO | Signal.VOLUME_DELTA,
    Letter.VIOLENT: int(Signal.VIOLENT_RANGE),
    Letter.SILENT: TWO | Signal.VOLUME_DELTA,
    Letter.LOST: TWO | Signal.VOLUME_DELTA,
}
MET = {Letter.TWO_AND_VELOCITY, Letter.THREE, Letter.LOST}
CALM = {Letter.QUIET, Letter.TWO, Letter.ONE_AND_VELOCITY}
STEPS = (0, 1, 3, 5)
EDGES = {
    (State.SLEEP, State.ALERT): Cause.TRIGGERED,
    (State.ALERT, State.SLEEP): Cause.FADED,
    (State.ALERT, State.ACTIVE): Cause.CONFIRMED,
    (State.RECOVERY, State.ACTIVE): Cause.CONFIRMED,
    (State.RECOVERY, State.SLEEP): Cause.CALMED,
}


@dataclass(frozen=True)
class Witness:
    """What an observer of the inputs and of the states alone knows; times in half seconds, none further than FAR."""

    state: State = State.SLEEP
    met: int | None = None
    """For how long the trigger has held, in all stretches whose breaks were short."""
    broken: int | None = None
    """For how long it has not held since."""
    calm: int | None = None
    dwell: int = FAR
    lost: bool = False

    def after(self, letter: Letter, step: int, longest: int) -> Witness:
        """What is known when a letter has come, before the machine's answer; ``longest``: BREAK."""
        passed = replace(self, dwell=min(self.dwell + step, FAR)).passed(step)
        if letter in (Letter.SHUT_DOWN, Letter.RESTART):
            return replace(passed, calm=_grown(self.calm, step))
        lost = letter is Letter.LOST
        calm = _held(None if lost else self.calm, letter in CALM, step)
        if lost:
            passed = replace(passed, met=None, broken=None)
        return replace(passed.told(letter in MET, longest), calm=calm, lost=self.lost or lost)

    def passed(self, step: int) -> Witness:
        """After some time, in which the trigger holds or is broken on."""
        if self.broken is None:
            return replace(self, met=_grown(self.met, step))
        return replace(self, broken=_grown(self.broken, step))

    def told(self, holds: bool, longest: int) -> Witness:
        """After an event at which the trigger holds or not."""
        met, broken = self.met, self.broken
        if met is not None and broken is None and not holds:
            broken = 0
        if broken is not None and broken >= longest:
            met = broken = None
        if holds:
            met, broken = 0 if met is None else met, None
        return replace(self, met=met, broken=broken)


def _grown(held: int | None, step: int) -> int | None:
    return None if held is None else min(held + step, FAR)


def _held(before: int | None, holds: bool, step: int) -> int | None:
    return (0 if before is None else _grown(before, step)) if holds else None


def expected(seen: Witness, letter: Letter) -> State:
    """The rules of docs/detector.md, read off as a table."""
    if letter is Letter.SHUT_DOWN:
        return State.SHUTDOWN
    if seen.state is State.SHUTDOWN:
        return State.SLEEP if letter is Letter.RESTART else State.SHUTDOWN
    if letter is Letter.RESTART or seen.dwell < DEBOUNCE:
        return seen.state
    confirmed = letter in MET and seen.met is not None and seen.met > CONFIRM
    calmed = seen.calm is not None and seen.calm > RECOVERY
    match seen.state:
        case State.SLEEP:
            return State.ALERT if letter in MET else State.SLEEP
        case State.ALERT:
            return State.SLEEP if seen.met is None else State.ACTIVE if confirmed else State.ALERT
        case State.ACTIVE:
            return State.RECOVERY if not confirmed and (seen.lost or calmed) else State.ACTIVE
    if confirmed:
        return State.ACTIVE
    return State.SLEEP if calmed and seen.dwell > RECOVERY else State.RECOVERY


def safe(seen: Witness, letter: Letter, after: State) -> bool:
    """What must never be otherwise, said apart from the table."""
    before = seen.state
    if before is after:
        return True
    if before is State.SHUTDOWN:
        return letter is Letter.RESTART and after is State.SLEEP
    if after is State.SHUTDOWN:
        return letter is Letter.SHUT_DOWN
    if (before, after) not in {*EDGES, (State.ACTIVE, State.RECOVERY)} or seen.dwell < DEBOUNCE:
        return False
    if after is State.ACTIVE:
        return seen.met is not None and seen.met > CONFIRM and letter in MET
    return before is not State.RECOVERY or (seen.calm is not None and seen.calm > RECOVERY)


Key = tuple[int, ...]


def key_of(words: machine_model.State) -> Key:
    """A machine's words without the time: how long ago things were."""
    now, start = words[NOW], words[MET_SINCE]
    end = words[BROKEN_SINCE] if words[BROKEN_SINCE] >= 0 else now
    held = min(end - start - words[BREAKS_NS], FAR * HALF) if start >= 0 else NONE
    ages = [min(now - words[word], FAR * HALF) if words[word] >= 0 else NONE for word in AGES]
    return words[STATE], words[LOST], held, *ages


AGES = (ENTERED, BROKEN_SINCE, CALM_SINCE)


def words_of(key: Key, now: int = 100 * HALF, longest: int = BREAK) -> machine_model.State:
    """A machine's words; whatever breaks are over are as one of half a second."""
    state, lost, held, *ages = key
    words = fresh(CONFIRM * HALF, RECOVERY * HALF, DEBOUNCE * HALF, longest * HALF)
    words |= {NOW: now, STATE: state, LOST: lost}
    words |= {word: now - age if age != NONE else NONE for word, age in zip(AGES, ages, strict=True)}
    end = words[BROKEN_SINCE] if words[BROKEN_SINCE] >= 0 else now
    if held == NONE:
        return words
    return words | {MET_SINCE: end - held - HALF, BREAKS_NS: HALF}


FRESH: Key = (0, 0, NONE, NONE, NONE, NONE)


def apply(machine: Machine, words: machine_model.State, letter: Letter, step: int) -> None:
    """Bring a letter to a machine."""
    words[NOW] += step * HALF
    if letter is Letter.SHUT_DOWN:
        machine.shut_down(words)
        return
    if letter is Letter.RESTART:
        machine.restart(words)
        return
    words[SIGNALS] = int(SIGNALS_OF[letter])
    words[HEARD] = NONE if letter is Letter.SILENT else words[NOW]
    if letter is Letter.LOST:
        words |= {LOST: 1, MET_SINCE: NONE, BROKEN_SINCE: NONE, BREAKS_NS: 0, CALM_SINCE: NONE}
    machine.evaluate(words)


SIZES = {BREAK: (5_174, 13), 0: (729, 10)}
"""By BREAK: situations that can be reached, and the length of words from which on nothing new is."""


@dataclass(frozen=True)
class Exploration:
    """What was reached, and the first break of a rule."""

    situations: int
    depth: int
    transitions: frozenset[tuple[State, State]]
    broken: str


def explore(text: str, longest: int = BREAK) -> Exploration:
    """Follow every word from a fresh machine until nothing new is reached; ``longest``: BREAK."""
    machine = Machine(text)
    start = (key_of(words_of(FRESH)), Witness())
    seen, frontier, depth = {start}, [start], 0
    edges = set[tuple[State, State]]()
    while frontier:
        depth += 1
        reached = []
        for key, witness in frontier:
            for letter in Letter:
                for step in STEPS:
                    words = words_of(key, longest=longest)
                    apply(machine, words, letter, step)
                    told, after = witness.after(letter, step, longest), State(words[STATE])
                    if not safe(told, letter, after) or after is not expected(told, letter):
                        what = f"{told} and {letter.name} led to {after.name}, not {expected(told, letter).name}"
                        return Exploration(len(seen), depth, frozenset(edges), what)
                    if after is not told.state:
                        edges.add((told.state, after))
                        told = replace(told, state=after, dwell=0)
                        if letter is Letter.RESTART:
                            told = replace(told, met=None, broken=None, calm=None)
                    confirmed = told.met is not None and told.met > CONFIRM and letter in MET
                    following = (key_of(words), replace(told, lost=told.lost and not confirmed))
                    if following not in seen:
                        seen.add(following)
                        reached.append(following)
        frontier = reached
    return Exploration(len(seen), depth, frozenset(edges), "")


@pytest.mark.parametrize("longest", SIZES)
def test_every_word_of_inputs_keeps_the_rules(longest: int) -> None:
    found = explore(source(), longest)
    assert found.broken == ""
    commanded = {(state, State.SHUTDOWN) for state in State if state is not State.SHUTDOWN}
    assert found.transitions == {*EDGES, (State.ACTIVE, State.RECOVERY), *commanded, (State.SHUTDOWN, State.SLEEP)}
    assert (found.situations, found.depth) == SIZES[longest]


@pytest.mark.parametrize(
    ("true", "changed"),
    [
        ("met_ns > confirm_ns", "met_ns >= confirm_ns"),
        ("met_ns > confirm_ns", "met_ns >= 0"),
        ("if holds and met_ns > confirm_ns", "if met_ns > confirm_ns"),
        ("now - broken >= get(detector, BREAK_NS)", "now - broken > get(detector, BREAK_NS)"),
        ("now - broken >= get(detector, BREAK_NS)", "False"),
        ("put(detector, BREAKS_NS, get(detector, BREAKS_NS) + now - broken)", "pass"),
        ("    put(detector, MET_SINCE, NONE)\n", ""),
        ("    put(detector, BREAKS_NS, 0)\n", ""),
        ("        put(detector, BROKEN_SINCE, now)\n", ""),
        ("or dwell_ns < debounce_ns", ""),
        ("state == SHUTDOWN or ", ""),
        ("return ALERT if holds", "return ACTIVE if holds"),
        ("return ALERT if holds", "return ALERT if met_ns >= 0"),
        ("if state == ALERT and met_ns < 0:\n        return SLEEP", "if False:\n        return SLEEP"),
        ("(lost or calm_ns > recovery_ns)", "(calm_ns > recovery_ns)"),
        ("(lost or calm_ns > recovery_ns)", "(lost or calm_ns >= 0)"),
        (" and dwell_ns > recovery_ns", ""),
        ("met = heard and", "met ="),
        ("calm = heard and not met and not fires(detector, _VIOLENT)", "calm = heard and not met"),
        ("return now if start < 0 else start", "return start if start >= 0 else 0"),
        ("        forget_trigger(detector)\n        put(detector, CALM_SINCE", "        put(detector, CALM_SINCE"),
        ("return LEAST_REQUIRED if signals & _VELOCITY != 0 else MOST_REQUIRED", "return LEAST_REQUIRED"),
        ("        put(detector, LOST, 0)", "        pass"),
    ],
)
def test_a_wrong_machine_is_caught(true: str, changed: str) -> None:
    assert true in source()
    assert explore(source().replace(true, changed)).broken != ""


@entry("void(int64[::1], int64)")
def _step(state: Words, command: int) -> None:
    if command == 0:
        evaluate(address_of(state))
    elif command == 1:
        shut_down(address_of(state))
    else:
        restart(address_of(state))


class Compiled(Machine):
    """The compiled machine behind the same words."""

    def __init__(self) -> None:
        super().__init__(source())
        self._state = new_state(
            DetectorSettings(
                minimum_liquidity=1,
                confirm_ns=CONFIRM * HALF,
                recovery_ns=RECOVERY * HALF,
                debounce_ns=DEBOUNCE * HALF,
                break_ns=BREAK * HALF,
            )
        )
        self.evaluate = lambda words: self._run(words, 0)
        self.shut_down = lambda words: self._run(words, 1)
        self.restart = lambda words: self._run(words, 2)

    def _run(self, words: machine_model.State, command: int) -> None:
        for word, value in words.items():
            self._state[word] = value
        _step(self._state, command)
        words |= {word: int(self._state[word]) for word in words}


@given(st.lists(st.tuples(st.sampled_from(Letter), st.sampled_from([0, 1, 2, 3, 5, 9])), max_size=60))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_the_compiled_machine_is_the_explored_one(word: list[tuple[Letter, int]]) -> None:
    plain, compiled = Machine(source()), Compiled()
    own, other = (fresh(CONFIRM * HALF, RECOVERY * HALF, DEBOUNCE * HALF, BREAK * HALF) for _ in range(2))
    for letter, step in word:
        apply(plain, own, letter, step)
        apply(compiled, other, letter, step)
        assert own == other


@given(st.integers(0, 10**18), st.lists(st.tuples(st.sampled_from(Letter), st.sampled_from(STEPS)), max_size=25))
@settings(derandomize=True, deadline=None)
def test_only_differences_of_time_matter(start: int, word: list[tuple[Letter, int]]) -> None:
    """Which is why the exploration may forget the time itself, and what lies further back than every threshold."""
    machine = Machine(source())
    own, other = words_of(FRESH), words_of(FRESH, now=start)
    for letter, step in word:
        apply(machine, own, letter, step)
        apply(machine, other, letter, step)
        assert key_of(own) == key_of(other)
        own = words_of(key_of(own), own[NOW])


def test_thresholds_are_in_reach_of_the_steps() -> None:
    assert max(CONFIRM, RECOVERY, DEBOUNCE, BREAK) < FAR
    words = fresh(CONFIRM * HALF, RECOVERY * HALF, DEBOUNCE * HALF, BREAK * HALF)
    assert np.all(
        np.array([words[word] for word in (CONFIRM_NS, RECOVERY_NS, DEBOUNCE_NS)]) == [4 * HALF, 5 * HALF, HALF]
    )
