"""Frames to the host: whole and right, spoiled where they must be, triggers before the log."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest

pytest.importorskip("amaranth", reason="the fpga extra is not installed: make test installs it")

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

from hdl.egress.egress import Egress, lead_cycles
from hdl.parameters import CoreParameters
from hdl.toolchain.verilog import verilog_of
from market.fastpath import layout
from market.wire.sbe import encode
from tests.hdl.egress.egress_bench import SETTINGS, EgressBench, Sent

BUSES = pytest.mark.parametrize("bus_bytes", [1, 8])
NARROW, WIDE = (CoreParameters(bus_bytes=bus_bytes) for bus_bytes in (1, 8))
SLOW, FAST, COMPACT = (
    CoreParameters(bus_bytes=8, paced=True, beat_cycles=cycles, compact=is_compact)
    for cycles, is_compact in ((3, False), (6, False), (3, True))
)
PACED = pytest.mark.parametrize("paced", [SLOW, FAST], ids=["3 cycles", "6 cycles"])
HEADERS = 42


def message(name: str, seed: int = 0) -> bytes:
    """A message with the header of its kind and any content."""
    sizes = {"Trigger": layout.TRIGGER_SIZE, "Status": layout.STATUS_SIZE, "Acknowledge": layout.ACKNOWLEDGE_SIZE}
    size = sizes[name]
    header = {
        "Trigger": layout.TRIGGER_HEADER,
        "Status": layout.STATUS_HEADER,
        "Acknowledge": layout.ACKNOWLEDGE_HEADER,
    }[name]
    return header.to_bytes(8, "little") + random.Random(seed).randbytes(size - 8)


def log_step(number: int, length: int) -> bytes:
    payload = random.Random(number).randbytes(length)
    fields = {"number": number, "time": 5, "kind": 1, "channel": 3, "payload": payload}
    return encode(layout.SCHEMA, "LogStep", fields)


def filled(messages: Iterable[bytes]) -> bytes:
    return b"".join(octets + bytes(-len(octets) % 8) for octets in messages)


def payload_of(sent: Sent, port: str) -> bytes:
    """The UDP payload of a good frame to that port, after a look at every header by another reader."""
    assert sent.is_good
    assert not sent.error
    packet = Ether(sent.octets[:-4])
    assert (packet.src, packet.dst, packet.type) == ("02:00:00:00:00:11", "02:00:00:00:00:22", 0x0800)
    assert (packet[IP].src, packet[IP].dst, packet[IP].proto) == ("192.168.10.1", "192.168.10.254", 17)
    assert (packet[IP].len, packet[IP].flags, packet[IP].frag) == (len(sent.octets) - 18, "DF", 0)
    assert (packet[UDP].sport, packet[UDP].dport) == (SETTINGS["source_port"], SETTINGS[port])
    assert (packet[UDP].len, packet[UDP].chksum) == (packet[IP].len - 20, 0)
    said = packet[IP].chksum
    del packet[IP].chksum
    assert Ether(bytes(packet))[IP].chksum == said
    assert len(sent.octets) >= 64
    return sent.octets[HEADERS:-4]


def messages_of(sent: Iterable[Sent]) -> list[bytes]:
    return [payload_of(frame, "message_port") for frame in sent]


@BUSES
def test_it_becomes_verilog(bus_bytes: int) -> None:
    assert "module egress" in verilog_of(Egress(CoreParameters(bus_bytes=bus_bytes)), "egress")


@BUSES
def test_each_message_has_a_datagram_of_its_own(bus_bytes: int) -> None:
    messages = [message(name, seed) for seed, name in enumerate(("Acknowledge", "Status", "Trigger", "Trigger"))]
    bench = EgressBench(CoreParameters(bus_bytes=bus_bytes), words_at=[(0, octets) for octets in messages])
    assert messages_of(bench.run()) == messages


@BUSES
def test_a_receiver_that_pauses_changes_nothing(bus_bytes: int) -> None:
    messages = [message("Trigger", 1), message("Acknowledge", 2)]
    steps = [log_step(1, 50), log_step(2, 3)]
    generator = random.Random(5)
    pattern = [generator.random() < 0.4 for _ in range(6_000)]
    bench = EgressBench(
        CoreParameters(bus_bytes=bus_bytes),
        words_at=[(30 * number, octets) for number, octets in enumerate(messages)],
        log_at=[(900, octets) for octets in steps],
        pauses=pattern.__getitem__,
    )
    *sent, log = bench.run()
    assert messages_of(sent) == messages
    assert payload_of(log, "log_port") == filled(steps)


def test_a_trigger_leaves_before_its_words_are_there() -> None:
    trigger = message("Trigger")
    bench = EgressBench(NARROW, words_at=[(25, trigger)], early={3})
    (sent,) = bench.run()
    assert payload_of(sent, "message_port") == trigger
    assert sent.first_cycle == 4


def test_words_may_come_as_late_as_the_headers_last_byte() -> None:
    trigger = message("Trigger")
    # a byte is chosen in the cycle before it leaves, from a word that came three cycles before
    latest = 4 + HEADERS - 4
    on_time = EgressBench(NARROW, words_at=[(latest, trigger)], early={3}).run()
    assert messages_of(on_time) == [trigger]
    spoiled, repeated = EgressBench(NARROW, words_at=[(latest + 1, trigger)], early={3}).run()
    assert not spoiled.is_good
    assert spoiled.error
    assert len(spoiled.octets) == HEADERS + 4
    assert messages_of([repeated]) == [trigger]


def test_a_word_that_misses_its_place_spoils_the_frame_and_it_is_sent_again_whole() -> None:
    trigger = message("Trigger")
    bench = EgressBench(NARROW, words_at=[(25, trigger)], early={3}, holds={(0, 11): 300})
    spoiled, repeated = bench.run()
    assert not spoiled.is_good
    assert spoiled.octets[HEADERS:-4] == trigger[: 8 * 11]
    assert messages_of([repeated]) == [trigger]
    assert repeated.first_cycle > 300


@pytest.mark.parametrize("after", [0, 1, 2, 20, 41, 60])
def test_an_aborted_trigger_is_a_frame_with_a_bad_check_sequence(after: int) -> None:
    bench = EgressBench(NARROW, early={3}, abort={3 + after})
    sent = bench.run()
    assert [frame.is_good for frame in sent] == [False]
    assert len(sent[0].octets) == min(after + 2, HEADERS) + 4


def test_what_follows_an_aborted_trigger_is_whole() -> None:
    first, second = message("Trigger", 1), message("Acknowledge", 2)
    bench = EgressBench(NARROW, words_at=[(70, first), (300, second)], early={3, 60}, abort={12})
    spoiled, *sent = bench.run()
    assert not spoiled.is_good
    assert messages_of(sent) == [first, second]


def test_another_message_before_the_trigger_is_sent_before_it() -> None:
    status, trigger = message("Status"), message("Trigger")
    bench = EgressBench(NARROW, words_at=[(20, status), (20, trigger)], early={3})
    spoiled, *sent = bench.run()
    assert not spoiled.is_good
    assert messages_of(sent) == [status, trigger]


def test_an_abort_leaves_a_frame_alone_that_has_its_trigger() -> None:
    trigger = message("Trigger")
    bench = EgressBench(NARROW, words_at=[(20, trigger)], early={3, 50}, abort={60})
    assert messages_of(bench.run()) == [trigger]


@PACED
def test_a_paced_core_s_trigger_leaves_before_its_words_are_there(paced: CoreParameters) -> None:
    trigger = message("Trigger")
    (sent,) = EgressBench(paced, words_at=[(16, trigger)], early={3}).run()
    assert payload_of(sent, "message_port") == trigger
    assert sent.first_cycle == 3 + lead_cycles(paced) + 1
    beats = -(-len(sent.octets) // 8)
    assert sent.last_cycle - sent.first_cycle == (beats - 1) * paced.beat_cycles


@PACED
def test_a_paced_core_s_words_may_come_as_late_as_the_headers_last_beat(paced: CoreParameters) -> None:
    trigger = message("Trigger")
    # a beat is chosen in the cycle before it leaves, from a word that came three cycles before
    latest = 3 + lead_cycles(paced) + HEADERS // 8 * paced.beat_cycles - 3
    assert messages_of(EgressBench(paced, words_at=[(latest, trigger)], early={3}).run()) == [trigger]
    spoiled, repeated = EgressBench(paced, words_at=[(latest + 1, trigger)], early={3}).run()
    assert spoiled.error
    assert messages_of([repeated]) == [trigger]


def slow_words(trigger: bytes, from_cycle: int) -> dict[tuple[int, int], int]:
    """As a compact core has them: four cycles apart."""
    return {(0, number): from_cycle + 4 * number for number in range(len(trigger) // 8)}


@pytest.mark.parametrize(("first_word", "first_cycle"), [(14, 3 + lead_cycles(COMPACT) + 1), (17, 17 + 4)])
def test_a_compact_core_s_trigger_leaves_while_its_words_come(first_word: int, first_cycle: int) -> None:
    trigger = message("Trigger")
    plans: dict[str, Any] = {"words_at": [(first_word, trigger)], "holds": slow_words(trigger, first_word)}
    (sent,) = EgressBench(COMPACT, early={3}, **plans).run()
    assert messages_of([sent]) == [trigger]
    assert sent.first_cycle == first_cycle
    (unannounced,) = EgressBench(COMPACT, **plans).run()
    assert messages_of([unannounced]) == [trigger]
    assert unannounced.first_cycle > max(plans["holds"].values())


def test_a_trigger_that_nobody_announced_does_not_leave_in_the_place_of_one_that_was_called_off() -> None:
    trigger = message("Trigger")
    words: dict[str, Any] = {"words_at": [(14, trigger)], "holds": slow_words(trigger, 14)}
    (sent,) = EgressBench(COMPACT, early={3}, abort={8}, **words).run()
    assert messages_of([sent]) == [trigger]
    assert sent.first_cycle > 14 + 4 * (len(trigger) // 8 - 1)


@PACED
def test_a_paced_core_s_trigger_that_is_called_off_soon_was_never_sent(paced: CoreParameters) -> None:
    step = log_step(1, 5)
    for after in range(lead_cycles(paced)):
        (log,) = EgressBench(paced, early={3}, abort={3 + after}, log_at=[(40, step)]).run()
        assert payload_of(log, "log_port") == filled([step])


@PACED
@pytest.mark.parametrize("behind_lead", [0, 1, 5, 13])
def test_a_paced_core_s_trigger_that_is_called_off_later_has_a_bad_check_sequence(
    paced: CoreParameters, behind_lead: int
) -> None:
    after = lead_cycles(paced) + behind_lead
    (sent,) = EgressBench(paced, early={3}, abort={3 + after}).run()
    assert not sent.is_good
    assert sent.error
    assert sent.last_cycle <= 3 + after + 3 + paced.beat_cycles


def test_a_paced_core_s_line_pauses_as_it_likes() -> None:
    messages, steps = [message("Trigger", 1), message("Status", 2)], [log_step(1, 300)]
    generator = random.Random(9)
    pattern = [generator.random() < 0.7 for _ in range(6_000)]
    bench = EgressBench(
        SLOW,
        words_at=[(16, messages[0]), (90, messages[1])],
        log_at=[(600, steps[0])],
        early={3},
        pauses=pattern.__getitem__,
    )
    *sent, log = bench.run()
    assert messages_of(sent) == messages
    assert payload_of(log, "log_port") == filled(steps)


@BUSES
def test_the_log_is_sent_in_batches_of_whole_messages(bus_bytes: int) -> None:
    steps = [log_step(number, length) for number, length in enumerate((60, 700, 590, 1_200, 9, 0))]
    sent = EgressBench(CoreParameters(bus_bytes=bus_bytes), log_at=[(0, octets) for octets in steps]).run()
    payloads = [payload_of(frame, "log_port") for frame in sent]
    assert payloads == [filled(steps[:3]), filled(steps[3:])]
    assert all(len(payload) <= 1_472 for payload in payloads)


@BUSES
def test_a_message_too_long_for_a_batch_goes_alone(bus_bytes: int) -> None:
    steps = [log_step(1, 20), log_step(2, 1_472), log_step(3, 30)]
    sent = EgressBench(CoreParameters(bus_bytes=bus_bytes), log_at=[(0, octets) for octets in steps]).run()
    assert [payload_of(frame, "log_port") for frame in sent] == [filled([step]) for step in steps]


@BUSES
def test_a_step_that_has_nothing_behind_it_is_sent_at_once(bus_bytes: int) -> None:
    steps = [log_step(1, 20), log_step(2, 5)]
    bench = EgressBench(CoreParameters(bus_bytes=bus_bytes), log_at=[(0, steps[0]), (500, steps[1])])
    sent = bench.run()
    assert [payload_of(frame, "log_port") for frame in sent] == [filled([step]) for step in steps]
    assert sent[0].first_cycle < len(steps[0]) + 10


@BUSES
def test_a_trigger_takes_the_line_from_the_log(bus_bytes: int) -> None:
    step, trigger = log_step(1, 400), message("Trigger")
    early = 500 if bus_bytes == 1 else 455
    bench = EgressBench(
        CoreParameters(bus_bytes=bus_bytes), words_at=[(early + 8, trigger)], log_at=[(0, step)], early={early}
    )
    spoiled, first, second = bench.run()
    assert not spoiled.is_good
    assert spoiled.error
    assert spoiled.first_cycle < early < spoiled.last_cycle < early + 8
    assert messages_of([first]) == [trigger]
    assert payload_of(second, "log_port") == filled([step])


@BUSES
def test_the_log_waits_for_nothing_after_an_abort(bus_bytes: int) -> None:
    step = log_step(1, 400)
    early = 500 if bus_bytes == 1 else 455
    bench = EgressBench(CoreParameters(bus_bytes=bus_bytes), log_at=[(0, step)], early={early}, abort={early + 5})
    *spoiled, last = bench.run()
    assert spoiled
    assert not any(frame.is_good for frame in spoiled)
    assert payload_of(last, "log_port") == filled([step])


@BUSES
def test_other_messages_wait_for_the_log(bus_bytes: int) -> None:
    step, acknowledge = log_step(1, 400), message("Acknowledge")
    bench = EgressBench(CoreParameters(bus_bytes=bus_bytes), words_at=[(450, acknowledge)], log_at=[(0, step)])
    log, other = bench.run()
    assert payload_of(log, "log_port") == filled([step])
    assert messages_of([other]) == [acknowledge]


def random_bench(parameters: CoreParameters, seed: int, messages: int) -> tuple[EgressBench, list[bytes], list[bytes]]:
    """Triggers announced or not, called off or not, among other messages and a busy log."""
    generator = random.Random(seed)
    bench = EgressBench(parameters)
    cycle = 20
    for number in range(messages):
        cycle += generator.randrange(20, 200)
        kind = generator.choice(("Trigger", "Trigger", "Trigger", "Acknowledge", "Status"))
        if kind == "Trigger":
            bench.early.add(cycle)
            cycle += generator.randrange(60)
            if generator.random() < 0.4:
                bench.abort.add(cycle)
                continue
        bench.words_at.append((cycle, message(kind, number)))
        if generator.random() < 0.3:
            bench.holds[len(bench.words_at) - 1, generator.randrange(5)] = cycle + generator.randrange(80)
    at = 0
    for number in range(2 * messages):
        at += generator.randrange(150)
        bench.log_at.append((at, log_step(number, generator.randrange(120))))
    pattern = [generator.random() < 0.1 for _ in range(100_000)]
    bench.pauses = pattern.__getitem__
    return bench, [octets for _, octets in bench.words_at], [octets for _, octets in bench.log_at]


def check_random(parameters: CoreParameters, seed: int, count: int) -> None:
    bench, messages, steps = random_bench(parameters, seed, count)
    sent = bench.run(limit=1_000 * count)
    good = [frame for frame in sent if frame.is_good]
    assert all(frame.error != frame.is_good for frame in sent)
    log_port = SETTINGS["log_port"]
    logs = [frame for frame in good if Ether(frame.octets)[UDP].dport == log_port]
    assert messages_of(frame for frame in good if frame not in logs) == messages
    assert b"".join(payload_of(frame, "log_port") for frame in logs) == filled(steps)


@BUSES
def test_every_message_arrives_once_and_in_order(bus_bytes: int) -> None:
    check_random(CoreParameters(bus_bytes=bus_bytes), seed=1, count=12)


@pytest.mark.parametrize("paced", [SLOW, FAST, COMPACT], ids=["3 cycles", "6 cycles", "compact"])
def test_every_message_of_a_paced_core_arrives_once_and_in_order(paced: CoreParameters) -> None:
    for seed in range(2):
        check_random(paced, seed, count=12)


@pytest.mark.long
@BUSES
@pytest.mark.parametrize("seed", range(2, 4))
def test_every_message_arrives_once_and_in_order_for_long(bus_bytes: int, seed: int) -> None:
    check_random(CoreParameters(bus_bytes=bus_bytes), seed, count=40)
