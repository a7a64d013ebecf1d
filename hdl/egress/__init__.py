"""Frames out: messages and the log in datagrams to the host."""
