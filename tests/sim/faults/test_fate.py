"""What becomes of messages under a plan."""

from __future__ import annotations

from sim.faults.fate import UNHARMED, Fate, Faults
from sim.faults.plan import Channel, Fault, FaultKind, FaultPlan

START_NS = 1_000_000
MARKET, USER, REQUEST, ANSWER = Channel


def faults(*listed: Fault, seed: int = 0) -> Faults:
    return Faults(FaultPlan(seed=seed, faults=listed), START_NS)


def test_messages_outside_the_time_the_venue_and_the_channel_are_unharmed() -> None:
    plan = faults(Fault(kind=FaultKind.DROP, venue="spot", channel=USER, at_ns=10, duration_ns=5))
    assert plan.fate("spot", USER, START_NS + 9) is UNHARMED
    assert plan.fate("spot", USER, START_NS + 10) == Fate(copies=0)
    assert plan.fate("spot", USER, START_NS + 14) == Fate(copies=0)
    assert plan.fate("spot", USER, START_NS + 15) is UNHARMED
    assert plan.fate("spot", MARKET, START_NS + 10) is UNHARMED
    assert plan.fate("futures", USER, START_NS + 10) is UNHARMED


def test_faults_overlap() -> None:
    plan = faults(
        Fault(kind=FaultKind.DELAY, channel=MARKET, amount_ns=7),
        Fault(kind=FaultKind.DELAY, amount_ns=3),
        Fault(kind=FaultKind.CORRUPT),
        Fault(kind=FaultKind.DUPLICATE),
        Fault(kind=FaultKind.REORDER),
        Fault(kind=FaultKind.GAP),
    )
    expected = Fate(copies=2, delay_ns=10, corrupted=True, after_next=True, gap=True)
    assert plan.fate("spot", MARKET, START_NS) == expected
    assert plan.fate("spot", REQUEST, START_NS) == Fate(delay_ns=3)


def test_a_count_bounds_the_hits() -> None:
    plan = faults(Fault(kind=FaultKind.LOST_ANSWER, count=2))
    assert [plan.fate("spot", ANSWER, START_NS).copies for _ in range(4)] == [0, 0, 1, 1]


def test_only_fills_are_late() -> None:
    plan = faults(Fault(kind=FaultKind.LATE_FILL, amount_ns=50))
    assert plan.fate("spot", USER, START_NS) is UNHARMED
    assert plan.fate("spot", USER, START_NS, is_fill=True) == Fate(delay_ns=50)


def test_a_share_of_messages_is_hit_and_the_seed_says_which() -> None:
    def hits(seed: int) -> list[bool]:
        plan = faults(Fault(kind=FaultKind.SERVER_ERROR, permille=200), seed=seed)
        return [plan.fate("spot", REQUEST, START_NS).server_error for _ in range(1_000)]

    assert hits(1) == hits(1)
    assert hits(1) != hits(2)
    assert 150 < sum(hits(1)) < 250


def test_channels_draw_from_chances_of_their_own() -> None:
    plan, other = (faults(Fault(kind=FaultKind.DROP, permille=500), seed=3) for _ in range(2))
    for _ in range(50):
        other.fate("spot", MARKET, START_NS)
    users = [[one.fate("spot", USER, START_NS) for _ in range(50)] for one in (plan, other)]
    assert users[0] == users[1]


def test_states_of_a_venue() -> None:
    plan = faults(
        Fault(kind=FaultKind.BAN, at_ns=0, duration_ns=100),
        Fault(kind=FaultKind.CLOCK_SKEW, venue="spot", amount_ns=-40),
        Fault(kind=FaultKind.CLOCK_SKEW, amount_ns=10),
        Fault(kind=FaultKind.HALF_OPEN, venue="futures", at_ns=20, duration_ns=5),
        Fault(kind=FaultKind.OUTAGE, venue="spot", at_ns=30, duration_ns=5),
    )
    assert plan.is_banned("spot", START_NS + 99) == START_NS + 100
    assert plan.is_banned("spot", START_NS + 100) == 0
    assert (plan.skew_ns("spot", START_NS), plan.skew_ns("futures", START_NS)) == (-30, 10)
    assert [plan.is_silent(venue, START_NS + 22) for venue in ("spot", "futures")] == [False, True]
    assert [plan.is_away("spot", START_NS + after) for after in (29, 30, 35)] == [False, True, False]


def test_moments_are_told_once_to_each_venue() -> None:
    storm = Fault(kind=FaultKind.DISCONNECT, at_ns=100, duration_ns=50, every_ns=20)
    plan = faults(storm, Fault(kind=FaultKind.OUTAGE, venue="spot", at_ns=500))
    assert plan.next_moment_ns("spot", START_NS) == START_NS + 100
    assert plan.moments("spot", START_NS + 99) == []
    assert plan.moments("spot", START_NS + 100) == [FaultKind.DISCONNECT]
    assert plan.moments("spot", START_NS + 101) == []
    assert plan.moments("futures", START_NS + 101) == [FaultKind.DISCONNECT]
    assert plan.next_moment_ns("spot", START_NS + 101) == START_NS + 120
    assert plan.moments("spot", START_NS + 400) == [FaultKind.DISCONNECT]
    assert plan.next_moment_ns("spot", START_NS + 400) == START_NS + 500
    assert plan.next_moment_ns("futures", START_NS + 400) is None
    assert plan.moments("spot", START_NS + 600) == [FaultKind.OUTAGE]
    assert plan.next_moment_ns("spot", START_NS + 600) is None


def test_a_fault_on_request_counts_from_now() -> None:
    plan = faults()
    plan.add(Fault(kind=FaultKind.DROP, at_ns=5, duration_ns=5), START_NS + 100)
    assert plan.fate("spot", USER, START_NS + 104) is UNHARMED
    assert plan.fate("spot", USER, START_NS + 105).copies == 0
    plan.clear()
    assert plan.fate("spot", USER, START_NS + 105) is UNHARMED
