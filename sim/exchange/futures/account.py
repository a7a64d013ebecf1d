"""Accounts on futures: margin, positions, leverage, income; and what the venue trades."""

from __future__ import annotations

from typing import Final

from sim.exchange import answers
from sim.exchange.answers import ApiError, Json
from sim.exchange.calls import Call
from sim.exchange.futures.written import ONE_WAY, FuturesWriter, Written
from sim.exchange.numbers import eight, ms, quotient, rate
from sim.exchange.symbols import Symbols
from sim.exchange.venue.kinds import LedgerReason
from sim.exchange.venue.model import SymbolModel
from sim.exchange.venue.records import MarginBalance, Position
from sim.exchange.venue.venue import SimulatedVenue

_INCOME_MOST: Final = 1_000
_NOTIONAL_CAP: Final = 1_000_000_000
_NO_MARGIN: Final = MarginBalance(
    asset="",
    wallet_units=0,
    unrealised_units=0,
    position_margin_units=0,
    order_margin_units=0,
    maintenance_margin_units=0,
    available_units=0,
)
_INCOME: Final = {LedgerReason.DEPOSIT: "TRANSFER", LedgerReason.WITHDRAW: "TRANSFER"}


class FuturesAccounts:
    """See the module."""

    def __init__(self, venue: SimulatedVenue, symbols: Symbols, writer: FuturesWriter) -> None:
        self._venue = venue
        self._symbols = symbols
        self._writer = writer
        self._asset = next(iter(symbols)).quote_asset

    def account(self, call: Call) -> Json:
        """Margin, assets, and positions that are not flat."""
        return self._account(call, every_position=False)

    def account_as_before(self, call: Call) -> Json:
        """The second version: all positions, with leverage and entry price."""
        return self._account(call, every_position=True)

    def balance(self, call: Call) -> Json:
        """Wallets."""
        state = self._venue.account(call.account)
        return [
            {
                "accountAlias": call.account,
                "asset": margin.asset,
                "balance": eight(margin.wallet_units),
                "crossWalletBalance": eight(margin.wallet_units),
                "crossUnPnl": eight(margin.unrealised_units),
                "availableBalance": eight(margin.available_units),
                "maxWithdrawAmount": eight(margin.available_units),
                "marginAvailable": True,
                "updateTime": ms(state.updated_ns),
            }
            for margin in state.margins
        ]

    def position_risk(self, call: Call) -> Json:
        """Positions that are not flat."""
        found = self._venue.positions(call.account, self._symbols.optional(call.parameters))
        return [self._writer.position(position, self._asset) for position in found if position.quantity_lots]

    def position_risk_as_before(self, call: Call) -> Json:
        """The second version: all positions, with leverage and margin type."""
        found = self._venue.positions(call.account, self._symbols.optional(call.parameters))
        return [self._position_as_before(position) for position in found]

    def set_leverage(self, call: Call) -> Json:
        """Set the leverage of a symbol."""
        symbol = self._symbols.named(call.parameters).symbol
        leverage = call.parameters.whole("leverage")
        self._venue.set_leverage(call.account, symbol, leverage, call.now_ns)
        return {"symbol": symbol, "leverage": leverage, "maxNotionalValue": str(_NOTIONAL_CAP)}

    def set_margin_type(self, call: Call) -> Json:
        """All margin is crossed, and stays so."""
        self._symbols.named(call.parameters)
        if call.parameters.text("marginType") == "CROSSED":
            raise ApiError(-4046, "No need to change margin type.")
        raise answers.unknown_method()

    def position_mode(self, call: Call) -> Json:
        """Positions are one-way."""
        return {"dualSidePosition": False}

    def set_position_mode(self, call: Call) -> Json:
        """Positions stay one-way."""
        if call.parameters.flag("dualSidePosition"):
            raise answers.unknown_method()
        raise ApiError(-4059, "No need to change position side.")

    def leverage_brackets(self, call: Call) -> Json:
        """Largest leverage and maintenance margin, of one symbol or all."""
        name = self._symbols.optional(call.parameters)
        listed: list[Json] = [_brackets(model) for model in self._symbols if name in ("", model.symbol)]
        return listed[0] if name else listed

    def symbol_configuration(self, call: Call) -> Json:
        """Leverage and margin type, of one symbol or all."""
        found = self._venue.positions(call.account, self._symbols.optional(call.parameters))
        return [
            {
                "symbol": position.symbol,
                "marginType": "CROSSED",
                "isAutoAddMargin": False,
                "leverage": position.leverage,
                "maxNotionalValue": str(_NOTIONAL_CAP),
            }
            for position in found
        ]

    def commission_rate(self, call: Call) -> Json:
        """Commission rates of a symbol."""
        symbol = self._symbols.named(call.parameters).symbol
        state = self._venue.account(call.account)
        return {
            "symbol": symbol,
            "makerCommissionRate": rate(state.maker_ppb),
            "takerCommissionRate": rate(state.taker_ppb),
        }

    def income(self, call: Call) -> Json:
        """Movements of the account's money, oldest first."""
        parameters = call.parameters
        wanted, symbol = parameters.optional("incomeType"), self._symbols.optional(parameters)
        start, limit = parameters.whole("startTime", 0), parameters.limit(100, _INCOME_MOST)
        listed: list[Json] = []
        for entry in self._venue.ledger(call.account):
            kind = _INCOME.get(entry.reason, entry.reason.value)
            if wanted in ("", kind) and symbol in ("", entry.symbol) and ms(entry.time_ns) >= start:
                listed.append(
                    {
                        "symbol": entry.symbol,
                        "incomeType": kind,
                        "income": eight(entry.units),
                        "asset": entry.asset,
                        "info": kind,
                        "time": ms(entry.time_ns),
                        "tranId": entry.number,
                        "tradeId": str(entry.reference) if entry.reference else "",
                    }
                )
        return listed[:limit] if start else listed[-limit:]

    def _account(self, call: Call, *, every_position: bool) -> Json:
        state = self._venue.account(call.account)
        margin = state.margins[0] if state.margins else _NO_MARGIN
        positions: list[Json]
        flags: Written = {}
        if every_position:
            flags = {
                "feeTier": 0,
                "canTrade": True,
                "canDeposit": True,
                "canWithdraw": True,
                "multiAssetsMargin": False,
            }
            positions = [self._listed_as_before(position) for position in self._venue.positions(call.account)]
        else:
            positions = [self._listed(position) for position in state.positions]
        return {
            **flags,
            "totalInitialMargin": eight(margin.position_margin_units + margin.order_margin_units),
            "totalMaintMargin": eight(margin.maintenance_margin_units),
            "totalWalletBalance": eight(margin.wallet_units),
            "totalUnrealizedProfit": eight(margin.unrealised_units),
            "totalMarginBalance": eight(margin.margin_units),
            "totalPositionInitialMargin": eight(margin.position_margin_units),
            "totalOpenOrderInitialMargin": eight(margin.order_margin_units),
            "totalCrossWalletBalance": eight(margin.wallet_units),
            "totalCrossUnPnl": eight(margin.unrealised_units),
            "availableBalance": eight(margin.available_units),
            "maxWithdrawAmount": eight(margin.available_units),
            "updateTime": ms(state.updated_ns),
            "assets": [self._writer.margin(one, state.updated_ns) for one in state.margins],
            "positions": positions,
        }

    def _listed(self, position: Position) -> Written:
        written = self._writer.position(position, self._asset)
        return {
            "symbol": position.symbol,
            "positionSide": ONE_WAY,
            "positionAmt": written["positionAmt"],
            "unrealizedProfit": eight(position.unrealised_units),
            "isolatedMargin": eight(0),
            "notional": written["notional"],
            "isolatedWallet": "0",
            "initialMargin": written["initialMargin"],
            "maintMargin": written["maintMargin"],
            "updateTime": written["updateTime"],
        }

    def _listed_as_before(self, position: Position) -> Written:
        written = self._writer.position(position, self._asset)
        return {
            **self._listed(position),
            "positionInitialMargin": written["positionInitialMargin"],
            "openOrderInitialMargin": eight(0),
            "leverage": str(position.leverage),
            "isolated": False,
            "entryPrice": written["entryPrice"],
            "breakEvenPrice": written["breakEvenPrice"],
            "maxNotional": str(_NOTIONAL_CAP),
        }

    def _position_as_before(self, position: Position) -> Written:
        return {
            **self._writer.position(position, self._asset),
            "leverage": str(position.leverage),
            "maxNotionalValue": str(_NOTIONAL_CAP),
            "marginType": "cross",
            "isAutoAddMargin": "false",
            "isolated": False,
            "adlQuantile": 0,
        }


def _brackets(model: SymbolModel) -> Json:
    return {
        "symbol": model.symbol,
        "notionalCoef": 1.0,
        "brackets": [
            {
                "bracket": 1,
                "initialLeverage": model.maximum_leverage,
                "notionalCap": _NOTIONAL_CAP,
                "notionalFloor": 0,
                "maintMarginRatio": float(quotient(model.maintenance_ppb, 10**9, 9)),
                "cum": 0.0,
            }
        ],
    }
