"""Every message of the recorded venue captures decodes completely and encodes to the same bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import tests.market.wire.sbe
from market.wire.sbe import DecodedPacket, Schema, decode_packet, load_schema, reencode
from market.wire.schemas import COINBASE_DERIVATIVES, DERIBIT_MULTICAST
from sim.capture import read_datagrams

CME = Path(tests.market.wire.sbe.__file__).parent / "cme_mdp3.xml"


def exact_packets(schema: Schema, captures: list[Path]) -> Iterator[DecodedPacket]:
    """The decoded packets of capture files, each of which has been encoded again and compared."""
    assert captures
    for capture in captures:
        for datagram in read_datagrams(capture):
            packet = decode_packet(schema, datagram.payload)
            assert packet.skipped == 0
            assert reencode(schema, packet) == datagram.payload
            yield packet


def message_counts(schema: Schema, captures: list[Path]) -> Counter[str]:
    return Counter(message.name for packet in exact_packets(schema, captures) for message in packet.messages)


def test_deribit_multicast(data: Path) -> None:
    schema = load_schema(DERIBIT_MULTICAST)
    sample = message_counts(schema, [data / "deribit-multicast" / "sample_capture_v1_6.pcapng"])
    instruments = sample.pop("Instrument") + sample.pop("InstrumentV2")
    assert sample.total() == 6392
    assert instruments == 388
    assert sample == {
        "Ticker": 4211,
        "Book": 1064,
        "Trades": 332,
        "PriceIndex": 468,
        "Snapshot": 197,
        "SnapshotStart": 60,
        "SnapshotEnd": 60,
    }


def test_deribit_multicast_has_no_sequence_gap(data: Path) -> None:
    schema = load_schema(DERIBIT_MULTICAST)
    expected: dict[int, int] = {}
    packets = 0
    for packet in exact_packets(schema, [data / "deribit-multicast" / "sample_capture_v1_6.pcapng"]):
        channel, sequence = packet.header["channelId"], packet.header["sequence"]
        assert expected.get(channel, sequence) == sequence
        expected[channel] = sequence + 1
        packets += 1
    assert (packets, len(expected)) == (5066, 29)


def test_deribit_captures_of_single_templates(data: Path) -> None:
    schema = load_schema(DERIBIT_MULTICAST)
    captures = [data / "deribit-multicast" / f"{name}.pcapng" for name in ("combo_legs", "price_index", "rfq")]
    counts = message_counts(schema, captures)
    assert (counts.total(), counts["PriceIndex"], counts["Rfq"], counts["ComboLegs"]) == (1655, 1277, 2, 1)


def test_deribit_book_changes_form_one_chain(data: Path) -> None:
    schema = load_schema(DERIBIT_MULTICAST)
    last: dict[int, int] = {}
    links = 0
    for packet in exact_packets(schema, [data / "deribit-multicast" / "sample_capture_v1_6.pcapng"]):
        for message in packet.messages:
            if message.name == "Book":
                instrument = message.fields["instrumentId"]
                assert last.get(instrument, message.fields["prevChangeId"]) == message.fields["prevChangeId"]
                last[instrument] = message.fields["changeId"]
                links += 1
    assert links == 1064


def test_coinbase_derivatives(data: Path) -> None:
    captures = sorted((data / "omi" / "Coinbase" / "MarketDataApi.v1.2").glob("*.pcap"))
    counts = message_counts(load_schema(COINBASE_DERIVATIVES), captures)
    assert (len(captures), counts.total()) == (5, 13)


def test_cme_versions_5_8_and_9(data: Path) -> None:
    captures = [
        path for version in "589" for path in sorted((data / "omi/Cme" / f"Mdp3.Sbe.v1.{version}").glob("*.pcap"))
    ]
    counts = message_counts(load_schema(CME), captures)
    assert counts.total() == 33
    assert set(counts) == set(load_schema(CME).messages)
