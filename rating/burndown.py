"""Credits: which grants pay a line, and where it goes back to when a line is taken back.

Grants burn by lower priority, earlier expiry, earlier creation, smaller key. What a rollover will cut at a period's end
burns as if it expired then. A charge in a credit unit is paid by grants of the unit first, then its money by grants of
the currency.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from rating import numbers
from rating.ids import entry_id
from rating.numbers import RATE_DIGITS
from rating.state import Burn, ChargePeriod, Grant
from rating.step import Step

LEDGER = "billing.ledger.v1"
_RATE: int = 10**RATE_DIGITS
_FINE = 10**6
"""Units go back in multiples of 10⁻³⁰, so that their money has at most 36 fractional digits."""


class Priced(NamedTuple):
    """What a line is priced in: the money, and the credit unit with its conversion rate (10⁻⁶) where it has one."""

    currency: str
    unit: str | None = None
    rate: int = _RATE

    def money(self, amount: int) -> int:
        """An amount of the charge in money, exactly: it has at most 30 fractional digits where there is a unit."""
        return amount if self.unit is None else amount * self.rate // _RATE


class Usage(NamedTuple):
    """What a line is of: its charge, its meter (`None` for a fee), and the moment of its usage."""

    charge: str
    meter: str | None
    at: int


class Paid(NamedTuple):
    """A line's money, what grants paid of it, and the units that grants of the unit paid."""

    amount: int
    credits: int
    applied: int


class Portion(NamedTuple):
    """A part of a grant that burns at once, in the order of burning."""

    priority: int
    expires: int
    created: int
    key: str
    amount: int


def grants(step: Step) -> list[tuple[str, Grant]]:
    """The account's grants."""
    return list(step.cells.members(("grant", step.tenant, step.account)))


def has_grants(step: Step) -> bool:
    """Whether the account ever had a grant."""
    return next(step.cells.members(("grant", step.tenant, step.account)), None) is not None


def boundaries(held: Iterable[tuple[str, Grant]], low: int, high: int) -> list[int]:
    """The moments in `(low, high]` at which some grant begins or ends to pay, or is cut by a rollover."""
    moments = {
        moment
        for _, grant in held
        for moment in (grant.effective, grant.expires, *(() if grant.rollover is None else (grant.rolled,)))
    }
    return sorted(moment for moment in moments if low < moment <= high)


def pay(
    step: Step, period: ChargePeriod, amount: int, priced: Priced, usage: Usage, line: str
) -> tuple[ChargePeriod, Paid]:
    """Credits for a line of `amount` in its own unit: burnt where it is positive, given back where it is negative."""
    money = priced.money(amount)
    paid = applied = 0
    if amount > 0:
        if priced.unit is not None:
            period, applied = _burn(step, period, amount, priced.unit, priced, usage, line)
            paid = priced.money(applied)
        period, more = _burn(
            step, period, money - paid, priced.currency, Priced(priced.currency), usage, line
        )
        paid += more
    elif amount < 0:
        period, paid, applied = _refund(step, period, -amount, priced, line)
    if priced.unit is not None:
        period = period._replace(units=period.units + amount, units_paid=period.units_paid + applied)
    period = period._replace(billed=period.billed + money, credits=period.credits + paid)
    return period, Paid(money, paid, applied)


def unpaid(period: ChargePeriod, priced: Priced) -> tuple[int, int]:
    """What is due of a period: the units that grants of the unit may pay yet, and the money."""
    money = max(period.billed - period.credits, 0)
    if priced.unit is None:
        return 0, money
    units = max(period.units - period.units_paid, 0)
    # What money has paid of a unit's worth is not paid again in units.
    return min(units, money * _RATE // priced.rate // _FINE * _FINE) if priced.rate else units, money


def pay_due(
    step: Step, period: ChargePeriod, priced: Priced, usage: Usage, line: str
) -> tuple[ChargePeriod, Paid]:
    """Let grants pay what is due already, those of the unit first, as they pay a line."""
    units, money = unpaid(period, priced)
    paid = applied = 0
    if priced.unit is not None:
        period, applied = _burn(step, period, units, priced.unit, priced, usage, line)
        paid = priced.money(applied)
    period, more = _burn(step, period, money - paid, priced.currency, Priced(priced.currency), usage, line)
    paid += more
    period = period._replace(credits=period.credits + paid, units_paid=period.units_paid + applied)
    return period, Paid(0, paid, applied)


def _burn(
    step: Step, period: ChargePeriod, amount: int, unit: str, priced: Priced, usage: Usage, line: str
) -> tuple[ChargePeriod, int]:
    paid = 0
    if amount <= 0:
        return period, 0
    for portion in _portions(step, unit, usage):
        share = min(portion.amount, amount - paid)
        if share <= 0:
            break
        grant = step.cells.get(("grant", step.tenant, step.account), portion.key)
        ahead = share if grant.rollover is not None and usage.at >= grant.rolled else 0
        _book(step, portion.key, grant._replace(ahead=grant.ahead + ahead), "burn", -share, line)
        paid += share
        period = period._replace(burns=_burnt(period.burns, Burn(portion.key, share, priced.money(share))))
    return period, paid


def _portions(step: Step, unit: str, usage: Usage) -> list[Portion]:
    found = []
    for key, grant in grants(step):
        if grant.unit != unit or not _pays(grant, usage):
            continue
        lasting = min(grant.balance, _kept(grant)) if grant.rollover is not None else grant.balance
        cut = grant.balance - lasting
        if cut and grant.rollover is not None and usage.at < grant.rolled:
            ends = min(grant.rolled, grant.expires)
            found.append(Portion(grant.priority, ends, grant.created, key, cut))
        if lasting > 0:
            found.append(Portion(grant.priority, grant.expires, grant.created, key, lasting))
    return sorted(found)


def _refund(
    step: Step, period: ChargePeriod, amount: int, priced: Priced, line: str
) -> tuple[ChargePeriod, int, int]:
    """Take `amount` (positive, in the line's unit) back: first what is due, then the charge's burns, latest first."""
    money = priced.money(amount)
    due = max(min(money, period.billed - period.credits), 0)
    left = money - due
    # Where a unit is worth nothing, only units tell what was paid.
    left_units = max(amount - (period.units - period.units_paid), 0) if priced.unit and not priced.rate else 0
    return _from_burns(step, period, left, left_units, priced, line)


def give_back(
    step: Step, period: ChargePeriod, money: int, currency: str, line: str
) -> tuple[ChargePeriod, int]:
    """Let go back what a charge's burns were worth, up to `money`, latest first; what did."""
    period, paid, _ = _from_burns(step, period, money, 0, Priced(currency), line)
    return period, -paid


def _from_burns(
    step: Step, period: ChargePeriod, left: int, left_units: int, priced: Priced, line: str
) -> tuple[ChargePeriod, int, int]:
    burns = list(period.burns)
    paid = applied = 0
    while burns and (left > 0 or left_units > 0):
        last = burns.pop()
        in_unit = step.cells.get(("grant", step.tenant, step.account), last.grant).unit == priced.unit
        share, worth = _share(last, left, left_units if in_unit else 0)
        if share < last.amount:
            burns.append(Burn(last.grant, last.amount - share, last.money - worth))
        if share:
            _give_back(step, last.grant, share, line)
        left, paid = left - worth, paid - worth
        if in_unit:
            applied -= share
            left_units -= min(share, left_units)
        if not share:
            break
    return period._replace(burns=tuple(burns)), paid, applied


def _share(last: Burn, left: int, left_units: int) -> tuple[int, int]:
    """What goes back to the grant of a burn, in its own unit and in money."""
    if not last.money:
        return min(last.amount, left_units), 0
    if last.money <= left:
        return last.amount, last.money
    if last.money == last.amount:
        return left, left
    share = left * last.amount // last.money // _FINE * _FINE
    return share, share * last.money // last.amount


def grant(step: Step, key: str, made: Grant) -> None:
    """Issue a grant."""
    _book(step, key, made._replace(balance=0), "grant", made.amount, None)


def raised(step: Step, key: str, held: Grant, amount: int) -> None:
    """Issue more of a grant that is there; what it was lasts, where it is over it begins anew."""
    _book(step, key, held._replace(amount=held.amount + amount, ended=""), "grant", amount, None)


def end(step: Step, key: str, held: Grant, entry: str, amount: int) -> None:
    """Void or expire `amount` of a grant."""
    left = held._replace(ended=entry) if held.balance == amount else held
    if amount:
        _book(step, key, left, entry, -amount, None)
    else:
        save(step, key, left)


def unvoid(step: Step, key: str, share: int) -> None:
    """Take back what was voided of a grant, an entry the other way round; where it has lapsed meanwhile it lapses again."""
    held = step.cells.get(("grant", step.tenant, step.account), key)
    lapsed = "" if held.ended == "void" else held.ended
    _book(step, key, held._replace(ended=lapsed), "void", share, None)
    if lapsed:
        held = step.cells.get(("grant", step.tenant, step.account), key)
        _book(step, key, held, lapsed, -share, None)


def roll(step: Step, key: str, held: Grant, due: int) -> None:
    """The rollover at a period's end: the balance as of that end becomes `min(max, max(min, balance))`."""
    _book(step, key, held._replace(ahead=0, rolled=due), "rollover", _kept(held) - held.balance, None)


def _kept(held: Grant) -> int:
    """What the coming rollover leaves of the balance, less what usage after it has burnt already."""
    assert held.rollover is not None
    low, high = held.rollover
    return min(high, max(low, held.balance + held.ahead)) - held.ahead


def _pays(grant: Grant, usage: Usage) -> bool:
    if not (grant.effective <= usage.at < grant.expires) or grant.ended or grant.balance <= 0:
        return False
    if usage.meter is None:
        return grant.charges is not None and usage.charge in grant.charges
    return (grant.charges is None or usage.charge in grant.charges) and (
        grant.meters is None or usage.meter in grant.meters
    )


def _burnt(burns: tuple[Burn, ...], new: Burn) -> tuple[Burn, ...]:
    if burns and burns[-1].grant == new.grant:
        last = burns[-1]
        return (*burns[:-1], Burn(last.grant, last.amount + new.amount, last.money + new.money))
    return (*burns, new)


def _give_back(step: Step, key: str, share: int, line: str) -> None:
    held = step.cells.get(("grant", step.tenant, step.account), key)
    _book(step, key, held, "refund", share, line)
    if held.ended:
        held = step.cells.get(("grant", step.tenant, step.account), key)
        _book(step, key, held, held.ended, -share, None)


def _book(step: Step, key: str, held: Grant, entry: str, amount: int, line: str | None) -> None:
    after = held._replace(balance=numbers.check_amount(held.balance + amount), entries=held.entries + 1)
    save(step, key, after)
    step.emit(LEDGER, {
        "id": entry_id(step.tenant, step.account, key, after.entries), "tenant": step.tenant, "account": step.account,
        "grant": key, "entry": entry, "amount": numbers.amount_text(amount), "unit": held.unit,
        "balance": numbers.amount_text(after.balance), "charge": line, "time": step.time_text,
    })  # fmt: skip


def save(step: Step, key: str, held: Grant) -> None:
    """Put a grant's cell."""
    step.cells.put(("grant", step.tenant, step.account), key, held)
