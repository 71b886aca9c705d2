"""What charge lines and ledger entries come to, and the faults that no world may show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from rating.effects import Effect
from schemas import topics
from tests.charge_lines import group_faults
from tests.property.partition import values
from tests.property.worlds import Group, Whole

Doc = dict[str, Any]
PLACED = ("time", "source")
"""What the log's layout decides of a line: when it is booked, and by which record."""


def group_of(line: Doc) -> Group:
    """The group that a line belongs to."""
    dimensions = tuple(line["dimensions"].values())
    return (line["account"], line["subscription"], line["charge"], line["period_start"], dimensions)


def groups(lines: Iterable[Doc]) -> dict[Group, list[Doc]]:
    """The lines of each group, in order."""
    found: dict[Group, list[Doc]] = defaultdict(list)
    for line in lines:
        found[group_of(line)].append(line)
    return dict(found)


def totals(effects: Iterable[Effect]) -> dict[Group, tuple[Fraction, Fraction]]:
    """Quantity and amount of each group: the sums of its lines, where they are not nothing."""
    found = {}
    for group, mine in groups(values(effects, topics.CHARGES)).items():
        rated = [line for line in mine if line["kind"] != "close"]
        sums = total(rated, "quantity"), total(rated, "amount")
        if any(sums):
            found[group] = sums
    return found


def total(lines: Iterable[Doc], name: str) -> Fraction:
    """The sum of a field."""
    return sum((Fraction(line[name]) for line in lines), Fraction(0))


def amounts(effects: Iterable[Effect]) -> dict[Group, Fraction]:
    """The amount of each group, where it is not 0."""
    return {group: amount for group, (_, amount) in totals(effects).items() if amount}


def bills(effects: Iterable[Effect]) -> dict[Whole, Fraction]:
    """The amount of each charge in each period, over its groups."""
    found: dict[Whole, Fraction] = defaultdict(Fraction)
    for line in values(effects, topics.CHARGES):
        found[group_of(line)[:4]] += Fraction(line["amount"])
    return dict(found)


def faults(effects: Iterable[Effect]) -> list[str]:
    """What the contract forbids of charge lines, section 5."""
    lines = values(effects, topics.CHARGES)
    found = [f"{line['id']}: details do not sum" for line in lines if total(line["details"], "amount") != Fraction(line["amount"])]  # fmt: skip
    found += [
        f"{line['id']}: amount_due is not amount less credits_applied"
        for line in lines
        if Fraction(line["amount_due"]) != Fraction(line["amount"]) - Fraction(line["credits_applied"])
    ]
    if len({line["id"] for line in lines}) != len(lines):
        found.append("an id stands on two lines")
    for group, mine in groups(lines).items():
        found += group_faults(group, mine)
    return found


def repeated(effects: Iterable[Effect]) -> list[str]:
    """Where one record of the log made more than one line of a group, window, kind and account that used it."""
    seen: set[tuple[object, ...]] = set()
    found = []
    for line in values(effects, topics.CHARGES):
        place = (
            line["source"]["offset"], *group_of(line), line["window_start"], line["kind"], line["sub_account"],
        )  # fmt: skip
        if place in seen:
            found.append(f"{place}: a second line")
        seen.add(place)
    return found


def by_account(
    effects: Iterable[Effect],
) -> dict[str, list[tuple[str, Doc | None, tuple[tuple[str, str], ...]]]]:
    """Each account's records in their order, without what the log's layout decides."""
    found: dict[str, list[tuple[str, Doc | None, tuple[tuple[str, str], ...]]]] = defaultdict(list)
    for effect in effects:
        value = effect.value
        if value is not None and effect.topic.startswith("billing."):
            value = {name: each for name, each in value.items() if name not in PLACED}
        if effect.key:
            found[effect.key].append((effect.topic, None if value is None else dict(value), effect.headers))
    return dict(found)
