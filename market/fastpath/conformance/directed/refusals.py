"""Control messages that are refused: ranges at their boundaries, malformed messages, precedence."""

from __future__ import annotations

from collections.abc import Iterator

from market.fastpath.conformance.case import SCHEMA, Case
from market.fastpath.conformance.directed.gate import rise
from market.fastpath.conformance.rules import Rule
from market.fastpath.conformance.scenario import THREE_VENUES, Scenario
from market.fastpath.specification import EngineSizes, Kind

HIGHEST, LOWEST = (1 << 63) - 1, -(1 << 63)
DURATION = 1 << 56


def cases() -> Iterator[Case]:
    yield _unknown_rows()
    yield _engine_row()
    yield _venue_row()
    yield _scaling_row()
    yield _instrument_row(24)
    yield _instrument_row(48)
    yield _leads()
    yield _quantity_order()
    yield _notional()
    yield _positions_and_loads()
    yield _bad_messages()
    yield _bad_messages_by_sequence()
    yield _unreadable()
    yield _order()
    yield _refused_row_keeps_old()


def _unknown_rows() -> Case:
    scenario = Scenario(
        "refuse-unknown-row",
        "venue 2, 255 and instrument 1, 65,535 of a build with two venues and one instrument",
        Rule.REFUSE_UNKNOWN_ROW,
        Rule.REFUSE_USES_SEQUENCE,
    )
    for venue in (2, 255):
        scenario.venue_row(venue)
        scenario.scaling_row(0, venue)
        scenario.set_position(venue, 0)
        scenario.control("Settle", instrument=0, venue=venue, side=1, released=0, filled=0)
        scenario.load_basis(0, venue, 0)
        scenario.load_basis(venue, 1, 0)
    scenario.control("Reset", venue=2)
    scenario.control("Reset", venue=254)
    for instrument in (1, 65_535):
        scenario.scaling_row(instrument, 0)
        scenario.instrument_row(instrument=instrument)
        scenario.control("Settle", instrument=instrument, venue=0, side=1, released=0, filled=0)
        scenario.load_basis(0, 1, 0, instrument=instrument)
    return scenario.case()


def _engine_row() -> Case:
    scenario = Scenario(
        "refuse-engine-row",
        "interval 2,048 up to 2^56 - 1, tolerance up to 62 intervals, durations below 2^56",
        Rule.REFUSE_BAD_VALUE,
    )
    for interval, tolerance, lease in (
        (2_047, 0, 0),
        (2_048, 0, 0),
        (2_048, 62 * 2_048, 0),
        (2_048, 62 * 2_048 + 1, 0),
        (2_048, -1, 0),
        (2_048, 0, -1),
        (2_048, 0, DURATION - 1),
        (2_048, 0, DURATION),
        (DURATION - 1, DURATION - 1, 0),
        (DURATION - 1, DURATION, 0),
        (DURATION, 0, 0),
        (LOWEST, LOWEST, LOWEST),
        (HIGHEST, HIGHEST, HIGHEST),
    ):
        scenario.engine_row(interval, tolerance, lease)
    return scenario.case()


def _venue_row() -> Case:
    scenario = Scenario("refuse-venue-row", "fee, ages and flag at their limits", Rule.REFUSE_BAD_VALUE)
    for changes in (
        {"fee": 65_535},
        {"fee": 65_536},
        {"fee": -65_535},
        {"fee": -65_536},
        {"fee": -(1 << 31)},
        {"maximumAge": DURATION - 1},
        {"maximumAge": DURATION},
        {"maximumAge": -1},
        {"maximumSilence": DURATION - 1},
        {"maximumSilence": DURATION},
        {"maximumSilence": LOWEST},
        {"enabled": 0},
        {"enabled": 2},
        {"enabled": 255},
    ):
        scenario.venue_row(1, **changes)
    return scenario.case()


def _scaling_row() -> Case:
    scenario = Scenario("refuse-scaling-row", "k up to 3, exponents any", Rule.REFUSE_BAD_VALUE, Rule.SCALING)
    for changes in (
        {"priceShift": 3, "quantityShift": 3},
        {"priceShift": 4},
        {"quantityShift": 4},
        {"quantityShift": 255},
        {"priceExponent": -128, "quantityExponent": 127},
    ):
        scenario.scaling_row(0, 1, **changes)
    return scenario.case()


def _instrument_row(price_bits: int) -> Case:
    sizes = EngineSizes(venues=2, instruments=1, price_bits=price_bits)
    scenario = Scenario(
        f"refuse-instrument-row-{price_bits}",
        "every field of an instrument at its limits",
        Rule.REFUSE_BAD_VALUE,
        Rule.PRICE_WIDTH,
        sizes=sizes,
    )
    top, difference = sizes.top, 1 << (price_bits + 2)
    good: list[dict[str, int]] = [
        {"basisShift": 0},
        {"basisShift": 16},
        {"imbalanceThreshold": 1},
        {"imbalanceThreshold": 32_767},
        {"minimumEdge": difference - 1},
        {"minimumEdge": 1 - difference},
        {"basisThreshold": 1},
        {"basisThreshold": difference - 1},
        {"basisInterval": 0},
        {"basisInterval": DURATION - 1},
        {"maximumSpread": 0},
        {"maximumSpread": top},
        {"maximumQuantity": top, "minimumQuantity": top},
        {"priceLow": top, "priceHigh": 0},
        {"priceLow": 0, "priceHigh": top},
        {"basisWarmUp": 65_535},
        {"cooldown": DURATION - 1},
        {"positionLimit": 0},
        {"positionLimit": top},
        {"kinds": 7},
        {"kinds": 0},
    ]
    bad: list[dict[str, int]] = [
        {"basisShift": 17},
        {"basisShift": 255},
        {"imbalanceThreshold": 0},
        {"imbalanceThreshold": 32_768},
        {"minimumEdge": difference},
        {"minimumEdge": -difference},
        {"minimumEdge": LOWEST},
        {"basisThreshold": 0},
        {"basisThreshold": -1},
        {"basisThreshold": difference},
        {"basisInterval": -1},
        {"basisInterval": DURATION},
        {"maximumSpread": -1},
        {"maximumSpread": top + 1},
        {"minimumQuantity": -1},
        {"minimumQuantity": LOWEST},
        {"maximumQuantity": -1},
        {"maximumQuantity": top + 1},
        {"priceLow": -1},
        {"priceLow": top + 1},
        {"priceHigh": -1},
        {"priceHigh": HIGHEST},
        {"cooldown": -1},
        {"cooldown": DURATION},
        {"positionLimit": -1},
        {"positionLimit": top + 1},
        {"kinds": 8},
        {"kinds": 135},
        {"enabled": 2},
    ]
    for changes in good + bad:
        scenario.instrument_row(**changes)
    return scenario.case()


def _leads() -> Case:
    scenario = Scenario(
        "refuse-leads",
        "exactly one mask per venue; bits of no venue and of the venue itself are ignored",
        Rule.REFUSE_BAD_VALUE,
        Rule.BASIS_LEAD,
        sizes=THREE_VENUES,
    )
    for count in (0, 2, 4):
        scenario.instrument_row(leads=[0] * count)
    scenario.set_up(
        Kind.BASIS,
        leads=[(1 << 64) - 1 - 0b110, 0b010, (1 << 64) - 8],
        before_arming=lambda: scenario.load_basis(0, 1, 0),
    )
    scenario.flat(1)
    scenario.flat(0, 1_100)
    return scenario.case()


def _quantity_order() -> Case:
    scenario = Scenario(
        "refuse-quantity-order",
        "minimum 0, minimum above maximum, both 0; equal is good",
        Rule.REFUSE_QUANTITY_ORDER,
    )
    for minimum, maximum in ((0, 5), (6, 5), (0, 0), (1, 0), (5, 5), (1, 5)):
        scenario.instrument_row(minimumQuantity=minimum, maximumQuantity=maximum)
    return scenario.case()


def _notional() -> Case:
    scenario = Scenario(
        "refuse-notional",
        "high x maximum quantity equal to the maximum notional is good, one less is not; also at 96 bits",
        Rule.REFUSE_NOTIONAL,
    )
    top = scenario.sizes.top
    for high, quantity, maximum in (
        (1_000, 100, 100_000),
        (1_000, 100, 99_999),
        (0, 100, 0),
        (1, 1, 0),
        (top, top, top * top),
        (top, top, top * top - 1),
        (1 << 40, 1 << 24, 1 << 64),
        (1 << 40, 1 << 24, (1 << 64) - 1),
        (top, top, (1 << 96) - 1),
    ):
        scenario.instrument_row(priceHigh=high, maximumQuantity=quantity, maximum_notional=maximum)
    return scenario.case()


def _positions_and_loads() -> Case:
    scenario = Scenario(
        "refuse-positions-and-loads",
        "positions and pendings of P bits, sides of a settlement, the order of a pair, basis and sample time",
        Rule.REFUSE_BAD_VALUE,
        Rule.LOAD_BASIS,
        Rule.SET_POSITION,
    )
    top = scenario.sizes.top
    for position, pending_buy, pending_sell in (
        (top, top, top),
        (-top, 0, 0),
        (top + 1, 0, 0),
        (-top - 1, 0, 0),
        (LOWEST, 0, 0),
        (0, -1, 0),
        (0, 0, -1),
        (0, top + 1, 0),
        (0, 0, HIGHEST),
    ):
        scenario.set_position(1, position, pending_buy, pending_sell)
    for side in (0, 3, 255):
        scenario.control("Settle", instrument=0, venue=1, side=side, released=0, filled=0)
    scenario.load_basis(1, 0, 0)
    scenario.load_basis(1, 1, 0)
    limit, latest = 1 << 61, (1 << 62) - 1
    for basis, time in (
        (limit - 1, 0),
        (1 - limit, latest),
        (limit, 0),
        (-limit, 0),
        (LOWEST, 0),
        (0, latest + 1),
        (0, -1),
    ):
        scenario.load_basis(0, 1, 0, basis=basis, sampleTime=time)
    return scenario.case()


def _malformed(scenario: Scenario) -> Iterator[bytes]:
    """Messages that are spoiled in one place; each is made when the one before has been given."""
    for position, value in ((0, 9), (0, 7), (0, 0), (2, 9), (2, 25), (2, 1), (2, 50), (4, 0), (6, 0), (6, 2), (7, 1)):
        spoiled = scenario.encoded("Kill")
        spoiled[position] = value
        yield bytes(spoiled)
    yield bytes(scenario.encoded("Kill") + b"\0")
    yield bytes(scenario.encoded("Hello", epoch=9)[:-1])
    yield bytes(scenario.encoded("Hello", epoch=9)) + b"\0"
    for start, ending in (
        (147, b""),
        (148, b"\0"),
        (128, b""),
        (131, b""),
        (130, b"\3\0" + bytes(16)),
        (130, b"\1\0" + bytes(16)),
        (128, b"\7\0\2\0" + bytes(16)),
        (128, b"\x10\0\1\0" + bytes(16)),
    ):
        yield _row_with_leads(scenario)[:start] + ending


def _row_with_leads(scenario: Scenario) -> bytes:
    """An instrument row of zeros with two lead masks: 8 + 120 + 4 + 16 bytes."""
    fields = dict.fromkeys(SCHEMA.message("InstrumentRow").fields, 0)
    del fields["sequence"]
    return bytes(scenario.encoded("InstrumentRow", **fields, leads=[{"mask": 0}, {"mask": 0}]))


def _bad_messages() -> Case:
    scenario = Scenario(
        "refuse-bad-message",
        "wrong block length, template, schema, version, length and lead group: refused, the number is used, and the "
        "acknowledgement names the template of the header",
        Rule.REFUSE_BAD_MESSAGE,
        Rule.REFUSE_USES_SEQUENCE,
    )
    for message in _malformed(scenario):
        scenario.raw(message)
    scenario.control("StatusRequest")
    return scenario.case()


def _bad_messages_by_sequence() -> Case:
    scenario = Scenario(
        "bad-message-by-sequence",
        "a malformed message with an old or a later number is repeated or out of order, a malformed hello too",
        Rule.REFUSE_BAD_MESSAGE,
        Rule.REFUSE_ORDER,
        Rule.SEQUENCE_AHEAD,
        Rule.SEQUENCE_REPEATED,
        Rule.HELLO,
    )
    scenario.control("Kill")
    for name, fields in (("Kill", {}), ("Hello", {"epoch": 5})):
        for sequence in (1, 3):
            scenario.raw(bytes(scenario.encoded(name, sequence=sequence, **fields)) + b"\0")
    scenario.control("Kill")
    return scenario.case()


def _unreadable() -> Case:
    scenario = Scenario(
        "unreadable",
        "empty, a header alone, one byte less than a number: no answer, no step, no counter, T stays",
        Rule.UNREADABLE,
    )
    whole = bytes(scenario.encoded("Kill"))
    for length in (0, 1, 8, 15):
        scenario.wait(1_000)
        scenario.raw(whole[:length])
    scenario.now -= 4_000
    scenario.raw(whole)
    return scenario.case()


def _order() -> Case:
    scenario = Scenario(
        "refuse-order",
        "messages with several faults are refused for the first in the order of the numbers",
        Rule.REFUSE_ORDER,
    )
    scenario.set_up()
    faults = {"instrument": 1, "basisShift": 17, "minimumQuantity": 200, "maximum_notional": 0}
    for name in tuple(faults):
        scenario.instrument_row(**faults)
        del faults[name]
    scenario.control("SetPosition", lastId=9, instrument=0, venue=0, position=0, pendingBuy=-1, pendingSell=0)
    scenario.control("SetPosition", lastId=9, instrument=0, venue=2, position=0, pendingBuy=-1, pendingSell=0)
    scenario.load_basis(1, 0, 0)
    scenario.load_basis(0, 1, 0)
    scenario.control("Settle", instrument=0, venue=0, side=0, released=1, filled=2)
    scenario.control("Settle", instrument=0, venue=2, side=0, released=1, filled=2)
    return scenario.case()


def _refused_row_keeps_old() -> Case:
    scenario = Scenario(
        "refused-row-keeps-old",
        "a refused row leaves every field of the old one",
        Rule.REFUSE_USES_SEQUENCE,
        Rule.REFUSE_NOTIONAL,
        Rule.REFUSE_BAD_VALUE,
    )
    scenario.set_up(Kind.IMBALANCE)
    scenario.instrument_row(enabled=0, maximum_notional=0)
    scenario.venue_row(0, enabled=0, fee=65_536)
    scenario.scaling_row(0, 0, priceExponent=0, priceShift=4)
    scenario.engine_row(rate_interval=1, lease=0)
    scenario.control("Heartbeat")
    scenario.wait(1_000_000)
    rise(scenario)
    return scenario.case()
