"""What a feed says about a datagram that it has checked."""

from __future__ import annotations

from typing import Final

BAD: Final = 0
"""The datagram is dropped as BAD_MESSAGE."""
GOOD: Final = 1
"""The datagram is a step; ``apply`` makes its events."""
SKIPPED: Final = 2
"""The datagram is a step without events: a message of the feed that the fast loop does not read."""
OLD: Final = 3
"""The datagram is dropped as DUPLICATE: its line has had all of it."""
