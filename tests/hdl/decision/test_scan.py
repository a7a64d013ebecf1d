"""The scan of the other venues: all but the event's own in ascending order, and on request a chosen one."""

from __future__ import annotations

import pytest

from hdl.decision.scan import Scan
from hdl.parameters import CoreParameters
from market.fastpath.specification import EngineSizes
from tests.hdl.decision.ports import Ports, simulate


async def strobe(ports: Ports, name: str) -> None:
    ports.set(name, 1)
    await ports.tick()
    ports.set(name, 0)


@pytest.mark.parametrize("venues", [2, 3, 4, 5])
def test_every_other_venue_comes_in_turn_and_the_first_one_again(venues: int) -> None:
    async def test(ports: Ports) -> None:
        for own in range(venues):
            ports.set("address__venue", own)
            await strobe(ports, "address__take")
            others = [venue for venue in range(venues) if venue != own]
            for venue in [*others, *others]:
                assert ports.get("venue") == venue
                assert ports.get("here") == 1 << venue
                assert ports.get("first") == (own < venue)
                await strobe(ports, "turn")
            assert [ports.get(f"numbers__{place}") for place in range(len(others))] == others

    simulate(Scan(CoreParameters(EngineSizes(venues=venues, instruments=1))), test)


def test_it_begins_again_when_told() -> None:
    async def test(ports: Ports) -> None:
        for own, first in ((0, 1), (2, 0)):
            ports.set("address__venue", own)
            await strobe(ports, "address__take")
            ports.set("selected", 4)
            await strobe(ports, "select")
            await strobe(ports, "restart")
            for venue in [venue for venue in range(4) if venue != own]:
                assert (ports.get("venue"), ports.get("here")) == (venue, 1 << venue)
                assert ports.get("first") == (own < venue)
                await strobe(ports, "turn")
            assert ports.get("venue") == first

    simulate(Scan(CoreParameters(EngineSizes(venues=4, instruments=1))), test)


def test_a_chosen_venue_is_named_before_and_stays() -> None:
    async def test(ports: Ports) -> None:
        ports.set("address__venue", 1)
        await strobe(ports, "address__take")
        for place, venue in enumerate((0, 2, 3)):
            ports.set("selected", 1 << place)
            assert ports.get("chosen") == venue
            await strobe(ports, "select")
            await ports.tick()
            assert (ports.get("venue"), ports.get("own")) == (venue, 1)

    simulate(Scan(CoreParameters(EngineSizes(venues=4, instruments=1))), test)
