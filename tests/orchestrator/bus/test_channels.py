"""The three channels over real sockets."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest
import zmq

from market.errors import MissingInput, Rejected, Retry
from orchestrator.bus import messages
from orchestrator.bus.envelope import VERSION, command_codec, data_codec, response_codec
from orchestrator.bus.messages import DataMessage, Error, ErrorType, ResponseMessage, StateChange
from orchestrator.bus.publisher import Publisher
from orchestrator.bus.server import CommandServer
from orchestrator.bus.sockets import bind, connect, new_context
from orchestrator.bus.subscriber import Subscriber
from orchestrator.clock import SystemClock
from tests.orchestrator.bus.parts import ANY_PORT, NEW_ORDER, PATIENT_MS, Served, client, refused, served


def change(number: int) -> StateChange:
    return StateChange(subject="guard", timestamp_ns=number, old_state="running", new_state="paused", reason="test")


def publisher(name: str = "run-1", address: str = ANY_PORT, mark: int = 1_000) -> Publisher[DataMessage]:
    return Publisher(data_codec(), name, address, mark)


def subscriber(address: str, *topics: bytes, timeout_ms: int = PATIENT_MS) -> Subscriber[DataMessage]:
    return Subscriber(data_codec(), address, 1_000, timeout_ms, topics or (b"",))


def joined(sender: Publisher[DataMessage], receiver: Subscriber[DataMessage]) -> int:
    """Publish until the subscription has taken effect; returns how many were published."""
    for number in range(1, 10_000):
        sender.publish(change(number))
        if receiver.take(1) is not None:
            return number
    raise AssertionError("the subscription never took effect")


def drained(receiver: Subscriber[DataMessage], last: int) -> list[int]:
    """Times of what is received up to a certain one."""
    seen: list[int] = []
    while not seen or seen[-1] != last:
        message = receiver.receive()
        assert isinstance(message, StateChange)
        seen.append(message.timestamp_ns)
    return seen


def test_what_is_published_arrives_in_order() -> None:
    with publisher() as sender, subscriber(sender.address) as receiver:
        start = joined(sender, receiver) + 1
        for number in range(start, start + 200):
            sender.publish(change(number))
        seen = drained(receiver, start + 199)
        assert seen[-200:] == list(range(start, start + 200))
        assert (receiver.sequences.lost, receiver.undecodable) == (0, 0)


def test_a_subscriber_gets_its_topics_alone() -> None:
    book = messages.OrderBookSnapshot(venue="v", symbol="S", bids=(), asks=(), timestamp_ns=1, last_update_id=1)
    with publisher() as sender, subscriber(sender.address, b"StateChange/") as receiver:
        start = joined(sender, receiver) + 1
        sender.publish(book)
        sender.publish(change(start))
        assert drained(receiver, start)[-1] == start
        assert receiver.sequences.lost == 0


def test_lost_messages_are_noticed() -> None:
    with publisher() as sender, subscriber(sender.address) as receiver:
        start = joined(sender, receiver) + 1
        sender._numbers[b"StateChange/"] += 3
        sender.publish(change(start))
        assert drained(receiver, start)[-1] == start
        assert receiver.sequences.lost == 3


def test_damaged_messages_are_counted_and_passed_over() -> None:
    context = new_context()
    raw = bind(context, zmq.PUB, ANY_PORT, 1_000)
    with subscriber(str(raw.getsockopt_string(zmq.LAST_ENDPOINT))) as receiver:
        good = data_codec().encode(change(1), "run-1", 1)
        while receiver.take(1) is None:
            raw.send_multipart([b"StateChange/", b"\xc1"])
        raw.send(b"one frame")
        raw.send_multipart([b"StateChange/", good])
        assert receiver.receive() == change(1)
        assert receiver.undecodable >= 2
        assert "expected 2" in receiver.problem
    raw.close()
    context.term()


def test_silence_is_an_error_that_names_the_address() -> None:
    with (
        publisher() as sender,
        subscriber(sender.address, timeout_ms=1) as receiver,
        pytest.raises(Retry, match=f"nothing came from {sender.address} within 1 ms"),
    ):
        receiver.receive()


def test_an_address_that_is_taken_is_named() -> None:
    with publisher() as sender, pytest.raises(MissingInput, match=f"cannot use {sender.address}"):
        publisher(address=sender.address).__enter__()


def test_every_command_is_carried_out_and_answered() -> None:
    with served() as small, client(small.settings) as bus:
        status = bus.status()
        assert (status.state, status.equity, status.details) == ("paused", Decimal("9999.5"), {"orders sent": 12})
        assert bus.halt("lunch") == "did halt lunch"
        assert bus.pause("tea") == "did pause tea"
        assert bus.resume() == "did resume"
        assert bus.close_all("home") == "did close home"
        assert [order.client_order_id for order in bus.orders("BTCUSDT")] == ["operator-d1-1-0"]
        assert bus.order("abc").client_order_id == "abc"
        assert bus.positions()[0].quantity == Decimal("-0.02")
        assert bus.place(NEW_ORDER).client_order_id == "operator-d1-1-0"
        assert bus.cancel("abc", "BTCUSDT").client_order_id == "abc"
        assert bus.snapshot("BTCUSDT") == "did snapshot BTCUSDT "
        assert bus.reload() == "did reload"
        assert bus.shut_down() == "did shutdown"
        assert small.run.calls == [
            "report", "halt lunch", "pause tea", "resume", "close home", "orders BTCUSDT", "order abc", "positions",
            "place BTCUSDT 0.01 at 61700.1", "cancel abc BTCUSDT", "snapshot BTCUSDT ", "reload", "shutdown",
        ]  # fmt: skip


@pytest.mark.parametrize(
    "call",
    [
        lambda bus: bus.status(),
        lambda bus: bus.place(NEW_ORDER),
        lambda bus: bus.resume(),
    ],
)
def test_what_the_run_refuses_is_refused_to_the_client_in_its_words(call: Callable[[object], object]) -> None:
    with served() as small, client(small.settings) as bus:
        small.run.refusal = refused()
        with pytest.raises(Rejected, match="the run has other plans"):
            call(bus)
        small.run.refusal = Retry("the run has not started yet")
        with pytest.raises(Retry, match="has not started yet"):
            call(bus)


def test_a_command_that_is_sent_again_has_one_effect_and_the_same_answer() -> None:
    with served() as small, client(small.settings) as bus:
        bus.status()
        data = command_codec().encode(messages.Halt(command_id="h-1", reason="x"), "test", 100)
        bus.send(data)
        first = bus.answer("h-1")
        bus.send(data)
        assert bus.answer("h-1") == first
        assert small.run.calls.count("halt x") == 1
        assert small.server.counts.repeated == 1


def error_for(small: Served, data: bytes, command_id: str) -> Error:
    with client(small.settings, "other") as bus:
        bus.status()
        bus.send(data)
        answer = bus.answer(command_id)
        assert isinstance(answer, Error)
        return answer


def test_commands_that_do_not_decode_are_counted_and_answered() -> None:
    body = {"type": "Halt", "command_id": "bad", "force": True}
    envelope = {"version": VERSION, "publisher": "x", "sequence": 1, "body": body}
    with served() as small:
        answer = error_for(small, msgspec.msgpack.encode(envelope), "bad")
        assert (answer.error_type, "force" in answer.message) == (ErrorType.UNDECODABLE, True)
        later = msgspec.msgpack.encode({**envelope, "version": 2})
        assert error_for(small, later, "").error_type is ErrorType.UNKNOWN_VERSION
        assert error_for(small, b"\xc1\xc1", "").error_type is ErrorType.UNDECODABLE
        assert small.server.counts.undecodable == 3
        assert "halt" not in " ".join(small.run.calls)


def test_lost_commands_are_counted() -> None:
    with served() as small, client(small.settings) as bus:
        bus.status()
        bus._number += 2
        bus.status()
        assert small.server.counts.lost == 2


def test_without_a_run_the_client_says_where_it_asked() -> None:
    with served() as small:
        gone = small.settings
    short = gone.model_copy(update={"response_timeout_ms": 100, "command_timeout_ms": 100})
    with client(short) as bus, pytest.raises(Retry, match=f"within 100 ms to greetings at {gone.command_address}"):
        bus.status()


def test_a_run_that_does_not_answer_is_not_waited_for_long() -> None:
    with served() as small:
        small.silent = True
        short = small.settings.model_copy(update={"response_timeout_ms": 500})
        with (
            client(short) as bus,
            pytest.raises(Retry, match=r"nothing answered at .* within 500 ms to (a command|greetings)"),
        ):
            bus.status()


def test_executions_are_told_to_everybody() -> None:
    execution = messages.OrderExecution(
        client_order_id="a",
        exchange_order_id="7",
        status="filled",
        filled_quantity=Decimal(1),
        price=Decimal(5),
        timestamp_ns=1,
    )
    with served() as small:
        receiver: Subscriber[ResponseMessage] = Subscriber(
            response_codec(), small.server.response_address, 1_000, PATIENT_MS, (b"OrderExecution/",)
        )
        with receiver:
            while receiver.take(1) is None:
                small.server.respond(execution)
        assert receiver.received == 1


def test_two_clients_hear_only_their_own_answers() -> None:
    with served() as small, client(small.settings, "one") as first, client(small.settings, "two") as second:
        assert (first.halt("1"), second.halt("2"), first.halt("3")) == ("did halt 1", "did halt 2", "did halt 3")


def test_bytes_that_are_no_zeromq_do_not_end_the_server() -> None:
    with served() as small:
        context = new_context()
        raw = connect(context, zmq.PUSH, small.server.command_address, 10)
        raw.send_multipart([b"two", b"frames"])
        raw.send(b"")
        raw.close(linger=1_000)
        context.term()
        with client(small.settings) as bus:
            bus.status()
        small.server.check()


def test_a_server_on_a_taken_address_leaves_nothing_behind() -> None:
    with served() as small:
        second = CommandServer(
            command_address=small.server.command_address,
            response_address=ANY_PORT,
            high_water_mark=10,
            name="x",
            clock=SystemClock(),
            wake=lambda: None,
        )
        with pytest.raises(MissingInput, match="is another run using it"):
            second.__enter__()


def test_a_run_that_takes_no_commands_is_not_buried_under_them() -> None:
    with served(high_water_mark=3) as small:
        small.silent = True
        with client(small.settings) as bus:
            bus.greet()
            for number in range(3):
                bus.send(command_codec().encode(messages.Halt(command_id=f"h-{number}"), "test", 10 + number))
            bus.send(command_codec().encode(messages.Halt(command_id="h-9"), "test", 19))
            answer = bus.answer("h-9")
        assert isinstance(answer, Error)
        assert (answer.error_type, "3 commands waited already" in answer.message) == (ErrorType.RETRY, True)
