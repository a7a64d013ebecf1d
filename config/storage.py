"""Settings of storage: the journal that orders are written to, and the database that is made of it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from config.base import Count, Flag, Milliseconds, Section


class Durability(StrEnum):
    """What a journalled order survives."""

    PROCESS = "process"
    """The death of the process, SIGKILL included."""
    FSYNC = "fsync"
    """Power loss as well; each record waits for the disk."""


class StorageSettings(Section):
    """What a session writes down, and where."""

    journal: Path = Field(
        default=Path("out/journal"), description="Folder of the journals, one file per session; for one process."
    )
    durability: Durability = Field(
        default=Durability.PROCESS,
        description="process: an order that is sent is on record even if the process is killed; fsync: even if the "
        "power fails.",
    )
    database_url: str = Field(
        default="sqlite:///out/tickwire.db",
        description="Database that is made of the journals: sqlite:///FILE or postgresql://USER@HOST/NAME, without a "
        "password.",
    )
    batch_records: Annotated[Count, Field(ge=1, le=100_000)] = Field(
        default=2_000, description="Records of the journal that go into the database in one transaction at most."
    )
    batch_every_ms: Annotated[Milliseconds, Field(ge=1)] = Field(
        default=250, description="How often the journal is looked at for records that the database lacks."
    )
    snapshot_every_ms: Annotated[Milliseconds, Field(ge=1)] = Field(
        default=60_000, description="How often the state of components is written down."
    )
    recovery_timeout_ms: Annotated[Milliseconds, Field(ge=1)] = Field(
        default=60_000,
        description="How long a run that follows a crash waits until the venues have said what became of its orders.",
    )
    late_fills_ms: Milliseconds = Field(
        default=60_000,
        description="Orders that ended so shortly before a crash are asked about again: fills may have been missed.",
    )
    remember_orders_ms: Annotated[Milliseconds, Field(ge=1)] = Field(
        default=600_000,
        description="How long an order is held in memory after its end, a tenth longer at most; later it is in the "
        "journal alone, and comes back if anything is heard of it.",
    )
    candles: Flag = Field(
        default=True, description="Whether one-second candles are kept, for the trade journal and post-mortems."
    )

    @model_validator(mode="after")
    def _late_fills_are_remembered(self) -> Self:
        if self.remember_orders_ms < self.late_fills_ms:
            raise ValueError(
                f"remember_orders_ms was {self.remember_orders_ms}: must be at least late_fills_ms, "
                f"{self.late_fills_ms}: the next run asks about these orders"
            )
        return self

    @model_validator(mode="after")
    def _database_url_fits(self) -> Self:
        """A rule of the table, not of the value: texts about a value show it, and this one may hold a secret."""
        url = urlsplit(self.database_url)
        if url.scheme not in ("sqlite", "postgresql"):
            raise ValueError("database_url must begin with sqlite:// or postgresql://")
        if url.password is not None or "password=" in url.query:
            raise ValueError("database_url held a password: must hold none, set PGPASSWORD or use ~/.pgpass")
        return self
