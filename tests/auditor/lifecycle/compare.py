"""Where the records that came out are not what the auditor answers, in one sentence each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tests.auditor.lifecycle.answer import Answer, Due, Group, Name
from tests.auditor.lifecycle.words import Doc, moment, shown

CHARGES = "billing.charges.v1"
LEDGER = "billing.ledger.v1"
REJECTED = "usage.rejected.v1"
NEVER = 2**62
MINOR = {"JPY": 0, "USD": 2, "EUR": 2, "KWD": 3}
"""Digits of the minor unit, ISO 4217."""


@dataclass(frozen=True)
class Record:
    """An output record, and the number of the input line that it came of (the last: of the end of the run)."""

    topic: str
    value: Any
    error: str | None
    cause: int


def differences(answer: Answer, records: Iterable[Record]) -> Iterator[str]:
    """Every difference; none when all is as it must be."""
    records = list(records)
    lines: dict[Name, list[Doc]] = defaultdict(list)
    for each in records:
        if each.topic == CHARGES:
            line = each.value
            begin = moment(line["period_start"])
            lines[line["account"], line["subscription"], line["charge"], begin].append(line)
    yield from _refusals(answer, records)
    yield from _fees(answer, lines)
    yield from _issued(answer, records)
    charges = {name: found for name, found in lines.items() if any(each["kind"] != "fee" for each in found)}
    for name in charges.keys() - answer.charges.keys() - answer.fees.keys():
        if _sum(charges[name]) or _sum(charges[name], "quantity"):
            yield f"{_said(name)}: {len(charges[name])} lines of a charge or period that is none"
    for name, due in answer.charges.items():
        for problem in _charge(due, lines.get(name, [])):
            yield f"{_said(name)}: {problem}"
    for name, found in lines.items():
        for problem in sound(found):
            yield f"{_said(name)}: {problem}"


def _said(name: Name) -> str:
    return f"{name[0]} {name[1]} {name[2]} {shown(name[3])}"


def _sum(lines: Iterable[Doc], field: str = "amount") -> Fraction:
    return sum((Fraction(line[field]) for line in lines), Fraction(0))


def _group(line: Doc) -> Group:
    return tuple(sorted(line["dimensions"].items()))


def _refusals(answer: Answer, records: list[Record]) -> Iterator[str]:
    found = Counter(
        (each.value["id"] if isinstance(each.value, dict) else "?", each.error or "")
        for each in records
        if each.topic == REJECTED
    )
    wanted = Counter(answer.refused)
    for name, code in (found - wanted) + (wanted - found):
        if name not in answer.open_to_question:
            yield f"{name} refused as {code}: {found[name, code]} times, want {wanted[name, code]}"


def _fees(answer: Answer, lines: dict[Name, list[Doc]]) -> Iterator[str]:
    found: dict[Name, Fraction] = {}
    for name, mine in lines.items():
        fees = [line for line in mine if line["kind"] == "fee"]
        if fees:
            found[name] = _sum(fees)
    for name in found.keys() | answer.fees.keys():
        want = answer.fees[name].amount if name in answer.fees else Fraction(0)
        if found.get(name, Fraction(0)) != want:
            yield f"{_said(name)}: the fee is {_plain(found.get(name, Fraction(0)))}, want {_plain(want)}"


def _issued(answer: Answer, records: list[Record]) -> Iterator[str]:
    """Recurring grants that last, in a unit that nothing burns: what was granted less what was taken back."""
    found: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    for each in records:
        if (
            each.topic == LEDGER
            and each.value["grant"].count(":") > 1
            and each.value["entry"] in ("grant", "void")
        ):
            account, (subscription, key, at) = each.value["account"], each.value["grant"].split(":", 2)
            # One issued at the very instant of the end lapses with the subscription.
            if moment(at) < answer.ends.get((account, subscription), NEVER):
                found[account, subscription, key] += Fraction(each.value["amount"])
    for name in found.keys() | answer.issued.keys():
        had, want = found.get(name, Fraction(0)), answer.issued.get(name, Fraction(0))
        if had != want:
            yield f"{' '.join(name)}: grants come to {_plain(had)}, want {_plain(want)}"


def _charge(due: Due, lines: list[Doc]) -> Iterator[str]:
    rated = [line for line in lines if line["kind"] in ("usage", "correction", "minimum")]
    if due.unsaid or (due.maybe and (due.chains > 1 or not _sum(rated))):
        return
    if _sum(rated) != due.amount:
        yield f"comes to {_plain(_sum(rated))}, want {_plain(due.amount)}"
        return
    if due.groups is not None:
        yield from _by_group(due.groups, rated, "amount")
    yield from _by_group(due.quantities, rated, "quantity")
    if due.units is not None and rated:
        units = sum((Fraction(line["pricing_unit"]["amount"]) for line in rated), Fraction(0))
        if units != due.units:
            yield f"{_plain(units)} units, want {_plain(due.units)}"
    if due.groups is not None:
        plans: dict[tuple[str, int], Fraction] = defaultdict(Fraction)
        for line in rated:
            plans[line["plan"], line["plan_version"]] += Fraction(line["amount"])
        for plan in plans.keys() | due.plans.keys():
            if plans.get(plan, Fraction(0)) != due.plans.get(plan, Fraction(0)):
                want = _plain(due.plans.get(plan, Fraction(0)))
                yield f"of plan {plan[0]} {plan[1]} is {_plain(plans.get(plan, Fraction(0)))}, want {want}"
    yield from _close(due, lines)


def _by_group(wanted: dict[Group, Fraction], lines: list[Doc], field: str) -> Iterator[str]:
    found: dict[Group, Fraction] = defaultdict(Fraction)
    for line in lines:
        found[_group(line)] += Fraction(line[field])
    for group in found.keys() | wanted.keys():
        if found.get(group, Fraction(0)) != wanted.get(group, Fraction(0)):
            want = _plain(wanted.get(group, Fraction(0)))
            yield f"{field} of {dict(group)} is {_plain(found.get(group, Fraction(0)))}, want {want}"


def _close(due: Due, lines: list[Doc]) -> Iterator[str]:
    closes = [line for line in lines if line["kind"] == "close"]
    if not due.closed:
        if closes:
            yield "is closed, and should be open"
        return
    if not lines or lines[-1]["kind"] != "close":
        yield "has no close line after its last"
        return
    last = closes[-1]
    quantity = sum(due.quantities.values(), Fraction(0))
    if Fraction(last["amount_total"]) != due.amount or Fraction(last["quantity_total"]) != quantity:
        yield f"is closed at {last['amount_total']} of {last['quantity_total']}, want {_plain(due.amount)}"
    owed = _sum((line for line in lines if line["kind"] != "close"), "amount_due")
    found = {key: Fraction(value) for key, value in last["rounded"].items()}
    if found != rounded(due.amount, owed, due.currency):
        yield f"rounds to {last['rounded']}, want {rounded(due.amount, owed, due.currency)}"


def rounded(amount: Fraction, owed: Fraction, currency: str) -> dict[str, Fraction]:
    """What to invoice: amount and what is due of it to the minor unit, half even, and what that leaves."""
    scale = 10 ** MINOR[currency]
    whole, rest = Fraction(round(amount * scale), scale), Fraction(round(owed * scale), scale)
    return {"amount": whole, "credits_applied": whole - rest, "amount_due": rest, "remainder": owed - rest}


def sound(lines: list[Doc]) -> Iterator[str]:
    """What holds for the lines of one charge and period by themselves."""
    running: dict[Group, list[Fraction]] = {}
    revisions: Counter[Group] = Counter()
    for line in lines:
        group = _group(line)
        revisions[group] += 1
        if line["revision"] != revisions[group]:
            yield f"{line['id']} has revision {line['revision']}, want {revisions[group]}"
        amount, applied = Fraction(line["amount"]), Fraction(line["credits_applied"])
        if Fraction(line["amount_due"]) != amount - applied:
            yield f"{line['id']} is due {line['amount_due']}, want {_plain(amount - applied)}"
        if _sum(line["details"]) != amount:
            yield f"{line['id']} has details of {_plain(_sum(line['details']))}, not {line['amount']}"
        if (line["rounded"] is None) == (line["kind"] == "close"):
            yield f"{line['id']} of kind {line['kind']} has rounded {line['rounded']}"
        if line["kind"] in ("close", "adjustment"):
            continue
        totals = running.setdefault(group, [Fraction(0), Fraction(0)])
        totals[0], totals[1] = totals[0] + amount, totals[1] + Fraction(line["quantity"])
        said = [Fraction(line["amount_total"]), Fraction(line["quantity_total"])]
        if said != totals and line["kind"] != "fee":
            want = [_plain(each) for each in totals]
            yield f"{line['id']} has totals {line['amount_total']} {line['quantity_total']}, want {want}"


def _plain(exact: Fraction) -> str:
    return str(exact) if exact.denominator == 1 else f"{exact} ({float(exact):.9g})"
