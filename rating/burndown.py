"""Credits: which grants pay a line, and where it goes back to when a line is taken back."""

from __future__ import annotations

from collections.abc import Iterable

from rating import numbers
from rating.ids import entry_id
from rating.state import NEVER, ChargePeriod, Grant
from rating.step import Step

LEDGER = "billing.ledger.v1"


def grants(step: Step) -> list[tuple[str, Grant]]:
    """The account's grants in the order in which they burn."""
    found = list(step.cells.members(("grant", step.tenant, step.account)))
    return sorted(found, key=lambda each: (each[1].priority, each[1].expires, each[1].order, each[0]))


def boundaries(held: Iterable[tuple[str, Grant]], low: int, high: int) -> list[int]:
    """The moments in `(low, high]` at which some grant begins or ends to pay."""
    moments = {moment for _, grant in held for moment in (grant.effective, grant.expires)}
    return sorted(moment for moment in moments if low < moment <= high)


def burn(
    step: Step,
    period: ChargePeriod,
    amount: int,
    currency: str,
    charge: str,
    meter: str | None,
    at: int,
    line: str,
) -> tuple[ChargePeriod, int]:
    """Let grants pay `amount` (positive) of a line whose usage is of the moment `at`; what they paid."""
    paid = 0
    for key, grant in grants(step):
        if paid == amount:
            break
        if grant.unit != currency or not _pays(grant, charge, meter, at):
            continue
        share = min(_available(grant, at), amount - paid)
        if share <= 0:
            continue
        ahead = share if grant.rollover is not None and at >= grant.rolled else 0
        _book(step, key, grant._replace(ahead=grant.ahead + ahead), "burn", -share, line)
        paid += share
        period = period._replace(burns=_burnt(period.burns, key, share))
    return period._replace(credits=period.credits + paid), paid


def refund(step: Step, period: ChargePeriod, amount: int, line: str) -> tuple[ChargePeriod, int]:
    """Take `amount` (positive) back from a charge: first what is due of it, then its burns, latest first."""
    left = amount - max(min(amount, period.billed - period.credits), 0)
    returned = 0
    burns = list(period.burns)
    while left > returned and burns:
        key, burnt = burns.pop()
        share = min(burnt, left - returned)
        if burnt > share:
            burns.append((key, burnt - share))
        returned += share
        _give_back(step, key, share, line)
    return period._replace(burns=tuple(burns), credits=period.credits - returned), returned


def grant(step: Step, key: str, made: Grant) -> None:
    """Issue a grant."""
    _book(step, key, made._replace(balance=0), "grant", made.amount, None)


def end(step: Step, key: str, held: Grant, entry: str, amount: int) -> None:
    """Void or expire `amount` of a grant."""
    left = held._replace(ended=entry) if held.balance == amount else held
    if amount:
        _book(step, key, left, entry, -amount, None)
    else:
        _save(step, key, left)


def roll(step: Step, key: str, held: Grant, due: int) -> None:
    """The rollover at a period's end: the balance as of that end becomes `min(max, max(min, balance))`."""
    assert held.rollover is not None
    low, high = held.rollover
    kept = min(high, max(low, held.balance + held.ahead)) - held.ahead
    _book(step, key, held._replace(ahead=0, rolled=due), "rollover", kept - held.balance, None)


def _pays(grant: Grant, charge: str, meter: str | None, at: int) -> bool:
    if not (grant.effective <= at < grant.expires) or grant.ended or grant.balance <= 0:
        return False
    if meter is None:
        return grant.charges is not None and charge in grant.charges
    return (grant.charges is None or charge in grant.charges) and (
        grant.meters is None or meter in grant.meters
    )


def _available(grant: Grant, at: int) -> int:
    """What usage of the moment may burn: what the coming rollover will cut is gone for usage after its period."""
    if grant.rollover is None or at < grant.rolled:
        return grant.balance
    low, high = grant.rollover
    return min(grant.balance, min(high, max(low, grant.balance + grant.ahead)) - grant.ahead)


def _burnt(burns: tuple[tuple[str, int], ...], key: str, share: int) -> tuple[tuple[str, int], ...]:
    if burns and burns[-1][0] == key:
        return (*burns[:-1], (key, burns[-1][1] + share))
    return (*burns, (key, share))


def _give_back(step: Step, key: str, share: int, line: str) -> None:
    held = step.cells.get(("grant", step.tenant, step.account), key)
    _book(step, key, held, "refund", share, line)
    if held.ended:
        held = step.cells.get(("grant", step.tenant, step.account), key)
        _book(step, key, held, held.ended, -share, None)


def _book(step: Step, key: str, held: Grant, entry: str, amount: int, line: str | None) -> None:
    after = held._replace(balance=numbers.check_amount(held.balance + amount), entries=held.entries + 1)
    _save(step, key, after)
    step.emit(LEDGER, {
        "id": entry_id(step.tenant, step.account, key, after.entries), "tenant": step.tenant, "account": step.account,
        "grant": key, "entry": entry, "amount": numbers.amount_text(amount), "unit": held.unit,
        "balance": numbers.amount_text(after.balance), "charge": line, "time": step.time_text,
    })  # fmt: skip


def _save(step: Step, key: str, held: Grant) -> None:
    step.cells.put(("grant", step.tenant, step.account), key, held)


def lasts(grant: Grant) -> bool:
    """Whether anything can still happen to the grant by time alone."""
    return not grant.ended and grant.expires != NEVER
