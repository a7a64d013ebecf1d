"""Accounts and the money in them; every movement has an entry in the ledger.

Money moves between accounts only: what one gets, another gives. Only deposits and withdrawals come from outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from market.errors import Fatal
from sim.exchange.venue.events import BalanceChanged, VenueEvent
from sim.exchange.venue.kinds import LedgerReason
from sim.exchange.venue.model import BACKGROUND, HOUSE, AccountModel, VenueModel
from sim.exchange.venue.records import AssetBalance, LedgerEntry
from sim.exchange.venue.refusals import unknown_account

HOUSE_OWNER: Final = 0
BACKGROUND_OWNER: Final = 1


class Account:
    """One account's money.

    Attributes
    ----------
    owner: its number in the matching engine. free, locked: money units by asset.
    entries: its part of the ledger. is_quiet: of the house or of nobody: its updates are told to no one.
    """

    __slots__ = ("entries", "free", "is_quiet", "locked", "maker_ppb", "name", "owner", "taker_ppb", "updated_ns")

    def __init__(self, name: str, owner: int, maker_ppb: int, taker_ppb: int) -> None:
        self.name = name
        self.owner = owner
        self.maker_ppb = maker_ppb
        self.taker_ppb = taker_ppb
        self.free: dict[str, int] = {}
        self.locked: dict[str, int] = {}
        self.entries: list[LedgerEntry] = []
        self.is_quiet = owner in (HOUSE_OWNER, BACKGROUND_OWNER)
        self.updated_ns = 0

    def total(self, asset: str) -> int:
        """Free and locked."""
        return self.free.get(asset, 0) + self.locked.get(asset, 0)

    def balance(self, asset: str) -> AssetBalance:
        """One balance."""
        return AssetBalance(asset=asset, free_units=self.free.get(asset, 0), locked_units=self.locked.get(asset, 0))

    def balances(self) -> tuple[AssetBalance, ...]:
        """All balances, by name of asset."""
        return tuple(self.balance(asset) for asset in sorted(self.free.keys() | self.locked.keys()))


class Accounts:
    """All accounts of a venue; see the module."""

    def __init__(self, model: VenueModel) -> None:
        self._model = model
        self._by_name: dict[str, Account] = {}
        self._by_owner: list[Account] = []
        self._numbers = 0
        self._brought_in: dict[str, int] = {}
        self._changed: dict[tuple[str, str], LedgerReason] = {}
        for account in (AccountModel(account=HOUSE), AccountModel(account=BACKGROUND), *model.accounts):
            self.open(account, model.start_ns)
        self.house = self._by_name[HOUSE]
        self.background = self._by_name[BACKGROUND]
        self._changed.clear()

    def open(self, model: AccountModel, now_ns: int) -> None:
        """Add an account with its first deposits; raises Fatal if there is one of this name."""
        if model.account in self._by_name:
            raise Fatal(f"venue {self._model.name} has an account {model.account!r} already")
        free_of_charge = model.account in (HOUSE, BACKGROUND)
        maker = self._model.maker_ppb if model.maker_ppb is None else model.maker_ppb
        taker = self._model.taker_ppb if model.taker_ppb is None else model.taker_ppb
        account = Account(
            model.account, len(self._by_owner), 0 if free_of_charge else maker, 0 if free_of_charge else taker
        )
        self._by_name[model.account] = account
        self._by_owner.append(account)
        for asset, units in model.balances.items():
            self.bring_in(account, asset, units, now_ns)

    def named(self, name: str) -> Account:
        """An account; raises VenueRefusal if there is none."""
        account = self._by_name.get(name)
        if account is None:
            raise unknown_account(name)
        return account

    def of_owner(self, owner: int) -> Account:
        """The account of a number in the matching engine."""
        return self._by_owner[owner]

    def __iter__(self) -> Iterator[Account]:
        return iter(self._by_owner)

    def bring_in(self, account: Account, asset: str, units: int, now_ns: int) -> None:
        """A deposit, or with a negative amount a withdrawal."""
        self._brought_in[asset] = self._brought_in.get(asset, 0) + units
        reason = LedgerReason.DEPOSIT if units >= 0 else LedgerReason.WITHDRAW
        self.add(account, asset, units, reason, now_ns)

    def add(
        self,
        account: Account,
        asset: str,
        units: int,
        reason: LedgerReason,
        now_ns: int,
        symbol: str = "",
        reference: int = 0,
    ) -> None:
        """Change what is free; the caller sees to it that somebody else has the opposite change."""
        account.free[asset] = account.free.get(asset, 0) + units
        if account.owner == BACKGROUND_OWNER or units == 0:
            return
        self._numbers += 1
        account.updated_ns = now_ns
        self._changed[account.name, asset] = reason
        account.entries.append(
            LedgerEntry(
                number=self._numbers,
                account=account.name,
                asset=asset,
                units=units,
                reason=reason,
                symbol=symbol,
                reference=reference,
                time_ns=now_ns,
            )
        )

    def lock(self, account: Account, asset: str, units: int) -> None:
        """Bind free money to working orders, or with a negative amount set it free."""
        if units:
            account.free[asset] = account.free.get(asset, 0) - units
            account.locked[asset] = account.locked.get(asset, 0) + units
            self._changed.setdefault((account.name, asset), LedgerReason.TRADE)

    def ledger(self, account: Account, from_number: int) -> Sequence[LedgerEntry]:
        """Entries from a number on."""
        low, high = 0, len(account.entries)
        while low < high:
            middle = (low + high) // 2
            if account.entries[middle].number < from_number:
                low = middle + 1
            else:
                high = middle
        return tuple(account.entries[low:])

    def held(self, asset: str) -> int:
        """What all accounts hold together, minus what was brought in."""
        return sum(account.total(asset) for account in self._by_owner) - self._brought_in.get(asset, 0)

    def assets(self) -> list[str]:
        """Every asset that somebody had."""
        return sorted({asset for account in self._by_owner for asset in account.free})

    def tell_changes(self, out: list[VenueEvent], now_ns: int, delta_units: int = 0) -> None:
        """Append an event for each account whose balances changed since the last time."""
        if not self._changed:
            return
        by_account: dict[str, dict[str, LedgerReason]] = {}
        for (name, asset), reason in self._changed.items():
            by_account.setdefault(name, {})[asset] = reason
        self._changed.clear()
        for name, assets in by_account.items():
            account = self._by_name[name]
            if not account.is_quiet:
                out.append(
                    BalanceChanged(
                        account=name,
                        reason=list(assets.values())[-1],
                        balances=tuple(account.balance(asset) for asset in assets),
                        delta_units=delta_units,
                        time_ns=now_ns,
                    )
                )
