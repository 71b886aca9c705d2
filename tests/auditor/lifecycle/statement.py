"""An answer written as charge lines, as few as can be, so that what is said of lines can be asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from tests.auditor.lifecycle.answer import Answer, Due, Name
from tests.auditor.lifecycle.words import shown

Line = dict[str, Any]
EXACT = Context(prec=200)


def text(exact: Fraction) -> str:
    """A finite fraction as a plain decimal."""
    return format(EXACT.divide(Decimal(exact.numerator), Decimal(exact.denominator)).normalize(), "f")


def lines(answer: Answer) -> Iterator[Line]:
    """Usage by group and by plan, minimum, close and fee."""
    for name, due in answer.fees.items():
        yield _line(name, due, "fee", due.amount)
    for name, due in answer.charges.items():
        if due.maybe:
            continue
        yield from _usage(name, due)
        if due.shortage:
            yield _line(name, due, "minimum", due.shortage)
        if due.closed:
            quantity = sum(due.quantities.values(), Fraction(0))
            yield _line(name, due, "close", Fraction(0), quantity_total=text(quantity))


def _usage(name: Name, due: Due) -> Iterator[Line]:
    """By group where there is one plan, by plan where there is one group."""
    used = due.amount - due.shortage
    if due.groups is not None and len(due.plans) == 1:
        ((plan, version),) = due.plans
        for group, amount in due.groups.items():
            told = {
                "dimensions": dict(group),
                "amount_total": text(amount),
                "plan": plan,
                "plan_version": version,
            }
            yield _line(name, due, "usage", amount, quantity_total=text(due.quantities[group]), **told)
        return
    total = {"amount_total": text(used), "quantity_total": text(sum(due.quantities.values(), Fraction(0)))}
    amounts = dict(due.plans)
    if amounts:
        amounts[list(amounts)[-1]] -= due.shortage
    for (plan, version), amount in amounts.items():
        yield _line(name, due, "usage", amount, plan=plan, plan_version=version, **total)


def _line(name: Name, due: Due, kind: str, amount: Fraction, **fields: Any) -> Line:
    account, subscription, charge, begin = name
    line: Line = {
        "account": account,
        "subscription": subscription,
        "charge": charge,
        "kind": kind,
        "dimensions": {},
        "period_start": shown(begin),
        "period_end": shown(due.end),
        "amount": text(amount),
        "amount_total": text(due.amount),
        "currency": due.currency,
    }
    return line | fields
