"""Only messages with the key, each once, reach the control unit; and none that loosens a limit of an armed machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

import numpy as np

from hdl.control.ratchet import LIMITS, Relation, marks_of
from hdl.control.seal import seal
from hdl.parameters import CoreParameters
from market.errors import Rejected
from market.fastpath.conformance.case import SCHEMA
from market.fastpath.specification import EngineSizes, Refusal, Result
from market.wire.sbe import encode
from tests.hdl.control.guarded import Answer, run_sealed

SIZES = EngineSizes(venues=2, instruments=3, price_bits=48)
PARAMETERS = CoreParameters(SIZES)
KEY = bytes(range(100, 116))
APPLIED = (Result.APPLIED, Refusal.NONE)
LOOSENED = "loosened"

ENGINE = {"rateInterval": 10_000, "rateTolerance": 20_000, "lease": 1_000_000}
VENUE = {"venue": 1, "enabled": 1, "fee": -300, "maximumAge": 70_000, "maximumSilence": 80_000}
INSTRUMENT = {
    "instrument": 2,
    "enabled": 1,
    "kinds": 5,
    "basisShift": 10,
    "imbalanceThreshold": 300,
    "minimumEdge": -5,
    "basisThreshold": 1_000,
    "basisInterval": 1_000,
    "maximumSpread": 500,
    "minimumQuantity": 256,
    "maximumQuantity": 512,
    "priceLow": 1_000,
    "priceHigh": 2_000,
    "maximumNotionalLow": 1 << 32,
    "maximumNotionalHigh": 1,
    "basisWarmUp": 50,
    "cooldown": 5_000,
    "positionLimit": 100_000,
    "leads": [{"mask": 0}] * 2,
}
SCALING = {"instrument": 0, "venue": 0, "priceExponent": 1, "quantityExponent": 1, "priceShift": 1, "quantityShift": 1}
POSITION = {"lastId": 0, "instrument": 0, "venue": 0, "position": 1, "pendingBuy": 1, "pendingSell": 1}
ROWS: dict[str, dict[str, Any]] = {"EngineRow": ENGINE, "VenueRow": VENUE, "InstrumentRow": INSTRUMENT}


def run_messages(messages: Iterable[tuple[str, dict[str, Any]]]) -> list[Answer]:
    """Messages in sequence, sealed with growing counters; one that is dropped leaves its sequence number free.

    All must be dropped or applied by the order of this list alone, so that sequence numbers can be given beforehand:
    a message that follows a dropped one repeats its number.
    """
    sealed, sequence = [], 1
    for counter, (name, fields) in enumerate(messages, start=1):
        dropped = fields.get("dropped", False)
        named = {field: value for field, value in fields.items() if field != "dropped"}
        sealed.append(seal(KEY, counter, encode(SCHEMA, name, {"sequence": sequence, **named})))
        sequence += not dropped
    return run_sealed(PARAMETERS, SIZES, KEY, sealed)


def kill(sequence: int) -> bytes:
    return encode(SCHEMA, "Kill", {"sequence": sequence})


def test_only_the_right_key_each_counter_once_and_none_below_the_floor() -> None:
    good = seal(KEY, 1_000, kill(1))
    spoiled = [bytes(octet ^ (at == spot) << 3 for at, octet in enumerate(good)) for spot in (0, 7, 8, 15, 16, 31)]
    sealed = {
        "below the floor": (seal(KEY, 999, kill(1)), "replayed"),
        **{f"changed at {at}": (message, "forged") for at, message in enumerate(spoiled)},
        "another key": (seal(bytes(16), 1_000, kill(1)), "forged"),
        "good": (good, APPLIED),
        "again": (good, "replayed"),
        "older": (seal(KEY, 999, kill(2)), "replayed"),
        "next": (seal(KEY, 1_001, kill(2)), APPLIED),
        "repeated message, new counter": (seal(KEY, 1_002, kill(2)), (Result.REPEATED, Refusal.NONE)),
        "largest counter": (seal(KEY, (1 << 64) - 1, kill(3)), APPLIED),
        "no larger one": (seal(KEY, 0, kill(4)), "replayed"),
    }
    answers = run_sealed(PARAMETERS, SIZES, KEY, [message for message, _ in sealed.values()], floor=1_000)
    assert dict(zip(sealed, answers, strict=True)) == {name: expected for name, (_, expected) in sealed.items()}


def of_length(length: int) -> bytes:
    """A message of an unknown template and sequence number 1."""
    return bytes(8) + (1).to_bytes(8, "little") + bytes(length - 16)


UNKNOWN = (Result.REFUSED, Refusal.BAD_MESSAGE)


@pytest.mark.parametrize("length", [16, 17, 23, 24])
def test_any_number_of_bytes_is_hashed(length: int) -> None:
    assert run_sealed(PARAMETERS, SIZES, KEY, [seal(KEY, 1, of_length(length))]) == [UNKNOWN]


def test_a_seal_without_a_message_is_forged() -> None:
    assert run_sealed(PARAMETERS, SIZES, KEY, [b"\0", seal(KEY, 1, b""), seal(KEY, 1, kill(1))]) == [
        *["forged"] * 2,
        APPLIED,
    ]


@pytest.mark.long
def test_the_longest_message_and_one_more_byte() -> None:
    sealed = [seal(KEY, 1, of_length(2_049)), seal(KEY, 1, of_length(2_048))]
    assert run_sealed(PARAMETERS, SIZES, KEY, sealed) == ["forged", UNKNOWN]


def test_a_counter_has_64_bits() -> None:
    with pytest.raises(Rejected, match="counter"):
        seal(KEY, 1 << 64, b"")


def changed(name: str, names: tuple[str, ...], up: bool) -> dict[str, Any]:
    """A row with one number one higher or one lower, all its parts together."""
    row = dict(ROWS[name])
    parts = [(field, SCHEMA.message(name).fields[field].size * 8) for field in names]
    value, shift = 0, 0
    for field, bits in parts:
        value |= row[field] << shift
        shift += bits
    value += 1 if up else -1
    if len(parts) == 1:
        return row | {names[0]: value}
    for field, bits in parts:
        row[field], value = value & (1 << bits) - 1, value >> bits
    return row


def limit_cases() -> list[tuple[str, tuple[str, ...], bool, bool]]:
    """Every limit, moved either way: whether it is loosened."""
    found = []
    for name, limits in LIMITS.items():
        for names, relation in limits.items():
            if relation is Relation.SUBSET:
                continue
            found += [(name, names, up, (relation is Relation.AT_MOST) == up) for up in (False, True)]
    return [case for case in found if case[1:3] != (("enabled",), True)]


@pytest.mark.long
def test_each_limit_of_an_armed_machine_only_tightens() -> None:
    messages: list[tuple[str, dict[str, Any]]] = list(ROWS.items())
    messages.append(("Rearm", {"statusNumber": 0}))
    for name, names, up, loosens in limit_cases():
        if loosens:
            messages.append((name, changed(name, names, up) | {"dropped": True}))
    # each tightening is taken, and can then not be taken back
    for name, names, up, loosens in limit_cases():
        if not loosens and names != ("enabled",):
            messages += [(name, changed(name, names, up)), (name, ROWS[name] | {"dropped": True}), ("Kill", {})]
            messages += [(name, ROWS[name]), ("Rearm", {"statusNumber": 0})]
    answers = run_messages(messages)
    assert answers == [LOOSENED if fields.get("dropped") else APPLIED for _, fields in messages]
    assert answers.count(LOOSENED) > 20


def test_kinds_lose_bits_and_gain_none_and_a_disabled_row_stays_so() -> None:
    messages: list[tuple[str, dict[str, Any]]] = [
        ("InstrumentRow", INSTRUMENT),
        ("Rearm", {"statusNumber": 0}),
        ("InstrumentRow", INSTRUMENT | {"kinds": 3, "dropped": True}),
        ("InstrumentRow", INSTRUMENT | {"kinds": 4}),
        ("InstrumentRow", INSTRUMENT | {"kinds": 5, "dropped": True}),
        ("InstrumentRow", INSTRUMENT | {"kinds": 0, "enabled": 0}),
        ("InstrumentRow", INSTRUMENT | {"kinds": 0, "dropped": True}),
        ("InstrumentRow", INSTRUMENT | {"kinds": 0, "enabled": 0, "instrument": 1, "dropped": True}),
    ]
    assert run_messages(messages) == [LOOSENED if fields.get("dropped") else APPLIED for _, fields in messages]


def test_what_is_no_limit_may_change_and_a_refused_row_is_not_in_force() -> None:
    messages: list[tuple[str, dict[str, Any]]] = [
        ("InstrumentRow", INSTRUMENT),
        ("InstrumentRow", INSTRUMENT | {"maximumQuantity": 1 << 20, "minimumQuantity": 0}),
        ("Rearm", {"statusNumber": 0}),
        ("InstrumentRow", INSTRUMENT | {"maximumQuantity": 513, "dropped": True}),
        (
            "InstrumentRow",
            INSTRUMENT | {"priceLow": 1, "priceHigh": 9_999, "basisShift": 1, "leads": [{"mask": 3}] * 2},
        ),
        ("InstrumentRow", INSTRUMENT | {"instrument": 3}),
        ("VenueRow", VENUE | {"venue": 2}),
        ("ScalingRow", SCALING),
        ("SetPosition", POSITION),
    ]
    unknown = (Result.REFUSED, Refusal.UNKNOWN_ROW)
    refused = (Result.REFUSED, Refusal.QUANTITY_ORDER)
    expected = [APPLIED, refused, APPLIED, LOOSENED, APPLIED, unknown, unknown, APPLIED, APPLIED]
    assert run_messages(messages) == expected


def loosens(old: dict[str, int], new: dict[str, int]) -> bool:
    """The relation of two venue rows by whole numbers."""
    return (
        new["enabled"] > old["enabled"]
        or new["fee"] < old["fee"]
        or new["maximumAge"] > old["maximumAge"]
        or new["maximumSilence"] > old["maximumSilence"]
    )


def test_random_rows_compare_as_whole_numbers() -> None:
    draw = np.random.default_rng(6)

    def row() -> dict[str, int]:
        bits = int(draw.integers(1, 56))
        return {
            "venue": int(draw.integers(2)),
            "enabled": int(draw.integers(2)),
            "fee": int(draw.integers(-65_535, 65_536)) >> int(draw.integers(16)),
            "maximumAge": int(draw.integers(1 << bits)),
            "maximumSilence": int(draw.integers(1 << bits)),
        }

    in_force = [row() | {"venue": venue, "enabled": 1} for venue in range(2)]
    messages: list[tuple[str, dict[str, Any]]] = [("VenueRow", each) for each in in_force]
    messages.append(("Rearm", {"statusNumber": 0}))
    expected: list[Answer] = [APPLIED] * 3
    for _ in range(40):
        new = row()
        old = in_force[new["venue"]]
        for field in ("enabled", "fee", "maximumAge", "maximumSilence"):
            if draw.integers(5):
                new[field] = old[field]
        is_loose = loosens(old, new)
        messages.append(("VenueRow", new | ({"dropped": True} if is_loose else {})))
        expected.append(LOOSENED if is_loose else APPLIED)
        if not is_loose:
            in_force[new["venue"]] = new
    assert run_messages(messages) == expected
    assert 3 + 5 < expected.count(APPLIED) < 40


def test_marks_are_the_bytes_of_the_fields() -> None:
    marks = list(marks_of("VenueRow"))
    assert [(mark.at, mark.relation) for mark in marks[:2]] == [(17, Relation.AT_MOST), (20, Relation.AT_LEAST)]
    assert [mark.signed for mark in marks[1:5]] == [False, False, False, True]
    assert sum(mark.last for mark in marks) == len(LIMITS["VenueRow"])
