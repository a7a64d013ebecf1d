"""The errors of Tickwire, grouped by what the caller must do.

TickwireError
├── Fatal      stop: settings, a missing component, a broken invariant
├── Rejected   this input or order is refused; go on with the next
├── Retry      the same call may succeed later; try again with back-off
└── DataGap    something is missing from a stream; resynchronise it
"""

from __future__ import annotations


class TickwireError(Exception):
    """Root of the tree; never raised itself."""


class Fatal(TickwireError):
    """The caller must stop: nothing that it can do will make this work."""


class Rejected(TickwireError):
    """One input was refused and changed nothing; the caller goes on."""


class Retry(TickwireError):
    """A passing fault; the caller may repeat the call after a back-off."""


class DataGap(TickwireError):
    """A stream lost messages; the caller must resynchronise it."""


class MissingInput(Fatal):
    """A file, device or peer that the call needs is absent or unusable."""


class MissingExtra(Fatal):
    """An optional dependency is not installed; the text names the extra."""
