"""The comparison of a run with its backtest: rows, sums and tables; money in each market's quote currency."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from config.base import EXACT
from config.execution import Mode
from config.settings import Settings
from market.errors import Fatal
from market.orders.order import OrderIntent
from market.protocols import MarketKey
from orchestrator.backtest.states import Row, amount_of, price_of, quantity_of
from orchestrator.cli.output import Output
from orchestrator.diff.causes import Category, Cause, Explanation, cause_as_root, roots
from orchestrator.diff.explaining import Explainer
from orchestrator.diff.fills import FillJudge
from orchestrator.diff.funding import funding_of, payments_of
from orchestrator.diff.knowledge import filled
from orchestrator.diff.matching import Pair, match
from orchestrator.diff.money import check_gains, gain
from orchestrator.diff.refill import Refills, variants
from orchestrator.diff.run import Again, LiveRun, depth_tape, run_again
from orchestrator.diff.story import Story, Told

FORMAT: Final = "tickwire diff 1"
COLUMNS: Final = (
    "number",
    "decided_ns",
    "record_ns",
    "market",
    "strategy",
    "order",
    "backtest_order",
    "side",
    "type",
    "price",
    "quantity",
    "backtest_price",
    "backtest_quantity",
    "filled",
    "backtest_filled",
    "gain",
    "backtest_gain",
    "money",
    "category",
    "cause",
    "because",
    "root",
    "root_cause",
    "detail",
)
_NS_PER_MS: Final = 1_000_000
_MOST_SHOWN: Final = 20
FUNDING: Final = "funding"
"""Step of the bridge."""


@dataclass(frozen=True)
class Compared:
    """One pair of orders.

    Parameters
    ----------
    gain, backtest_gain: what its fills brought, in notional counts, what is held valued at the last middle.
    root: number of the pair that it follows from in the end, and root_cause that one's cause.
    """

    pair: Pair
    explanation: Explanation
    gain: int
    backtest_gain: int
    root: int
    root_cause: Cause

    @property
    def market(self) -> MarketKey:
        """Of the order."""
        return self.pair.one.intent.instrument, self.pair.one.intent.venue

    @property
    def money(self) -> int:
        """What the run gained more than the backtest."""
        return self.gain - self.backtest_gain


@dataclass(frozen=True, eq=False)
class Comparison:
    """A run and its backtest.

    Parameters
    ----------
    gains, backtest_gains: by market, in notional counts; the money of the pairs is their difference, to the count.
    funding, backtest_funding: that was paid, by market, in notional counts; it is not in the gains.
    settings: sections in which the backtest's settings are not those of the run.
    """

    live: LiveRun
    again: Again
    compared: Sequence[Compared]
    gains: Mapping[MarketKey, int]
    backtest_gains: Mapping[MarketKey, int]
    funding: Mapping[MarketKey, int]
    backtest_funding: Mapping[MarketKey, int]
    settings: Sequence[str]

    @property
    def unexplained(self) -> Sequence[Compared]:
        """Differences without a cause."""
        return [each for each in self.compared if each.explanation.cause is Cause.UNEXPLAINED]


def compare_runs(
    live: LiveRun, again: Again, *, tolerance_ms: int, tell: Callable[[str], None] = lambda text: None
) -> Comparison:
    """Explain every difference; raises Fatal when the money does not add up, which would be a mistake in here."""
    plan = again.plan
    pairs = match(live.story.orders, again.story.orders)
    is_paper = live.mode is Mode.PAPER
    paper_ns = live.settings.paper.latency_ms * _NS_PER_MS if is_paper else None
    depth = depth_tape(live, plan.settings) if is_paper else None
    tried = variants(plan, paper_ns)
    refills = Refills(plan, live.story.orders, tried, lambda text: tell(f"again with {text}"), depth)
    numbers = {listing.venue_name: listing.venue for listing in live.catalogue.listings}
    ahead_ns = {} if is_paper else {numbers[name]: ahead for name, ahead in plan.tape.ahead_ns}
    tolerance_ns = tolerance_ms * _NS_PER_MS
    judge = FillJudge(plan, refills, ahead_ns, tolerance_ns, displays_own=not is_paper)
    settings = differing(live.settings, plan.settings)

    def late() -> Story:
        tell("again with the run's clock")
        return run_again(live, plan, is_late=True).story

    explainer = Explainer(live, again, pairs, judge, settings=settings, tolerance_ns=tolerance_ns, late=late)
    marks = _marks(live, again)
    explained = [explainer.explain(number) for number in range(len(pairs))]
    compared = [
        Compared(
            pairs[number],
            explained[number],
            gain(pairs[number].run, marks),
            gain(pairs[number].backtest, marks),
            root,
            cause_as_root(explained[root], is_root=root == number),
        )
        for number, root in enumerate(roots(explained))
    ]
    before = {key: held for (owner, key), held in live.recovered.positions.items() if owner is None}
    gains = check_gains(live.story.orders, before, live.positions, marks, "run")
    backtest_gains = check_gains(again.story.orders, before, again.positions, marks, "backtest")
    payments = payments_of(plan)
    funding = funding_of(live.story.orders, before, payments, ahead_ns)
    backtest_funding = funding_of(again.story.orders, before, payments, {})
    found = Comparison(live, again, compared, gains, backtest_gains, funding, backtest_funding, settings)
    _check_bridge(found)
    return found


def differing(run: Settings, backtest: Settings) -> list[str]:
    """Sections that are not the same in two settings, that of the backtest itself left out."""
    return [
        name
        for name in type(run).model_fields
        if name != "backtest" and getattr(run, name) != getattr(backtest, name)
    ]  # fmt: skip


def _marks(live: LiveRun, again: Again) -> dict[MarketKey, int]:
    """The last middles; where a market had no quote, its last fill."""
    marks: dict[MarketKey, int] = {}
    for told in (*live.story.orders, *again.story.orders):
        if told.fills:
            marks[told.intent.instrument, told.intent.venue] = told.fills[-1].price
    return {**marks, **again.marks}


def _check_bridge(found: Comparison) -> None:
    moved: dict[MarketKey, int] = {}
    for each in found.compared:
        moved[each.market] = moved.get(each.market, 0) + each.money
    for key, money in moved.items():
        expected = found.gains.get(key, 0) - found.backtest_gains.get(key, 0)
        if money != expected:
            raise Fatal(f"the differences in market {key} add up to {money} counts; expected {expected}")


def rows_of(found: Comparison) -> list[Row]:
    """Every pair as a row."""
    listings = found.again.plan.catalogue
    rows: list[Row] = []
    for number, each in enumerate(found.compared, 1):
        pair, intent, because = each.pair, each.pair.one.intent, each.explanation.because
        listing = listings.listing(*each.market)
        run, backtest = _intent(pair.run), _intent(pair.backtest)
        rows.append(
            {
                "number": number,
                "decided_ns": intent.decided_ns,
                "record_ns": pair.record_ns,
                "market": str(listing),
                "strategy": intent.cause.strategy,
                "order": "" if run is None else run.client_order_id,
                "backtest_order": "" if backtest is None else backtest.client_order_id,
                "side": intent.side.name,
                "type": intent.type.name,
                "price": price_of(listing, run.limit_price) if run is not None and run.limit_price else None,
                "quantity": None if run is None else quantity_of(listing, run.quantity),
                "backtest_price": (
                    price_of(listing, backtest.limit_price) if backtest is not None and backtest.limit_price else None
                ),
                "backtest_quantity": None if backtest is None else quantity_of(listing, backtest.quantity),
                "filled": quantity_of(listing, filled(pair.run)),
                "backtest_filled": quantity_of(listing, filled(pair.backtest)),
                "gain": amount_of(listing, each.gain),
                "backtest_gain": amount_of(listing, each.backtest_gain),
                "money": amount_of(listing, each.money),
                "category": each.explanation.category.value,
                "cause": each.explanation.cause.value,
                "because": None if because is None else because + 1,
                "root": each.root + 1,
                "root_cause": each.root_cause.value,
                "detail": each.explanation.detail,
            }
        )
    return rows


def _intent(told: Told | None) -> OrderIntent | None:
    return None if told is None else told.intent


def diff_result(found: Comparison, rows: Sequence[Row]) -> dict[str, Any]:
    """Everything as one JSON object; exact decimals as text."""
    live, again = found.live, found.again
    return {
        "format": FORMAT,
        "run": str(live.path),
        "mode": live.mode.value,
        "epoch": live.epoch,
        "was_cut": live.was_cut,
        "defaults": list(live.defaults),
        "first_ns": int(live.receipts[0]),
        "last_ns": live.story.ended_ns,
        "records": len(live.receipts),
        "orders": _orders(live.story),
        "backtest_orders": _orders(again.story),
        "fills": live.story.fills,
        "backtest_fills": again.story.fills,
        "other_settings": list(found.settings),
        "differences": _summed(found),
        "funding": _paid(found, found.funding),
        "backtest_funding": _paid(found, found.backtest_funding),
        "bridge": bridge(found),
        "unexplained": [
            {name: _plain(row[name]) for name in COLUMNS} for row in rows if row["cause"] == Cause.UNEXPLAINED.value
        ],
    }


def _orders(story: Story) -> int:
    return sum(not told.is_taken_over for told in story.orders)


def _summed(found: Comparison) -> list[dict[str, Any]]:
    """Count and money of each category and cause, by currency."""
    sums: dict[tuple[Category, Cause], tuple[int, dict[str, Decimal]]] = {}
    for each in found.compared:
        listing = found.again.plan.catalogue.listing(*each.market)
        key = (each.explanation.category, each.explanation.cause)
        count, money = sums.get(key, (0, {}))
        amount = money.get(listing.quote_asset, Decimal(0)) + amount_of(listing, each.money)
        sums[key] = (count + 1, {**money, listing.quote_asset: amount})
    order = list(Category), list(Cause)
    return [
        {
            "category": category.value,
            "cause": cause.value,
            "orders": count,
            "money": {currency: exact(amount) for currency, amount in sorted(money.items())},
        }
        for (category, cause), (count, money) in sorted(
            sums.items(), key=lambda item: (order[0].index(item[0][0]), order[1].index(item[0][1]))
        )
    ]


def bridge(found: Comparison) -> dict[str, list[dict[str, str]]]:
    """By currency, from the backtest's gain over what the differences come from in the end to that of the run.

    Gains are less funding, of which the difference is a step of its own. The steps add up exactly.
    """
    listings = found.again.plan.catalogue
    steps: dict[str, dict[str, Decimal]] = {}
    for each in found.compared:
        listing = listings.listing(*each.market)
        own = steps.setdefault(listing.quote_asset, {})
        name = each.root_cause.value
        own[name] = own.get(name, Decimal(0)) + amount_of(listing, each.money)
    for key in {*found.funding, *found.backtest_funding}:
        steps.setdefault(listings.listing(*key).quote_asset, {})
    bridges: dict[str, list[dict[str, str]]] = {}
    for currency, moved in sorted(steps.items()):
        paid, backtest_paid = (_total(found, each, currency) for each in (found.funding, found.backtest_funding))
        start = _total(found, found.backtest_gains, currency) - backtest_paid
        end = _total(found, found.gains, currency) - paid
        moved[FUNDING] = backtest_paid - paid
        changed = [(name, amount) for name, amount in moved.items() if amount]
        lines = [
            ("the backtest gained", start),
            *sorted(changed, key=lambda line: -abs(line[1])),
            ("the run gained", end),
        ]
        bridges[currency] = [{"step": name, "amount": exact(amount)} for name, amount in lines]
    return bridges


def _total(found: Comparison, gains: Mapping[MarketKey, int], currency: str) -> Decimal:
    total = Decimal(0)
    for key, counts in gains.items():
        listing = found.again.plan.catalogue.listing(*key)
        if listing.quote_asset == currency:
            total += amount_of(listing, counts)
    return total


def _paid(found: Comparison, funding: Mapping[MarketKey, int]) -> dict[str, str]:
    """Funding by currency; below 0: received."""
    listings = found.again.plan.catalogue
    currencies = sorted({listings.listing(*key).quote_asset for key in funding})
    return {currency: exact(_total(found, funding, currency)) for currency in currencies}


def _plain(value: object) -> object:
    return exact(value) if isinstance(value, Decimal) else value


def exact(amount: Decimal) -> str:
    """An amount without the zeros behind it."""
    return f"{amount.normalize(EXACT):f}"


def show_result(output: Output, result: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """The same for people."""
    output.say(
        f"{result['mode']} run of {(result['last_ns'] - result['first_ns']) / 1e9:,.1f} s: {result['orders']:,} orders "
        f"with {result['fills']:,} fills; its backtest: {result['backtest_orders']:,} with {result['backtest_fills']:,}"
    )
    if result["other_settings"]:
        output.say(f"other settings in the backtest: {', '.join(result['other_settings'])}")
    summed = [
        (
            each["category"],
            each["cause"],
            f"{each['orders']:,}",
            ", ".join(f"{v} {k}" for k, v in each["money"].items()),
        )
        for each in result["differences"]
    ]
    output.table("orders", ("", "cause", "orders", "run less backtest"), summed, right=("orders", "run less backtest"))
    for currency, steps in result["bridge"].items():
        lines = [(step["step"], step["amount"]) for step in steps]
        output.table(
            f"from backtest to run by what it comes from, {currency}", ("", "amount"), lines, right=("amount",)
        )
    different = [row for row in rows if row["category"] != Category.SAME.value]
    largest = sorted(different, key=lambda row: -abs(row["money"]))[:_MOST_SHOWN]
    shown = [
        (
            row["number"],
            row["order"] or row["backtest_order"],
            row["category"],
            row["cause"],
            row["because"] or "",
            exact(row["money"]),
            row["detail"],
        )
        for row in largest
    ]
    columns = ("no", "order", "", "cause", "follows", "money", "what was seen")
    title = (
        f"differences, the {len(shown)} largest of {len(different):,}" if len(different) > len(shown) else "differences"
    )
    output.table(title, columns, shown, right=("no", "follows", "money"))
    if result["unexplained"]:
        output.say(f"{len(result['unexplained'])} differences are unexplained")
