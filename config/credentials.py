"""Secrets: from the environment only, never in a file of settings and never shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, SecretStr

BINANCE_API_KEY: Final = "BINANCE_API_KEY"
BINANCE_API_SECRET: Final = "BINANCE_API_SECRET"
BINANCE_SBE_API_KEY: Final = "BINANCE_SBE_API_KEY"
BOARD_KEY: Final = "TICKWIRE_BOARD_KEY"


class Credentials(BaseModel):
    """Keys of venues and of a board; absent ones are None. Printing one shows asterisks.

    Parameters
    ----------
    binance_sbe_api_key: the name of an Ed25519 key, which SBE streams ask for; nothing is signed with it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    binance_api_key: SecretStr | None = None
    binance_api_secret: SecretStr | None = None
    binance_sbe_api_key: SecretStr | None = None
    board_key: SecretStr | None = None


def read_credentials(environment: Mapping[str, str]) -> Credentials:
    """The keys that the environment holds; an empty variable counts as absent."""

    def secret(name: str) -> SecretStr | None:
        text = environment.get(name, "").strip()
        return SecretStr(text) if text else None

    return Credentials(
        binance_api_key=secret(BINANCE_API_KEY),
        binance_api_secret=secret(BINANCE_API_SECRET),
        binance_sbe_api_key=secret(BINANCE_SBE_API_KEY),
        board_key=secret(BOARD_KEY),
    )


def as_environment(credentials: Credentials) -> dict[str, str]:
    """The keys for orders as variables, for a process of ours; absent ones are left out."""
    keys = {BINANCE_API_KEY: credentials.binance_api_key, BINANCE_API_SECRET: credentials.binance_api_secret}
    return {name: key.get_secret_value() for name, key in keys.items() if key is not None}
