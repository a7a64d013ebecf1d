"""Capture files: the frames in pcap and pcapng files, and the UDP datagrams inside them."""

from sim.capture.datagram import Datagram, udp_payload
from sim.capture.packet import LinkType, Packet
from sim.capture.reader import read_datagrams, read_packets
from sim.capture.writer import write_pcap

__all__ = ["Datagram", "LinkType", "Packet", "read_datagrams", "read_packets", "udp_payload", "write_pcap"]
