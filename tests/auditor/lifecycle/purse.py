"""An account's grants, replayed: what pays for a line, in which order, and what a negative line gives back."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from tests.auditor.lifecycle.words import Doc

Entry = tuple[str, Fraction, Fraction]
"""Kind of ledger entry, signed amount, balance after it."""
NEVER = 2**62


@dataclass
class Grant:
    """One grant. Of those that end together the one `created` earlier burns first, by its command's time."""

    key: str
    unit: str
    balance: Fraction
    priority: int
    begin: int
    end: int
    created: int
    charges: list[str] = field(default_factory=list)
    meters: list[str] = field(default_factory=list)
    gone: str = ""
    entries: list[Entry] = field(default_factory=list)

    @property
    def rank(self) -> tuple[int, int, int, str]:
        return self.priority, self.end, self.created, self.key

    def pays(self, line: Doc, at: int) -> bool:
        """Whether it may pay for a line as of a time."""
        if not self.begin <= at < self.end or self.gone:
            return False
        named = line["charge"] in self.charges
        if line["kind"] == "fee" or not (self.charges or self.meters):
            return named or line["kind"] != "fee"
        return named or line["meter"] in self.meters

    def book(self, kind: str, amount: Fraction) -> None:
        """One entry of the ledger."""
        self.balance += amount
        self.entries.append((kind, amount, self.balance))


@dataclass
class Burn:
    """What a grant paid for a charge in a period and was not given back, in its own unit; `worth` is money a unit."""

    grant: Grant
    amount: Fraction
    worth: Fraction


@dataclass
class Purse:
    """All grants of an account, what is due of each charge and period, and the burns for it."""

    grants: dict[str, Grant] = field(default_factory=dict)
    due: dict[tuple[str, str, str], Fraction] = field(default_factory=dict)
    burns: dict[tuple[str, str, str], list[Burn]] = field(default_factory=dict)

    def expire(self, now: int, grace: int, inclusive: bool) -> None:
        """Book the expiries that are due: at their instant plus the grace."""
        for grant in sorted(self.grants.values(), key=lambda each: each.rank):
            over = grant.end + grace
            if not grant.gone and (over < now or (inclusive and over == now)):
                grant.gone = "expire"
                if grant.balance:
                    grant.book("expire", -grant.balance)

    def void(self, key: str, amount: Fraction | None) -> None:
        """Take back what is left of a grant, or so much of it, where there is as much."""
        grant = self.grants.get(key)
        if grant is None or grant.gone or (amount is not None and amount > grant.balance):
            return
        if amount is None:
            amount, grant.gone = grant.balance, "void"
        if amount:
            grant.book("void", -amount)

    def applied(self, line: Doc, at: int) -> Fraction:
        """What credits pay of a line as of a time; less than nothing where they are given back."""
        name = (line["subscription"], line["charge"], line["period_start"])
        amount = Fraction(line["amount"])
        if line["kind"] == "adjustment":
            return self._pay(line, self.due.get(name, Fraction(0)), at, name)
        paid = self._pay(line, amount, at, name) if amount >= 0 else -self._give_back(-amount, name)
        self.due[name] = self.due.get(name, Fraction(0)) + amount - paid
        return paid

    def _pay(self, line: Doc, amount: Fraction, at: int, name: tuple[str, str, str]) -> Fraction:
        priced = line["pricing_unit"]
        left = amount
        if priced and Fraction(priced["amount"]):
            worth = amount / Fraction(priced["amount"])
            left -= self._burn(line, priced["unit"], worth, left, at, name) if worth else 0
        left -= self._burn(line, line["currency"], Fraction(1), left, at, name)
        return amount - left

    def _burn(
        self, line: Doc, unit: str, worth: Fraction, money: Fraction, at: int, name: tuple[str, str, str]
    ) -> Fraction:
        left = money / worth
        for grant in sorted(self.grants.values(), key=lambda each: each.rank):
            taken = min(left, grant.balance)
            if grant.unit == unit and taken > 0 and grant.pays(line, at):
                grant.book("burn", -taken)
                self.burns.setdefault(name, []).append(Burn(grant, taken, worth))
                left -= taken
        return money - left * worth

    def _give_back(self, money: Fraction, name: tuple[str, str, str]) -> Fraction:
        """First what is due, then the burns, latest first; to a grant that is gone it lapses again."""
        left = money - min(money, max(self.due.get(name, Fraction(0)), Fraction(0)))
        burns, paid = self.burns.get(name, []), Fraction(0)
        given: dict[str, Fraction] = {}
        while left and burns:
            burn = burns[-1]
            back = min(left / burn.worth, burn.amount)
            burn.amount, left = burn.amount - back, left - back * burn.worth
            given[burn.grant.key] = given.get(burn.grant.key, Fraction(0)) + back
            paid += back * burn.worth
            if not burn.amount:
                burns.pop()
        for key, back in given.items():
            grant = self.grants[key]
            grant.book("refund", back)
            if grant.gone:
                grant.book(grant.gone, -back)
        return paid
