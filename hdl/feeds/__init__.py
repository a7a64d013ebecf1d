"""Feeds in hardware, one component each: from the payload of a datagram to its events and the verdict on it."""
