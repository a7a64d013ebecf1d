"""Order books in logic: numbered lines of packets, the books that follow them, and the events that they make."""
