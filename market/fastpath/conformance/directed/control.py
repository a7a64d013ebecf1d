"""Control messages that are applied, and the numbering."""

from __future__ import annotations

from collections.abc import Iterator

from market.fastpath.conformance.case import Case
from market.fastpath.conformance.directed.basis import probe
from market.fastpath.conformance.directed.gate import fall, rise
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import THREE_VENUES, Scenario
from market.fastpath.specification import EngineSizes, Feed, Kind

MS = 1_000_000
LAST = (1 << 64) - 1


def cases() -> Iterator[Case]:
    yield _before_hello()
    yield _hello_numbers()
    yield _sequence_wraps()
    yield _hello_keeps()
    yield _rearm()
    yield _rearm_before_status()
    yield _settle()
    yield _settle_refused()
    yield _set_position()
    yield _reset_venue()
    yield _reset_venue_basis()
    yield _reset_all()
    yield _load_basis()
    yield _load_basis_to_zero_samples()
    yield _load_identity()
    yield _row_replaced_whole()
    yield _channel_rows()


def _before_hello() -> Case:
    scenario = Scenario(
        "sequence-before-hello",
        "at reset number 1 is expected: 0 is repeated, 2 out of order, 1 applied, then 1 repeated",
        Rule.SEQUENCE_NEXT,
        Rule.SEQUENCE_REPEATED,
        Rule.SEQUENCE_AHEAD,
    )
    for sequence in (0, 2, 1, 1, 3, 2):
        scenario.control("StatusRequest", sequence=sequence)
    return scenario.case()


def _hello_numbers() -> Case:
    scenario = Scenario(
        "hello-numbers",
        "any number starts the numbering, also a lower and the same one; each is applied and sets its epoch",
        Rule.HELLO,
        Rule.SEQUENCE_NEXT,
    )
    for sequence, epoch in ((500, 1), (3, (1 << 32) - 1), (3, 2), (0, 0), (1_000, 7)):
        scenario.control("Hello", sequence=sequence, epoch=epoch)
        scenario.control("StatusRequest")
    return scenario.case()


def _sequence_wraps() -> Case:
    scenario = Scenario(
        "sequence-wraps",
        "numbers compare unsigned: 2^63 is above 5; after 2^64 - 1 comes 0, and the last one is still repeated",
        Rule.SEQUENCE_NEXT,
        Rule.SEQUENCE_AHEAD,
        Rule.SEQUENCE_REPEATED,
    )
    scenario.control("Hello", sequence=5, epoch=1)
    scenario.control("Kill", sequence=1 << 63)
    scenario.control("Hello", sequence=(1 << 63) - 1, epoch=1)
    scenario.control("Kill", sequence=1 << 63)
    scenario.control("Kill", sequence=5)
    scenario.control("Hello", sequence=LAST - 1, epoch=1)
    scenario.control("Kill", sequence=LAST)
    scenario.control("Kill", sequence=LAST)
    scenario.control("Kill", sequence=0)
    scenario.control("Kill", sequence=0)
    return scenario.case()


def _hello_keeps() -> Case:
    scenario = Scenario(
        "hello-epoch-change",
        "a hello in the middle kills and changes the epoch; id, parity, tables, quotes, bits and pendings stay",
        Rule.HELLO,
        Rule.PARITY_CHAIN,
        Rule.EDGE_SUPPRESSED,
    )
    scenario.set_up(Kind.ARB, positionLimit=25)
    scenario.flat(1)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.control("Hello", sequence=40, epoch=2)
    scenario.wait(MS)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.flat(0)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.rearm()
    scenario.flat(0)
    scenario.quote(0, 1_010, 20, 1_012, 10)
    scenario.wait(MS)
    scenario.flat(0)
    scenario.quote(0, 1_010, 5, 1_012, 10)
    scenario.wait(MS)
    scenario.flat(0)
    scenario.quote(0, 1_010, 5, 1_012, 10)
    return scenario.case()


def _rearm() -> Case:
    scenario = Scenario(
        "rearm",
        "the number of the last status: not the one before it, not the next; a later status makes it stale",
        Rule.REARM,
        Rule.REFUSE_WRONG_STATUS,
    )
    scenario.set_up(Kind.IMBALANCE, armed=False)
    last = scenario.engine.state.status_number
    scenario.control("Rearm", statusNumber=last - 1)
    scenario.control("Rearm", statusNumber=last + 1)
    scenario.control("StatusRequest")
    scenario.control("Rearm", statusNumber=last)
    rise(scenario)
    scenario.control("Rearm", statusNumber=last + 1)
    rise(scenario)
    scenario.control("StatusRequest")
    return scenario.case()


def _rearm_before_status() -> Case:
    scenario = Scenario(
        "rearm-first",
        "as the very first step: the last status number is 0; the status of that step is already armed",
        Rule.REARM,
        Rule.STATUS_FIRST,
    )
    scenario.control("Rearm", statusNumber=0)
    return scenario.case()


def _settle() -> Case:
    scenario = Scenario(
        "settle",
        "buy 10: released 6 filled 4, then 4 and 4; sell 10: released 10 filled 3. Position 8 - 3 = 5",
        Rule.SETTLE,
        Rule.PENDING,
        Rule.GATE_POSITION,
    )
    scenario.set_up(Kind.IMBALANCE, positionLimit=20)
    rise(scenario)
    scenario.wait(MS)
    fall(scenario)
    scenario.control("Settle", instrument=0, venue=0, side=1, released=6, filled=4)
    scenario.control("Settle", instrument=0, venue=0, side=1, released=4, filled=4)
    scenario.control("Settle", instrument=0, venue=0, side=2, released=10, filled=3)
    scenario.control("Settle", instrument=0, venue=0, side=2, released=0, filled=0)
    for ask_quantity in (16, 15, 1):
        scenario.wait(MS)
        scenario.flat(0)
        scenario.quote(0, 999, 64, 1_001, ask_quantity)
    for bid_quantity in (26, 25, 1):
        scenario.wait(MS)
        scenario.flat(0)
        scenario.quote(0, 999, bid_quantity, 1_001, 100)
    return scenario.case()


def _settle_refused() -> Case:
    scenario = Scenario(
        "settle-refused",
        "more than pending, filled above released, negative, the other side, another venue; nothing changes",
        Rule.SETTLE_REFUSED,
        Rule.REFUSE_USES_SEQUENCE,
    )
    scenario.set_up(Kind.IMBALANCE, positionLimit=20)
    rise(scenario)
    for venue, side, released, filled in (
        (0, 1, 11, 0),
        (0, 1, 5, 6),
        (0, 1, 5, -1),
        (0, 1, -1, -1),
        (0, 2, 1, 0),
        (1, 1, 1, 0),
        (0, 1, (1 << 63) - 1, 0),
        (0, 1, 10, 10),
        (0, 1, 1, 0),
    ):
        scenario.control("Settle", instrument=0, venue=venue, side=side, released=released, filled=filled)
    return scenario.case()


def _set_position() -> Case:
    scenario = Scenario(
        "set-position",
        "replaces position and both pendings when it names the last id, before and after a trigger",
        Rule.SET_POSITION,
        Rule.REFUSE_WRONG_ID,
        Rule.GATE_POSITION,
    )
    scenario.set_up(Kind.IMBALANCE, positionLimit=20)
    fields = {"instrument": 0, "venue": 0, "pendingBuy": 0, "pendingSell": 0}
    scenario.control("SetPosition", lastId=1, position=5, **fields)
    scenario.control("SetPosition", lastId=0, position=5, **fields)
    rise(scenario)
    scenario.control("SetPosition", lastId=0, position=10, **fields)
    scenario.wait(MS)
    rise(scenario)
    scenario.control("SetPosition", lastId=1, position=10, **fields)
    rise(scenario)
    return scenario.case()


def _reset_venue() -> Case:
    scenario = Scenario(
        "reset-venue",
        "venue 1: a lower sequence is good, and its bits rise anew at its next event, but pendings stay, so the room "
        "of 15 is used; reset again, its quote is gone, so nothing rises against it until it is back",
        Rule.RESET_VENUE,
        Rule.PENDING,
    )
    scenario.set_up(Kind.ARB, positionLimit=15)
    scenario.quote(1, 999, 10, 1_001, 10, sequence=100)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.wait(MS)
    scenario.control("Reset", venue=1)
    scenario.quote(1, 999, 10, 1_001, 10, sequence=1)
    scenario.control("Reset", venue=1)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.quote(1, 999, 10, 1_001, 10, sequence=1)
    scenario.wait(MS)
    scenario.flat(0)
    scenario.quote(0, 1_010, 5, 1_012, 10)
    return scenario.case()


def _reset_venue_basis() -> Case:
    scenario = Scenario(
        "reset-venue-basis",
        "the pairs of venue 1 start again, that of 0 and 2 stays: sell 0 buy 2 at |dev| 120, then sell 2 buy 1 at 120",
        Rule.RESET_VENUE,
        Rule.BASIS_FIRST,
        sizes=THREE_VENUES,
    )
    scenario.set_up(Kind.BASIS, basisInterval=1 << 50)
    for venue in (0, 1, 2):
        scenario.flat(venue)
    scenario.control("Reset", venue=1)
    scenario.flat(0, 1_010)
    scenario.flat(1, 1_100)
    scenario.wait(MS)
    scenario.flat(0, 1_060)
    scenario.wait(MS)
    scenario.flat(0)
    scenario.flat(1, 1_040)
    return scenario.case()


def _reset_all() -> Case:
    scenario = Scenario(
        "reset-all",
        "255: every quote, sequence, bit and basis; pendings, cooldown, rate, kill, lease, id and tables stay",
        Rule.RESET_ALL,
        Rule.PENDING,
        sizes=EngineSizes(venues=2, instruments=2),
    )
    scenario.set_up(Kind.ARB, Kind.BASIS, positionLimit=15, basisInterval=1 << 50)
    scenario.flat(0)
    scenario.flat(1)
    scenario.quote(0, 1_010, 10, 1_012, 10)
    scenario.control("Reset", venue=255)
    scenario.wait(MS)
    scenario.quote(0, 1_010, 10, 1_012, 10, sequence=1)
    scenario.quote(1, 999, 10, 1_001, 10, sequence=1)
    scenario.quote(0, 1_060, 5, 1_062, 10)
    scenario.wait(MS)
    scenario.flat(0)
    scenario.quote(0, 1_060, 5, 1_062, 10)
    return scenario.case()


def _load_basis() -> Case:
    scenario = Scenario(
        "load-basis",
        "value, samples and sample time hold at once; the sample time counts for the interval; refused when armed",
        Rule.LOAD_BASIS,
        Rule.REFUSE_NOT_KILLED,
        Rule.BASIS_INTERVAL,
    )
    scenario.set_up(
        Kind.BASIS,
        basisShift=0,
        basisInterval=1_000,
        before_arming=lambda: scenario.load_basis(0, 1, -40, sampleTime=scenario.now - 999),
    )
    scenario.load_basis(0, 1, 0)
    scenario.flat(1)
    scenario.flat(0, 1_030)
    scenario.wait(1)
    scenario.flat(0, 1_000)
    scenario.wait(MS)
    scenario.flat(0, 1_050)
    return scenario.case()


def _load_basis_to_zero_samples() -> Case:
    scenario = Scenario(
        "load-basis-zero-samples",
        "with samples 0 the loaded value is not used: the next sample is the first",
        Rule.LOAD_BASIS,
        Rule.BASIS_FIRST,
    )
    scenario.set_up(Kind.BASIS, before_arming=lambda: scenario.load_basis(0, 1, 5_000, samples=0))
    scenario.flat(1)
    scenario.flat(0)
    probe(scenario)
    return scenario.case()


def _load_identity() -> Case:
    scenario = Scenario(
        "load-identity",
        "id 41 and a parity: the next trigger is 42 and carries it; refused when armed",
        Rule.LOAD_IDENTITY,
        Rule.REFUSE_NOT_KILLED,
        Rule.PARITY_CHAIN,
    )
    scenario.set_up(Kind.IMBALANCE, armed=False)
    scenario.control("LoadIdentity", id=41, parity=305_419_896)
    scenario.rearm()
    scenario.control("LoadIdentity", id=7, parity=7)
    rise(scenario)
    scenario.wait(MS)
    fall(scenario)
    return scenario.case()


def _row_replaced_whole() -> Case:
    scenario = Scenario(
        "row-replaced-whole",
        "each row replaces all fields of the one before: engine, venue, scaling, instrument",
        Rule.EDGE_TABLES,
        Rule.HEARTBEAT,
        Rule.REJECT_EXPONENT,
    )
    scenario.set_up(Kind.ARB, leads=[0b10, 0], cooldown=5)
    scenario.engine_row(rate_interval=2_048, lease=10)
    scenario.engine_row(rate_interval=4_096, lease=20)
    scenario.control("Heartbeat")
    scenario.venue_row(0, fee=60_000, maximumAge=1)
    scenario.venue_row(0)
    scenario.scaling_row(0, 0, priceExponent=-5, quantityShift=3)
    scenario.scaling_row(0, 0)
    scenario.instrument_row(Kind.BASIS, minimumEdge=7)
    scenario.instrument_row(Kind.IMBALANCE)
    scenario.wait(20)
    rise(scenario)
    return scenario.case()


def _channel_rows() -> Case:
    sizes = EngineSizes(venues=2, instruments=3, channels=4)
    scenario = Scenario(
        "channel-rows",
        "channels with and without an instrument, disabled ones, and rows outside the build",
        Rule.REFUSE_UNKNOWN_ROW,
        Rule.REFUSE_BAD_VALUE,
        sizes=sizes,
    )
    fields = {"address": 0xEF000001, "port": 30_001, "channel": 3, "instrument": 2, "venue": 1, "enabled": 1}
    for feed in Feed:
        scenario.control("ChannelRow", **fields, feed=int(feed))
    for change in (
        {"instrument": 65_535},
        {"enabled": 0},
        {"instrument": 3},
        {"venue": 2},
        {"channel": 4},
        {"feed": 0},
        {"feed": 5},
        {"enabled": 2},
    ):
        scenario.control("ChannelRow", **({"feed": 1} | fields | change))
    return scenario.case()
