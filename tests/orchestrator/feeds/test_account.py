"""No message of a source is unaccounted for: what came is decoded, refused for a reason, or waits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from market.wire.records import KIND, REASON, WIDTH, Kind, Reject, Rows
from market.wire.timeliness import new_statistics, note_records
from orchestrator.feeds.account import counted
from tests.orchestrator.feeds.rig import QUICK, plan_of, rig_of
from tests.orchestrator.feeds.test_streams import OPENING
from tests.orchestrator.feeds.toy_venue import toy_venue


def test_every_message_is_decoded_or_refused_for_a_reason() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue)) as rig:
        rig.until_quote(OPENING)
        venue.say('{"e":"trade","s":"BTCUSDT","t":1')
        venue.say('{"e":"trade","E":1,"s":"OTHER","t":1,"p":"1.00","q":"1.000","T":1,"m":true,"M":true}')
        venue.change("99.50", "3")
        rig.until_quote((9950, 3000, 10100, 1000))
        rig.finish()
        (account,) = rig.feed.accounts()
        assert account.received == account.taken > 3
        assert (account.waiting, account.lost, account.undecoded, account.repeated) == (0, 0, 0, 0)
        assert account.rejected == {"MALFORMED": 1, "UNKNOWN_SYMBOL": 1}
        assert account.decoded["DIFF"] >= 1
        assert account.decoded["SNAPSHOT"] == rig.feed.metrics()[0].records - account.taken - account.decoded["GAP"]


def test_what_waits_is_not_lost() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue)) as rig:
        rig.until_quote(OPENING)
        before = rig.feed.accounts()[0]
        venue.change("99.50", "3")
        rig.clock.wait_until(rig.clock.now_ns() + 1)
        while rig.feed.queued == 0:
            rig.clock.wait_until(rig.clock.now_ns() + 5_000_000)
        account = rig.feed.accounts()[0]
        assert account.waiting >= 1
        assert account.taken == before.taken
        assert account.lost == 0


def test_messages_of_a_reserve_are_counted_apart() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue, reserve=True)) as rig:
        rig.until_quote(OPENING)
        venue.change("99.50", "3")
        rig.until_quote((9950, 3000, 10100, 1000))
        rig.until(lambda: rig.feed.accounts()[0].standby >= 1)
        rig.finish()
        account = rig.feed.accounts()[0]
        assert account.lost == 0
        assert account.undecoded == 0


def test_what_makes_a_book_anew_is_decoded_once_more() -> None:
    with toy_venue() as venue, rig_of(plan_of(venue, limits=replace(QUICK, snapshot_every_s=0.05))) as rig:
        rig.until_quote(OPENING)
        venue.change("99.00", "7", sent="5")
        rig.until_quote((9900, 7000, 10100, 1000))
        account = rig.feed.accounts()[0]
        assert account.repeated >= 1
        assert account.lost == 0


def test_kinds_and_reasons_are_counted() -> None:
    kinds = [Kind.DIFF, Kind.TRADE, Kind.TRADE, *[Kind.REJECTED] * len(Reject)]
    records: Rows = np.zeros((len(kinds), WIDTH), dtype=np.int64)
    records[:, KIND] = kinds
    records[3:, REASON] = list(Reject)
    statistics = new_statistics(1)
    note_records(records, len(kinds), 0, statistics)
    decoded, rejected = counted(statistics)
    assert decoded == {"IGNORED": 0, "DIFF": 1, "SNAPSHOT": 0, "QUOTE": 0, "TRADE": 2, "GAP": 0}
    assert rejected == {reason.name: 1 for reason in Reject if reason is not Reject.NONE}
