"""What every account of a replayed trace owes, from its rows alone; shares no code with the engine.

`CATALOG` is what the replay publishes; `owed` says what it must come to, charge by charge, each price written out by
hand as a formula of the rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction

from tests.auditor.trace import ACCOUNTS, Row

EVENT_TYPE = "llm.completion"
PLANS = ("starter", "pro", "scale")
LIMIT: dict[str, object] = {
    "key": "steady", "metric": "usage", "meter": "requests", "amount": "100", "hard": True,
    "thresholds": ["50", "100", {"every": "100"}],
}  # fmt: skip
INCLUDED = 150
GRANT = "0.05"
"""Dollars that each account of `pro` is given."""


def plan_of(account: str) -> str:
    """The plan that a replay subscribes the account to."""
    return PLANS[int(account.removeprefix("cust-")) % len(PLANS)]


def accounts() -> list[str]:
    """Every account of the trace."""
    return [f"cust-{k}" for k in range(ACCOUNTS)]


def _meter(key: str, aggregation: str, value: str | None) -> dict[str, object]:
    meter: dict[str, object] = {
        "key": key,
        "event_type": EVENT_TYPE,
        "aggregation": aggregation,
        "unit": "token",
        "window": "1h",
    }
    return meter | {"group_by": {"model": "$.model"}} | ({"value": value} if value else {})


def _charge(key: str, price: dict[str, object], dimensions: list[str] | None = None) -> dict[str, object]:
    charge: dict[str, object] = {"key": key, "meter": key, "price": price}
    return charge | ({"dimensions": dimensions} if dimensions else {})


def _plan(key: str, charges: list[dict[str, object]]) -> dict[str, object]:
    plan = {
        "key": key,
        "version": 1,
        "effective_from": "2020-01-01T00:00:00Z",
        "currency": "USD",
        "period": "year",
    }
    return plan | {
        "charges": charges,
        "entitlements": [{"feature": "chat", "included": str(INCLUDED)}],
        "limits": [LIMIT],
    }


CATALOG: dict[str, object] = {
    "meters": [
        _meter("input", "sum", "$.input_tokens"),
        _meter("output", "sum", "$.output_tokens"),
        _meter("requests", "count", None),
        _meter("longest", "max", "$.input_tokens"),
        _meter("prompts", "unique", "$.input_tokens"),
    ],
    "features": [{"key": "chat", "kind": "metered", "meter": "requests"}],
    "plans": [
        _plan("starter", [
            _charge("input", {"model": "per_unit", "unit_amount": "0.00000025"}, ["model"]),
            _charge("output", {"model": "per_unit", "unit_amount": "0.000001123456789"}),
            _charge("requests", {"model": "package", "package_size": "100", "package_amount": "0.07", "round": "up"}),
        ]),
        _plan("pro", [
            _charge("input", {"model": "graduated", "tiers": [
                {"up_to": "100000", "unit_amount": "0.000002"},
                {"up_to": "300000", "unit_amount": "0.0000015", "flat_amount": "0.1"},
                {"up_to": None, "unit_amount": "0.000001"},
            ]}),
            _charge("output", {"model": "volume", "tiers": [
                {"up_to": "20000", "unit_amount": "0.00001"},
                {"up_to": None, "unit_amount": "0.000006"},
            ]}, ["model"]),
            _charge("longest", {"model": "per_unit", "unit_amount": "0.0001"}, ["model"]),
        ]),
        _plan("scale", [
            _charge("input", {"model": "volume", "tiers": [
                {"up_to": "250000", "unit_amount": "0.000003"},
                {"up_to": None, "unit_amount": "0.000001", "flat_amount": "0.05"},
            ]}, ["model"]),
            _charge("prompts", {"model": "per_unit", "unit_amount": "0.001"}),
            _charge("requests", {"model": "graduated", "tiers": [
                {"up_to": "50", "unit_amount": "0.01"},
                {"up_to": None, "unit_amount": "0.002"},
            ]}, ["model"]),
        ]),
    ],
}  # fmt: skip


def owed(trace: Iterable[Row]) -> dict[tuple[str, str], Fraction]:
    """The exact amount of each (account, charge), rows counted once each."""
    by_account: dict[str, list[Row]] = {account: [] for account in accounts()}
    for row in trace:
        by_account[row.account].append(row)
    return {
        (account, charge): amount
        for account, mine in by_account.items()
        for charge, amount in _charges(plan_of(account), mine).items()
    }


def _charges(plan: str, mine: list[Row]) -> dict[str, Fraction]:
    models = {row.file for row in mine}
    of = {model: [row for row in mine if row.file == model] for model in sorted(models)}
    context = Fraction(sum(row.context for row in mine))
    if plan == "starter":
        return {
            "input": context * Fraction("0.00000025"),
            "output": sum(row.generated for row in mine) * Fraction("0.000001123456789"),
            "requests": -(-len(mine) // 100) * Fraction("0.07"),
        }
    if plan == "pro":
        return {
            "input": _graduated_input(context),
            "output": sum((_volume_output(part) for part in of.values()), Fraction(0)),
            "longest": sum((max(row.context for row in part) for part in of.values()), 0)
            * Fraction("0.0001"),
        }
    return {
        "input": sum((_volume_input(sum(row.context for row in part)) for part in of.values()), Fraction(0)),
        "prompts": len({row.context for row in mine}) * Fraction("0.001"),
        "requests": sum(
            (
                min(n, 50) * Fraction("0.01") + max(n - 50, 0) * Fraction("0.002")
                for n in map(len, of.values())
            ),
            Fraction(0),
        ),
    }


def _graduated_input(quantity: Fraction) -> Fraction:
    first = min(quantity, Fraction(100_000)) * Fraction("0.000002")
    if quantity <= 100_000:
        return first
    second = (min(quantity, Fraction(300_000)) - 100_000) * Fraction("0.0000015") + Fraction("0.1")
    return first + second + max(quantity - 300_000, Fraction(0)) * Fraction("0.000001")


def _volume_output(part: list[Row]) -> Fraction:
    quantity = sum(row.generated for row in part)
    return quantity * (Fraction("0.00001") if quantity <= 20_000 else Fraction("0.000006"))


def _volume_input(quantity: int) -> Fraction:
    if quantity <= 250_000:
        return quantity * Fraction("0.000003")
    return quantity * Fraction("0.000001") + Fraction("0.05")


def crossed(trace: Iterable[Row]) -> Counter[tuple[str, str]]:
    """How often each account reaches each threshold, by its value: once, since requests only grow."""
    found: Counter[tuple[str, str]] = Counter()
    for account, count in Counter(row.account for row in trace).items():
        found.update((account, str(bound)) for bound in (50, *range(100, count + 1, 100)) if count >= bound)
    return found


def access(trace: Iterable[Row]) -> dict[str, tuple[bool, str, str, str]]:
    """Of `chat` in each account that uses it: whether it is open, why, what is used and what is left."""
    return {
        account: (
            count < 100,
            "ok" if count < 100 else "hard_limit",
            str(count),
            str(max(INCLUDED - count, 0)),
        )
        for account, count in Counter(row.account for row in trace).items()
    }


def quantities(trace: Iterable[Row]) -> Counter[str]:
    """The sums that `totals.json` states for the real trace, by `<model>.<field>`."""
    sums: Counter[str] = Counter()
    for row in trace:
        sums[f"{row.file}.rows"] += 1
        sums[f"{row.file}.context_tokens"] += row.context
        sums[f"{row.file}.generated_tokens"] += row.generated
    return sums
