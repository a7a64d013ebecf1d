"""Control messages: numbering, refusals, and what each message does."""

from __future__ import annotations

from struct import pack_into

import pytest

from market.fastpath import layout, state
from market.fastpath.specification import Kind, Refusal, Result, Side
from tests.market.fastpath.engine_driver import SECOND, UNIT, Driver, basis_of, control_message, refusal_of

LOW, HIGH = 100 * UNIT, 110 * UNIT
WRAP = 1 << 64
PRICE = 1 << 48


def test_numbering() -> None:
    driver = Driver()
    acknowledge = driver.send_bytes(control_message("Kill", 1))
    expected = {"sequence": 1, "expected": 2, "step": 1, "template": 17, "result": Result.APPLIED, "refusal": 0}
    assert acknowledge == expected
    for sequence in (0, 1):
        repeated = driver.send_bytes(control_message("Kill", sequence))
        assert repeated == {**expected, "sequence": sequence, "result": Result.REPEATED}
    for sequence in (3, WRAP - 1):
        early = driver.send_bytes(control_message("Heartbeat", sequence))
        assert early == {**expected, "sequence": sequence, "template": 16, "result": Result.OUT_OF_ORDER}
    assert driver.send_bytes(control_message("Kill", 2))["result"] == Result.APPLIED
    assert (driver.count("controlApplied"), driver.count("controlRefused")) == (2, 0)


def test_only_applied_and_refused_messages_are_steps() -> None:
    driver = Driver()
    driver.send_bytes(control_message("Kill", 1))
    before = driver.engine.state.copy()
    driver.now += SECOND
    for sequence in (1, 3):
        assert driver.send_bytes(control_message("StatusRequest", sequence))["step"] == 1
    before[state.OUTPUT :] = driver.engine.state[state.OUTPUT :]
    assert (driver.engine.state == before).all()
    refused = driver.send_bytes(control_message("Reset", 2, venue=9))
    assert (refused["step"], refused["expected"]) == (2, 3)
    assert (refused["result"], refused["refusal"]) == (Result.REFUSED, Refusal.UNKNOWN_ROW)
    assert driver.engine.state[state.TIME] == driver.now
    assert (driver.count("controlApplied"), driver.count("controlRefused")) == (1, 1)


def test_hello_starts_the_numbering_anywhere() -> None:
    driver = Driver()
    for sequence in (WRAP - 2, 500, 1 << 63, WRAP - 2):
        acknowledge = driver.send_bytes(control_message("Hello", sequence, epoch=3))
        assert (acknowledge["result"], acknowledge["expected"]) == (Result.APPLIED, sequence + 1)
    assert driver.send_bytes(control_message("Kill", 5))["result"] == Result.REPEATED
    assert driver.send_bytes(control_message("Kill", WRAP - 1))["expected"] == 0
    assert driver.send_bytes(control_message("Kill", 1))["result"] == Result.REPEATED
    assert driver.send_bytes(control_message("Kill", 0))["result"] == Result.APPLIED
    assert driver.send_bytes(control_message("Kill", 2))["result"] == Result.OUT_OF_ORDER


def test_hello_sets_the_epoch_and_kills() -> None:
    driver = Driver()
    driver.set_up(kinds=Kind.ARB.mask)
    driver.quote(1, LOW - 1, LOW)
    driver.apply("Hello", epoch=(1 << 32) - 1)
    assert driver.quote(0, HIGH, HIGH + 1) == []
    assert driver.count("gateKill") == 1
    driver.arm()
    driver.quote(0, LOW - 1, LOW)
    (trigger,) = driver.quote(0, HIGH, HIGH + 1)
    assert (trigger["epoch"], trigger["id"]) == ((1 << 32) - 1, 1)


def broken(message: bytes, at: int, value: int) -> bytes:
    buffer = bytearray(message)
    pack_into("<H", buffer, at, value)
    return bytes(buffer)


KILL = control_message("Kill", 1)
ROW = control_message("InstrumentRow", 1, **Driver().instrument_row())


@pytest.mark.parametrize(
    "message",
    [
        broken(KILL, layout.HEADER_BLOCK_LENGTH, 9),
        broken(KILL, layout.HEADER_TEMPLATE, 99),
        broken(KILL, layout.HEADER_TEMPLATE, 1),
        broken(KILL, layout.HEADER_TEMPLATE, 50),
        broken(KILL, layout.HEADER_SCHEMA, 1),
        broken(KILL, layout.HEADER_VERSION, 0),
        broken(KILL, layout.HEADER_VERSION, 2),
        KILL + b"\0",
        control_message("Hello", 1, epoch=1)[:-1],
        control_message("Hello", 1, epoch=1) + bytes(2_000),
        ROW[:-1],
        ROW + b"\0",
        ROW[: layout.INSTRUMENT_ROW_SIZE],
        broken(ROW, layout.LEADS_HEADER, 9),
        broken(ROW, layout.LEADS_HEADER + 2, 3),
    ],
)
def test_a_bad_message_uses_its_number(message: bytes) -> None:
    driver = Driver(event_log=True)
    acknowledge = driver.send_bytes(message)
    assert (acknowledge["result"], acknowledge["refusal"]) == (Result.REFUSED, Refusal.BAD_MESSAGE)
    assert (acknowledge["expected"], acknowledge["step"]) == (2, 1)
    assert acknowledge["template"] == int.from_bytes(message[2:4], "little")
    assert driver.count("controlRefused") == 1
    assert len(driver.engine.event_log()) == 1


def test_a_bad_message_is_numbered_like_any_other() -> None:
    driver = Driver()
    unknown = broken(control_message("Kill", 7), layout.HEADER_TEMPLATE, 99)
    assert driver.send_bytes(unknown)["result"] == Result.OUT_OF_ORDER
    short_hello = control_message("Hello", 0, epoch=1)[:-1]
    assert driver.send_bytes(short_hello)["result"] == Result.REPEATED


@pytest.mark.parametrize("length", [0, 1, 8, 15])
def test_an_unreadable_message_is_no_step(length: int) -> None:
    driver = Driver()
    driver.engine.control(KILL[:length], driver.now)
    assert driver.engine.outputs() == []
    assert driver.engine.state[state.STEP] == driver.count("controlRefused") == 0


def test_heartbeat_is_answered_by_a_status_and_leaves_the_due_one_alone() -> None:
    driver = Driver()
    driver.apply("Hello", epoch=2)
    driver.write_engine()
    due = driver.engine.state[state.NEXT_STATUS]
    driver.engine.outputs()
    driver.engine.control(control_message("Heartbeat", driver.next_control), driver.now)
    names = [message.name for message in driver.decoded()]
    assert names == ["Acknowledge", "Status"]
    assert driver.engine.state[state.NEXT_STATUS] == due
    assert driver.engine.state[state.LEASE_UNTIL] == driver.now + 10 * SECOND


def test_rearm_names_the_last_status() -> None:
    driver = Driver()
    assert driver.status()["killed"] == 1
    number = driver.status()["number"]
    for wrong in (number - 1, number + 1, 0):
        assert refusal_of(driver, "Rearm", statusNumber=wrong) == Refusal.WRONG_STATUS
    assert refusal_of(driver, "Rearm", statusNumber=number) == Refusal.NONE
    assert driver.status()["killed"] == 0


def account_of(driver: Driver, instrument: int, venue: int) -> tuple[int, int, int]:
    words = driver.engine.state
    row = int(words[state.INSTRUMENT_ROWS] + instrument * words[state.INSTRUMENT_STRIDE]) // state.WORD
    quote = row + state.INSTRUMENT_WORDS + venue * state.QUOTE_WORDS
    position, buy, sell = words[quote + state.POSITION : quote + state.PENDING_SELL + 1].tolist()
    return position, buy, sell


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"lastId": 1}, Refusal.WRONG_ID),
        ({"instrument": 16, "lastId": 1}, Refusal.UNKNOWN_ROW),
        ({"venue": 4}, Refusal.UNKNOWN_ROW),
        ({"position": PRICE - 1, "pendingBuy": PRICE - 1, "pendingSell": PRICE - 1}, Refusal.NONE),
        ({"position": -PRICE + 1}, Refusal.NONE),
        ({"position": PRICE}, Refusal.BAD_VALUE),
        ({"position": -PRICE, "lastId": 1}, Refusal.BAD_VALUE),
        ({"pendingBuy": -1}, Refusal.BAD_VALUE),
        ({"pendingSell": PRICE}, Refusal.BAD_VALUE),
    ],
)
def test_set_position(changes: dict[str, int], refusal: Refusal) -> None:
    driver = Driver()
    row = {"lastId": 0, "instrument": 3, "venue": 2, "position": -5, "pendingBuy": 6, "pendingSell": 7, **changes}
    assert refusal_of(driver, "SetPosition", **row) == refusal
    if refusal == Refusal.NONE:
        assert account_of(driver, 3, 2) == (row["position"], row["pendingBuy"], row["pendingSell"])


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"side": Side.BUY, "released": 6, "filled": 6}, Refusal.NONE),
        ({"side": Side.SELL, "released": 7, "filled": 2}, Refusal.NONE),
        ({"side": Side.BUY, "released": 7, "filled": 6}, Refusal.SETTLEMENT),
        ({"side": Side.BUY, "released": 5, "filled": 6}, Refusal.SETTLEMENT),
        ({"side": Side.BUY, "released": 5, "filled": -1}, Refusal.SETTLEMENT),
        ({"side": Side.NONE}, Refusal.BAD_VALUE),
        ({"side": 3, "released": 99}, Refusal.BAD_VALUE),
        ({"side": 3, "venue": 4}, Refusal.UNKNOWN_ROW),
        ({"instrument": 16}, Refusal.UNKNOWN_ROW),
    ],
)
def test_settle(changes: dict[str, int], refusal: Refusal) -> None:
    driver = Driver()
    position = {"instrument": 3, "venue": 2, "position": -5, "pendingBuy": 6, "pendingSell": 7}
    driver.apply("SetPosition", lastId=0, **position)
    settlement = {"instrument": 3, "venue": 2, "side": Side.BUY, "released": 0, "filled": 0, **changes}
    assert refusal_of(driver, "Settle", **settlement) == refusal
    if refusal == Refusal.NONE:
        expected = (1, 0, 7) if changes["side"] == Side.BUY else (-7, 6, 0)
        assert account_of(driver, 3, 2) == expected


BASIS_LIMIT = 1 << 61


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, Refusal.NONE),
        ({"basis": BASIS_LIMIT - 1, "samples": 65_535}, Refusal.NONE),
        ({"basis": BASIS_LIMIT}, Refusal.BAD_VALUE),
        ({"basis": -BASIS_LIMIT + 1}, Refusal.NONE),
        ({"basis": -BASIS_LIMIT}, Refusal.BAD_VALUE),
        ({"firstVenue": 3}, Refusal.BAD_VALUE),
        ({"firstVenue": 3, "secondVenue": 1}, Refusal.BAD_VALUE),
        ({"secondVenue": 4}, Refusal.UNKNOWN_ROW),
        ({"instrument": 16}, Refusal.UNKNOWN_ROW),
        ({"sampleTime": -1}, Refusal.BAD_VALUE),
        ({"sampleTime": 1 << 62}, Refusal.BAD_VALUE),
    ],
)
def test_load_basis(changes: dict[str, int], refusal: Refusal) -> None:
    driver = Driver()
    row = {"instrument": 0, "firstVenue": 1, "secondVenue": 3, "samples": 5, "basis": -7, "sampleTime": 9, **changes}
    assert refusal_of(driver, "LoadBasis", **row) == refusal
    if refusal == Refusal.NONE:
        assert basis_of(driver, 1, 3) == (row["basis"], row["samples"])


def test_loads_need_a_killed_engine() -> None:
    driver = Driver()
    driver.arm()
    row = {"instrument": 0, "firstVenue": 1, "secondVenue": 3, "samples": 5, "basis": -7, "sampleTime": 9}
    assert refusal_of(driver, "LoadBasis", **row) == Refusal.NOT_KILLED
    assert refusal_of(driver, "LoadIdentity", id=1, parity=1) == Refusal.NOT_KILLED
    driver.apply("Kill")
    driver.apply("LoadIdentity", id=WRAP - 1, parity=0xFEDCBA98)
    status = driver.status()
    assert (status["id"], status["parity"], driver.engine.parity) == (WRAP - 1, 0xFEDCBA98, 0xFEDCBA98)


@pytest.mark.parametrize(("venue", "forgotten"), [(0, {0}), (1, {1}), (255, {0, 1, 2})])
def test_reset_forgets_a_venue(venue: int, forgotten: set[int]) -> None:
    driver = Driver()
    driver.set_up(kinds=Kind.ARB.mask)
    driver.quote_sequence = 100
    driver.quote(1, LOW - 1, LOW)
    driver.quote(2, LOW - 1, LOW + 5 * UNIT)
    driver.quote(0, HIGH, HIGH + 1)
    samples = {pair: basis_of(driver, *pair)[1] for pair in ((0, 1), (0, 2), (1, 2))}
    assert samples == {(0, 1): 1, (0, 2): 1, (1, 2): 1}
    before = account_of(driver, 0, 0)
    driver.apply("Reset", venue=venue)
    for pair in samples:
        assert basis_of(driver, *pair)[1] == (0 if forgotten & set(pair) else 1)
    assert account_of(driver, 0, 0) == before
    rejected = driver.count("rejectOldSequence")
    for each in range(3):
        driver.quote(each, LOW, LOW + 1, sequence=1)
    assert driver.count("rejectOldSequence") == rejected + 3 - len(forgotten)


def test_reset_lets_a_condition_rise_again() -> None:
    driver = Driver()
    driver.set_up(kinds=Kind.ARB.mask)
    driver.quote(1, LOW - 1, LOW)
    assert len(driver.quote(0, HIGH, HIGH + 1)) == 1
    driver.apply("Reset", venue=0)
    assert len(driver.quote(0, HIGH, HIGH + 1)) == 1
