"""The reference's expected values against numbers worked out by hand: steps, status, control."""

from __future__ import annotations

import pytest

from market.fastpath.specification import Kind, Refusal, Result, Side
from tests.market.fastpath.conformance_results import NO_LEG, answers, case, counted, edges, payloads, triggers

APPLIED = (Result.APPLIED, Refusal.NONE)
REPEATED = (Result.REPEATED, Refusal.NONE)
OUT_OF_ORDER = (Result.OUT_OF_ORDER, Refusal.NONE)


def refused(refusal: Refusal) -> tuple[Result, Refusal]:
    return Result.REFUSED, refusal


def test_step_numbers() -> None:
    shown = [(a["sequence"], a["expected"], a["step"]) for a in payloads("step-numbering", "Acknowledge")]
    last = (1 << 64) - 1
    assert shown == [(1, 2, 1), (2, 3, 4), (2, 3, 4), (1, 3, 4), (0, 3, 4), (4, 3, 4), (last, 3, 4), (3, 4, 5)]
    assert answers("step-numbering") == [
        APPLIED,
        refused(Refusal.WRONG_STATUS),
        REPEATED,
        REPEATED,
        REPEATED,
        OUT_OF_ORDER,
        OUT_OF_ORDER,
        APPLIED,
    ]
    assert [s["time"] for s in payloads("step-numbering", "Status")] == [1_000_000_000, 1_000_000_000]


def test_time_never_goes_back() -> None:
    assert [t["causeTime"] - 1_000_000_000 for t in payloads("time-backwards", "Trigger")] == [1_000, 6_000]
    assert counted("time-backwards")["timeBackwards"] == 2
    last = (1 << 62) - 1
    assert [s["time"] for s in payloads("time-limit", "Status")] == [0, 0, 0, 0, 0, last, last]
    assert counted("time-limit") == {"timeBackwards": 5}


def test_status_is_sent_every_ten_ms_of_steps() -> None:
    # steps 1 (first), 8 (heartbeat), then of the nine events those at 10, 20, 70 and 80 ms
    shown = [(s["number"], s["step"], s["time"] - 1_000_000_000) for s in payloads("status-interval", "Status")]
    ms = 1_000_000
    assert shown == [(1, 1, 0), (2, 8, 0), (3, 11, 10 * ms), (4, 14, 20 * ms), (5, 15, 70 * ms), (6, 18, 80 * ms)]
    assert [s["number"] for s in payloads("first-status-by-event", "Status")] == [1]


def test_status_on_request_leaves_the_next_due_one() -> None:
    # first step; two requested; due at 10 ms; due and requested at 20 ms; due and requested again at 30 ms
    assert [s["step"] for s in payloads("status-on-request", "Status")] == [1, 2, 3, 4, 5, 7]


def test_status_shows_volumes_in_turn() -> None:
    shown = [(s["volumeInstrument"], s["buyVolume"], s["sellVolume"]) for s in payloads("status-volume", "Status")]
    assert shown == [(1, 0, 0), (2, 700, 700), (0, 5, 7), (1, 60, 70), (2, 700, 700)]
    assert {s["tradeCount"] for s in payloads("status-volume", "Status")[1:]} == {3}


def test_trades() -> None:
    _, last = payloads("trade-volume", "Status")
    # number 2 of one instrument: buys 300; sells 3 + 2 x 2,814,749,767,106 x 100
    assert (last["buyVolume"], last["sellVolume"], last["tradeCount"]) == (300, 3 + 562_949_953_421_200, 6)
    assert last["quantityCut"] == 2
    assert counted("trade-reject") == {"rejectUnknown": 3, "rejectExponent": 2, "rejectRange": 5}
    assert len(triggers("trade-changes-nothing")) == 1


def test_sequence_numbers() -> None:
    assert answers("sequence-before-hello") == [REPEATED, OUT_OF_ORDER, APPLIED, REPEATED, OUT_OF_ORDER, APPLIED]
    assert answers("sequence-wraps") == [
        APPLIED,
        OUT_OF_ORDER,
        APPLIED,
        APPLIED,
        REPEATED,
        APPLIED,
        APPLIED,
        REPEATED,
        APPLIED,
        REPEATED,
    ]
    expected = [a["expected"] for a in payloads("hello-numbers", "Acknowledge")]
    assert expected == [501, 502, 4, 5, 4, 5, 1, 2, 1_001, 1_002]
    assert [s["epoch"] for s in payloads("hello-numbers", "Status")] == [1, 1, (1 << 32) - 1, 2, 0, 7]


def test_hello_kills_and_keeps_the_rest() -> None:
    shown = [(t["id"], t["epoch"], t["firstQuantity"]) for t in payloads("hello-epoch-change", "Trigger")]
    assert shown == [(1, 1, 10), (2, 2, 10), (3, 2, 5)]
    assert counted("hello-epoch-change") == {"candidateArb": 5, "gateKill": 1, "gatePosition": 1, "triggerArb": 3}
    assert counted("gate-kill") == {"candidateImbalance": 6, "gateKill": 3, "triggerImbalance": 3}


def test_rearm_names_the_last_status() -> None:
    wrong = refused(Refusal.WRONG_STATUS)
    assert answers("rearm")[-6:] == [wrong, wrong, APPLIED, wrong, APPLIED, APPLIED]
    assert [s["killed"] for s in payloads("rearm", "Status")] == [1, 1, 1, 0]
    assert [s["killed"] for s in payloads("rearm-first", "Status")] == [0]


def test_settlements_make_room() -> None:
    # position 5 of limit 20: room for 15 to buy and 25 to sell
    assert [t["firstQuantity"] for t in payloads("settle", "Trigger")] == [10, 10, 15, 25]
    assert counted("settle")["gatePosition"] == 4
    settlement = refused(Refusal.SETTLEMENT)
    assert answers("settle-refused")[-9:] == [settlement] * 7 + [APPLIED, settlement]


def test_resets() -> None:
    assert [t.size for t in triggers("reset-venue")] == [10, 5]
    assert counted("reset-venue") == {"candidateArb": 4, "gatePosition": 2, "triggerArb": 2}
    assert [(t.first[0], t.second[0], t.edge) for t in triggers("reset-venue-basis")] == [(0, 2, 120), (2, 1, 120)]
    assert counted("reset-all")["gatePosition"] == 2


def test_loads() -> None:
    assert edges("load-basis") == [100, 100]
    assert edges("load-basis-zero-samples") == [100_000]
    assert payloads("load-identity", "Trigger")[0]["parity"] == 0x12345678


def test_refusals_of_instrument_rows() -> None:
    for price_bits in (24, 48):
        name = f"refuse-instrument-row-{price_bits}"
        assert answers(name) == [APPLIED] * 21 + [refused(Refusal.BAD_VALUE)] * 29
    order, notional = refused(Refusal.QUANTITY_ORDER), refused(Refusal.NOTIONAL)
    assert answers("refuse-quantity-order") == [order] * 4 + [APPLIED] * 2
    good, bad = APPLIED, notional
    assert answers("refuse-notional") == [good, bad, good, bad, good, bad, good, bad, good]
    assert answers("refuse-leads")[:3] == [refused(Refusal.BAD_VALUE)] * 3
    assert [t.second for t in triggers("refuse-leads")] == [(1, Side.BUY, 1_001)]


def test_refusals_of_other_rows() -> None:
    good, bad = APPLIED, refused(Refusal.BAD_VALUE)
    assert answers("refuse-engine-row") == [bad, good, good, bad, bad, bad, good, bad, good, bad, bad, bad, bad]
    assert answers("refuse-venue-row") == [good, bad, good, bad, bad, good, bad, bad, good, bad, bad, good, bad, bad]
    assert answers("refuse-scaling-row") == [good, bad, bad, bad, good]
    assert set(answers("refuse-unknown-row")) == {refused(Refusal.UNKNOWN_ROW)}
    unknown = refused(Refusal.UNKNOWN_ROW)
    assert answers("channel-rows") == [good] * 6 + [unknown] * 3 + [bad] * 3
    loads_and_positions = [good] * 2 + [bad] * 7 + [bad] * 3 + [bad] * 2 + [good] * 2 + [bad] * 5
    assert answers("refuse-positions-and-loads") == loads_and_positions


def test_refusals_come_in_the_order_of_their_numbers() -> None:
    order = [Refusal.UNKNOWN_ROW, Refusal.BAD_VALUE, Refusal.QUANTITY_ORDER, Refusal.NOTIONAL]
    order += [Refusal.BAD_VALUE, Refusal.UNKNOWN_ROW, Refusal.BAD_VALUE, Refusal.NOT_KILLED]
    order += [Refusal.BAD_VALUE, Refusal.UNKNOWN_ROW]
    assert answers("refuse-order")[-10:] == [refused(each) for each in order]
    assert len(triggers("refused-row-keeps-old")) == 1


def test_malformed_messages() -> None:
    bad = refused(Refusal.BAD_MESSAGE)
    assert set(answers("refuse-bad-message")[:-1]) == {bad}
    shown = [a["sequence"] for a in payloads("refuse-bad-message", "Acknowledge")]
    assert shown == list(range(1, len(case("refuse-bad-message").steps) + 1))
    assert answers("bad-message-by-sequence") == [APPLIED, REPEATED, OUT_OF_ORDER, REPEATED, OUT_OF_ORDER, APPLIED]


def test_unreadable_messages_leave_no_trace() -> None:
    assert [len(step.outputs) for step in case("unreadable").steps] == [0, 0, 0, 0, 2]
    assert [s["step"] for s in payloads("unreadable", "Status")] == [1]
    assert counted("unreadable") == {}


@pytest.mark.parametrize("venues", range(1, 7))
def test_every_venue_of_a_build_decides(venues: int) -> None:
    causes = {t["causeVenue"] for t in payloads(f"build-of-{venues}-venues", "Trigger")}
    assert causes == set(range(venues))
    kinds = [t.kind for t in triggers(f"build-of-{venues}-venues")]
    if venues == 1:
        assert set(kinds) == {Kind.IMBALANCE}
    else:
        assert kinds.count(Kind.ARB) == venues
        legs = {t.first[0] for t in triggers(f"build-of-{venues}-venues") if t.second == NO_LEG}
        assert legs == set(range(venues))
