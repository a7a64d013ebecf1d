"""A whole loop from settings: armed, fed with datagrams, controlled by its own process or by another."""

from __future__ import annotations

from functools import partial

import pytest

from config.errors import SettingsError
from config.loading import load_settings
from market.errors import Fatal, MissingInput, Retry
from market.fastpath import state
from market.fastpath.engine import CpuEngine
from market.fastpath.layout import SCHEMA
from market.fastpath.specification import Result, StepKind
from market.wire.sbe import decode
from orchestrator.engine.tables import control_messages, engine_sizes
from orchestrator.loop.channels import channel_rows
from orchestrator.loop.service import ReceiveLoop, open_loop
from orchestrator.loop.sockets import endpoint_of
from orchestrator.loop.statistics import loop_result
from tests.market.receive.bench import wait_until
from tests.orchestrator.loop.rig import RemoteHost, bound, open_rig


def follow(log: list[bytes], engine: CpuEngine) -> None:
    """Feed an engine with a log of steps."""
    for record in log:
        step = decode(SCHEMA, record).values
        if step["kind"] == StepKind.CONTROL:
            engine.control(bytes(step["payload"]), step["time"])
        else:
            engine.push_datagram(bytes(step["payload"]), step["channel"], step["time"])


def served(loop: ReceiveLoop, quotes: int) -> bool:
    """Serve a little; whether the engine has had so many quotes."""
    loop.serve(0.001)
    return loop.engine.counters["quoteEvents"] >= quotes


@pytest.mark.parametrize("wait", ["busy", "sleep"])
def test_market_data_goes_in_and_the_triggers_of_a_cpu_engine_come_out(wait: str) -> None:
    log: list[bytes] = []
    with open_rig(wait=wait) as rig:
        with open_loop(rig.settings, log.extend) as loop:
            loop.start()
            triggers = []
            for sequence in range(1, 9):
                rig.quote("btc-usdm", sequence, 61_599, 61_600)
                rig.quote("btc-spot", sequence, 61_600, 61_601)
                wait_until(partial(served, loop, 3 * sequence - 1))
                rig.quote("btc-spot", sequence + 1_000_000 * sequence, 61_900, 61_901)
                wait_until(partial(served, loop, 3 * sequence))
            loop.stop()
            result = loop_result(loop)
            parity = loop.engine.parity
        triggers = [rig.gateway.recv(2_048) for _ in range(result["loop"]["triggers_sent"])]
        follower = CpuEngine(engine_sizes(rig.settings))
        follow(log, follower)
    made = [output for output in follower.outputs() if decode(SCHEMA, output).name == "Trigger"]
    assert made == triggers
    assert len(triggers) >= 1
    assert follower.parity == parity
    assert result["triggers"]["ARB"] == len(triggers)
    assert result["frames"]["messages"] == 24
    assert result["channels"]["btc-usdm"]["datagrams"] == 8
    assert result["latency_ns"]["from_kernel"]["p50"] >= result["latency_ns"]["from_entry"]["p50"] > 0


def test_another_process_can_be_the_host() -> None:
    with open_rig(own_host=False) as rig, open_loop(rig.settings) as loop:
        loop.start()
        control = endpoint_of(loop.sockets.control)
        host = RemoteHost(rig.host, (str(control.address), control.port))
        assert host.send("Hello", epoch=3)["result"] == Result.APPLIED
        rows = control_messages(rig.settings, first_sequence=2)
        rows += channel_rows(rig.settings, first_sequence=2 + len(rows))
        assert all(host.send_bytes(row)["result"] == Result.APPLIED for row in rows)
        host.send("Heartbeat")
        assert host.send("Rearm", statusNumber=host.wait_for("Status")["number"])["result"] == Result.APPLIED
        rig.quote("btc-usdm", 1, 61_599, 61_600)
        host.status_after(1)
        rig.quote("btc-spot", 1, 61_900, 61_901)
        trigger = rig.trigger()
        assert (trigger.name, trigger.fields["epoch"]) == ("Trigger", 3)
        assert (trigger.fields["firstVenue"], trigger.fields["secondVenue"]) == (0, 1)
        assert host.send("Kill")["result"] == Result.APPLIED
        loop.serve(0)


def test_control_of_a_stranger_is_not_obeyed() -> None:
    with open_rig(own_host=False) as rig, open_loop(rig.settings) as loop, bound() as stranger:
        loop.start()
        control = endpoint_of(loop.sockets.control)
        to = (str(control.address), control.port)
        stranger.sendto(bytes(32), to)
        host = RemoteHost(rig.host, to)
        host.send("StatusRequest")
        assert loop_result(loop)["loop"]["foreign_control"] == 1


def test_without_channels_there_is_nothing_to_receive() -> None:
    settings = load_settings("demo")
    bare = settings.model_copy(update={"loop": settings.loop.model_copy(update={"channels": {}})})
    with pytest.raises(SettingsError, match=r"loop\.channels is empty"), open_loop(bare):
        pass


def test_only_the_cpu_engine_has_a_receive_loop() -> None:
    settings = load_settings("demo", environment={"TICKWIRE__ENGINE__BACK_END": "fpga"})
    with pytest.raises(SettingsError, match="must be cpu"), open_loop(settings):
        pass


def test_a_port_in_use_closes_what_was_opened_before() -> None:
    with open_rig() as rig:
        with bound() as other:
            taken = load_settings(
                "demo",
                environment={**rig.environment, "TICKWIRE__LOOP__CHANNELS__ETH_CM__PORT": str(other.getsockname()[1])},
            )
            with pytest.raises(Retry, match="in use"), open_loop(taken):
                pass
        with open_loop(rig.settings):
            pass


def test_a_core_that_is_not_there_ends_the_start() -> None:
    with open_rig(core=4_000) as rig, open_loop(rig.settings) as loop, pytest.raises(MissingInput, match="core 4000"):
        loop.start()


def test_tables_that_the_engine_refuses_end_the_start() -> None:
    with open_rig() as rig, open_loop(rig.settings) as loop:
        loop.engine.state[state.VENUES] = 1
        with pytest.raises(Fatal, match="did not apply VenueRow"):
            loop.start()


def test_the_error_of_a_log_sink_ends_serving() -> None:
    def sink(messages: list[bytes]) -> None:
        if len(messages) < 10:
            raise OSError(28, "No space left on device")

    def run(loop: ReceiveLoop) -> None:
        loop.start()
        while True:
            loop.serve(0.001)

    with open_rig() as rig, pytest.raises(OSError, match="No space left"), open_loop(rig.settings, sink) as loop:
        run(loop)
