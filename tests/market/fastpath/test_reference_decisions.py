"""The reference's expected values against numbers worked out by hand: admission to gate."""

from __future__ import annotations

import struct
import zlib

import pytest

from market.fastpath.specification import Kind, Side
from tests.market.fastpath.conformance_results import NO_LEG, Trigger, case, counted, edges, payloads, triggers

ARB, BASIS, IMBALANCE = Kind.ARB, Kind.BASIS, Kind.IMBALANCE
BUY, SELL = Side.BUY, Side.SELL


def test_worked_example_arb() -> None:
    (only,) = triggers("worked-arb")
    assert only == Trigger(ARB, (0, SELL, 61_880_000_000_000), (1, BUY, 61_780_100_000_000), 400_000_000, 7_162_919_044)
    (fields,) = payloads("worked-arb", "Trigger")
    assert (fields["imbalance"], fields["microprice"]) == (8_192, 61_880_006_250_000)
    assert (fields["causeTime"], fields["causeVenue"], fields["causeSequence"]) == (1_000_400_000, 0, 2)
    assert (fields["id"], fields["epoch"], fields["parity"]) == (1, 3, 0)


def test_worked_example_basis() -> None:
    first, second = triggers("worked-basis")
    assert first == Trigger(
        BASIS, (0, SELL, 61_784_000_000_000), (1, BUY, 61_740_100_000_000), 400_000_000, 42_097_654_322
    )
    fields = payloads("worked-basis", "Trigger")[0]
    assert (fields["imbalance"], fields["microprice"]) == (-19_660, 61_740_020_001_220)
    # at d = 0 the deviation is the new basis itself
    assert second.edge == 187_815_758_515_608 >> 12
    lead_first, lead_second = triggers("worked-basis-lead")
    assert (lead_first.first, lead_first.second) == ((0, SELL, 61_784_000_000_000), NO_LEG)
    assert (lead_second.first, lead_second.second) == ((0, BUY, 61_784_010_000_000), NO_LEG)


@pytest.mark.parametrize(("price_bits", "top"), [(24, 16_777_215), (48, 281_474_976_710_655)])
def test_width(price_bits: int, top: int) -> None:
    assert triggers(f"price-width-{price_bits}") == [Trigger(ARB, (0, SELL, top - 1), (1, BUY, 2), top, top - 3)]
    assert counted(f"price-width-{price_bits}") == {"rejectRange": 1, "candidateArb": 1, "triggerArb": 1}
    cut = top // 1_000 * 1_000
    assert triggers(f"quantity-cut-{price_bits}") == [Trigger(ARB, (0, SELL, 1_010), (1, BUY, 1_001), cut, 9)]
    assert counted(f"quantity-cut-{price_bits}")["quantityCut"] == 3


def test_scaling_by_powers_of_ten() -> None:
    assert triggers("scaling-shifts") == [Trigger(ARB, (0, SELL, 10_000), (1, BUY, 9_100), 40, 900)]


def test_cut_counts_once_per_side_and_only_after_range() -> None:
    assert counted("cut-before-crossed") == {"quantityCut": 2, "rejectRange": 2, "rejectCrossed": 1}


@pytest.mark.parametrize(
    ("name", "bid"), [("fee-rounds-up", 1_008), ("fee-negative-rounds-up", 1_007), ("fee-largest", 1_133)]
)
def test_cost_is_rounded_up(name: str, bid: int) -> None:
    assert triggers(name) == [Trigger(ARB, (0, SELL, bid), (1, BUY, 1_001), 10, 6)]


def test_fees_are_on_the_price_that_was_known_before() -> None:
    # 17,100 - 16,000 - 1,000; with venue 1 at 32,000: 32,000 - 17,200 - 17,200 / 16; 32,000 - 29,900 - 2,000
    assert edges("arb-fee-on-w") == [100, 13_725, 100]


def test_floor_of_negative_numbers() -> None:
    assert edges("floor-of-negative-basis") == [1, 1, 2]


def test_imbalance_truncates_and_microprice_follows() -> None:
    shown = [(t["imbalance"], t["microprice"]) for t in payloads("imbalance-truncates", "Trigger")]
    # 999 + (2 x 21,846 >> 16) and 999 + (2 x 43,690 >> 16)
    assert shown == [(-10_922, 999), (10_922, 1_000)]


def test_admission_counts_the_first_check_that_fails() -> None:
    each = {"Unknown": 1, "OldSequence": 1, "Exponent": 1, "Empty": 1, "Range": 1, "Crossed": 1}
    assert counted("reject-order") == {f"reject{name}": count for name, count in each.items()}
    assert counted("reject-unknown") == {"rejectUnknown": 5, "rejectOldSequence": 1}
    assert counted("sequence-signed") == {"rejectOldSequence": 3}
    assert counted("reject-range") == {"rejectRange": 8, "quantityCut": 1}


@pytest.mark.parametrize("reason", ["exponent", "empty", "range", "crossed"])
def test_a_rejected_quote_clears_its_bits(reason: str) -> None:
    assert edges(f"invalid-after-{reason}") == [9, 9, 10]
    assert counted(f"invalid-after-{reason}") == {
        f"reject{reason.capitalize()}": 2,
        "rejectOldSequence": 1,
        "candidateArb": 3,
        "triggerArb": 3,
    }


def test_usable_at_its_limits() -> None:
    assert [t["causeTime"] - 1_000_000_000 for t in payloads("usable-age", "Trigger")] == [501, 11_001]
    assert [t["causeTime"] - 1_000_000_000 for t in payloads("usable-silence", "Trigger")] == [601]
    assert len(triggers("age-renewed")) == len(triggers("usable-own-venue")) == len(triggers("usable-other-venue")) == 1
    assert len(triggers("heard-by-rejected-event")) == 2
    assert len(triggers("heard-by-trade")) == 1


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("arb-sell-v", Trigger(ARB, (0, SELL, 1_006), (1, BUY, 1_001), 10, 5)),
        ("arb-buy-v", Trigger(ARB, (1, SELL, 999), (0, BUY, 994), 10, 5)),
        ("arb-negative-minimum", Trigger(ARB, (0, SELL, 998), (1, BUY, 1_001), 10, -3)),
        ("arb-minimum-quantity", Trigger(ARB, (0, SELL, 1_010), (1, BUY, 1_001), 7, 9)),
        ("basis-v-rich", Trigger(BASIS, (0, SELL, 1_059), (1, BUY, 1_001), 10, 100)),
        ("basis-v-cheap", Trigger(BASIS, (0, SELL, 999), (1, BUY, 951), 10, 100)),
        ("basis-sell-b", Trigger(BASIS, (1, SELL, 1_049), (0, BUY, 1_001), 10, 100)),
        ("basis-warm-up", Trigger(BASIS, (0, SELL, 1_099), (1, BUY, 1_001), 10, 200)),
        ("basis-warm-up-zero", Trigger(BASIS, (0, SELL, 1_199), (1, BUY, 1_001), 10, 200)),
        ("basis-minimum-quantity", Trigger(BASIS, (0, SELL, 1_099), (1, BUY, 1_001), 8, 200)),
        ("basis-lead-one-leg", Trigger(BASIS, (1, BUY, 1_001), NO_LEG, 9, 200)),
        ("imbalance-spread", Trigger(IMBALANCE, (0, BUY, 1_100), NO_LEG, 10, 0)),
        ("choice-seller", Trigger(ARB, (0, SELL, 910), (1, BUY, 1_001), 10, -91)),
        ("choice-seller-basis", Trigger(BASIS, (0, SELL, 999), (1, BUY, 941), 10, 120)),
        ("choice-largest", Trigger(ARB, (2, SELL, 1_020), (1, BUY, 1_008), 10, 12)),
        ("choice-largest-basis", Trigger(BASIS, (1, SELL, 1_079), (2, BUY, 1_001), 10, 160)),
        ("choice-tie-basis", Trigger(BASIS, (1, SELL, 1_099), (0, BUY, 1_001), 10, 200)),
    ],
)
def test_one_trigger(name: str, expected: Trigger) -> None:
    assert triggers(name) == [expected]


def test_leads_and_lags() -> None:
    assert triggers("basis-lead-sell") == [
        Trigger(BASIS, (1, SELL, 999), NO_LEG, 4, 200),
        Trigger(BASIS, (1, BUY, 1_001), NO_LEG, 6, 200),
    ]
    assert triggers("basis-lag") == [
        Trigger(IMBALANCE, (0, BUY, 1_101), NO_LEG, 10, 0),
        Trigger(BASIS, (0, SELL, 999), NO_LEG, 10, 200),
    ]
    assert counted("basis-lag")["candidateBasis"] == 1
    assert triggers("basis-both-leads") == [
        Trigger(BASIS, (1, BUY, 1_001), NO_LEG, 10, 200),
        Trigger(BASIS, (0, BUY, 1_001), NO_LEG, 10, 200),
    ]


def test_imbalance_at_its_limits() -> None:
    for name, size in (("imbalance-threshold-16384", 10), ("imbalance-threshold-32767", 1)):
        assert triggers(name) == [
            Trigger(IMBALANCE, (0, BUY, 1_001), NO_LEG, size, 0),
            Trigger(IMBALANCE, (0, SELL, 999), NO_LEG, size, 0),
        ]
    assert [t["at_step"] for t in payloads("imbalance-threshold-32767", "Trigger")] == [10, 12]


def test_each_kind_by_itself() -> None:
    assert triggers("kinds-off") == [
        Trigger(ARB, (0, SELL, 1_200), (1, BUY, 1_001), 10, 199),
        Trigger(BASIS, (0, SELL, 1_200), (1, BUY, 1_001), 10, 402),
        Trigger(IMBALANCE, (0, BUY, 1_202), NO_LEG, 10, 0),
    ]
    assert [trigger.kind for trigger in triggers("choice-kind")] == [ARB, BASIS, IMBALANCE]
    assert counted("choice-kind") == {
        f"{what}{kind}": 1 for what in ("candidate", "trigger") for kind in ("Arb", "Basis", "Imbalance")
    }


def test_edges_rise_once() -> None:
    assert [t["at_step"] for t in payloads("edge-again", "Trigger")] == [9, 12]
    assert [t["at_step"] for t in payloads("edge-suppressed", "Trigger")] == [12]
    assert [t["at_step"] for t in payloads("edge-unchosen", "Trigger")] == [10]
    assert edges("edge-shared") == [9, 10]
    assert edges("edge-tables") == [9, 8]
    assert edges("edge-per-direction") == [9, 17, 0, 0]


def test_ties_and_sizes() -> None:
    assert triggers("choice-tie") == [
        Trigger(ARB, (2, SELL, 1_020), (0, BUY, 1_001), 10, 19),
        Trigger(ARB, (0, SELL, 999), (2, BUY, 980), 10, 19),
    ]
    assert [trigger.size for trigger in triggers("size")] == [20, 20, 100]


def test_basis_samples() -> None:
    assert edges("basis-first") == [100_000 - 203]
    assert edges("basis-interval") == [20, 20, 30, 20]
    assert edges("basis-pairs") == [120, 220]
    assert edges("basis-mean-shift-0") == [100_000 + 898]
    assert edges("basis-mean-shift-1") == [100_000 + 674]
    assert edges("basis-mean-shift-10") == [100_000 + 2]
    assert edges("basis-mean-shift-16") == [100_000 + 1]
    assert edges("basis-always") == [100_000 - 200]
    assert edges("basis-samples") == [200, 200]
    assert edges("basis-future-sample") == [100]


def test_gate_reasons_at_their_limits() -> None:
    assert [t["causeTime"] - 1_000_000_000 for t in payloads("gate-lease", "Trigger")] == [5_000, 9_001]
    assert [t["causeTime"] - 1_000_000_000 for t in payloads("gate-cooldown", "Trigger")] == [0, 10_000]
    assert [t.first[2] for t in triggers("gate-collar")] == [1_001, 1_003]
    assert counted("gate-collar-closed") == {"candidateImbalance": 2, "gateCollar": 2}
    assert counted("gate-position-buy")["gatePosition"] == counted("gate-position-sell")["gatePosition"] == 2
    assert counted("gate-position-legs") == {"candidateArb": 4, "gatePosition": 3, "triggerArb": 1}
    assert counted("pending-not-netted") == {"candidateImbalance": 6, "gatePosition": 2, "triggerImbalance": 4}


def test_gate_counts_the_first_reason_alone() -> None:
    reasons = ("Kill", "Lease", "Instrument", "Cooldown", "Collar", "Position", "Rate")
    assert counted("gate-order") == {f"gate{reason}": 1 for reason in reasons} | {
        "candidateImbalance": 9,
        "triggerImbalance": 2,
    }


def test_rate_is_a_bucket() -> None:
    bursts = [t["causeTime"] - 1_000_000_000 for t in payloads("gate-rate", "Trigger")]
    assert bursts == [0, 0, 0, 10_000, 40_000, 40_000, 40_000]
    assert counted("gate-rate-burst") == {"candidateImbalance": 64, "gateRate": 1, "triggerImbalance": 63}


def test_parity_is_chained_over_whole_payloads() -> None:
    parity = 0
    for step in case("gate-rate").steps:
        for payload in step.outputs:
            if struct.unpack_from("<H", payload, 2) == (1,):
                assert struct.unpack_from("<I", payload, 20) == (parity,)
                parity = zlib.crc32(payload, parity)
    assert case("gate-rate").end.parity == parity != 0


def test_ids_wrap_and_continue_what_was_loaded() -> None:
    assert [t["id"] for t in payloads("id-wrap", "Trigger")] == [(1 << 64) - 1, 0]
    assert payloads("id-wrap", "Trigger")[0]["parity"] == 0xDEADBEEF
    assert [t["id"] for t in payloads("load-identity", "Trigger")] == [42, 43]
